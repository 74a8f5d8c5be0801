// Reverb: a feedback delay network of sixteen lines behind all-pass diffusers.
// Jot & Chaigne, "Digital delay networks for designing artificial reverberators" (AES 90, 1991): every line loses the same dB per
// second, so all modes die together. Schlecht & Habets, "Time-varying feedback matrices in FDNs" (JASA 138(3), 2015): the mixing
// matrix turns slowly, which keeps modes from ringing and, unlike moving delays, takes no treble from long decays.
import { audio, buffer, defineModule, int, phase, ratio, seconds } from '../src/module.js';
import { allpass } from '../src/dsp/allpass.js';
import { clamp, decibelGain, flush, lerp } from '../src/dsp/level.js';
import { lowpassCoefficient } from '../src/dsp/onepole.js';
import { phaseBipolar, toPhase } from '../src/dsp/phase.js';
import { sine } from '../src/dsp/wave.js';

const LINES = 16;
/** Delays at size 1, in seconds: spread evenly on a log scale, then moved off each other's multiples. */
const DELAYS_S = [
  0.03107, 0.03343, 0.03571, 0.03863, 0.04139, 0.04457, 0.04793, 0.05119, 0.05521, 0.05923, 0.06367, 0.06841, 0.07333, 0.07879, 0.08461,
  0.09091,
];
const MEAN_DELAY_S = 0.0565;
/** A line's share of the one buffer that holds all. */
const LINE_S = 0.1;
/** Frames per frame by which a delay follows a new size: a bend in pitch instead of a click. */
const GLIDE = 0.2;
/** How fast the mixing matrix turns. */
const TURN_HZ = 0.43;
/** Rumble below this does not enter. */
const LOW_CUT_HZ = 20;
/** A constant far below hearing that keeps the decaying network out of the denormal numbers. */
const BIAS = 1e-9;

