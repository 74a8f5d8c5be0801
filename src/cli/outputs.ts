// Files that a command is about to write: never one that it reads, and never one of another kind that is there already.
import { closeSync, mkdirSync, mkdtempSync, openSync, readSync, rmdirSync, statSync, type Stats } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Patch } from '../control/patch/index.js';
import { KrellError } from '../errors.js';

/** A file that a command reads. */
export interface Source {
  readonly path: string;
  /** `the patch` */
  readonly what: string;
}

/** How files of a kind begin. */
const KINDS = { 'WAV file': /^(RIFF|RF64)[^]{4}WAVE/, 'HTML page': /^\s*<!doctype html/i } as const;
const BEGINNING_BYTES = 64;

/** What a patch is made of: its file, and its scripts beside that. */
export const sourcesOf = (patch: Patch, path: string): Source[] => [
  { path, what: 'the patch' },
  ...[...patch.modules].flatMap(([id, { script }]) =>
    script === undefined ? [] : [{ path: resolve(dirname(path), script), what: `the script of module '${id}'` }],
  ),
];

/**
 * Makes sure that writing `path` costs nobody anything, whatever names and links lead there.
 * @throws KrellError `overwrite`
 */
export function checkOutput(option: string, path: string, kind: keyof typeof KINDS, sources: readonly Source[] = []): void {
  const found = find(path);
  if (!found?.isFile()) return;
  const refuse = (what: string): never => {
    throw new KrellError('overwrite', `'${path}' is ${what} and would be overwritten`, { path: option, hint: 'name another file' });
  };
  const source = sources.find((each) => isSame(found, find(each.path)));
  if (source) refuse(source.what);
  if (found.size > 0 && !KINDS[kind].test(beginningOf(path))) refuse(`there already, no ${kind},`);
}

/** Makes a folder, and sure that files can be put into it. @throws KrellError `unwritable` */
export function checkFolder(option: string, path: string): void {
  try {
    // Tried before the folder is made: Node never comes back from making folders where the system has none to make, such as /proc.
    rmdirSync(mkdtempSync(join(nearestThere(path), '.krell-')));
    mkdirSync(path, { recursive: true });
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    const why = code === 'EEXIST' || code === 'ENOTDIR' ? 'it is no folder' : message;
    throw new KrellError('unwritable', `cannot write into '${path}': ${why}`, { path: option, hint: 'name another folder' });
  }
}

/** The file or folder itself, or the nearest folder above it that is there. */
const nearestThere = (path: string): string => (find(path) ? path : nearestThere(dirname(path)));

/** What cannot be looked at, cannot be written either, and whoever tries says why. */
function find(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

const isSame = (a: Stats, b: Stats | undefined): boolean => a.dev === b?.dev && a.ino === b.ino;

/** Nothing where it cannot be read. */
function beginningOf(path: string): string {
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    const bytes = Buffer.alloc(BEGINNING_BYTES);
    return bytes.toString('latin1', 0, readSync(file, bytes, 0, BEGINNING_BYTES, 0));
  } catch {
    return '';
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
