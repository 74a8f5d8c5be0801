// Patch files on disk.
import { open, readdir } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { KrellError } from '../../errors.js';
import { didYouMean } from '../names.js';
import { LIMITS } from './limits.js';

const READ_BYTES = 64 * 1024;

/** The text of a patch file. Reads pipes too, and never more than a patch may have. @throws KrellError */
export async function readPatchFile(path: string): Promise<string> {
  const bytes = await readBytes(path).catch((error: unknown) => explain(path, error));
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new KrellError('file-encoding', 'is not UTF-8 text', { path, hint: 'a patch is a JSON file', cause });
  }
}

async function readBytes(path: string): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const chunks: Buffer[] = [];
    for (let size = 0; ;) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(READ_BYTES), 0, READ_BYTES);
      if (bytesRead === 0) return Buffer.concat(chunks);
      size += bytesRead;
      if (size > LIMITS.fileBytes)
        throw new KrellError('file-too-large', `is larger than the ${LIMITS.fileBytes / 1024 ** 2} MiB a patch may have`, { path });
      chunks.push(buffer.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}

async function explain(path: string, error: unknown): Promise<never> {
  if (error instanceof KrellError) throw error;
  const { code, message } = error as NodeJS.ErrnoException;
  const where = { path, cause: error };
  if (code === 'ENOENT') throw new KrellError('file-missing', 'there is no such file', { ...where, hint: await nearestFile(path) });
  if (code === 'EISDIR') throw new KrellError('file-is-directory', 'is a directory', { ...where, hint: 'name a patch file in it' });
  if (code === 'EACCES') throw new KrellError('file-denied', 'may not be read', { ...where, hint: 'check its permissions' });
  throw new KrellError('file-unreadable', `cannot be read (${code ?? message})`, where);
}

async function nearestFile(path: string): Promise<string | undefined> {
  const names = await readdir(dirname(path)).catch(() => [] as string[]);
  return didYouMean(
    basename(path),
    names.filter((name) => name.endsWith('.json')),
  );
}
