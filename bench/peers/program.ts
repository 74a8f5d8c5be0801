// Other people's programs: finding them, timing them, and looking at what they wrote.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { KrellError } from '../../src/errors.js';

export interface PeerResult {
  /** Rendering alone: the time of the same length without voices is subtracted. */
  readonly seconds: number;
  readonly peak: number;
}

/** Path of a program, if it is installed. */
export function findProgram(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** Runs a program to its end. @throws KrellError `peer` when it fails */
export async function runProgram(program: string, args: readonly string[]): Promise<{ seconds: number; output: string }> {
  const begin = performance.now();
  const output = await new Promise<string>((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (said += text.toString()));
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0 ? resolve(said) : reject(new KrellError('peer', `${program} ended with ${code}: ${said.trim()}`)),
    );
  });
  return { seconds: (performance.now() - begin) / 1000, output };
}

/** Largest sample of a WAV file of 32-bit floats. */
export async function peakOf(path: string): Promise<number> {
  const bytes = await readFile(path);
  const data = bytes.indexOf('data', 12, 'latin1') + 8;
  let peak = 0;
  for (let at = data; at + 4 <= bytes.length; at += 4) peak = Math.max(peak, Math.abs(bytes.readFloatLE(at)));
  return peak;
}

/** A folder of its own for `work`, which is gone afterwards. */
export async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'krell-peer-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
