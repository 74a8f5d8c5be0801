import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { Client } from '#src/osc/client.js';
import { encodeMessage, encodeMessageInto } from '#src/osc/codec.js';
import type { OscAliasEntry } from '#src/osc/protocol.js';
import { FakeArena, Rig, until, untilClosed, type Listener, type Part } from './query-rig.js';

let arena: FakeArena;
let rig: Rig;

beforeEach(async () => {
  arena = new FakeArena();
  arena.put({
    vcf1: { type: 'vcf' },
    pad: { type: 'vco', voices: 3 },
    lfo1: { type: 'lfo' },
    clock1: { type: 'clock' },
    keys1: { type: 'keys' },
    xy1: { type: 'xy' },
  });
  rig = await Rig.open(arena.space, { secondMs: 100 });
});
afterEach(() => rig.close());

const edit = (parts: Record<string, Part>, removed: string[] = [], aliases?: OscAliasEntry[]): void =>
  rig.server.spaceChanged(arena.put(parts, removed, aliases));

describe('OSC packets', () => {
  it('reach receive(), and answers the client', async () => {
    const listener = await rig.socket();
    const packet = encodeMessage('/vcf1/cutoff', [440]);
    listener.socket.send(packet);
    await until(() => rig.received.length === 1);
    const { client, packet: received } = rig.received[0]!;
    expect(received).toEqual(Uint8Array.from(packet));
    expect(client).toMatchObject({ id: 100, isStream: true });
    expect(client.label).toMatch(/^ws 127\.0\.0\.1:\d+$/);

    const answer = encodeMessage('/vcf1/cutoff', [441]);
    expect(client.send(answer)).toBe(true);
    answer.fill(0); // the sender's buffer is its own again
    await until(() => listener.messages.length === 1);
    expect(listener.messages[0]).toMatchObject({ address: '/vcf1/cutoff', args: [{ type: 'i', value: 441 }] });
  });

  it('go to the client that is meant, and to none that is gone', async () => {
    const [one, two] = [await rig.socket(), await rig.socket()];
    two.socket.send(encodeMessage('/x'));
    await until(() => rig.received.length === 1);
    const { client } = rig.received[0]!;
    client.send(encodeMessage('/y'));
    await until(() => two.messages.length === 1);
    expect(one.messages).toHaveLength(0);
    two.socket.close();
    await until(() => rig.gone.length === 1);
    expect(rig.gone).toEqual([client]);
    expect(client.send(encodeMessage('/z'))).toBe(false);
  });

  it('of more than 256 KiB end the connection', async () => {
    const { socket } = await rig.socket();
    const closed = once(socket, 'close');
    socket.send(Buffer.alloc(256 * 1024 + 4));
    expect((await closed)[0]).toBe(1009);
    expect(rig.received).toHaveLength(0);
    const other = await rig.socket();
    other.socket.send(Buffer.alloc(256 * 1024));
    await until(() => rig.received.length === 1);
  });

  describe('to a slow reader', () => {
    const slow = async (): Promise<{ listener: Listener; client: Client; fill: () => number }> => {
      const listener = await rig.socket();
      listener.socket.send(encodeMessage('/x'));
      await until(() => rig.received.length === 1);
      const { client } = rig.received[0]!;
      listener.socket.pause();
      // One buffer for all of them, as senders have.
      const buffer = new Uint8Array(128 * 1024);
      const fill = (): number => {
        for (let i = 0; i < 1000; i++) {
          const size = encodeMessageInto(buffer, '/n', [i, new Uint8Array(100_000)]);
          if (!client.send(buffer.subarray(0, size))) return i;
        }
        throw new Error('there is no limit');
      };
      return { listener, client, fill };
    };

    it('wait up to a limit, as they were', async () => {
      const { listener, client, fill } = await slow();
      const sent = fill();
      expect(sent).toBeGreaterThan(0);
      listener.socket.resume();
      await until(() => listener.messages.length === sent);
      expect(listener.messages.map(({ args }) => args[0]!.value)).toEqual(Array.from({ length: sent }, (_, i) => i));
      expect(client.send(encodeMessage('/more'))).toBe(true);
    });

    it('end its connection if it stays slow, though it speaks', async () => {
      const { listener, fill } = await slow();
      fill();
      const speaks = setInterval(() => listener.socket.send(encodeMessage('/x')), 50);
      await until(() => rig.gone.length === 1);
      clearInterval(speaks);
    });

    it('let it wait too: what it says is read when it reads', async () => {
      const { listener, fill } = await slow();
      fill();
      const before = rig.received.length;
      for (let i = 0; i < 1000; i++) listener.socket.send(encodeMessage('/x', [new Uint8Array(10_000)]));
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(rig.received.length - before).toBeLessThan(1000);
      listener.socket.resume();
      await until(() => rig.received.length === before + 1000);
    });

    it('are not joined by news, but it is told that it has missed some', async () => {
      const { listener, fill } = await slow();
      fill();
      edit({ vcf2: { type: 'vcf' } });
      listener.socket.resume();
      await until(() => listener.texts.length === 1);
      expect(listener.texts).toEqual([{ COMMAND: 'PATH_CHANGED', DATA: '/' }]);
    });
  });
});

