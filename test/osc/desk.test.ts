// What is said to `/engine/…` and carried out by the OSC thread itself, and what it hands on to control.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { NOW, EngineClock } from '#src/osc/clock.js';
import { encodeBundle, encodeMessage, timetagFromUnix } from '#src/osc/codec.js';
import { Desk } from '#src/osc/desk.js';
import { Dispatcher } from '#src/osc/dispatcher.js';
import { Held, HELD_MAX } from '#src/osc/held.js';
import { ControlLink } from '#src/osc/link.js';
import { MAX_REQUESTS, type FromOsc } from '#src/osc/protocol.js';
import { REPLY_LIMITS } from '#src/osc/replies.js';
import { UdpClients } from '#src/osc/udp.js';
import { RATE, TestClient, TestDispatcher, TestSpace } from './rig.js';

const helds: Held[] = [];
afterEach(() => {
  for (const held of helds.splice(0)) held.close();
});

function rig() {
  const arena = new TestSpace();
  const d = new TestDispatcher(arena, [arena.module('vcf'), arena.module('pad', { voices: 4 })]);
  const posted: FromOsc[] = [];
  const link = new ControlLink((message) => posted.push(message), d.replies, d.input);
  const held = new Held();
  helds.push(held);
  const clock = new EngineClock(arena.words, () => 1_800_000_000);
  const desk = new Desk({ replies: d.replies, link, table: d.table, clock, space: d.space, held, version: '1.2.3' });
  const frameClock = { frameOf: (seconds: number) => (seconds === 0 ? NOW : RATE) };
  const dispatcher = new Dispatcher({ words: arena.words, table: d.table, input: d.input, clock: frameClock, replies: d.replies, desk });
  const send = (client: TestClient, address: string, ...args: Parameters<typeof encodeMessage>[1] & object): void =>
    dispatcher.receive(encodeMessage(address, args), client);
  const commands = (): Extract<FromOsc, { kind: 'command' }>[] => posted.filter((message) => message.kind === 'command');
  return { ...d, d, dispatcher, desk, link, held, posted, send, commands, client: d.client };
}

describe('own commands', () => {
  it.each<[string, Parameters<typeof encodeMessage>[1], unknown[]]>([
    ['/engine/version', [], ['/done', '/engine/version', 'krell', '1.2.3']],
    ['/engine/version', [42], ['/done', '/engine/version', 'krell', '1.2.3', 42]],
    ['/engine/version', ['x'], ['/fail', '/engine/version', expect.stringMatching(/'x' is one argument too many; use \/engine\/version/)]],
    ['/engine/version', [1, 2], ['/fail', '/engine/version', expect.stringMatching(/too many/)]],
    ['/engine/notify', [], ['/fail', '/engine/notify', expect.stringMatching(/on is missing; use \/engine\/notify/)]],
    ['/engine/notify', ['yes'], ['/fail', '/engine/notify', expect.stringMatching(/'yes', not true or false/)]],
    ['/engine/notify', [1], ['/done', '/engine/notify', 60]],
    ['/engine/notify', [true, 7000], ['/fail', '/engine/notify', 'cannot tell port 7000']],
    ['/engine/notify', [0, 1, 5], ['/done', '/engine/notify', 0, 5]],
    ['/engine/sync', [7], ['/done', '/engine/sync', 7]],
    ['/engine/monitor', [1], ['/done', '/engine/monitor']],
    ['/engine/learn/cancel', [], ['/done', '/engine/learn/cancel']],
    ['/engine/learn', ['vfc', 'cutoff'], ['/fail', '/engine/learn', expect.stringMatching(/no module 'vfc'; did you mean 'vcf'/)]],
    ['/engine/learn', ['vcf', 'cut'], ['/fail', '/engine/learn', expect.stringMatching(/no parameter 'cut'; did you mean 'cutoff'/)]],
  ])('%s %j', (address, args, answer) => {
    const { send, client, posted } = rig();
    send(client, address, ...args!);
    expect(client.heard[0]).toEqual(answer);
    expect(posted).toEqual([]);
  });

  it('gives a token back as large as it came', () => {
    const { send, client } = rig();
    send(client, '/engine/version', 2n ** 40n);
    send(client, '/engine/version', 2n ** 60n);
    expect(client.heard).toEqual([
      ['/done', '/engine/version', 'krell', '1.2.3', 2n ** 40n],
      ['/fail', '/engine/version', expect.stringMatching(/one argument too many/)],
    ]);
  });

  it('tells the time before it is done', () => {
    const { send, client, d } = rig();
    d.tell({ beats: { frame: -RATE, beat: 16, tempo: 90 } });
    send(client, '/engine/time', 9);
    const [map, done] = client.heard as [unknown[], unknown[]];
    const beat = 16 + (Number(map[1]) / RATE + 1) * 1.5;
    expect(map).toEqual(['/engine/time', expect.any(BigInt), expect.any(BigInt), RATE, RATE, expect.closeTo(beat, 9), 90]);
    expect(done).toEqual(['/done', '/engine/time', ...map.slice(1), 9]);
  });
});

