// What does a module cost by itself?
import { Bench } from 'tinybench';
import { modules } from '../modules/index.js';
import { cables } from '../src/dsp/cables.js';
import '../src/v8-flags.js';
import { kernelShape, packable, type InputKind } from '../src/kernel/index.js';
import { countOperations } from '../src/kernel/ir.js';
import { Rig, type RigOptions } from '../src/kernel/rig.js';
import { forgetSource, modulePath } from '../src/kernel/source.js';
import { encodeKernel } from '../src/kernel/wasm/backend.js';
import type { ModuleDefinition, PortKind } from '../src/module.js';
import { machine, median, rounded, type BenchOptions, type Report } from './report.js';

const SAMPLE_RATE = 48_000;
const BLOCK = 64;
/** Blocks per measurement: a single one is too short for the clock. */
const BLOCKS = 50;
const CABLES_PATH = modulePath('../src/dsp/cables');

/** Ways to run a module: the voices (or modules) of a kernel call. */
const FORMS = {
  scalar: { lanes: 1, rig: { voices: 1 } },
  packed: { lanes: 4, rig: { packed: [0, 1, 2, 3] } },
  simd: { lanes: 16, rig: { voices: 16 } },
  js: { lanes: 1, rig: { voices: 1, backEnd: 'js' } },
} satisfies Record<string, { lanes: number; rig: RigOptions }>;
type Form = keyof typeof FORMS;

/** Where the voices of an input come from: buffers anywhere, one buffer in which they lie side by side, or all the same channel. */
type Feed = 'apart' | 'together' | 'shared';
const KINDS: Record<Form, Record<Feed, InputKind>> = {
  scalar: { apart: 'm', together: 'm', shared: 'm' },
  packed: { apart: 'g', together: 'p', shared: 'm' },
  simd: { apart: 'p', together: 'p', shared: 'm' },
  js: { apart: 'm', together: 'm', shared: 'm' },
};

/** A module in a situation: which inputs are plugged and which outputs used. */
interface Case {
  readonly name: string;
  readonly definition: ModuleDefinition;
  readonly inputs: Readonly<Record<string, Feed>>;
  readonly outputs: readonly string[];
}
const whole = (definition: ModuleDefinition): Case => ({
  name: definition.type,
  definition,
  inputs: Object.fromEntries(Object.keys(definition.inputs).map((name) => [name, 'apart'])),
  outputs: Object.keys(definition.outputs),
});

const inVoice = (type: string, inputs: Case['inputs'], output: string): Case => ({
  name: `voice: ${type}`,
  definition: [...modules, cables].find((definition) => definition.type === type)!,
  inputs,
  outputs: [output],
});
/** The standard voice, kernel by kernel, as the engine plugs it; the cable mixer adds envelope and LFO. */
const VOICE: readonly Case[] = [
  inVoice('vco', {}, 'saw'),
  inVoice('adsr', { gate: 'shared' }, 'env'),
  inVoice('lfo', {}, 'triangle'),
  inVoice('cables', { in1: 'together', in2: 'together' }, 'out'),
  inVoice('vcf', { in: 'together', cutoff: 'together' }, 'low'),
  inVoice('vca', { in: 'together', cv: 'together' }, 'out'),
];

/** What an input is fed with: gates held, triggers at rest, so that what is rare stays rare. */
const SIGNALS: Record<PortKind, (frame: number) => number> = {
  audio: (frame) => 5 * Math.sin((2 * Math.PI * 3 * frame) / BLOCK),
  cv: (frame) => 5 + Math.sin((2 * Math.PI * frame) / BLOCK),
  voct: (frame) => 0.1 * Math.sin((2 * Math.PI * frame) / BLOCK),
  gate: () => 10,
  trigger: () => 0,
};

const pathOf = ({ type }: ModuleDefinition): string => (type === 'cables' ? CABLES_PATH : modulePath(type));

