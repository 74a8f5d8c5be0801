// The OSC thread as it runs.
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { encodeBundle, encodeMessage, LIMITS, timetagFromUnix } from '#src/osc/codec.js';
import { frame, type Framing } from '#src/osc/framing.js';
import { COMMAND_SLOTS, CONTROL } from '#src/shared/layout.js';
import { cleanups, read, stillAnswers, Thread } from './thread-rig.js';

describe('over UDP', () => {
  it('sets, answers, hands on, and leaves when told', async () => {
    const thread = await Thread.start();
    const peer = await thread.udp();
    peer.send('/vcf/cutoff', 440);
    expect(await thread.commands(1)).toEqual([expect.objectContaining({ slot: 0, param: 0, value: 440, frame: -1 })]);
    peer.send('/vcf/cutoff');
    expect(await peer.next()).toEqual(['/vcf/cutoff', 440]);
    peer.send('/engine/status', 5);
    expect(await peer.next()).toEqual(['/done', '/engine/status']);
    peer.send('/engine/versoin');
    expect(await peer.next()).toEqual(['/fail', '/engine/versoin', expect.stringMatching(/did you mean/)]);
    await thread.until(() => thread.said.some(({ kind }) => kind === 'changes'));
    thread.tell({ kind: 'flush', request: 9 });
    await thread.until(() => thread.said.some(({ kind }) => kind === 'flushed'));
    thread.tell({ kind: 'stop' });
    expect(await thread.exited).toEqual([0]);
  });

  it('tells those who asked, at the port they want', async () => {
    const thread = await Thread.start();
    const [asker, told] = [await thread.udp(), await thread.udp()];
    asker.send('/engine/notify', 1, told.socket.address().port);
    expect(await asker.next()).toEqual(['/done', '/engine/notify', 60]);
    thread.tell({ kind: 'push', messages: [{ address: '/engine/patch/loaded', args: ['x'] }] });
    expect(await told.next()).toEqual(['/engine/patch/loaded', 'x']);
  });

  it('does not send what is too large for a datagram, and says so', async () => {
    const thread = await Thread.start();
    thread.answer = (address) => [{ address, args: ['x'.repeat(1500)] }];
    const peer = await thread.udp();
    peer.send('/engine/status');
    expect(await peer.next()).toEqual(['/fail', '/engine/status', expect.stringMatching(/bytes\) could not be sent/)]);
  });

  it('gives no stranger more than it sent', async () => {
    const thread = await Thread.start({ trustLoopback: false });
    thread.answer = (address) => [{ address: '/done', args: [address, 'x'.repeat(1000)] }];
    const peer = await thread.udp();
    peer.send('/engine/status');
    peer.send('/pad/cutoff');
    peer.send('/vcf/gate', true);
    await thread.commands(1);
    peer.send('/engine/notify', 'x'.repeat(200));
    // The first that fits is the complaint about that.
    expect((await peer.next()).slice(0, 2)).toEqual(['/fail', '/engine/notify']);
    peer.send('/engine/notify', 1);
    peer.send('/engine/status');
    await thread.until(() => peer.heard.length > 0);
    expect((await peer.next()).slice(0, 2)).toEqual(['/done', '/engine/notify']);
    expect((await peer.next())[2]).toHaveLength(1000);
  });

  it('honours time tags on the clock of this machine', async () => {
    const thread = await Thread.start();
    const peer = await thread.udp();
    const seconds = Date.now() / 1000;
    for (const ahead of [1, 2]) peer.sendRaw(encodeBundle(timetagFromUnix(seconds + ahead), [encodeMessage('/vcf/cutoff', [100])]));
    peer.sendRaw(encodeBundle(timetagFromUnix(seconds - 100), [encodeMessage('/vcf/cutoff', [100])]));
    const [first, second, late] = await thread.commands(3);
    expect(Math.abs(second!.frame - first!.frame - 48_000)).toBeLessThan(100);
    expect(late!.frame).toBe(-1);
    expect(await peer.next()).toEqual(['/late', '/vcf/cutoff', expect.any(Number)]);
  });

  it('survives what is hostile, and answers on', async () => {
    const thread = await Thread.start();
    const peer = await thread.udp();
    const good = Buffer.from(encodeBundle(1n, [encodeMessage('/vcf/cutoff', [100])]));
    const lying = Buffer.from(good);
    lying.writeInt32BE(0x7ffffffc, 16);
    let nested: Uint8Array = encodeMessage('/vcf/cutoff', [1]);
    for (let i = 0; i < 20; i++) nested = encodeBundle(1n, [nested]);
    const blob = Buffer.from('/a\0\0,b\0\0\x7f\xff\xff\xff\0\0\0\0', 'latin1');
    const patterns = ['{a,b}'.repeat(50) + '*', '*a'.repeat(120), '['.repeat(250), '{'.repeat(10), '{*,*}'.repeat(40)];
    const packets = [
      lying,
      nested,
      blob,
      Buffer.from('/abc'),
      Buffer.alloc(0),
      Buffer.alloc(60_000, '/'),
      Buffer.alloc(65_000, 0xff),
      encodeMessage('/vcf/cutoff', [NaN]),
      encodeMessage('/engine/patch/load', ['../../etc/passwd']),
      encodeBundle(
        1n,
        Array.from({ length: 1000 }, () => encodeMessage('/*/*/*', [1])),
      ),
      encodeBundle(0xffff_ffff_ffff_ffffn, [encodeMessage('/vcf/cutoff', [1])]),
      encodeBundle(2n, [encodeMessage('/engine/status', [])]),
      ...patterns.map((pattern) => encodeMessage(`/${pattern}`, [1])),
    ];
    for (const packet of packets) {
      peer.sendRaw(packet);
      await stillAnswers(peer, 4711);
      thread.arena.commands();
    }
    expect(thread.counter(CONTROL.OSC_FAULTS)).toBe(7);
  });

  it('loses nothing that counts in a flood', async () => {
    const thread = await Thread.start();
    const peer = await thread.udp();
    const bundle = (i: number): Uint8Array =>
      encodeBundle(
        1n,
        Array.from({ length: 100 }, (_, k) => encodeMessage(`/pad/cutoff/${k % 4}`, [100 + i])),
      );
    for (let i = 0; i < 300; i++) {
      peer.sendRaw(bundle(i));
      if (i % 20 === 0) await sleep(1);
    }
    await thread.until(() => thread.counter(CONTROL.OSC_PACKETS) === 300);
    const commands = await thread.commands(COMMAND_SLOTS - 256 + 4);
    const last = new Map(commands.map(({ voice, value }) => [voice, value]));
    expect([...last.entries()].sort()).toEqual([0, 1, 2, 3].map((voice) => [voice, 399]));
    const merged = thread.counter(CONTROL.OSC_MERGED);
    expect(commands.length + merged).toBe(30_000);
    expect(thread.counter(CONTROL.OSC_DROPPED)).toBe(0);
  });

  it('has everything in the ring before it says so', async () => {
    const thread = await Thread.start();
    const peer = await thread.udp();
    const sets = Array.from({ length: 100 }, () => encodeMessage('/vcf/cutoff', [100]));
    for (let sent = 0; sent < COMMAND_SLOTS; sent += 100) {
      peer.sendRaw(encodeBundle(1n, sets));
      if (sent % 2000 === 0) await sleep(1);
    }
    peer.send('/vcf/cutoff', 199);
    peer.send('/engine/version');
    await peer.next();
    const asked = performance.now();
    thread.tell({ kind: 'flush', request: 7 });
    const isFlushed = (): boolean => thread.said.some(({ kind }) => kind === 'flushed');
    await sleep(20);
    const isEarly = isFlushed();
    const commands = thread.arena.commands();
    // It waits for half a second: of a machine that stood still as long nothing is known.
    if (performance.now() - asked > 400) return;
    expect(isEarly).toBe(false);
    await thread.until(isFlushed);
    commands.push(...thread.arena.commands());
    expect(commands.at(-1)!.value).toBe(199);
  });

  it('catches up without a burst when it has stood still', async () => {
    const thread = await Thread.start();
    const peer = await thread.udp();
    thread.tell({ block: 5000 });
    await sleep(100);
    for (let i = 0; i < 100; i++) {
      peer.send('/vcf/cutoff', 100 + i);
      peer.send('/keys/note', 60, 100);
    }
    peer.send('/keys/note', 60, 0);
    expect(thread.arena.commands()).toEqual([]);
    const commands = await thread.commands(2);
    await sleep(50);
    commands.push(...thread.arena.commands());
    expect(commands.map(({ kind, value }) => [kind, value])).toEqual([
      [2, 0],
      [1, 199],
    ]);
    expect(thread.counter(CONTROL.OSC_DROPPED)).toBe(100);
    peer.send('/keys/note', 60, 100);
    expect(await thread.commands(1)).toHaveLength(1);
  });

  it('says when its port is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    cleanups.push(() => server.close());
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const thread = await Thread.start({ oscPort: port });
    expect(thread.said).toEqual([
      { kind: 'failed', code: 'port', message: `OSC port ${port} at 127.0.0.1: it is in use`, hint: 'give another with --osc-port' },
    ]);
    expect(await thread.exited).toEqual([0]);
    const other = await Thread.start({ httpPort: port });
    expect(other.said).toEqual([
      expect.objectContaining({ kind: 'failed', code: 'port', message: expect.stringMatching(/HTTP.*in use$/) }),
    ]);
    expect(await other.exited).toEqual([0]);
  });
});

