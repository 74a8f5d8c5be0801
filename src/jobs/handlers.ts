// The functions that jobs run: checked and loaded once per thread.
import { fileURLToPath } from 'node:url';
import { didYouMean } from '../control/names.js';
import { KrellError } from '../errors.js';
import { checkImports } from './guard.js';

/** What a handler gets beside its arguments. */
export interface JobContext {
  /** Aborted when the job is cancelled or out of time; a handler that does not end soon after that loses its thread. */
  readonly signal: AbortSignal;
  /** The job's name. */
  readonly name: string;
}
export type Handler = (args: unknown, context: JobContext) => unknown;

const handlers = new Map<string, Handler>();

/** A handler that is loaded, if it is: no promise for the usual case. */
export const knownHandler = (file: string, name: string): Handler | undefined => handlers.get(`${name} ${file}`);

/** @throws KrellError `imports`; `handler` when the file cannot be loaded, with the stack of whatever it threw */
export async function loadHandler(file: string, name: string): Promise<Handler> {
  const path = fileURLToPath(file);
  const broken = checkImports(path);
  const exported = await load(file).catch((error: unknown) => {
    const [place] = error instanceof SyntaxError ? broken : [];
    throw handlerError(place ? `${place.file}:${place.line}:${place.column}` : path, error);
  });
  const handler = exported[name];
  if (typeof handler !== 'function') {
    const functions = Object.keys(exported).filter((key) => typeof exported[key] === 'function');
    throw new KrellError('handler', `exports no function '${name}'`, { path, hint: didYouMean(name, functions) });
  }
  handlers.set(`${name} ${file}`, handler as Handler);
  return handler as Handler;
}

const load = (file: string): Promise<Record<string, unknown>> => import(file) as Promise<Record<string, unknown>>;

function handlerError(path: string, cause: unknown): KrellError {
  const error = new KrellError('handler', cause instanceof Error ? cause.message : String(cause), { path, cause });
  if (cause instanceof Error && cause.stack) error.stack = cause.stack;
  return error;
}