function prepare({ definition, inputs, outputs }: Case, form: Form): Rig {
  const { lanes, rig: options } = FORMS[form];
  const rig = new Rig(definition, {
    ...options,
    sampleRate: SAMPLE_RATE,
    maxFrames: BLOCK,
    path: pathOf(definition),
    inputs: Object.fromEntries(Object.entries(inputs).map(([name, feed]) => [name, KINDS[form][feed]])),
    outputs,
  });
  for (const name of Object.keys(inputs))
    for (let voice = 0; voice < lanes; voice++) rig.input(name, SIGNALS[definition.inputs[name]!.kind], { voice });
  return rig;
}

/** Nanoseconds per sample of one voice: median, and the median distance from it as a share. */
async function measure(one: Case, form: Form, milliseconds: number): Promise<{ ns: number; spread: number }> {
  const { kernel, step } = prepare(one, form);
  const bench = new Bench({ time: milliseconds, iterations: 5, warmupTime: milliseconds / 5, warmupIterations: 2, throws: true });
  bench.add(form, () => {
    for (let block = 0; block < BLOCKS; block++) kernel(step, 0, BLOCK);
  });
  await bench.run();
  const { result } = bench.tasks[0]!;
  if (result.state !== 'completed') throw new Error(`${one.name}, ${form}: the measurement is ${result.state}`);
  const { p50, mad } = result.latency;
  return { ns: (p50 * 1e6) / (BLOCKS * BLOCK * FORMS[form].lanes), spread: mad / p50 };
}

/** Milliseconds from the source text to the machine code of the SIMD form. */
function compileMs({ definition, inputs, outputs }: Case, times: number): number {
  const path = pathOf(definition);
  const samples = Array.from({ length: times }, (_, i) => {
    forgetSource(path);
    const begin = performance.now();
    const shape = kernelShape(
      definition,
      {
        // Another each time: V8 knows bytes that it has compiled before.
        sampleRate: SAMPLE_RATE + 1 + i,
        voices: 16,
        inputs: Object.keys(definition.inputs).map((name) => (inputs[name] ? KINDS.simd[inputs[name]] : '-')),
        outputs: Object.keys(definition.outputs).map((name) => outputs.includes(name)),
      },
      path,
    );
    new WebAssembly.Module(encodeKernel(shape));
    return performance.now() - begin;
  });
  return median(samples);
}

export async function run({ quick }: BenchOptions): Promise<Report> {
  const milliseconds = quick ? 1 : 150;
  const forms: Form[] = quick ? ['scalar', 'packed', 'simd'] : ['scalar', 'packed', 'simd', 'js'];
  const rows: Report['rows'] = [];
  const voice: Record<string, number> = { operations: 0 };
  for (const one of [...modules.map(whole), ...VOICE]) {
    const operations = countOperations(prepare(one, 'simd').shape.graph);
    const row: Report['rows'][number] = { module: one.name, operations };
    let widest = 0;
    for (const form of forms) {
      if (form === 'packed' && !packable(one.definition)) continue;
      const { ns, spread } = await measure(one, form, milliseconds);
      row[form] = rounded(ns);
      widest = Math.max(widest, spread);
      if (VOICE.includes(one)) voice[form] = (voice[form] ?? 0) + ns;
    }
    if (VOICE.includes(one)) voice['operations']! += operations;
    row['± %'] = rounded(widest * 100, 2);
    row['compile ms'] = rounded(compileMs(one, quick ? 1 : 7), 2);
    rows.push(row);
  }
  rows.push({ module: 'voice: sum', ...Object.fromEntries(Object.entries(voice).map(([key, value]) => [key, rounded(value)])) });
  return {
    title: `Nanoseconds per voice and sample, one kernel alone, blocks of ${BLOCK} at ${SAMPLE_RATE / 1000} kHz`,
    rows,
    notes: [
      `scalar: 1 voice; packed: 4 monophonic modules in one register; simd: 16 voices${quick ? '' : '; js: the reference back end'}. Everything plugged and used, but for \`voice:\`, the kernels as the standard voice plugs them.`,
      'Gates are held and triggers at rest. operations: of the graph, per sample of a lane; ± %: the largest median deviation in the row; compile ms: source text to machine code, simd.',
      'Modules with long buffers are never packed.',
      machine(),
    ],
  };
}
