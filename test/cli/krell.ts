// Runs the program as a user does: another process, its exit code, what it printed where.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';

export const PROGRAM = fileURLToPath(import.meta.resolve('#src/cli/main.js'));

export interface Outcome {
  /** Exit code, or the signal that ended the process. */
  code: number | string;
  stdout: string;
  stderr: string;
}

/** May talk to a process: at its start, and whenever its stderr says something; gets all that was said. */
export type Meanwhile = (child: ChildProcess, stderr: string) => void;

/** Runs a program, in this folder unless another is given. */
export function run(program: string, args: readonly string[], meanwhile?: Meanwhile, cwd = '.'): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (text: Buffer) => (stdout += text.toString()));
    child.stderr.on('data', (text: Buffer) => {
      stderr += text.toString();
      meanwhile?.(child, stderr);
    });
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code: code ?? signal!, stdout, stderr }));
    meanwhile?.(child, '');
  });
}
export const krell = (args: readonly string[], meanwhile?: Meanwhile, cwd?: string): Promise<Outcome> =>
  run(process.execPath, [PROGRAM, ...args], meanwhile, cwd);

/** A folder for the test file, gone when it has ended. */
export const folder = mkdtempSync(join(tmpdir(), 'krell-cli-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Writes a file into the folder; objects as JSON. Returns its path. */
export function file(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

/** A patch with these modules and cables that is right otherwise. */
export const patch = (modules: object, cables: object[] = [], more: object = {}): object => ({
  format: 'krell-patch',
  formatVersion: 1,
  modules,
  cables,
  ...more,
});
/** One that sounds. */
export const TONE = patch({ vco1: { type: 'vco' }, out: { type: 'out' } }, [{ from: 'vco1.saw', to: 'out.left' }]);