describe('LISTEN', () => {
  it('sends a value at once, then whenever it has changed', async () => {
    const listener = await rig.socket();
    arena.set('vcf1', 'cutoff', 100);
    listener.command('LISTEN', '/vcf1/cutoff');
    await until(() => listener.messages.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 100));
    arena.set('vcf1', 'cutoff', 200.5);
    await until(() => listener.messages.length === 2);
    expect(listener.messages).toEqual(
      [100, 200.5].map((value) => ({ kind: 'message', address: '/vcf1/cutoff', args: [{ type: 'f', value }] })),
    );
  });

  it('tells values with their types', async () => {
    const listener = await rig.socket();
    const paths = ['lfo1', 'clock1', 'keys1', 'xy1'].flatMap((id) => {
      const { params } = arena.definition(arena.space.modules.get(id)!.type);
      return Object.entries(params).map(([name, spec]) => ({ path: `/${id}/${name}`, spec }));
    });
    for (const { path } of paths) listener.command('LISTEN', path);
    await until(() => listener.messages.length === paths.length);
    for (const { path, spec } of paths) {
      const { args } = listener.messages.find(({ address }) => address === path)!;
      if (spec.kind === 'enum') expect(args).toEqual([{ type: 's', value: spec.default }]);
      if (spec.kind === 'toggle') expect(args).toEqual([{ type: spec.default ? 'T' : 'F', value: spec.default }]);
      if (spec.kind === 'integer') expect(args).toEqual([{ type: 'i', value: spec.default }]);
      if (spec.kind === 'number') expect(args).toEqual([{ type: 'f', value: Math.fround(spec.default) }]);
    }
    expect(new Set(paths.map(({ spec }) => spec.kind))).toEqual(new Set(['number', 'integer', 'enum', 'toggle']));
  });

  it('tells of each voice when they differ', async () => {
    const listener = await rig.socket();
    listener.command('LISTEN', '/pad/freq');
    await until(() => listener.messages.length === 1);
    arena.set('pad', 'freq', 110, 1);
    await until(() => listener.messages.length === 2);
    arena.set('pad', 'freq', 220);
    await until(() => listener.messages.length === 3);
    const freq = Math.fround(261.6256);
    expect(listener.messages.map(({ args }) => args.map(({ value }) => value))).toEqual([[freq], [freq, 110, freq], [220]]);
  });

  it('knows aliases', async () => {
    edit({}, [], [{ address: '/1/fader1', id: 'vcf1', param: 'resonance', range: [0, 0.8] }]);
    const listener = await rig.socket();
    arena.set('vcf1', 'resonance', 0.2);
    listener.command('LISTEN', '/1/fader1');
    await until(() => listener.messages.length === 1);
    expect(listener.messages[0]).toMatchObject({ address: '/1/fader1', args: [{ type: 'f', value: 0.25 }] });
  });

  it('ends with IGNORE, and with the connection', async () => {
    const [one, two] = [await rig.socket(), await rig.socket()];
    one.command('LISTEN', '/vcf1/cutoff');
    two.command('LISTEN', '/vcf1/cutoff');
    two.command('LISTEN', '/vcf1/cutoff'); // twice is once
    await until(() => one.messages.length === 1 && two.messages.length === 1);
    one.command('IGNORE', '/vcf1/cutoff');
    one.command('IGNORE', '/vcf1/cutoff');
    one.command('LISTEN', '/vcf1/resonance');
    await until(() => one.messages.length === 2);
    arena.set('vcf1', 'cutoff', 300);
    await until(() => two.messages.length === 2);
    expect(one.messages).toHaveLength(2);
    one.socket.terminate();
    await until(() => rig.gone.length === 1);
    arena.set('vcf1', 'cutoff', 400);
    await until(() => two.messages.length === 3);
  });

  it('takes addresses as people write them', async () => {
    const listener = await rig.socket();
    for (const address of ['vcf1/cutoff', '//vcf1//cutoff/', '/vcf1/cutoff']) listener.command('LISTEN', address);
    await until(() => listener.messages.length === 1);
    listener.command('IGNORE', 'vcf1/cutoff');
    listener.command('LISTEN', '/vcf1/resonance');
    await until(() => listener.messages.length === 2);
    arena.set('vcf1', 'cutoff', 60);
    arena.set('vcf1', 'resonance', 0.5);
    await until(() => listener.messages.length === 3);
    expect(listener.messages.map(({ address }) => address)).toEqual(['/vcf1/cutoff', '/vcf1/resonance', '/vcf1/resonance']);
  });

  it('says what it cannot do', async () => {
    const listener = await rig.socket();
    listener.command('LISTEN', '/vcf1/cutof');
    listener.command('LISTEN', '/vcf1');
    listener.command('LISTEN', '/engine/version');
    listener.command('LISTEN', '/\0');
    listener.command('SPEAK', '/vcf1/cutoff');
    for (const text of ['', '{', 'null', '[]', '{"COMMAND":"LISTEN"}', '{"COMMAND":"LISTEN","DATA":7}', `"${'x'.repeat(5000)}"`])
      listener.socket.send(text);
    await until(() => listener.messages.length === 12);
    const fails = listener.messages.map(({ address, args }) => [address, ...args.map(({ value }) => value)]);
    expect(fails.slice(0, 3)).toEqual([
      ['/fail', 'LISTEN', "/vcf1/cutof: there is nothing there; did you mean 'cutoff'?"],
      ['/fail', 'LISTEN', '/vcf1: it has no value'],
      ['/fail', 'LISTEN', '/engine/version: it has no value'],
    ]);
    expect(fails[3]![2]).toMatch(/^\/: there is nothing there/);
    for (const fail of fails.slice(4)) expect(fail[1]).toBe('command');
  });

  it('is for 1,024 addresses at most', async () => {
    const aliases = Array.from({ length: 1030 }, (_, i) => ({ address: `/f/${i}`, id: 'vcf1', param: 'cutoff', range: [0, 1] as const }));
    edit({}, [], aliases);
    const listener = await rig.socket();
    for (let i = 0; i < 1030; i++) listener.command('LISTEN', `/f/${i}`);
    await until(() => listener.messages.filter(({ address }) => address === '/fail').length === 6);
    await until(() => listener.messages.filter(({ address }) => address !== '/fail').length === 1024);
    listener.command('IGNORE', '/f/0');
    listener.command('LISTEN', '/f/1029');
    await until(() => listener.messages.some(({ address }) => address === '/f/1029'));
  });

  it('goes on over edits, and ends when its module goes', async () => {
    const listener = await rig.socket();
    listener.command('LISTEN', '/vcf1/cutoff');
    listener.command('LISTEN', '/pad/freq');
    await until(() => listener.messages.length === 2);
    edit({ vcf1: { type: 'vcf', voices: 2 } }, ['pad']);
    arena.set('vcf1', 'cutoff', 77);
    await until(() => listener.messages.length === 3);
    expect(listener.messages[2]!.args).toEqual([{ type: 'f', value: 77 }]);
    edit({ pad: { type: 'vco' } });
    arena.set('pad', 'freq', 50);
    arena.set('vcf1', 'cutoff', 78);
    await until(() => listener.messages.length === 4);
    expect(listener.messages[3]!.address).toBe('/vcf1/cutoff');
  });
});

