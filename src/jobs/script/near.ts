// Which script a file that is not there may have been meant as. For the main thread: scripts' own threads need nothing of control.
import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { didYouMean } from '../../control/names.js';
import { SCRIPT_FILE } from '../../control/patch/limits.js';

/** What to do about a script's file; undefined when it is there, or none is beside it. */
export function nearScript(file: string): string | undefined {
  const folder = dirname(file);
  if (existsSync(file) || !existsSync(folder)) return undefined;
  return didYouMean(
    basename(file),
    readdirSync(folder).filter((name) => SCRIPT_FILE.test(name)),
  );
}
