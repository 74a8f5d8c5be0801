// Commands about the patch as a whole, what is in it beside modules and cables, recording, and the engine.
import { basename } from 'node:path';
import type { ScriptStats } from '../control/script-stats.js';
import { emptyPatch, type Json } from '../control/patch/index.js';
import { KrellError } from '../errors.js';
import { CONTROL } from '../shared/layout.js';
import type { Value } from './encode.js';
import type { Context, Handler } from './execute.js';
import { counted, double, float } from './execute-modules.js';

/** Letters of a patch in one message. */
const PIECE = 300;
/** Bytes of a patch that `patch/get` gives: over UDP more would only get lost. */
const MAX_GET_BYTES = 256 * 1024;

export const patches: Readonly<Record<string, Handler>> = {
  '/engine/status': (context) => ({ data: status(context) }),
  '/engine/tempo': async ({ engine }, _, bpm?: number) => {
    if (bpm !== undefined) await engine.edit([{ kind: 'tempo', bpm }]);
    return { done: [float(engine.patch.tempo)] };
  },
  '/engine/quit': ({ quit }) => {
    if (!quit) throw new KrellError('denied', 'this program cannot be ended by OSC');
    return { afterwards: quit };
  },

  '/engine/patch/load': async (context, _, wanted: string) => {
    const { name, path, text } = await context.folders.read(wanted);
    // What was set before belongs to the patch that was there before.
    await context.flush();
    await context.engine.loadPatch(text, { source: path });
    context.patchName = name;
    return { done: [context.engine.patch.title] };
  },
  '/engine/patch/save': async (context, _, wanted?: string) => {
    const name = wanted ?? context.patchName;
    if (name === undefined) throw new KrellError('file-name', 'the patch has no name yet', { hint: 'give it one' });
    await context.flush();
    context.patchName = await context.folders.write(name, context.engine.savePatch());
    return { done: [context.patchName] };
  },
  '/engine/patch/clear': async (context) => {
    await context.flush();
    await context.engine.loadPatch(emptyPatch());
    context.patchName = undefined;
    return {};
  },
  '/engine/patch/list': async ({ folders }) => counted((await folders.list()).map((name) => [name])),
  '/engine/patch/get': async (context) => {
    await context.flush();
    const text = context.engine.savePatch();
    const bytes = Buffer.byteLength(text);
    if (bytes > MAX_GET_BYTES)
      throw new KrellError('too-large', `the patch has ${bytes} bytes, more than the ${MAX_GET_BYTES} that are sent`, {
        hint: 'save it with /engine/patch/save',
      });
    return { data: (text.match(new RegExp(`[^]{1,${PIECE}}`, 'gu')) ?? []).map((piece) => [piece]), done: [bytes] };
  },
  '/engine/patch/title': async ({ engine }, _, title?: string) => {
    if (title !== undefined) await engine.edit([{ kind: 'title', title }]);
    return { done: [engine.patch.title] };
  },

  '/engine/snapshot/save': async ({ engine, flush }, _, name: string) => {
    await flush();
    await engine.saveSnapshot(name);
    return { done: [name] };
  },
  '/engine/snapshot/recall': async ({ engine, flush }, _, name: string, seconds?: number) => {
    // What was set before is not to come after it.
    await flush();
    await engine.recallSnapshot(name, seconds === undefined ? {} : { seconds });
    return { done: [name] };
  },
  '/engine/snapshot/remove': async ({ engine }, _, name: string) => {
    await engine.edit([{ kind: 'removeSnapshot', name }]);
    return { done: [name] };
  },
  '/engine/snapshot/list': ({ engine }) => counted([...engine.patch.snapshots.keys()].map((name) => [name])),

  '/engine/alias/set': async ({ engine }, _, address: string, id: string, param: string, low?: Json, high?: Json) => {
    if (low !== undefined && high === undefined)
      throw new KrellError('usage', 'high is missing', { hint: 'give what 0 means and what 1 means, or neither' });
    await engine.edit([{ kind: 'alias', address, to: `${id}.${param}`, ...(high === undefined ? {} : { range: [low!, high] }) }]);
    return { done: [address] };
  },
  '/engine/alias/remove': async ({ engine }, _, address: string) => {
    await engine.edit([{ kind: 'removeAlias', address }]);
    return { done: [address] };
  },
  '/engine/alias/list': ({ engine }) =>
    counted([...engine.patch.osc].map(([address, { id, param, range }]) => [address, id, param, float(range[0]), float(range[1])])),

  '/engine/record/start': async ({ engine, folders }, _, name?: string) => {
    const path = await folders.newRecording(name);
    await engine.startRecording(path);
    return { done: [basename(path)] };
  },
  '/engine/record/stop': async ({ engine }) => {
    const recording = await engine.stopRecording();
    if (!recording) throw new KrellError('recording', 'nothing is being recorded', { hint: 'begin with /engine/record/start' });
    return { done: [basename(recording.path), float(recording.seconds), recording.drops] };
  },
};

