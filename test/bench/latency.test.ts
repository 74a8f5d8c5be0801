// The latency bench runs, and what it measures is heard. Nothing here depends on how fast the machine is.
import { expect, it } from 'vitest';
import { run } from '#bench/latency.js';
import { findJackd } from '#bench/peers/jackd.js';
import { findScsynth } from '#bench/peers/scsynth.js';

it('measures Krell through each driver and scsynth where it is', { timeout: 60_000 }, async () => {
  const { rows, distributions = [], notes } = await run({ quick: true });
  expect(notes.at(-1)).toMatch(/ cores, Node\.js /);
  expect(notes.some((note) => note.startsWith('scsynth is not installed'))).toBe(findJackd() !== undefined && !findScsynth());
  const stages = rows.slice(-6);
  expect(stages.map(({ count }) => count)).toEqual([20, 20, 20, 20, 20, 20]);
  const names = ['krell, low, 128', 'krell, safe, 128', 'krell, low, portaudio, 128', ...(findScsynth() ? ['scsynth, 128'] : [])];
  expect(rows.slice(0, -6).map(({ what }) => what)).toEqual(findJackd() ? names : []);
  distributions.slice(0, -6).forEach(({ samples }, i) => {
    expect(samples.length + Number(rows[i]!['lost'])).toBe(20);
    expect(samples.length).toBeGreaterThan(10);
    expect(Math.min(...samples)).toBeGreaterThan(0);
  });
});