describe('edits', () => {
  const texts = async (count: number, what: () => void): Promise<[string, string][]> => {
    const [one, two] = [await rig.socket(), await rig.socket()];
    what();
    await until(() => one.texts.length >= count && two.texts.length >= count);
    expect(one.texts).toEqual(two.texts);
    return one.texts.map(({ COMMAND, DATA }) => [COMMAND, DATA]);
  };

  it('are told to all clients', async () => {
    const told = await texts(3, () =>
      edit({ vcf2: { type: 'vcf' }, vcf1: { type: 'vcf', voices: 4 }, lfo1: { type: 'lfo' } }, ['pad', 'nobody']),
    );
    // The LFO may lie elsewhere now, but it looks the same.
    expect(told).toEqual([
      ['PATH_REMOVED', '/pad'],
      ['PATH_ADDED', '/vcf2'],
      ['PATH_CHANGED', '/vcf1'],
    ]);
    expect((await rig.get('/vcf2/cutoff')).status).toBe(200);
    expect((await rig.get('/pad')).status).toBe(404);
    expect((await rig.get('/vcf1/cutoff')).json.OVERLOADS[0].TYPE).toBe('ffff');
  });

  it('of aliases too', async () => {
    const alias = (address: string, param = 'cutoff') => ({ address, id: 'vcf1', param, range: [0, 1] as const });
    edit({}, [], [alias('/a'), alias('/b'), alias('/c')]);
    const told = await texts(3, () => edit({}, [], [alias('/a'), alias('/b', 'resonance'), alias('/d/e')]));
    expect(told).toEqual([
      ['PATH_REMOVED', '/c'],
      ['PATH_CHANGED', '/b'],
      ['PATH_ADDED', '/d/e'],
    ]);
  });

  it('of many things are one', async () => {
    const many = Object.fromEntries(Array.from({ length: 257 }, (_, i) => [`m${i}`, { type: 'vca' }]));
    expect(await texts(1, () => edit(many))).toEqual([['PATH_CHANGED', '/']]);
    const { json } = await rig.get('/');
    expect(Object.keys(json.CONTENTS)).toHaveLength(1 + 6 + 257);
  });
});

