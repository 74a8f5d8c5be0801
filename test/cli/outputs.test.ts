// What a command is told to write is never what it reads, nor something else that is there already.
import { linkSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { file, folder, krell, patch, TONE } from './krell.js';

const SCRIPT = "import { defineScript } from 'krell/script';\nexport default defineScript({ tick() {} });\n";
const script = file('walk.js', SCRIPT);
const played = file('played.json', patch({ walk: { type: 'script', script: 'walk.js' }, out: { type: 'out' } }));
symlinkSync('played.json', `${folder}/link.wav`);
linkSync(played, `${folder}/hard.wav`);
const score = file('played.osc', Buffer.from('0000000c2f656e67696e652f73796e63', 'hex').toString('latin1'));
const notes = file('notes.txt', 'do not lose this');

describe('krell render -o', () => {
  it.each([
    ['the patch', played, 'is the patch'],
    ['the patch by another way', `${folder}/../${folder.split('/').at(-1)}/played.json`, 'is the patch'],
    ['a link to the patch', `${folder}/link.wav`, 'is the patch'],
    ['another name of the patch', `${folder}/hard.wav`, 'is the patch'],
    ['a script of it', script, "is the script of module 'walk'"],
    ['the score', score, 'is the score'],
    ['something else that is there', notes, 'is there already, no WAV file,'],
  ])('does not write over %s', async (_, out, message) => {
    const before = [played, script, score, notes].map((path) => readFileSync(path, 'latin1'));
    const { code, stdout, stderr } = await krell(['render', played, '-o', out, '--score', score, '--seconds', '0.1']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toBe(`krell render: --out: '${out}' ${message} and would be overwritten; name another file\n`);
    expect([played, script, score, notes].map((path) => readFileSync(path, 'latin1'))).toEqual(before);
  });

  it('writes over what was rendered before, and into what is empty', async () => {
    const [tone, out] = [file('tone.json', TONE), file('empty.wav', '')];
    for (let turn = 0; turn < 2; turn++)
      expect(await krell(['render', tone, '-o', out, '--seconds', '0.1'])).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('krell play --record', () => {
  it.each([
    [played, 'is the patch'],
    [script, "is the script of module 'walk'"],
    [notes, 'is there already, no WAV file,'],
  ])('does not write over %s', async (record, message) => {
    const before = readFileSync(record, 'utf8');
    const { code, stdout, stderr } = await krell(['play', played, '--driver', 'null', '--no-osc', '--seconds', '0.1', '--record', record]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toBe(`krell play: --record: '${record}' ${message} and would be overwritten; name another file\n`);
    expect(readFileSync(record, 'utf8')).toBe(before);
  });
});

describe('krell bench --html', () => {
  it('does not write over what is no page', async () => {
    const { code, stderr } = await krell(['bench', 'jobs', '--quick', '--html', notes]);
    expect(code).toBe(1);
    expect(stderr).toBe(`krell bench: --html: '${notes}' is there already, no HTML page, and would be overwritten; name another file\n`);
    expect(readFileSync(notes, 'utf8')).toBe('do not lose this');
  });
});

describe('krell play --flight', () => {
  const play = (flight: string) => krell(['play', played, '--driver', 'null', '--no-osc', '--seconds', '0.1', '--flight', flight]);
  it.each([
    ['a file', notes],
    ['something in a file', `${notes}/flights`],
    ['where there are no folders', '/proc/flights'],
  ])('does not take %s for a folder', async (_, flight) => {
    const { code, stdout, stderr } = await play(flight);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^krell play: --flight: cannot write into '.+': .+; name another folder\n$/);
  });

  it('makes the folder', async () => {
    expect(await play(`${folder}/new/flights`)).toMatchObject({ code: 0 });
    // On a busy machine there may be a flight to tell of.
    expect(readdirSync(`${folder}/new/flights`).filter((name) => !name.startsWith('flight-'))).toEqual([]);
  });
});
