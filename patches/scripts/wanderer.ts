// A melody that walks about a scale, over a bass and chords that follow it every two bars to wherever it has come.
import { defineScript, type ScriptContext } from 'krell/script';
import { DORIAN, volts } from './scale.js';

/** Outputs, as patches/script.json plugs them. */
const MELODY = { pitch: 1, loudness: 2, gate: 1 };
const BASS = { pitch: 3, gate: 2 };
const CHORD = { pitches: [4, 5, 6], gate: 3 };
const HAT = { loudness: 7, gate: 4 };

/** Knobs. */
const BUSY = 1;
const WANDER = 2;

const STEP = 1 / 4;
const BAR = 4;

/** What is remembered when this file is edited. */
interface Walk {
  degree: number;
  root: number;
  step: number;
}
const walkOf = (ctx: ScriptContext): Walk => ctx.state as Walk;

/** Whether step `i` of `length` is one of `hits` spread as evenly as can be (Bjorklund, by Toussaint's observation). */
const euclid = (i: number, hits: number, length: number): boolean => (i * hits) % length < hits;

/** A degree near another; now and then a leap. What goes too far is drawn back. */
function wander(ctx: ScriptContext, degree: number): number {
  const reach = 1 + Math.round(ctx.knob(WANDER) * 4);
  const leap = Math.round((ctx.random() + ctx.random() - 1) * reach);
  const back = degree > 9 ? -1 : degree < -2 ? 1 : 0;
  return degree + leap + back;
}

function melody(ctx: ScriptContext, walk: Walk): void {
  const hits = 5 + Math.round(ctx.knob(BUSY) * 8);
  if (!euclid(walk.step % 16, hits, 16) || ctx.random() < 0.15) return;
  walk.degree = wander(ctx, walk.degree);
  const isOnBeat = walk.step % 4 === 0;
  ctx.cv(MELODY.pitch, volts(DORIAN, walk.degree));
  ctx.cv(MELODY.loudness, isOnBeat ? 9 : 4 + 4 * ctx.random());
  ctx.pulse(MELODY.gate, isOnBeat ? 0.16 : 0.07);
}

function bass(ctx: ScriptContext, walk: Walk): void {
  if (!euclid(walk.step % 16, 3, 8)) return;
  const octave = walk.step % 16 === 14 ? DORIAN.length : 0;
  ctx.cv(BASS.pitch, volts(DORIAN, walk.root + octave));
  ctx.pulse(BASS.gate, 0.2);
}

function chord(ctx: ScriptContext, walk: Walk): void {
  // The degree below the melody that it came to, brought into one octave.
  walk.root = ((walk.degree % DORIAN.length) + DORIAN.length) % DORIAN.length;
  CHORD.pitches.forEach((output, i) => ctx.cv(output, volts(DORIAN, walk.root + 2 * i)));
  ctx.pulse(CHORD.gate, 3.2);
}

export default defineScript({
  setup(ctx) {
    ctx.state = { degree: 4, root: 0, step: 0, ...ctx.state };
  },

  tick(ctx) {
    if (!ctx.every(STEP)) return;
    const walk = walkOf(ctx);
    if (ctx.every(2 * BAR)) chord(ctx, walk);
    melody(ctx, walk);
    bass(ctx, walk);
    if (walk.step % 2 === 1 || ctx.random() < 0.2) {
      ctx.cv(HAT.loudness, 3 + 4 * ctx.random());
      ctx.pulse(HAT.gate, 0.03);
    }
    walk.step++;
  },
});
