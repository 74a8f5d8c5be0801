// Where the time goes between a packet and a device: every stage as it is passed, seen from a thread that does nothing but look.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { KrellError } from '../../src/errors.js';
import { Engine } from '../../src/index.js';
import { encodeMessage } from '../../src/osc/codec.js';
import { OscServer } from '../../src/osc/server.js';
import { readFrame } from '../../src/shared/frame.js';
import { COMMANDS_CONTROL_W, COMMANDS_OSC_W, CONTROL, RING } from '../../src/shared/layout.js';
import type { Distribution } from '../report.js';

const PATIENCE_MS = 1000;
const SETTLE_MS = 300;
const PATCH = {
  format: 'krell-patch',
  formatVersion: 1,
  modules: { vco1: { type: 'vco' }, vcf1: { type: 'vcf' }, out: { type: 'out' } },
  cables: [
    { from: 'vco1.saw', to: 'vcf1.in' },
    { from: 'vcf1.low', to: 'out.left' },
  ],
};

/** The stages of one change. Each begins where the one before has ended. */
const STAGES = ['packet → in the command ring', '→ its block begins', '→ block computed', '→ taken by the host'] as const;

/** Looks until `done`, without a pause. @returns when, in milliseconds */
function watch(done: () => boolean): number {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    const now = performance.now();
    if (done()) return now;
    if (now > end) throw new KrellError('bench', 'a change did not arrive');
  }
}

/** On the null driver, which takes its periods as a device would. */
export async function stages(trials: number): Promise<Distribution[]> {
  const engine = await Engine.create({ sampleRate: 48_000, workers: 1 });
  const socket = createSocket('udp4');
  let server: OscServer | undefined;
  try {
    await engine.loadPatch(PATCH);
    server = await OscServer.start(engine, { oscPort: 0, httpPort: false });
    socket.connect(server.oscPort, '127.0.0.1');
    await once(socket, 'connect');
    await engine.start({ driver: 'null' });
    await sleep(SETTLE_MS);
    const { words } = engine.arena;
    const passed: number[][] = STAGES.map(() => []);
    const fromControl: number[] = [];
    const created: number[] = [];
    const changed = (word: number): (() => boolean) => {
      const before = Atomics.load(words, word);
      return () => Atomics.load(words, word) !== before;
    };
    for (let i = 0; i < trials; i++) {
      const packet = encodeMessage('/vcf1/cutoff', [{ type: 'f', value: 300 + (i % 100) }]);
      const [arrives, begins] = [changed(COMMANDS_OSC_W + RING.WRITE), changed(COMMANDS_OSC_W + RING.READ)];
      const times = [performance.now()];
      socket.send(packet);
      times.push(watch(arrives), watch(begins));
      const frame = engine.frame;
      times.push(watch(() => engine.frame > frame));
      const computed = engine.frame;
      times.push(watch(() => readFrame(words, CONTROL.TAKEN_LO) >= computed));
      STAGES.forEach((_, stage) => passed[stage]!.push(times[stage + 1]! - times[stage]!));
      await sleep(1 + (i % 3));

      const applies = changed(COMMANDS_CONTROL_W + RING.READ);
      const begin = performance.now();
      await engine.set('vcf1', 'resonance', (i % 100) / 100);
      fromControl.push(watch(applies) - begin);
      await sleep(1 + (i % 2));

      const asked = performance.now();
      await engine.createModule('vca', 'new');
      created.push(performance.now() - asked);
      await engine.removeModule('new');
    }
    const named: [string, number[]][] = [
      ...STAGES.map((stage, i): [string, number[]] => [stage, passed[i]!]),
      ['engine.set → its block begins', fromControl],
      ['createModule → in the plan that plays', created],
    ];
    return named.map(([name, samples]) => ({ name, unit: 'ms', samples }));
  } finally {
    socket.close();
    await server?.stop();
    await engine.stop();
  }
}