describe('commands for control', () => {
  it('are handed on with plain arguments, and answered to who asked', () => {
    const { send, client, commands, link } = rig();
    const other = new TestClient(2, { isStream: true });
    send(client, '/engine/cable/connect', 'a.b', 'c.d', { type: 'f', value: 0.4 }, 7);
    send(other, '/engine/status', true, null, 5n, { type: 'd', value: 0.1 });
    expect(commands()).toEqual([
      { kind: 'command', request: 1, address: '/engine/cable/connect', args: ['a.b', 'c.d', 0.4, 7], client: 1 },
      { kind: 'command', request: 2, address: '/engine/status', args: [true, 5, 0.1], client: 2 },
    ]);
    link.reply(2, [
      { address: '/engine/status', args: ['x', 1] },
      { address: '/done', args: ['/engine/status'] },
    ]);
    link.reply(1, [{ address: '/done', args: ['/engine/cable/connect'] }]);
    link.reply(1, [{ address: '/done', args: ['twice'] }]);
    expect(client.heard).toEqual([['/done', '/engine/cable/connect']]);
    expect(other.heard).toEqual([
      ['/engine/status', 'x', 1],
      ['/done', '/engine/status'],
    ]);
  });

  it('are refused with blobs, and when too many wait', () => {
    const { send, client, commands, link } = rig();
    send(client, '/engine/status', new Uint8Array(4));
    expect(client.takeHeard()).toEqual([['/fail', '/engine/status', expect.stringMatching(/no blobs/)]]);
    for (let i = 0; i <= MAX_REQUESTS; i++) send(client, '/engine/status');
    send(client, '/engine/sync');
    expect(commands()).toHaveLength(MAX_REQUESTS);
    expect(client.takeHeard().map(([, address, why]) => [address, why])).toEqual([
      ['/engine/status', `busy: ${MAX_REQUESTS} commands wait`],
      ['/engine/sync', `busy: ${MAX_REQUESTS} commands wait`],
    ]);
    link.reply(1, []);
    send(client, '/engine/status');
    expect(commands()).toHaveLength(MAX_REQUESTS + 1);
  });

  it('sync waits for all before it, not for what comes after', () => {
    const { send, client, link } = rig();
    const other = new TestClient(2);
    send(client, '/engine/status');
    send(other, '/engine/status');
    send(client, '/engine/sync', 5);
    send(other, '/engine/status');
    link.reply(2, []);
    link.reply(4, []);
    expect(client.heard).toEqual([]);
    link.reply(1, []);
    expect(client.heard).toEqual([['/done', '/engine/sync', 5]]);
  });

  it('are forgotten with who sent them, and control is told', () => {
    const { send, client, posted, link, replies, desk } = rig();
    const silent = new TestClient(3);
    send(client, '/engine/status');
    send(silent, '/vcf/cutoff', 100);
    for (const gone of [client, silent]) {
      replies.gone(gone);
      desk.gone(gone);
      link.gone(gone);
    }
    link.reply(1, [{ address: '/done', args: ['/engine/status'] }]);
    expect(client.heard).toEqual([]);
    expect(posted.filter(({ kind }) => kind === 'gone')).toEqual([{ kind: 'gone', client: 1 }]);
  });

  it('wait for their time, in its order', async () => {
    const { held } = rig();
    const ran: string[] = [];
    const now = Date.now();
    held.add(now + 40, () => ran.push('later'));
    held.add(now + 5, () => ran.push('soon'));
    held.add(now + 5, () => ran.push('then'));
    held.add(now - 1000, () => ran.push('at once'));
    expect(ran).toEqual([]);
    while (ran.length < 4) await sleep(5);
    expect(ran).toEqual(['at once', 'soon', 'then', 'later']);
    for (let i = 0; i < HELD_MAX; i++) expect(held.add(now + 1e7, () => {})).toBe(true);
    expect(held.add(now + 1e7, () => {})).toBe(false);
  });

  it('leave nothing behind at control of a sender that has gone, and belong together', async () => {
    const { dispatcher, client, posted, link, held } = rig();
    const at = timetagFromUnix(Date.now() / 1000 + 0.02);
    const packets = ['/engine/tx/begin', '/engine/tx/commit'].map((address) => encodeMessage(address));
    dispatcher.receive(encodeBundle(at, packets), client);
    link.gone(client);
    expect(held.add(Date.now() + 100, () => {})).toBe(true);
    while (posted.length < 3) await sleep(5);
    expect(posted.map(({ kind }) => kind)).toEqual(['command', 'command', 'gone']);
  });

  it('are kept until then by the desk', async () => {
    const { dispatcher, held, client, commands } = rig();
    const packet = encodeBundle(timetagFromUnix(Date.now() / 1000 + 0.03), [encodeMessage('/engine/status', [7])]);
    dispatcher.receive(packet, client);
    expect(commands()).toEqual([]);
    while (commands().length === 0) await sleep(5);
    expect(commands()).toEqual([expect.objectContaining({ address: '/engine/status', args: [7] })]);
    for (let i = 0; i < HELD_MAX; i++) held.add(Date.now() + 1e7, () => {});
    dispatcher.receive(encodeBundle(timetagFromUnix(Date.now() / 1000 + 100), [encodeMessage('/engine/status')]), client);
    expect(client.heard).toEqual([['/fail', '/engine/status', expect.stringMatching(/wait for their time/)]]);
  });
});

