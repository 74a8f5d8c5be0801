import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { modules } from '#modules/index.js';

test('every file in modules/ is one module of that name in modules/index.ts', () => {
  const files = readdirSync(new URL('../../modules/', import.meta.url))
    .filter((name) => name.endsWith('.ts') && name !== 'index.ts')
    .map((name) => name.slice(0, -3));
  expect(modules.map((module) => module.type).sort()).toEqual(files.sort());
});

test('every module, port and parameter says what it is', () => {
  for (const { type, summary, tags, inputs, outputs, params } of modules) {
    expect(summary, type).toMatch(/^[A-Z].*\.$/);
    expect(tags.length, type).toBeGreaterThan(0);
    for (const [name, { summary }] of Object.entries({ ...inputs, ...outputs, ...params }))
      expect(summary, `${type}.${name}`).toMatch(/\.$/);
  }
});

test('the core modules have the ports and params that patches rely on', () => {
  const names = (o: object): string => Object.keys(o).join(' ');
  const table = Object.fromEntries(modules.map((m) => [m.type, [names(m.inputs), names(m.outputs), names(m.params)]]));
  const numbered = (name: string, n: number): string => Array.from({ length: n }, (_, i) => `${name}${i + 1}`).join(' ');
  expect(table).toMatchObject({
    vco: ['pitch fm pwm sync', 'sine triangle saw pulse', 'freq fine fmAmount pulseWidth'],
    lfo: ['rate reset', 'sine triangle saw pulse', 'rate phase'],
    noise: ['', 'white pink brown', ''],
    adsr: ['gate retrigger', 'env', 'attack decay sustain release'],
    vcf: ['in cutoff resonance', 'low band high notch', 'cutoff resonance drive'],
    vca: ['in cv', 'out', 'level response'],
    mixer: [numbered('in', 8), 'out', numbered('level', 8)],
    attenuverter: ['in', 'out', 'amount offset'],
    samplehold: ['in trigger', 'out', ''],
    quantizer: ['in', 'out trigger', 'scale root'],
    clock: ['run reset', 'out', 'tempo division swing'],
    sequencer: ['clock reset', 'pitch gate', `length gateLength ${numbered('step', 16)} ${numbered('gate', 16)}`],
    delay: ['left right time', 'left right', 'time feedback tone mix'],
    reverb: ['left right', 'left right', 'decay size damping predelay mix'],
    out: ['left right', 'left right', 'level limiter'],
  });
});
