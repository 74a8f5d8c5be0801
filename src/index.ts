// The library: `import { Engine } from 'krell'`.
import './v8-flags.js';

export { Engine } from './control/engine.js';
export type { RecallOptions, SetOptions } from './control/commands.js';
export type { Edit } from './control/edits.js';
export { BLOCK_FRAMES, type EngineOptions } from './control/options.js';
export type {
  DeviceEvent,
  EditEvent,
  EngineEvent,
  EngineEventKind,
  EngineListener,
  FaultEvent,
  LoadEvent,
  StoppedEvent,
  UnderrunEvent,
} from './control/events.js';
export type { ModuleInfo, ModuleQuery } from './control/info.js';
export { render, type RenderOptions, type RenderResult } from './control/render.js';
export type { EngineStats, WorkerStats } from './control/stats.js';
export type { OutputOptions, OutputState } from './control/output.js';
export { loadPatch, readPatchFile, savePatch, type Patch } from './control/patch/index.js';
export { Registry } from './control/registry.js';
export { KrellError, PatchError, type Problem } from './errors.js';
export { KernelError } from './kernel/index.js';
export { OscServer, type OscServerOptions } from './osc/server.js';
export { toWav } from './host/wav.js';
export { listDevices } from './host/devices.js';
export { JobPool, type JobPoolOptions, type JobStats } from './jobs/pool.js';
export type { ScriptInfo, ScriptStats } from './control/script-stats.js';
export type { HandlerRef, Job, JobState, SubmitOptions } from './jobs/job.js';
export type { JobContext } from './jobs/handlers.js';
export { modules } from '../modules/index.js';