export const reverb = defineModule({
  type: 'reverb',
  summary: 'Stereo reverb, from a small room to a hall that hardly ends.',
  tags: ['effect', 'reverb'],
  inputs: {
    left: audio('Left, or both when `right` is unplugged.'),
    right: audio('Right.'),
  },
  outputs: {
    left: audio('Dry and reverberated left.'),
    right: audio('Dry and reverberated right.'),
  },
  params: {
    decay: seconds({ min: 0.1, max: 60, default: 2.5, summary: 'Time in which the sound falls by 60 dB.' }),
    size: ratio({ default: 0.7, summary: 'Size of the room: how far apart its echoes are.' }),
    damping: ratio({ default: 0.4, summary: 'How much sooner treble dies than bass.' }),
    predelay: seconds({ min: 0, max: 0.25, default: 0.01, summary: 'Time before the reverb begins.' }),
    mix: ratio({ default: 0.3, summary: '0 is dry, 1 is reverb only.' }),
  },
  tables: { delay: DELAYS_S },
  state: {
    at: int(),
    turn: phase(),
    leftLow: 0,
    rightLow: 0,
    leftPredelay: buffer({ seconds: 0.26 }),
    rightPredelay: buffer({ seconds: 0.26 }),
    leftDiffuser1: buffer({ seconds: 0.014 }),
    leftDiffuser2: buffer({ seconds: 0.014 }),
    leftDiffuser3: buffer({ seconds: 0.014 }),
    leftDiffuser4: buffer({ seconds: 0.014 }),
    rightDiffuser1: buffer({ seconds: 0.014 }),
    rightDiffuser2: buffer({ seconds: 0.014 }),
    rightDiffuser3: buffer({ seconds: 0.014 }),
    rightDiffuser4: buffer({ seconds: 0.014 }),
    lines: buffer({ seconds: LINES * LINE_S }),
    frames: buffer({ length: LINES }),
    damped: buffer({ length: LINES }),
    mixed: buffer({ length: LINES }),
    columns: buffer({ length: 4 }),
  },

  process({ input, plugged, param, state, output, table, sampleRate }) {
    const at = state.at;
    state.at++;
    const left = input.left;
    const right = plugged.right ? input.right : input.left;

    // Low cut, predelay, diffusion.
    const lowCut = lowpassCoefficient(LOW_CUT_HZ, sampleRate);
    state.leftLow = flush(state.leftLow + lowCut * (left - state.leftLow));
    state.rightLow = flush(state.rightLow + lowCut * (right - state.rightLow));
    state.leftPredelay[at] = left - state.leftLow + BIAS;
    state.rightPredelay[at] = right - state.rightLow + BIAS;
    const predelay = Math.round(param.predelay * sampleRate) | 0;
    let toLeft = state.leftPredelay[at - predelay]!;
    toLeft = allpass(state.leftDiffuser1, at, Math.round(0.00241 * sampleRate), 0.72, toLeft);
    toLeft = allpass(state.leftDiffuser2, at, Math.round(0.00379 * sampleRate), 0.7, toLeft);
    toLeft = allpass(state.leftDiffuser3, at, Math.round(0.00887 * sampleRate), 0.65, toLeft);
    toLeft = allpass(state.leftDiffuser4, at, Math.round(0.01303 * sampleRate), 0.6, toLeft);
    let toRight = state.rightPredelay[at - predelay]!;
    toRight = allpass(state.rightDiffuser1, at, Math.round(0.00259 * sampleRate), 0.72, toRight);
    toRight = allpass(state.rightDiffuser2, at, Math.round(0.00353 * sampleRate), 0.7, toRight);
    toRight = allpass(state.rightDiffuser3, at, Math.round(0.00919 * sampleRate), 0.65, toRight);
    toRight = allpass(state.rightDiffuser4, at, Math.round(0.01267 * sampleRate), 0.6, toRight);

    // Out of the lines: each loses what its own delay owes to the decay, in bass and in treble.
    const scale = lerp(0.2, 1, param.size);
    const bassDbPerS = -60 / param.decay;
    const trebleDbPerS = bassDbPerS * 10 ** (1.5 * param.damping);
    const lineLength = 2 ** Math.ceil(Math.log2(LINE_S * sampleRate));
    let wetLeft = 0;
    let wetRight = 0;
    for (let i = 0; i < LINES; i++) {
      const wanted = Math.round(table.delay[i]! * scale * sampleRate);
      const before = state.frames[i]!;
      const frames = before === 0 ? wanted : before + clamp(wanted - before, -GLIDE, GLIDE);
      state.frames[i] = frames;
      const delayS = wanted / sampleRate;
      const bass = decibelGain(bassDbPerS * delayS);
      const treble = decibelGain((trebleDbPerS - bassDbPerS) * delayS);
      const whole = Math.floor(frames);
      const newer = state.lines[i * lineLength + ((at - (whole | 0)) & (lineLength - 1))]!;
      const older = state.lines[i * lineLength + ((at - (whole | 0) - 1) & (lineLength - 1))]!;
      const x = bass * lerp(newer, older, frames - whole);
      const y = lerp(x, state.damped[i]!, (1 - treble) / (1 + treble));
      state.damped[i] = y;
      const sign = (i & 2) === 0 ? 1 : -1;
      if ((i & 1) === 0) wetLeft += sign * y;
      else wetRight += sign * y;
    }

    // Neighbours turn about each other, then all mix by (I − ½) ⊗ (I − ½), a Hadamard matrix of four rows by four columns.
    state.turn += toPhase(TURN_HZ / sampleRate);
    const sin = sine(phaseBipolar(state.turn));
    const cos = sine(phaseBipolar(state.turn + toPhase(0.25)));
    let all = 0;
    for (let c = 0; c < 4; c++) state.columns[c] = 0;
    for (let pair = 0; pair < LINES / 2; pair++) {
      const a = state.damped[2 * pair]!;
      const b = state.damped[2 * pair + 1]!;
      const turn = (pair & 1) === 0 ? sin : -sin;
      const turnedA = cos * a - turn * b;
      const turnedB = turn * a + cos * b;
      state.mixed[2 * pair] = turnedA;
      state.mixed[2 * pair + 1] = turnedB;
      all += turnedA + turnedB;
      const column = 2 * (pair & 1);
      state.columns[column] = state.columns[column]! + turnedA;
      state.columns[column + 1] = state.columns[column + 1]! + turnedB;
    }
    for (let row = 0; row < 4; row++) {
      const rowSum = state.mixed[4 * row]! + state.mixed[4 * row + 1]! + (state.mixed[4 * row + 2]! + state.mixed[4 * row + 3]!);
      for (let c = 0; c < 4; c++) {
        const i = 4 * row + c;
        const back = state.mixed[i]! - 0.5 * (rowSum + state.columns[c]!) + 0.25 * all;
        state.lines[i * lineLength + (at & (lineLength - 1))] = back + ((i & 1) === 0 ? toLeft : toRight);
      }
    }

    // So scaled that a steady sound is as loud wet as dry.
    const gainPerTurn = decibelGain(2 * bassDbPerS * MEAN_DELAY_S * scale);
    const level = Math.sqrt((1 / gainPerTurn - 1) * (2 / LINES));
    output.left = lerp(left, wetLeft * level, param.mix);
    output.right = lerp(right, wetRight * level, param.mix);
  },
});
