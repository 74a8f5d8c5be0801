// The patch of the show: a sine on the left that is to notice nothing, and on the right whatever else happens.
import { readFileSync } from 'node:fs';
import type { Random } from './random.js';
import { PERIOD } from './tone.mjs';

export const SAMPLE_RATE = 48_000;
/** Parameters that are set by the library, and those that are set by OSC. */
export const DIALS = ['dial0', 'dial1', 'dial2', 'dial3'] as const;
export const REMOTE_DIALS = ['far0', 'far1', 'far2', 'far3'] as const;
export const DIAL_PARAM = 'offset';

interface Cable {
  readonly from: string;
  readonly to: string;
  readonly gain?: number;
}
export interface Json {
  readonly modules: Readonly<Record<string, { readonly type: string; readonly [key: string]: unknown }>>;
  readonly cables: readonly Cable[];
  readonly [key: string]: unknown;
}

/** So many polyphonic voices that the scheduler gives every thread a part of them. */
const CHOIR = 12;
const QUIETLY = 0.01;
const choir = {
  modules: Object.fromEntries(
    Array.from({ length: CHOIR }, (_, i) => [
      [`v${i}`, { type: 'vco', voices: 16, params: { freq: 100 + i } }],
      [`f${i}`, { type: 'vcf', voices: 16 }],
    ]).flat(),
  ) as Json['modules'],
  cables: Array.from({ length: CHOIR }, (_, i) => [
    { from: `v${i}.saw`, to: `f${i}.in` },
    { from: `f${i}.low`, to: 'out.right', gain: QUIETLY },
  ]).flat(),
};

const FILES = ['acid', 'drone', 'feedback-fm', 'krell', 'pad', 'keys'];
const files = new Map<string, Json>();
function patchFile(name: string): Json {
  const known = files.get(name) ?? (JSON.parse(readFileSync(new URL(`../../patches/${name}.json`, import.meta.url), 'utf8')) as Json);
  files.set(name, known);
  return known;
}

/** What is on stage beside the sine, and the values of the dials. */
export interface Cast {
  readonly file?: string;
  readonly hasChoir: boolean;
}
export const CHOIR_ONLY: Cast = { hasChoir: true };
export const randomCast = (random: Random): Cast => ({ file: random.pick(FILES), hasChoir: random.next() < 0.6 });

/** Modules and cables that stay whatever is loaded. */
export interface Guests {
  readonly modules: Json['modules'];
  readonly cables: readonly Cable[];
}

/** A patch with the sine in it. Another patch's sound goes to the right; its output is ours. */
export function stagePatch({ file, hasChoir }: Cast, dials: ReadonlyMap<string, number>, guests?: Guests): Json {
  const others = file === undefined ? undefined : patchFile(file);
  const outs = new Set(Object.entries(others?.modules ?? {}).flatMap(([id, { type }]) => (type === 'out' ? [id] : [])));
  const isOut = (port: string): boolean => outs.has(port.split('.')[0]!);
  const moved = new Map<string, Cable>();
  for (const cable of others?.cables ?? []) {
    const to = isOut(cable.to) ? 'out.right' : cable.to;
    if (!isOut(cable.from)) moved.set(`${cable.from} ${to}`, { ...cable, to, ...(to === 'out.right' ? { gain: QUIETLY } : {}) });
  }
  const dialled = [...DIALS, ...REMOTE_DIALS].map((id) => [
    id,
    { type: 'attenuverter', params: { [DIAL_PARAM]: dials.get(`${id}.${DIAL_PARAM}`) ?? 0 } },
  ]);
  return {
    format: 'krell-patch',
    formatVersion: 1,
    title: file ?? 'choir',
    ...(others?.['tempo'] === undefined ? {} : { tempo: others['tempo'] }),
    modules: {
      sine: { type: 'vco', params: { freq: SAMPLE_RATE / PERIOD } },
      ...Object.fromEntries(Object.entries(others?.modules ?? {}).filter(([id]) => !outs.has(id))),
      out: { type: 'out', params: { limiter: false } },
      ...(Object.fromEntries(dialled) as Json['modules']),
      ...(hasChoir ? choir.modules : {}),
      ...guests?.modules,
    },
    cables: [
      { from: 'sine.sine', to: 'out.left' },
      { from: `${DIALS[0]}.out`, to: 'out.right', gain: QUIETLY },
      ...moved.values(),
      ...(hasChoir ? choir.cables : []),
      ...(guests?.cables ?? []),
    ],
  };
}

export const EMPTY = { format: 'krell-patch', formatVersion: 1, modules: {}, cables: [] };