/** The words of the control block that the OSC thread counts in. */
const OSC_COUNTS = {
  packets: CONTROL.OSC_PACKETS,
  messages: CONTROL.OSC_MESSAGES,
  faults: CONTROL.OSC_FAULTS,
  late: CONTROL.OSC_LATE,
  merged: CONTROL.OSC_MERGED,
  dropped: CONTROL.OSC_DROPPED,
  clamped: CONTROL.OSC_CLAMPED,
} as const;

const scriptRows = ({ tickMs, ...counts }: ScriptStats): Value[][] => [
  ...Object.entries(counts).map(([name, count]) => [`scripts.${name}`, double(count)]),
  ...Object.entries(tickMs).map(([name, ms]) => [`scripts.tickMs.${name}`, float(ms)]),
];

function status({ engine, patchName }: Context): Value[][] {
  const stats = engine.stats();
  const { words } = engine.arena;
  return [
    ['title', engine.patch.title],
    ['file', patchName ?? ''],
    ['tempo', float(engine.patch.tempo)],
    ['frame', double(engine.frame)],
    ['seconds', double(stats.seconds)],
    ['sampleRate', stats.sampleRate],
    ['blockFrames', stats.blockFrames],
    ['driver', stats.driver],
    ['device', stats.device ?? ''],
    ['latencyMs', float(stats.latencyMs ?? 0)],
    ['ringDepthFrames', stats.ringDepthFrames],
    ['workers', stats.workers.length],
    ['workersAlive', stats.workers.filter(({ alive }) => alive).length],
    ...stats.workers.flatMap(({ load, scheduling, flushesDenormals, restarts, faults, partitions, costUs, maxBlockMs }, i) => [
      [`load[${i}]`, float(load)],
      [`partitions[${i}]`, partitions],
      [`costUs[${i}]`, float(costUs)],
      [`maxBlockMs[${i}]`, float(maxBlockMs)],
      [`scheduling[${i}]`, scheduling],
      [`flushesDenormals[${i}]`, flushesDenormals],
      [`restarts[${i}]`, restarts],
      [`faults[${i}]`, faults],
    ]),
    ['modules', stats.modules],
    ['voices', stats.voices],
    ['cables', stats.cables],
    ['underruns', stats.underruns],
    ['stalls', stats.stalls],
    ['abandoned', stats.abandoned],
    ['edits', stats.edits.count],
    ['lateEvents', stats.lateEvents],
    ['staleEvents', stats.staleEvents],
    ['untoldFaults', double(stats.untoldFaults)],
    ['memory.used', double(stats.memory.used)],
    ['memory.budget', double(stats.memory.budget)],
    ...stats.peak.map((level, channel) => [`peak[${channel}]`, float(level)]),
    ...scriptRows(stats.scripts),
    ...Object.entries(OSC_COUNTS).map(([name, word]) => [`osc.${name}`, double(Atomics.load(words, word) >>> 0)]),
  ];
}
