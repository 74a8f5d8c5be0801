import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LIMITS, readPatchFile } from '#src/control/patch/index.js';
import { KrellError } from '#src/errors.js';

let folder: string;
const at = (name: string): string => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'krell-'));
  writeFileSync(at('krell.json'), '{"title":"é"}');
  writeFileSync(at('bom.json'), '\ufeff{}');
  writeFileSync(at('latin1.json'), Buffer.from('{"title":"\xe9"}', 'latin1'));
  writeFileSync(at('most.json'), ' '.repeat(LIMITS.fileBytes));
  writeFileSync(at('large.json'), ' '.repeat(LIMITS.fileBytes + 1));
  writeFileSync(at('secret.json'), '{}');
  chmodSync(at('secret.json'), 0);
  mkdirSync(at('folder.json'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('reading a file', () => {
  it('gives its text', async () => {
    expect(await readPatchFile(at('krell.json'))).toBe('{"title":"é"}');
    expect(await readPatchFile(at('bom.json'))).toBe('{}');
    expect(await readPatchFile(at('most.json'))).toHaveLength(LIMITS.fileBytes);
  });

  it.each([
    ['krel.json', 'file-missing', /krel\.json: there is no such file; did you mean 'krell\.json'\?$/],
    ['none/krell.json', 'file-missing', /none\/krell\.json: there is no such file$/],
    ['folder.json', 'file-is-directory', /folder\.json: is a directory; name a patch file in it$/],
    ['krell.json/x', 'file-unreadable', /krell\.json\/x: cannot be read \(ENOTDIR\)$/],
    ['large.json', 'file-too-large', /large\.json: is larger than the 4 MiB a patch may have$/],
    ['latin1.json', 'file-encoding', /latin1\.json: is not UTF-8 text; a patch is a JSON file$/],
    ['a\0b', 'file-unreadable', /cannot be read/],
  ])('%s fails with %s', async (name, code, message) => {
    const error = await readPatchFile(at(name)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(KrellError);
    expect(error).toMatchObject({ code, path: at(name), message: expect.stringMatching(message) as unknown });
  });

  it.skipIf(process.getuid?.() === 0)('without permission fails', async () => {
    await expect(readPatchFile(at('secret.json'))).rejects.toThrow(/secret\.json: may not be read; check its permissions$/);
  });

  it.skipIf(process.platform === 'win32')('stops reading what has no end', async () => {
    await expect(readPatchFile('/dev/zero')).rejects.toThrow(/is larger than the 4 MiB/);
    execFileSync('mkfifo', [at('pipe')]);
    const text = readPatchFile(at('pipe'));
    writeFileSync(at('pipe'), '{"from":"a pipe"}');
    expect(await text).toBe('{"from":"a pipe"}');
  });
});
