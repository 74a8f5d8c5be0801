// What is wrong with a script, and where.

export class ScriptError extends Error {
  override readonly name = 'ScriptError';
  constructor(
    readonly file: string,
    readonly line: number,
    readonly column: number,
    readonly problem: string,
  ) {
    super(`${file}:${line}:${column}: ${problem}`);
  }
}

/** Where in `file` an error was thrown, as its stack tells. */
export function scriptError(file: string, files: readonly string[], error: unknown): ScriptError {
  if (error instanceof ScriptError) return error;
  const problem = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  for (const line of stack.split('\n')) {
    const place = /\(?([^()\s][^()]*):(\d+):(\d+)\)?$/.exec(line.trim().replace(/^at (?:async )?/, ''));
    const found = place && files.find((known) => place[1]!.endsWith(known));
    if (found) return new ScriptError(found, Number(place[2]), Number(place[3]), problem);
  }
  return new ScriptError(file, 1, 1, problem);
}
