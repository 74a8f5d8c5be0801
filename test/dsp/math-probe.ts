// A module that is nothing but the functions of src/dsp/math.ts, as kernels compute them.
import { cv, defineModule } from '#src/module.js';

export const mathProbe = defineModule({
  type: 'mathProbe',
  summary: 'Math functions.',
  tags: ['test'],
  inputs: { x: cv(), y: cv() },
  outputs: {
    sin: cv(),
    cos: cv(),
    tan: cv(),
    exp: cv(),
    exp2: cv(),
    log: cv(),
    log2: cv(),
    log10: cv(),
    pow: cv(),
    tanh: cv(),
    atan: cv(),
  },
  params: {},
  process({ input, output }) {
    output.sin = Math.sin(input.x);
    output.cos = Math.cos(input.x);
    output.tan = Math.tan(input.x);
    output.exp = Math.exp(input.x);
    output.exp2 = 2 ** input.x;
    output.log = Math.log(input.x);
    output.log2 = Math.log2(input.x);
    output.log10 = Math.log10(input.x);
    output.pow = Math.pow(input.x, input.y);
    output.tanh = Math.tanh(input.x);
    output.atan = Math.atan(input.x);
  },
});