describe('changes', () => {
  it('are reported every 50 ms at most, and when control has taken in the last', () => {
    const { send, client, posted, link } = rig();
    const changes = (): unknown[] => posted.splice(0);
    send(client, '/vcf/cutoff', 100);
    link.report(0);
    expect(changes()).toEqual([
      { kind: 'changes', changes: [expect.objectContaining({ id: 'vcf', param: 'cutoff', voice: -1, value: 100 })] },
    ]);
    send(client, '/vcf/cutoff', 200);
    link.report(1000);
    expect(changes()).toEqual([]);
    link.changed();
    link.report(20);
    expect(changes()).toEqual([]);
    link.report(50);
    expect(changes()).toHaveLength(1);
    link.changed();
    link.report(200);
    expect(changes()).toEqual([]);
  });

  it('are reported at once when control asks', () => {
    const { send, client, posted, link } = rig();
    send(client, '/vcf/cutoff', 100);
    link.report(0);
    send(client, '/vcf/cutoff', 200);
    link.flush(5, 1);
    link.flush(6, 1);
    expect(posted.map(({ kind }) => kind)).toEqual(['changes', 'changes', 'flushed', 'flushed']);
  });
});

describe('learning', () => {
  it('takes the next address that means nothing and moves', () => {
    const { send, client, commands, link, replies } = rig();
    const [learner, notified] = [new TestClient(2), new TestClient(3)];
    replies.register(notified, notified);
    send(learner, '/engine/learn', 'vcf', 'cutoff', 99);
    send(client, '/vcf/cutoff', 100);
    send(client, '/page');
    send(client, '/vcf/nothing', 1);
    send(client, '/fader ', 1);
    send(client, '/ping', 'text');
    send(client, '/3/xy', 0.5, 0.5);
    expect(commands()).toEqual([]);
    for (const value of [0.1, 0.2, 0.3]) send(client, '/1/fader1', { type: 'f', value });
    expect(commands()).toEqual([
      { kind: 'command', request: 1, address: '/engine/alias/set', args: ['/1/fader1', 'vcf', 'cutoff'], client: 2 },
    ]);
    expect(client.takeHeard().map(([, address]) => address)).toEqual(['/page', '/vcf/nothing', '/fader ', '/ping', '/3/xy']);
    link.reply(1, [{ address: '/done', args: ['/engine/alias/set', '/1/fader1'] }]);
    expect(learner.heard).toEqual([['/done', '/engine/learn', 'vcf', 'cutoff', '/1/fader1', 99]]);
    expect(notified.heard).toEqual([['/engine/learned', 'vcf', 'cutoff', '/1/fader1']]);
    send(client, '/1/fader2', 1);
    expect(commands()).toHaveLength(1);
  });

  it('says why when control will not have it', () => {
    const { send, client, link } = rig();
    send(client, '/engine/learn', 'vcf', 'cutoff');
    send(client, '/x', 1);
    link.reply(1, [{ address: '/fail', args: ['/engine/alias/set', 'too many aliases'] }]);
    expect(client.heard).toEqual([['/fail', '/engine/learn', 'too many aliases']]);
  });

  it('is cancelled, replaced, forgotten', () => {
    const { send, client, commands, desk } = rig();
    const other = new TestClient(2);
    send(other, '/engine/learn', 'vcf', 'cutoff', 1);
    send(client, '/engine/learn', 'vcf', 'poles');
    expect(other.heard).toEqual([['/fail', '/engine/learn', 'another address is to be learned', 1]]);
    send(other, '/engine/learn/cancel');
    expect(client.heard).toEqual([['/fail', '/engine/learn', 'cancelled']]);
    send(client, '/engine/learn', 'vcf', 'poles');
    desk.gone(client);
    send(other, '/x', 1);
    expect(commands()).toEqual([]);
  });

  it('has one end, also when it is replaced while control is asked', () => {
    const { send, client, link } = rig();
    send(client, '/engine/learn', 'vcf', 'cutoff', 1);
    send(client, '/x', 1);
    send(client, '/engine/learn', 'vcf', 'poles', 2);
    link.reply(1, [{ address: '/done', args: ['/engine/alias/set', '/x'] }]);
    expect(client.heard).toEqual([['/done', '/engine/learn', 'vcf', 'cutoff', '/x', 1]]);
    send(client, '/engine/learn/cancel');
    expect(client.heard.slice(1)).toEqual([
      ['/fail', '/engine/learn', 'cancelled', 2],
      ['/done', '/engine/learn/cancel'],
    ]);
  });
});