describe('upgrades', () => {
  const upgrade = async (headers: string, target = '/'): Promise<string> => {
    const socket = await rig.raw();
    socket.write(`GET ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\n${headers}\r\n`);
    setTimeout(() => socket.end(), 100).unref();
    return untilClosed(socket);
  };
  const GOOD = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';

  it('are made at any path', async () => {
    expect(await upgrade(GOOD, '/vcf1?x')).toMatch(/^HTTP\/1\.1 101/);
  });

  it('that are wrong are refused', async () => {
    expect(await upgrade('Connection: Upgrade\r\nUpgrade: h2c\r\n')).toMatch(/^HTTP\/1\.1 400/);
    expect(await upgrade(GOOD.replace('13', '99'))).toMatch(/^HTTP\/1\.1 4/);
    expect(await upgrade(GOOD.replace('dGhl', ''))).toMatch(/^HTTP\/1\.1 400/);
    expect(await upgrade(`${GOOD}Sec-WebSocket-Extensions: permessage-deflate\r\n`)).not.toMatch(/deflate/);
    expect((await rig.get('/vcf1?TYPE')).status).toBe(200);
  });

  it('by pages of elsewhere are refused', async () => {
    expect(await upgrade(`${GOOD}Origin: https://evil.example\r\n`)).toMatch(/^HTTP\/1\.1 403 .*evil\.example/s);
    expect(await upgrade(`${GOOD}Origin: http://localhost:8080\r\n`)).toMatch(/^HTTP\/1\.1 101/);
  });

  it('survive what is no WebSocket frame', async () => {
    for (const bytes of [
      Buffer.alloc(64, 0xff),
      Buffer.from([0x82, 0xff, 0x7f, 255, 255, 255, 255, 255, 255, 255]),
      Buffer.from([0x82, 0x05, 1, 2]),
    ]) {
      const socket = await rig.raw();
      socket.write(`GET / HTTP/1.1\r\nHost: x\r\n${GOOD}\r\n`);
      await once(socket, 'data');
      const closed = untilClosed(socket);
      socket.write(bytes);
      await closed;
    }
    await until(() => rig.gone.length === 3);
    expect(rig.received).toHaveLength(0);
  });

  it('count among the 64 connections', async () => {
    const sockets = Array.from({ length: 100 }, () => new WebSocket(`ws://127.0.0.1:${rig.server.port}`).on('error', () => {}));
    const states = (): number[] => sockets.map(({ readyState }) => readyState);
    await until(() => states().every((state) => state !== WebSocket.CONNECTING));
    expect(states().filter((state) => state === WebSocket.OPEN)).toHaveLength(64);
    for (const socket of sockets) socket.terminate();
    await until(() => rig.gone.length === 64);
  });

  it('of those who no longer answer are ended', async () => {
    const socket = await rig.raw();
    socket.write(`GET / HTTP/1.1\r\nHost: x\r\n${GOOD}\r\n`);
    const answers = await rig.socket();
    // It never answers a ping; the other does.
    await untilClosed(socket);
    await until(() => rig.gone.length === 1);
    expect(answers.socket.readyState).toBe(WebSocket.OPEN);
  });
});
