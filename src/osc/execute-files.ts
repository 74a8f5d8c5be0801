// Files by the names that OSC gives: always within the folders that the program was told of, whatever the name says.
import { randomUUID } from 'node:crypto';
import { lstat, mkdir, open, readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { didYouMean } from '../control/names.js';
import { readPatchFile } from '../control/patch/index.js';
import { quote } from '../control/patch/problems.js';
import { KrellError } from '../errors.js';

const PATCH = '.json';
const RECORDING = '.wav';
/** Letters of a name, the folders in it included. */
const MAX_NAME = 200;
/** Patches that a list names. */
const MAX_LISTED = 10_000;

export class Folders {
  readonly #patches: readonly string[];
  readonly #recordings: string | undefined;

  constructor(patches: readonly string[], recordings: string | undefined) {
    this.#patches = patches.map((folder) => resolve(folder));
    this.#recordings = recordings === undefined ? undefined : resolve(recordings);
  }

  /** Names of all patches, without `.json`. */
  async list(): Promise<string[]> {
    const names = await Promise.all(this.#patches.map((folder) => readdir(folder).catch(() => [] as string[])));
    const found = new Set(names.flat().filter((name) => name.endsWith(PATCH) && !name.startsWith('.')));
    return [...found]
      .map((name) => name.slice(0, -PATCH.length))
      .sort()
      .slice(0, MAX_LISTED);
  }

  /** @returns a patch's name, with `.json`, where it is, and its text. @throws KrellError */
  async read(name: string): Promise<{ name: string; path: string; text: string }> {
    const file = this.#fileName(name, PATCH, this.#patches);
    for (const folder of this.#patches) {
      const path = await realpath(join(folder, file)).catch(() => undefined);
      if (path === undefined) continue;
      if (!(await isWithin(folder, path))) throw this.#notOne(name, this.#patches);
      // Not a pipe, of which one would read for ever.
      if (!(await stat(path)).isFile()) continue;
      const text = await readPatchFile(path).catch((error: unknown) => hide(path, file, error));
      return { name: file, path: join(folder, file), text };
    }
    const hint = didYouMean(file.slice(0, -PATCH.length), await this.list());
    throw new KrellError('file-missing', `there is no patch ${quote(name)} in ${lastNames(this.#patches)}`, { hint });
  }

  /** Writes a patch, as a whole or not at all. @returns its name, with `.json`. @throws KrellError */
  async write(name: string, text: string): Promise<string> {
    const [folder] = this.#patches;
    const file = this.#fileName(name, PATCH, this.#patches);
    const path = await this.#newPath(folder!, file);
    const draft = join(dirname(path), `.${randomUUID()}.tmp`);
    try {
      const handle = await open(draft, 'wx');
      try {
        await handle.writeFile(text);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(draft, path);
    } catch (error) {
      await rm(draft, { force: true });
      throw cannotWrite(file, folder!, error);
    }
    return file;
  }

  /** Where a new recording goes, named by the time unless by `name`. @throws KrellError, also when there is one already */
  async newRecording(name = `krell-${new Date().toISOString().slice(0, 19).replaceAll(':', '')}`): Promise<string> {
    const folder = this.#recordings;
    if (folder === undefined)
      throw new KrellError('no-folder', 'there is no folder for recordings', { hint: 'start the program with one' });
    const file = this.#fileName(name, RECORDING, [folder]);
    const path = await this.#newPath(folder, file);
    const isThere = await lstat(path).then(
      () => true,
      () => false,
    );
    if (isThere) throw new KrellError('file-exists', `there is a recording ${quote(file)} already`, { hint: 'choose another name' });
    return path;
  }

  /** A text without where the folders are: of that only their own names are anybody's business. */
  censor(text: string): string {
    const folders = [...this.#patches, this.#recordings ?? sep].filter((folder) => basename(folder) !== '');
    return folders.reduce((told, folder) => told.replaceAll(folder, basename(folder)), text);
  }

  #fileName(name: string, ending: string, folders: readonly string[]): string {
    const parts = name.split('/');
    if (name.length > MAX_NAME || parts.some((part) => part === '' || part.startsWith('.') || /[\\\p{Cc}]/u.test(part)))
      throw this.#notOne(name, folders);
    if (folders.length === 0) throw new KrellError('no-folder', 'there is no folder for patches', { hint: 'start the program with one' });
    return name.endsWith(ending) ? name : `${name}${ending}`;
  }

  #notOne(name: string, folders: readonly string[]): KrellError {
    return new KrellError('file-name', `${quote(name)} is not the name of a file in ${lastNames(folders)}`, {
      hint: 'give a name without / at its start, without .. and without links that lead elsewhere',
    });
  }

  /** Where a file is to be written. Folders in its name have to be there. */
  async #newPath(folder: string, file: string): Promise<string> {
    const path = join(folder, file);
    try {
      await mkdir(folder, { recursive: true });
      if (await isWithin(folder, await realpath(dirname(path)))) return path;
    } catch (error) {
      throw cannotWrite(file, folder, error);
    }
    throw this.#notOne(file, [folder]);
  }
}

/** Whether a real path is a folder or within it. */
async function isWithin(folder: string, path: string): Promise<boolean> {
  const root = await realpath(folder);
  return path === root || path.startsWith(root.endsWith(sep) ? root : root + sep);
}

/** Fails as before, but for the path. */
function hide(path: string, file: string, error: unknown): never {
  throw error instanceof KrellError ? new KrellError(error.code, error.message.replaceAll(path, file), { cause: error }) : error;
}

function cannotWrite(file: string, folder: string, error: unknown): KrellError {
  const { code, message } = error as NodeJS.ErrnoException;
  return new KrellError('unwritable', `${quote(file)} cannot be written to ${lastNames([folder])} (${code ?? message})`, { cause: error });
}

const lastNames = (folders: readonly string[]): string => folders.map((folder) => quote(basename(folder))).join(' or ') || 'any folder';
