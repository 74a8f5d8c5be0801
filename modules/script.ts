// Voltages and gates that a script sets, exact to the sample. What a script is: src/script.ts; how it runs: docs/scripts.md.
import { cv, defineModule, gate, hz, ratio, toggle, volts } from '../src/module.js';

const voltage = (n: number) => volts({ min: -10, max: 10, default: 0, ramp: 0, summary: `Volts at cv${n}; the script sets it.` });
const open = (n: number) => toggle({ default: false, summary: `Whether gate${n} is open; the script sets it.` });
const knob = (n: number) => ratio({ ramp: 0, summary: `The script reads it with knob(${n}).` });

export const script = defineModule({
  type: 'script',
  summary: 'Runs a script, a TypeScript or JavaScript file beside the patch, and plays what it sets.',
  tags: ['control', 'sequencer', 'random'],
  role: 'script',
  inputs: {},
  outputs: {
    cv1: cv('What the script sets with cv(1, …).'),
    cv2: cv('What the script sets with cv(2, …).'),
    cv3: cv('What the script sets with cv(3, …).'),
    cv4: cv('What the script sets with cv(4, …).'),
    cv5: cv('What the script sets with cv(5, …).'),
    cv6: cv('What the script sets with cv(6, …).'),
    cv7: cv('What the script sets with cv(7, …).'),
    cv8: cv('What the script sets with cv(8, …).'),
    gate1: gate('Opened with gate(1, …) or pulse(1, …).'),
    gate2: gate('Opened with gate(2, …) or pulse(2, …).'),
    gate3: gate('Opened with gate(3, …) or pulse(3, …).'),
    gate4: gate('Opened with gate(4, …) or pulse(4, …).'),
    gate5: gate('Opened with gate(5, …) or pulse(5, …).'),
    gate6: gate('Opened with gate(6, …) or pulse(6, …).'),
    gate7: gate('Opened with gate(7, …) or pulse(7, …).'),
    gate8: gate('Opened with gate(8, …) or pulse(8, …).'),
  },
  params: {
    rate: hz({ min: 30, max: 1000, default: 250, ramp: 0, summary: 'Ticks of the script.' }),
    knob1: knob(1),
    knob2: knob(2),
    knob3: knob(3),
    knob4: knob(4),
    cv1: voltage(1),
    cv2: voltage(2),
    cv3: voltage(3),
    cv4: voltage(4),
    cv5: voltage(5),
    cv6: voltage(6),
    cv7: voltage(7),
    cv8: voltage(8),
    gate1: open(1),
    gate2: open(2),
    gate3: open(3),
    gate4: open(4),
    gate5: open(5),
    gate6: open(6),
    gate7: open(7),
    gate8: open(8),
  },

  process({ param, output }) {
    output.cv1 = param.cv1;
    output.cv2 = param.cv2;
    output.cv3 = param.cv3;
    output.cv4 = param.cv4;
    output.cv5 = param.cv5;
    output.cv6 = param.cv6;
    output.cv7 = param.cv7;
    output.cv8 = param.cv8;
    output.gate1 = param.gate1 ? 10 : 0;
    output.gate2 = param.gate2 ? 10 : 0;
    output.gate3 = param.gate3 ? 10 : 0;
    output.gate4 = param.gate4 ? 10 : 0;
    output.gate5 = param.gate5 ? 10 : 0;
    output.gate6 = param.gate6 ? 10 : 0;
    output.gate7 = param.gate7 ? 10 : 0;
    output.gate8 = param.gate8 ? 10 : 0;
  },
});
