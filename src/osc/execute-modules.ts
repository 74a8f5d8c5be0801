// Commands about modules and cables, and several of them as one.
import type { Edit } from '../control/edits.js';
import type { ModuleInfo } from '../control/info.js';
import { didYouMean } from '../control/names.js';
import { quote } from '../control/patch/problems.js';
import { KrellError } from '../errors.js';
import type { ParamSpec } from '../module.js';
import type { Value } from './encode.js';
import type { Context, Handler, Outcome, Sender } from './execute.js';
import { isPattern } from './match.js';
import { shortened } from './plain.js';

/** Edits in a transaction. */
const MAX_EDITS = 1000;

export const modules: Readonly<Record<string, Handler>> = {
  '/engine/module/create': (context, sender, type: string, id: string, voices?: number) =>
    edit(context, sender, { kind: 'create', type, id, ...(voices === undefined ? {} : { voices }) }, [type, id]),
  '/engine/module/remove': (context, sender, id: string) => edit(context, sender, { kind: 'remove', id }, [id]),
  '/engine/cable/connect': (context, sender, from: string, to: string, gain?: number) =>
    edit(context, sender, { kind: 'connect', from, to, ...(gain === undefined ? {} : { gain }) }, [from, to]),
  '/engine/cable/disconnect': (context, sender, from: string, to: string) =>
    edit(context, sender, { kind: 'disconnect', from, to }, [from, to]),
  '/engine/cable/gain': (context, sender, from: string, to: string, gain: number) =>
    edit(context, sender, { kind: 'gain', from, to, gain }, [from, to, float(gain)]),

  '/engine/module/list': ({ engine }) => counted([...engine.patch.modules.values()].map(({ id, type, voices }) => [id, type, voices])),
  '/engine/module/info': ({ engine, folders }, _, id: string) => ({
    data: rowsOf(engine.moduleInfo(id), (text) => shortened(folders.censor(text))),
    done: [id],
  }),
  '/engine/module/find': (context, _, what: string) => counted(find(context, what).map((id) => [id])),
  '/engine/module/running': ({ engine }, _, id: string) => ({ done: [id, engine.isRunning(id)] }),
  '/engine/module/revive': ({ engine }, _, id: string) => {
    engine.reviveModule(id);
    return { done: [id] };
  },
  '/engine/module/clean': async ({ engine }) => counted((await engine.removeFailed()).map((id) => [id])),
  '/engine/module/types': ({ engine }) => counted(engine.registry.list().map(({ type, summary }) => [type, summary])),
  '/engine/module/type': ({ engine }, _, type: string) => {
    const { inputs, outputs, params } = engine.registry.get(type);
    const data = [
      ...Object.entries(inputs).map(([name, { kind }]) => ['input', name, kind]),
      ...Object.entries(outputs).map(([name, { kind }]) => ['output', name, kind]),
      ...Object.entries(params).map(([name, spec]) => ['param', name, rangeOf(spec)]),
    ];
    return { data, done: [type] };
  },
  '/engine/cable/list': ({ engine }) =>
    counted(engine.patch.cables.map(({ from, to, gain }) => [`${from.id}.${from.port}`, `${to.id}.${to.port}`, float(gain)])),

  '/engine/tx/begin': (_, sender) => {
    if (sender.transaction)
      throw new KrellError('transaction', 'a transaction is open already', { hint: 'end it with /engine/tx/commit or /engine/tx/abort' });
    sender.transaction = [];
    return {};
  },
  '/engine/tx/commit': async ({ engine }, sender) => {
    const edits = end(sender);
    if (edits.length > 0) await engine.edit(edits);
    return { done: [edits.length] };
  },
  '/engine/tx/abort': (_, sender) => ({ done: [end(sender).length] }),
};

/** Carries out an edit, or keeps it for the sender's `tx/commit`. */
async function edit({ engine }: Context, { transaction }: Sender, one: Edit, done: readonly Value[]): Promise<Outcome> {
  if (!transaction) {
    await engine.edit([one]);
    return { done };
  }
  if (transaction.length >= MAX_EDITS)
    throw new KrellError('transaction', `a transaction has at most ${MAX_EDITS} edits`, { hint: 'commit this one and begin another' });
  transaction.push(one);
  return { done: ['queued', transaction.length] };
}

function end(sender: Sender): Edit[] {
  const edits = sender.transaction;
  if (!edits) throw new KrellError('transaction', 'no transaction is open', { hint: 'begin one with /engine/tx/begin' });
  sender.transaction = undefined;
  return edits;
}

/** Ids of modules of a type, or that match a pattern. */
function find({ engine }: Context, what: string): string[] {
  const query = engine.registry.find(what) ? { type: what } : { name: what };
  const found = engine.findModules(query).map(({ id }) => id);
  if (found.length > 0 || 'type' in query || isPattern(what)) return found;
  throw new KrellError('unknown-module', `${quote(what)} is neither a module type nor a module`, {
    hint: didYouMean(what, [...engine.registry.types(), ...engine.patch.modules.keys()]),
  });
}

/** Rows, and how many they are. */
export const counted = (data: readonly (readonly Value[])[]): Outcome => ({ data, done: [data.length] });

/** A number that is a float to OSC even when it is whole. */
export const float = (value: number): Value => ({ type: 'f', value });
/** A count or a time that may be too large for 32 bits. */
export const double = (value: number): Value => ({ type: 'd', value });

/** `safe`: a text without folders. */
function rowsOf(info: ModuleInfo, safe: (text: string) => string): Value[][] {
  const { id, type, voices, state, since, faults, cost, script, worker, memory, params } = info;
  const said = (value: number | string | boolean): Value => (typeof value === 'number' ? float(value) : value);
  return [
    ['id', id],
    ['type', type],
    ['voices', voices],
    ['state', state],
    ['since', double(since)],
    ['faults', faults],
    ...(cost ? [...Object.entries(cost).map(([name, value]): Value[] => [`cost.${name}`, float(value)])] : []),
    ...Object.entries(script ?? {}).map(([name, value]): Value[] => [`script.${name}`, safe(String(value))]),
    ['worker', worker],
    ['memory', double(memory)],
    ...Object.entries(params).flatMap(([name, value]): Value[][] =>
      Array.isArray(value)
        ? (value as (number | string | boolean)[]).map((one, voice) => [`params.${name}[${voice}]`, said(one)])
        : [[`params.${name}`, said(value as number | string | boolean)]],
    ),
  ];
}

function rangeOf(spec: ParamSpec): string {
  if (spec.kind === 'enum') return spec.values.join(' | ');
  if (spec.kind === 'toggle') return 'on | off';
  return `${spec.min} to ${spec.max}${spec.unit === '' ? '' : ` ${spec.unit}`}`;
}
