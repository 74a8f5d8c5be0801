// `krell modules`: which modules there are, and what is known about one.
import { modules } from '../../../modules/index.js';
import { didYouMean } from '../../control/names.js';
import { Registry } from '../../control/registry.js';
import { UsageError } from '../../errors.js';
import type { ModuleDefinition, PortKind } from '../../module.js';
import { formatValue } from '../../units.js';
import { defineCommand, JSON_OPTION } from '../args.js';
import { describeParam } from '../describe-param.js';
import { columns } from '../terminal.js';

export const command = defineCommand({
  name: 'modules',
  summary: 'Lists the modules, or shows the inputs, outputs and params of one.',
  operands: { name: 'type', min: 0, max: 1, help: 'a module type, such as vcf' },
  options: { json: JSON_OPTION },

  async run([type], { json }) {
    const registry = new Registry(modules);
    if (type === undefined) {
      const list = registry.list();
      const rows = list.map((module) => [module.type, module.summary]);
      process.stdout.write(`${json ? JSON.stringify({ modules: list.map(publicSpec) }) : columns(rows)}\n`);
    } else {
      const module = registry.find(type);
      if (!module) throw new UsageError(`there is no module type '${type}'`, { hint: didYouMean(type, registry.types()) });
      process.stdout.write(`${json ? JSON.stringify(publicSpec(module)) : describe(module)}\n`);
    }
    return 0;
  },
});

/** What a patch may refer to; state and tables are the module's own. */
const publicSpec = ({ type, summary, tags, role, inputs, outputs, params }: ModuleDefinition): object => ({
  type,
  summary,
  tags,
  ...(role ? { role } : {}),
  inputs,
  outputs,
  params,
});

const SIGNALS: Record<PortKind, string> = { audio: 'audio', cv: 'CV', voct: 'V/oct', gate: 'gate', trigger: 'trigger' };

function describe({ type, summary, tags, inputs, outputs, params }: ModuleDefinition): string {
  const inputRows = Object.entries(inputs).map(([name, { kind, unplugged, summary: text }]) => [
    `  ${name}`,
    SIGNALS[kind],
    unplugged === 0 ? '' : `${formatValue(unplugged, 'V')} when unplugged`,
    text,
  ]);
  const outputRows = Object.entries(outputs).map(([name, { kind, summary: text }]) => [`  ${name}`, SIGNALS[kind], text]);
  const paramRows = Object.entries(params).map(([name, param]) => [`  ${name}`, ...describeParam(param), param.summary]);
  const section = (title: string, rows: string[][]): string[] => (rows.length > 0 ? ['', title, columns(rows)] : []);
  return [
    `${type}: ${summary}`,
    ...(tags.length > 0 ? [`tags: ${tags.join(', ')}`] : []),
    ...section('Inputs', inputRows),
    ...section('Outputs', outputRows),
    ...section('Params', paramRows),
  ].join('\n');
}
