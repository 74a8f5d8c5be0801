// The server with the real OSC thread, over UDP: what a player sends arrives, plays, is answered and ends up in the patch.
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Engine } from '#src/control/engine.js';
import { decode, encodeBundle, encodeMessage, IMMEDIATELY, type DecodedMessage, type Value } from '#src/osc/codec.js';
import type { FaultEvent } from '#src/control/events.js';
import type { OscThreadOptions } from '#src/osc/protocol.js';
import { OscServer } from '#src/osc/server.js';
import { PATCH, temporaryFolder, until } from './server-rig.js';

const BLOCK = 64;
const folder = temporaryFolder();
let engine: Engine;
let server: OscServer;
let quits = 0;
beforeAll(async () => {
  engine = await Engine.create({ workers: 1, realtime: false, blockFrames: BLOCK });
  await engine.start({ driver: 'null' });
  const onQuit = (): void => void quits++;
  server = await OscServer.start(engine, { oscPort: 0, httpPort: 0, patchFolders: [folder], recordFolder: folder, onQuit });
});
afterAll(async () => {
  await server.stop();
  await engine.stop();
});

/** A controller: a UDP socket that keeps what it hears. */
class Player {
  readonly heard: unknown[][] = [];
  readonly #socket: Socket = createSocket('udp4');

  constructor(readonly server: OscServer) {}

  async open(): Promise<this> {
    this.#socket.on('message', (packet) => {
      const { address, args } = decode(packet) as DecodedMessage;
      this.heard.push([address, ...args.map(({ value }) => value)]);
    });
    this.#socket.bind(0, '127.0.0.1');
    await once(this.#socket, 'listening');
    return this;
  }
  packet(packet: Uint8Array): void {
    this.#socket.send(packet, this.server.oscPort, '127.0.0.1');
  }
  send(address: string, ...args: Value[]): void {
    this.packet(encodeMessage(address, args));
  }
  /** Sends a command. @returns its `/done` or `/fail`, and the pages before */
  async ask(address: string, ...args: Value[]): Promise<unknown[][]> {
    const from = this.heard.length;
    this.send(address, ...args);
    const ends = ([reply, about]: unknown[]): boolean => (reply === '/done' || reply === '/fail') && about === address;
    await until(() => this.heard.slice(from).some(ends));
    return this.heard.slice(from).filter((reply) => reply[0] === address || ends(reply));
  }
  close(): void {
    this.#socket.close();
  }
}

it('takes no port that is taken', async () => {
  await expect(OscServer.start(engine, { oscPort: server.oscPort, httpPort: false })).rejects.toThrow(`${server.oscPort}`);
});

it('goes on at the same port when the thread dies', async () => {
  const workers: Worker[] = [];
  const startThread = (workerData: OscThreadOptions): Worker => {
    workers.push(new Worker(new URL('../../dist/src/osc/thread.js', import.meta.url), { workerData }));
    return workers.at(-1)!;
  };
  await engine.loadPatch(PATCH);
  const mortal = await OscServer.start(engine, { oscPort: 0, httpPort: 0, startThread });
  const caller = await new Player(mortal).open();
  const ports = [mortal.oscPort, mortal.httpPort];
  await caller.ask('/engine/notify', 1);
  expect(await caller.ask('/engine/tempo')).toEqual([['/done', '/engine/tempo', 100]]);
  // The thread tells of the registration within its next turns.
  await sleep(100);
  const fault = new Promise<FaultEvent>((resolve) => engine.on('fault', resolve));
  await workers[0]!.terminate();
  expect((await fault).message).toMatch(/the OSC thread died .* and is started anew/);
  await until(() => {
    caller.send('/engine/tempo', 100, 7);
    return caller.heard.some((reply) => reply.at(-1) === 7);
  });
  await until(() => caller.heard.some(([address]) => address === '/engine/restarted'));
  expect([mortal.oscPort, mortal.httpPort]).toEqual(ports);
  caller.send('/vcf/cutoff', 321);
  await until(() => engine.moduleInfo('vcf').params['cutoff'] === 321);
  caller.close();
  await mortal.stop();
});

let player: Player;
beforeEach(async () => {
  await engine.loadPatch(PATCH);
  player = await new Player(server).open();
});
afterEach(() => player.close());

