// Parameters in words, for lists and pages.
import type { ParamSpec } from '../module.js';
import { formatValue } from '../units.js';

/** Range, default and curve. */
export function describeParam(param: ParamSpec): [range: string, standard: string, curve: string] {
  switch (param.kind) {
    case 'number': {
      const standard = param.follows === 'tempo' ? "the patch's tempo" : formatValue(param.default, param.unit);
      const unit = param.unit === 'ratio' ? ' (ratio)' : '';
      return [`${formatValue(param.min, param.unit)} to ${formatValue(param.max, param.unit)}${unit}`, `default ${standard}`, param.curve];
    }
    case 'integer':
      return [`${param.min} to ${param.max}`, `default ${param.default}`, 'whole'];
    case 'enum':
      return [param.values.join(' | '), `default ${param.default}`, ''];
    case 'toggle':
      return ['on | off', `default ${param.default ? 'on' : 'off'}`, ''];
  }
}