describe.each<Framing>(['length', 'slip'])('over TCP, %s', (framing) => {
  it('sets and answers, at any length', async () => {
    const thread = await Thread.start();
    thread.answer = (address) => [{ address, args: ['\u{c0}'.repeat(20_000)] }];
    const stream = await thread.tcp(framing);
    stream.send('/vcf/cutoff', 440);
    stream.send('/vcf/cutoff');
    stream.send('/engine/status');
    stream.send('/engine/notify', 1);
    expect(await stream.next()).toEqual(['/vcf/cutoff', 440]);
    expect(await thread.commands(1)).toHaveLength(1);
    const heard = [await stream.next(), await stream.next()].sort(([a], [b]) => (a < b ? -1 : 1));
    expect(heard.map(([address, first]) => [address, String(first).length])).toEqual([
      ['/done', '/engine/notify'.length],
      ['/engine/status', 20_000],
    ]);
    stream.socket.destroy();
    await thread.until(() => thread.said.some(({ kind }) => kind === 'gone'));
  });
});

describe('over TCP', () => {
  it.each<[string, Uint8Array]>([
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['a length of nothing', Buffer.alloc(4)],
    ['a length beyond the limit', Buffer.from([0, 0x7f, 0, 0])],
    ['SLIP without end', Buffer.alloc(LIMITS.bytes + 2, '/')],
  ])('cuts off %s', async (_, bytes) => {
    const thread = await Thread.start();
    const stream = await thread.tcp('slip');
    stream.socket.write(bytes);
    await once(stream.socket, 'close');
    const peer = await thread.udp();
    peer.send('/engine/version');
    expect((await peer.next())[0]).toBe('/done');
  });

  it('cuts off who does not read', async () => {
    const thread = await Thread.start();
    thread.answer = (address) => [{ address, args: ['x'.repeat(100_000)] }];
    const stream = await thread.tcp('length');
    stream.socket.pause();
    const closed = once(stream.socket, 'close');
    for (let i = 0; i < 200; i++) stream.send('/engine/status');
    await thread.until(() => thread.said.some(({ kind }) => kind === 'gone'));
    stream.socket.resume();
    await closed;
  });

  it('takes 64 connections', async () => {
    const thread = await Thread.start();
    const streams = [];
    for (let i = 0; i < 64; i++) streams.push(await thread.tcp('length'));
    const refused = await thread.tcp('length');
    await once(refused.socket, 'close');
    streams[63]!.send('/engine/version');
    expect((await streams[63]!.next())[0]).toBe('/done');
  });
});

describe('over WebSocket', () => {
  it('sets and answers', async () => {
    const thread = await Thread.start({ httpPort: 0 });
    const socket = new WebSocket(`ws://127.0.0.1:${thread.listening.httpPort}/`);
    cleanups.push(() => socket.terminate());
    await once(socket, 'open');
    socket.send(encodeMessage('/vcf/cutoff', [440]));
    expect(await thread.commands(1)).toEqual([expect.objectContaining({ value: 440 })]);
    socket.send(encodeMessage('/engine/status'));
    const [answer] = (await once(socket, 'message')) as [Buffer];
    expect(read(answer)).toEqual(['/done', '/engine/status']);
    socket.close();
    await thread.until(() => thread.said.some(({ kind }) => kind === 'gone'));
    thread.tell({ kind: 'stop' });
    expect(await thread.exited).toEqual([0]);
  });
});
