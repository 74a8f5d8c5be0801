// Writes docs/osc.md (`npm run docs`). A test fails when that file is not what this would write.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { modules } from '../../../modules/index.js';
import { PACKAGE_ROOT } from '../../kernel/source.js';
import { oscReference } from './reference.js';

const path = join(PACKAGE_ROOT, 'docs/osc.md');
writeFileSync(path, oscReference(modules));
process.stderr.write(`wrote ${path}\n`);
