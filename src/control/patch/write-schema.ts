// Writes schema/patch-1.json (`npm run schema`). A test fails when that file is not what this would write.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { modules } from '../../../modules/index.js';
import { Registry } from '../registry.js';
import { FORMAT_VERSION } from './limits.js';
import { patchSchema } from './schema.js';
import { formatJson } from './serialise.js';

const root = new URL('../../../../', import.meta.url);
const path = fileURLToPath(new URL(`schema/patch-${FORMAT_VERSION}.json`, root));
writeFileSync(path, formatJson(patchSchema(new Registry(modules))));
process.stderr.write(`wrote ${path}\n`);
