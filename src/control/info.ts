// What one can know of a module.
import type { Cost } from './faults.js';
import type { Instances } from './instances.js';
import type { LiveModule } from './live.js';
import { readable } from './patch/index.js';
import type { ScriptInfo } from './script-stats.js';

type Readable = number | string | boolean;

/** How a module fares: what the engine notes of it while it lives. */
export interface ModuleHealth {
  /** Frame at which it was made. */
  readonly since: number;
  /** How often it was at fault. */
  faults: number;
  /** For its faults it no longer takes part. */
  bypassed: boolean;
  /** What a block of it costs, once that has been measured. */
  cost?: Cost;
}

export interface ModuleInfo {
  readonly id: string;
  readonly type: string;
  readonly voices: number;
  /** `leaving`: removed, until its cables are silent. */
  readonly state: 'running' | 'bypassed' | 'leaving';
  /** Frame at which it was made. */
  readonly since: number;
  /** How often it was at fault. */
  readonly faults: number;
  /** What a block of it costs, once that has been measured. */
  readonly cost?: Cost;
  /** How its script fares, where it has one. */
  readonly script?: ScriptInfo;
  /** The DSP thread that should run it; −1 when nothing runs it. */
  readonly worker: number;
  /** Bytes of state. */
  readonly memory: number;
  /** Values in the parameter's own unit (an enum's label, a toggle's boolean), one per voice when voices differ. */
  readonly params: Readonly<Record<string, Readable | readonly Readable[]>>;
}

/** Which modules `findModules` gives; both must hold. */
export interface ModuleQuery {
  readonly type?: string;
  /** A pattern for ids, as in OSC addresses: `?`, `*`, `[a-c]`, `{vco,lfo}*`. */
  readonly name?: string;
}

export function moduleInfo(
  { id, instance }: LiveModule,
  instances: Instances,
  worker: number,
  { since, faults, bypassed, cost }: ModuleHealth,
  isLeaving: boolean,
  script: ScriptInfo | undefined,
): ModuleInfo {
  const { definition, voices, bytes } = instance;
  const params = Object.entries(definition.params).map(([name, spec], i) => {
    const values = instances.targets(instance, i).map((value) => readable(spec, value));
    return [name, values.every((value) => value === values[0]) ? values[0]! : values] as const;
  });
  return {
    id,
    type: definition.type,
    voices,
    state: isLeaving ? 'leaving' : bypassed ? 'bypassed' : 'running',
    since,
    faults,
    ...(cost ? { cost } : {}),
    ...(script ? { script } : {}),
    worker,
    memory: bytes,
    params: Object.fromEntries(params),
  };
}