describe('who wants to be told', () => {
  it('is bounded', () => {
    const { send, client, replies } = rig();
    for (let id = 0; id < REPLY_LIMITS.registered; id++) {
      const other = new TestClient(100 + id);
      expect([replies.register(other, other), replies.watch(other, true)]).toEqual([true, true]);
    }
    send(client, '/engine/notify', 1);
    send(client, '/engine/monitor', 1);
    expect(client.heard.map(([what]) => what)).toEqual(['/fail', '/fail']);
  });

  it('watches only when registered, if a stranger', () => {
    const { send, client } = rig();
    const stranger = new TestClient(2, { isLocal: false });
    send(stranger, '/engine/monitor', 1);
    send(client, '/vcf/cutoff', 100);
    expect(stranger.takeHeard()).toEqual([]);
    send(stranger, '/engine/notify', 1);
    send(stranger, '/engine/monitor', 1);
    send(client, '/vcf/cutoff', 100);
    expect(stranger.heard.map(([what]) => what)).toEqual(['/done', '/done', '/monitor', '/monitor']);
  });

  it('watches as long as it is registered, if a stranger', () => {
    const { send, client } = rig();
    const stranger = new TestClient(2, { isLocal: false });
    for (const [command, on] of [
      ['notify', 1],
      ['monitor', 1],
      ['notify', 0],
    ] as const)
      send(stranger, `/engine/${command}`, on);
    stranger.takeHeard();
    send(client, '/vcf/cutoff', 100);
    expect(stranger.heard).toEqual([]);
  });

  it('is told once at a port, whichever ports asked for that, and one of them ends it', () => {
    const { send, replies, link, posted } = rig();
    const heard: unknown[] = [];
    const place = (port: number): TestClient => {
      const client = new TestClient(port);
      return Object.assign(client, { place: { host: 'h', port }, atPort: place, send: () => heard.push(port) > 0 });
    };
    const [first, second] = [place(1), place(2)];
    for (const client of [first, second, second]) send(client, '/engine/notify', 1, 7000);
    heard.length = 0;
    replies.push([{ address: '/engine/patch/loaded', args: ['x'] }]);
    expect(heard).toEqual([7000]);
    for (let i = 0; i < 2; i++) link.tellRegistered();
    expect(posted).toEqual([{ kind: 'registered', registered: [{ host: 'h', port: 2, at: 7000 }] }]);
    send(first, '/engine/notify', 0, 7000);
    expect(replies.registered()).toEqual([]);
  });

  it('is pushed what there is to tell', () => {
    const { send, client, replies } = rig();
    send(client, '/engine/notify', 1);
    client.takeHeard();
    replies.push([{ address: '/engine/patch/loaded', args: ['x'] }]);
    send(client, '/engine/notify', 0);
    replies.push([{ address: '/engine/patch/loaded', args: ['y'] }]);
    expect(client.heard).toEqual([
      ['/engine/patch/loaded', 'x'],
      ['/done', '/engine/notify', 0],
    ]);
  });

  it('over UDP is forgotten 60 seconds after the last packet, and told at another port if it wants', () => {
    let now = 0;
    let ids = 0;
    const gone: number[] = [];
    const posted: [number, string][] = [];
    const clients = new UdpClients({
      post: (_, { port, host }) => posted.push([port, host]) > 0,
      gone: ({ id }) => gone.push(id),
      isRegistered: () => false,
      nextClientId: () => ++ids,
      now: () => now,
    });
    const first = clients.heard('127.0.0.1', 5000);
    const second = clients.heard('10.0.0.1', 5000);
    expect([first.label, first.isLocal, second.isLocal]).toEqual(['udp 127.0.0.1:5000', true, false]);
    now = 50_000;
    expect(clients.heard('127.0.0.1', 5000)).toBe(first);
    now = 60_001;
    clients.expire();
    expect(gone).toEqual([2]);
    expect(clients.heard('127.0.0.1', 5000)).toBe(first);
    expect(clients.heard('10.0.0.1', 5000).id).toBe(3);
    first.atPort!(7000).send(new Uint8Array(8));
    expect(first.send(new Uint8Array(1404))).toBe(false);
    expect(posted).toEqual([[7000, '127.0.0.1']]);
  });

  it('over UDP is remembered for so many, the quietest goes first, but not who is registered', () => {
    let ids = 0;
    let now = 0;
    const gone: number[] = [];
    const clients = new UdpClients({
      post: () => true,
      gone: ({ id }) => gone.push(id),
      isRegistered: ({ id }) => id === 2,
      nextClientId: () => ++ids,
      now: () => now++,
    });
    for (let port = 1; port <= 1024; port++) clients.heard('10.0.0.1', port);
    clients.heard('10.0.0.1', 1);
    clients.heard('10.0.0.2', 1);
    expect(gone).toEqual([3]);
  });
});
