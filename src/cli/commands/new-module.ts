// `krell new-module`: a module to start from, in every place where one has to be.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { quote } from '../../control/patch/problems.js';
import { KrellError, UsageError } from '../../errors.js';
import { SourceFile } from '../../kernel/source.js';
import { defineCommand, JSON_OPTION } from '../args.js';
import { newFiles, withModule, type NewFile } from '../module-template.js';

const INDEX = 'modules/index.ts';

const NAME = /^[a-z][a-zA-Z0-9]{0,31}$/;

export const command = defineCommand({
  name: 'new-module',
  summary: 'Writes a new module with its test and page, in a checkout of Krell.',
  operands: { name: 'type', min: 1, max: 1, help: 'what it is to be called, such as wavefolder' },
  options: { json: JSON_OPTION },

  run([type], { json }) {
    const files = createModule(process.cwd(), type!);
    const text = `${files.map((file) => `wrote ${file}`).join('\n')}\nnow write it; then: npm run schema && npm run docs && npm test`;
    process.stdout.write(`${json ? JSON.stringify({ type, files }) : text}\n`);
    return Promise.resolve(0);
  },
});

/** Writes all files or none. @returns their paths. @throws UsageError, KrellError */
function createModule(root: string, type: string): string[] {
  const fail = (message: string, hint: string): never => {
    throw new KrellError('new-module', message, { hint });
  };
  if (!NAME.test(type))
    throw new UsageError(`${quote(type)} is not a module type`, { hint: 'letters and digits, first a small letter, at most 32' });
  if (!isCheckout(root)) fail('this folder is no checkout of Krell', 'go to the folder that has modules/ and package.json');
  const index = readFileSync(join(root, INDEX), 'utf8');
  const files = newFiles(type);
  const taken = files.find(({ path }) => existsSync(join(root, path)))?.path;
  if (taken || index.includes(`'./${type}.js'`)) fail(`there is a module '${type}' already`, `see ${taken ?? INDEX}`);
  const changed = { path: INDEX, text: withModule(index, type) };
  // A word of the language, or a name that these files use themselves.
  if (![...files, changed].every((file) => !file.path.endsWith('.ts') || isTypeScript(file)))
    fail(`nothing can be called '${type}' there`, 'call it something else');
  for (const { path, text } of [...files, changed]) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return [...files, changed].map(({ path }) => path);
}

function isCheckout(root: string): boolean {
  const manifest = join(root, 'package.json');
  if (!existsSync(manifest) || !existsSync(join(root, INDEX))) return false;
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { name?: unknown }).name === 'krell';
}

function isTypeScript({ path, text }: NewFile): boolean {
  try {
    return new SourceFile(path, text).program !== undefined;
  } catch {
    return false;
  }
}
