// A render that is not what the patch says does not pass for one.
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { file, folder, krell, patch, TONE } from './krell.js';

/** Grows by a `gain` each sample until it is no number any more. */
const growing = (gain: number): string =>
  file(
    `growing-${gain}.json`,
    patch({ a: { type: 'attenuverter', params: { offset: 1 } }, out: { type: 'out' } }, [
      { from: 'a.out', to: 'a.in', gain },
      { from: 'a.out', to: 'out.left' },
    ]),
  );
const THROWING = "import { defineScript } from 'krell/script';\nexport default defineScript({ tick() { throw new Error('no'); } });\n";
file('throwing.js', THROWING);
const scripted = file('scripted.json', patch({ s: { type: 'script', script: 'throwing.js' }, out: { type: 'out' } }));
const out = `${folder}/out.wav`;

describe('krell render', () => {
  it.each([
    ['a module that puts out no number', growing(100), '0.01', 'Infinity'],
    ['a script that throws', scripted, '0.5', 'throwing.js:2:46: Error: no'],
  ])('exits with 1 because of %s, says which, and keeps the file', async (_, path, seconds, fault) => {
    const { code, stdout, stderr } = await krell(['render', path, '-o', out, '--seconds', seconds, '--json']);
    expect(code).toBe(1);
    const { faults, frames } = JSON.parse(stdout) as { faults: string[]; frames: number };
    expect(frames).toBe(Math.round(Number(seconds) * 48000));
    expect(faults.join()).toContain(fault);
    const last = `krell render: ${out} is not what the patch says: ${faults.length} fault${faults.length === 1 ? '' : 's'}`;
    expect(stderr.trimEnd().split('\n')).toEqual([...faults, last]);
    expect(existsSync(out)).toBe(true);
  });

  it('does not mind what would come after the end', async () => {
    // No number any more after 1.7 seconds and a little.
    const until = (seconds: string) => krell(['render', growing(1.001), '-o', out, '--seconds', seconds]);
    expect(await until('1.7')).toMatchObject({ code: 0, stderr: '' });
    expect(await until('1.8')).toMatchObject({ code: 1 });
  });

  it.each([
    ['silence', patch({}), null],
    ['what no file could hold', patch({ v: { type: 'vco' }, out: { type: 'out' } }, [{ from: 'v.saw', to: 'out.left', gain: 1e-9 }]), null],
    ['sound', TONE, expect.closeTo(-4.8, 1) as number],
  ])('tells the level of %s', async (_, content, peakDb) => {
    const path = file('level.json', content);
    const { stdout } = await krell(['render', path, '-o', out, '--seconds', '0.05', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ peak: expect.any(Number) as number, peakDb, faults: [] });
    const { stdout: text } = await krell(['render', path, '-o', out, '--seconds', '0.05']);
    expect(text).toContain(peakDb === null ? 'peak -∞ dB\n' : 'peak -4.8 dB\n');
  });
});
