// What comes in over the network: too much, too odd, and nobody there to read it.
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeMessage, type Value } from '#src/osc/codec.js';
import { DIAL_PARAM, DIALS, REMOTE_DIALS } from '../stage.js';
import type { Show } from '../show.js';
import type { Random } from '../random.js';
import { codeOf, type Disaster } from './disaster.js';

const PACKETS_PER_TURN = 50;
/** The server starts the OSC thread again five times a minute. */
const BETWEEN_KILLS_MS = 20_000;

type Maker = (random: Random, i: number) => Uint8Array;

const float = (value: number): Value => ({ type: 'f', value });
const sets: Maker = (random) =>
  encodeMessage(`/f${random.below(12)}/${random.pick(['cutoff', 'resonance'])}`, [float(random.between(0, 5000))]);
const patterns: Maker = (random) =>
  encodeMessage(random.pick(['/v*/fine', '/{v1,v2,f3}/*', '/f?/cutoff', '/f[0-9]/res*', '/*/nothing']), [float(random.between(0.1, 0.9))]);
const structure: Maker = (random, i) =>
  random.next() < 0.5
    ? encodeMessage('/engine/module/create', ['attenuverter', `net${i % 30}`])
    : random.next() < 0.5
      ? encodeMessage('/engine/module/remove', [`net${random.below(30)}`])
      : encodeMessage('/engine/cable/connect', [`net${random.below(30)}.out`, `net${random.below(30)}.in`]);
const garbage: Maker = (random, i) => {
  const packet = random.pick([sets, patterns, structure])(random, i);
  for (let bytes = 1 + random.below(8); bytes > 0; bytes--) packet[random.below(packet.length)] = random.below(256);
  return packet.subarray(0, 1 + random.below(packet.length));
};
const MAKERS = { sets, patterns, structure, garbage } as const;

const flood = (kind: keyof typeof MAKERS, most: number): Disaster => ({
  name: `flood of ${kind}`,
  async run(show, random) {
    const count = most / 4 + random.below(most);
    for (let i = 0; i < count; i++) {
      show.remote.throw(MAKERS[kind](random, i));
      if (i % PACKETS_PER_TURN === 0) await sleep(1);
    }
    await show.remote.tell([]);
    if (kind === 'structure') await clear(show);
    return `${count} packets`;
  },
});

/** Removes what the flood has created. */
async function clear(show: Show): Promise<void> {
  await sleep(100);
  await show.edits.take(async () => {
    const ids = [...show.engine.patch.modules.keys()].filter((id) => id.startsWith('net'));
    // Some may just be being removed.
    for (const id of ids) await codeOf(show.engine.removeModule(id));
  });
}

export const floods: readonly Disaster[] = [flood('sets', 8000), flood('patterns', 1000), flood('structure', 200), flood('garbage', 4000)];

const killed = new WeakMap<Show, number>();
export const killOsc: Disaster = {
  name: 'kill the OSC thread',
  async run(show) {
    if (performance.now() - (killed.get(show) ?? -Infinity) < BETWEEN_KILLS_MS) return 'not again so soon';
    killed.set(show, performance.now());
    const fault = show.witness.expect({ what: 'osc' });
    await show.oscThread.terminate();
    await show.until('the death of the OSC thread is reported', () => fault.seen > 0);
    await show.remote.tell([]);
    show.witness.done(fault);
    return '';
  },
};

/** No disaster: somebody plays, and every value must arrive. */
export const play: Disaster = {
  name: 'turn dials',
  async run(show, random) {
    const { engine, ledger, remote } = show;
    await show.withDials(async () => {
      const id = random.pick(DIALS);
      for (let i = random.below(20); i >= 0; i--) {
        const value = random.between(-5, 5);
        await engine.set(id, DIAL_PARAM, value);
        ledger.set(`${id}.${DIAL_PARAM}`, value);
      }
    });
    await show.withDials(async () => {
      const turns = Array.from({ length: 1 + random.below(100) }, () => [random.pick(REMOTE_DIALS), random.between(-5, 5)] as const);
      await remote.tell(turns.map(([id, value]) => [`/${id}/${DIAL_PARAM}`, float(value)]));
      for (const [id, value] of turns) ledger.set(`${id}.${DIAL_PARAM}`, value);
    });
    return '';
  },
};
