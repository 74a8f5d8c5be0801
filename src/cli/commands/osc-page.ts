// `krell osc-page`: a page of controls for a patch, to be opened in Open Stage Control.
import { modules } from '../../../modules/index.js';
import { Registry } from '../../control/registry.js';
import { defineCommand, OSC_OPTIONS } from '../args.js';
import { openPatch } from '../patch.js';
import { stageControlPage } from '../osc/stage-control.js';

export const command = defineCommand({
  name: 'osc-page',
  summary: 'Prints a page of controls for a patch: a session of Open Stage Control.',
  operands: { name: 'patch', min: 1, max: 1, help: 'patch file' },
  options: OSC_OPTIONS,

  async run([path], { host, port }) {
    const registry = new Registry(modules);
    const patch = await openPatch(path!, registry);
    process.stdout.write(`${JSON.stringify(stageControlPage(patch, registry, `${host}:${port}`), null, 2)}\n`);
    return 0;
  },
});