describe('a player', () => {
  it('sets a parameter, which plays, is answered and is saved', async () => {
    player.send('/vcf/cutoff', { type: 'f', value: 432.1 });
    await until(() => engine.moduleInfo('vcf').params['cutoff'] === Math.fround(432.1));
    player.send('/vcf/cutoff');
    await until(() => player.heard.length > 0);
    expect(player.heard[0]).toEqual(['/vcf/cutoff', Math.fround(432.1)]);
    expect(await player.ask('/engine/patch/save', 'set')).toEqual([['/done', '/engine/patch/save', 'set.json']]);
    expect(readFileSync(join(folder, 'set.json'), 'utf8')).toContain('"cutoff": 432.1');
  });

  it('saves what was set in the very same packet', async () => {
    const elements = [encodeMessage('/vcf/cutoff', [777]), encodeMessage('/engine/snapshot/save', ['now'])];
    player.packet(encodeBundle(IMMEDIATELY, elements));
    await until(() => player.heard.length > 0);
    expect(player.heard[0]).toEqual(['/done', '/engine/snapshot/save', 'now']);
    expect(engine.patch.snapshots.get('now')!.find(({ id, param }) => id === 'vcf' && param === 'cutoff')!.values).toEqual([777]);
  });

  it('recalls a snapshot after what was set before, in the sound and in the patch', async () => {
    for (let i = 0; i < 20; i++) {
      player.packet(
        encodeBundle(IMMEDIATELY, [encodeMessage('/vcf/cutoff', [900 + i]), encodeMessage('/engine/snapshot/recall', ['low'])]),
      );
      await until(() => player.heard.length > i);
      const done = engine.frame;
      await until(() => engine.frame > done + 8 * BLOCK);
      expect(engine.moduleInfo('vcf').params['cutoff']).toBe(100);
      expect(engine.patch.modules.get('vcf')!.params.get('cutoff')).toEqual([100]);
    }
  });

  it('makes a module and plays it at once', async () => {
    expect(await player.ask('/engine/module/create', 'attenuverter', 'dc')).toEqual([
      ['/done', '/engine/module/create', 'attenuverter', 'dc'],
    ]);
    player.send('/dc/offset', 3);
    await until(() => engine.moduleInfo('dc').params['offset'] === 3);
    expect(await player.ask('/engine/cable/connect', 'dc.out', 'vcf.cutoff', 0.5, 42)).toEqual([
      ['/done', '/engine/cable/connect', 'dc.out', 'vcf.cutoff', 42],
    ]);
    expect(await player.ask('/engine/module/remove', 'dc')).toHaveLength(1);
    expect((await player.ask('/engine/module/info', 'dc1'))[0]!.slice(0, 2)).toEqual(['/fail', '/engine/module/info']);
  });

  it('moves an alias of the patch, and one made a moment ago', async () => {
    player.send('/1/fader1', { type: 'f', value: 0 });
    await until(() => engine.moduleInfo('vcf').params['cutoff'] === 200);
    await player.ask('/engine/alias/set', '/mine', 'vcf', 'resonance', { type: 'f', value: 0.5 }, 1);
    player.send('/mine', { type: 'f', value: 0 });
    await until(() => engine.moduleInfo('vcf').params['resonance'] === 0.5);
  });

  it('teaches an address', async () => {
    player.send('/engine/learn', 'vcf', 'resonance');
    player.send('/new/knob', { type: 'f', value: 0.25 });
    await until(() => player.heard.some(([address, about]) => address === '/done' && about === '/engine/learn'));
    expect(engine.patch.osc.get('/new/knob')).toEqual({ id: 'vcf', param: 'resonance', range: [0, 1] });
    expect(engine.savePatch()).toContain('"/new/knob": { "to": "vcf.resonance" }');
  });

  it('edits in a transaction', async () => {
    await player.ask('/engine/tx/begin');
    await player.ask('/engine/module/create', 'lfo', 'lfo1');
    await player.ask('/engine/cable/connect', 'lfo1.sine', 'vcf.nowhere');
    const [fail] = await player.ask('/engine/tx/commit');
    expect(fail!.slice(0, 2)).toEqual(['/fail', '/engine/tx/commit']);
    expect(fail![2]).toMatch(/^edits\[1\] cables\[1\]\.to: vcf \(vcf\) has no input 'nowhere'/);
    expect(engine.patch.modules.has('lfo1')).toBe(false);
  });

  it('hears of what others do', async () => {
    expect((await player.ask('/engine/notify', 1))[0]!.slice(0, 2)).toEqual(['/done', '/engine/notify']);
    await engine.createModule('lfo', 'lfo1');
    await engine.loadPatch({ ...PATCH, title: 'Second' });
    const told = (...push: unknown[]): boolean => player.heard.some((message) => JSON.stringify(message) === JSON.stringify(push));
    await until(() => told('/engine/module/created', 'lfo1', 'lfo') && told('/engine/patch/loaded', 'Second'));
    expect(told('/engine/module/removed', 'lfo1')).toBe(true);
    await player.ask('/engine/notify', 0);
  });

  it('reads long answers in pages', async () => {
    await engine.edit(Array.from({ length: 100 }, (_, i) => ({ kind: 'create', type: 'attenuverter', id: `attenuverter-number-${i}` })));
    const replies = await player.ask('/engine/module/list');
    const pages = replies.slice(0, -1);
    expect(pages.length).toBeGreaterThan(2);
    expect(pages.flatMap(([, , , ...items]) => items)).toHaveLength(104 * 3);
    expect(replies.at(-1)).toEqual(['/done', '/engine/module/list', 104]);
  });

  it('is refused in words', async () => {
    expect((await player.ask('/engine/patch/load', '../../etc/passwd'))[0]![2]).toMatch(
      /^'..\/..\/etc\/passwd' is not the name of a file in 'krell-osc-/,
    );
    expect((await player.ask('/engine/module/create', 'vco'))[0]![2]).toMatch(
      /^id is missing; use \/engine\/module\/create type id \[voices\]/,
    );
  });

  it('ends the program', async () => {
    expect(await player.ask('/engine/quit')).toEqual([['/done', '/engine/quit']]);
    await until(() => quits === 1);
  });
});
