// How fast does a new module play?
import { setTimeout as sleep } from 'node:timers/promises';
import { modules } from '../modules/index.js';
import { Engine } from '../src/index.js';
import { machine, quantile, rounded, STALLS_NOTE, type BenchOptions, type Report } from './report.js';
import { standardVoices, type StandardPatch } from './standard-voice.js';

const TOGETHER = 8;

/** Thirty modules that play: five monophonic voices, a mixer, a delay and a reverb. */
export function thirtyModules(): StandardPatch {
  const patch = standardVoices(5, 'mono');
  const mixed = patch.cables.map(({ to, ...cable }) => ({ ...cable, to: to === 'out.left' ? `mixer.in${cable.from.slice(3, 4)}` : to }));
  return {
    ...patch,
    modules: { ...patch.modules, mixer: { type: 'mixer' }, delay: { type: 'delay' }, reverb: { type: 'reverb' } },
    cables: [
      ...mixed,
      { from: 'mixer.out', to: 'delay.left' },
      { from: 'delay.left', to: 'reverb.left' },
      { from: 'delay.right', to: 'reverb.right' },
      { from: 'reverb.left', to: 'out.left' },
      { from: 'reverb.right', to: 'out.right' },
    ],
  };
}

class Timings {
  readonly #samples = new Map<string, number[]>();
  add(what: string, milliseconds: number): void {
    this.#samples.set(what, [...(this.#samples.get(what) ?? []), milliseconds]);
  }
  async time<T>(what: string, work: () => Promise<T>): Promise<T> {
    const begin = performance.now();
    const result = await work();
    this.add(what, performance.now() - begin);
    return result;
  }
  rows(): Report['rows'] {
    return [...this.#samples].map(([request, samples]) => ({
      request,
      times: samples.length,
      'p50 ms': rounded(quantile(samples, 0.5)),
      'p99 ms': rounded(quantile(samples, 0.99)),
      'max ms': rounded(Math.max(...samples)),
    }));
  }
}

/** What it took to decide which thread runs what, of the last edit. */
const assignMs = (engine: Engine): number => engine.stats().edits.assignMs.last;

/** A type's input and output that an audio cable would use. */
const firstPort = (ports: object): string | undefined => Object.keys(ports)[0];

export async function run({ quick }: BenchOptions): Promise<Report> {
  const rounds = quick ? 30 : 500;
  const timings = new Timings();
  const engine = await Engine.create({ sampleRate: 48_000 });
  try {
    await engine.loadPatch(thirtyModules());
    await engine.start({ driver: 'null' });
    await sleep(quick ? 100 : 1000);
    const before = engine.stats();
    const known = new Set<string>();
    for (let i = 0; i < rounds; i++) {
      const { type, inputs, outputs } = modules[i % modules.length]!;
      const id = `new${i}`;
      await timings.time(known.has(type) ? 'create' : 'create, a type’s first', () => engine.createModule(type, id));
      timings.add(i === 0 ? 'its thread, cold' : 'its thread', assignMs(engine));
      const [input, output] = [firstPort(inputs), firstPort(outputs)];
      const what = known.has(type) ? 'connect' : 'connect, a type’s first';
      if (input) await timings.time(what, () => engine.connect('mixer.out', `${id}.${input}`));
      else if (output) await timings.time(what, () => engine.connect(`${id}.${output}`, 'mixer.in8'));
      await timings.time('set', () => setAndHear(engine, i));
      await timings.time('remove', () => engine.removeModule(id));
      known.add(type);
      // Now and then, as a player would, not in time with the blocks.
      await sleep((i * 7) % 5);
    }
    for (let i = 0; i < rounds / TOGETHER; i++) {
      const ids = Array.from({ length: TOGETHER }, (_, n) => `many${n}`);
      const each = (n: number): string => modules[(i + n) % modules.length]!.type;
      await timings.time(`all of ${TOGETHER} at once`, () =>
        Promise.all(ids.map((id, n) => timings.time(`create, one of ${TOGETHER} at once`, () => engine.createModule(each(n), id)))),
      );
      timings.add(`their thread, ${TOGETHER} at once`, assignMs(engine));
      await Promise.all(ids.map((id) => engine.removeModule(id)));
      await sleep((i * 7) % 5);
    }
    const after = engine.stats();
    const underruns = after.underruns - before.underruns;
    const stalls = after.stalls - before.stalls;
    return {
      title: `Edits of a playing patch of ${before.modules} modules, request → in the running plan`,
      rows: timings.rows(),
      notes: [
        `${underruns} underruns and ${stalls} stalls in ${rounded(after.seconds - before.seconds)} s; null driver, blocks of ${engine.blockFrames} frames, ${engine.workers} DSP threads.`,
        ...(stalls > 0 ? [STALLS_NOTE] : []),
        'create, connect and remove end when the promise does; set, when the DSP thread has the new value.',
        'The first of a type includes what of it is not compiled yet. Its thread: of a create, what it takes to decide which thread runs the module.',
        machine(),
      ],
    };
  } finally {
    await engine.stop();
  }
}

/** Sets a parameter and waits until the DSP thread has taken it. */
async function setAndHear(engine: Engine, i: number): Promise<void> {
  const cutoff = 500 + (i % 2) * 100;
  await engine.set('vcf1', 'cutoff', cutoff);
  while (engine.moduleInfo('vcf1').params['cutoff'] !== cutoff) await new Promise(setImmediate);
}
