// What one can know of a module that plays.
import type { ParamSpec } from '../module.js';
import type { Instances } from './instances.js';
import type { LiveModule } from './live.js';

type Readable = number | string | boolean;

export interface ModuleInfo {
  readonly id: string;
  readonly type: string;
  readonly voices: number;
  /** The DSP thread that should run it; −1 when nothing runs it. */
  readonly worker: number;
  /** Bytes of state. */
  readonly memory: number;
  /** Values in the parameter's own unit (an enum's label, a toggle's boolean), one per voice when voices differ. */
  readonly params: Readonly<Record<string, Readable | readonly Readable[]>>;
}

const readable = (spec: ParamSpec, value: number): Readable =>
  spec.kind === 'enum' ? spec.values[value]! : spec.kind === 'toggle' ? value !== 0 : value;

export function moduleInfo({ id, instance }: LiveModule, instances: Instances, worker: number): ModuleInfo {
  const { definition, voices, bytes } = instance;
  const params = Object.entries(definition.params).map(([name, spec], i) => {
    const values = instances.targets(instance, i).map((value) => readable(spec, value));
    return [name, values.every((value) => value === values[0]) ? values[0]! : values] as const;
  });
  return { id, type: definition.type, voices, worker, memory: bytes, params: Object.fromEntries(params) };
}
