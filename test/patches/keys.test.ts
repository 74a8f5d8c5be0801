// patches/keys.json, played: what it is for.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { Engine } from '#src/index.js';
import { OscEvents } from '../osc-events.js';
import { complaints, readSound, type Sound } from './listen.js';

const RATE = 48_000;
const scratch = mkdtempSync(join(tmpdir(), 'krell-keys-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Ten seconds of the patch under somebody's hands. */
async function played(name: string, play: (osc: OscEvents) => void): Promise<Sound> {
  const path = join(scratch, `${name}.wav`);
  const engine = await Engine.create({ realtime: false, blockFrames: 256, workers: 1 });
  try {
    await engine.loadPatch(readFileSync(new URL('../../patches/keys.json', import.meta.url), 'utf8'));
    play(new OscEvents(engine));
    await engine.start({ driver: 'file', file: { path, frames: 10 * RATE, bits: '32f' } });
    await engine.ended;
  } finally {
    await engine.stop();
  }
  return readSound(path);
}

const level = ({ left, right }: Sound): number =>
  10 * Math.log10([...left, ...right].reduce((sum, x) => sum + x * x, 0) / (left.length + right.length));

/** Chords of five, each while the one before still rings: more notes than voices. */
function chords(osc: OscEvents): void {
  const roots = [45, 41, 48, 43];
  for (let bar = 0; bar < 4; bar++)
    [0, 7, 12, 16, 19].forEach((interval, i) =>
      osc.note('keys', roots[bar]! + interval, { at: Math.round((0.2 + bar * 2.4 + i * 0.04) * RATE), lasts: 2 * RATE, velocity: 0.9 }),
    );
}

it('is music when it is played, and louder than what plays by itself', async () => {
  const alone = await played('alone', () => {});
  const chord = await played('chords', chords);
  expect(complaints(chord)).toEqual([]);
  expect(level(chord)).toBeGreaterThan(level(alone) + 4);
});

it('holds eight keys struck as hard as can be', async () => {
  const sound = await played('hard', (osc) => {
    for (let i = 0; i < 8; i++) osc.note('keys', 45 + 5 * i, { at: 0.5 * RATE, velocity: 1 });
  });
  expect(complaints(sound)).toEqual([]);
});
