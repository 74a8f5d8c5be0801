// What `keys` should do, said again as simply as possible: frame by frame, with times instead of counters.
import { pitchOfKey, type Happening } from './keyboard.js';

interface Voice {
  key: number;
  pitch: number;
  velocity: number;
  held: boolean;
  ends: number;
  released: number;
  number: number;
  struck: boolean;
  gate: boolean;
  trigger: number;
}
interface Held {
  key: number;
  pitch: number;
  ends: number;
}

/** Outputs by voice: volts per frame. */
export interface Played {
  readonly pitch: Float32Array;
  readonly gate: Float32Array;
  readonly velocity: Float32Array;
  readonly trigger: Float32Array;
}

const PULSE = 48;

export function modelKeys(
  happenings: readonly Happening[],
  {
    voices: count,
    frames,
    mode,
    steal,
    level,
  }: {
    voices: number;
    frames: number;
    mode: 'poly' | 'mono' | 'legato';
    steal: 'oldest' | 'quietest' | 'rotate';
    level?: ((voice: number, frame: number) => number) | undefined;
  },
): Played[] {
  const voices = Array.from({ length: count }, (): Voice => ({
    key: -1,
    pitch: 0,
    velocity: 0,
    held: false,
    ends: Infinity,
    released: -Infinity,
    number: 0,
    struck: false,
    gate: false,
    trigger: 0,
  }));
  const played = voices.map((): Played => {
    const empty = (): Float32Array => new Float32Array(frames);
    return { pitch: empty(), gate: empty(), velocity: empty(), trigger: empty() };
  });
  let stack: Held[] = [];
  let notes = 0;
  let turn = count - 1;

  const choose = (frame: number): number => {
    const all = voices.map((_, i) => i);
    const free = all.filter((i) => !voices[i]!.held);
    const among = free.length > 0 ? free : all;
    if (steal === 'rotate') return all.map((i) => (turn + 1 + i) % count).find((i) => among.includes(i))!;
    const loudness = (i: number): number => (level && frame > 0 ? Math.fround(level(i, frame - 1)) : -1);
    const ranks = (i: number): number[] => [
      ...(steal === 'quietest' ? [loudness(i)] : []),
      ...(free.length > 0 ? [voices[i]!.released] : steal === 'quietest' ? [voices[i]!.velocity] : []),
      voices[i]!.number,
      i,
    ];
    return among.sort((a, b) => {
      const [x, y] = [ranks(a), ranks(b)];
      const differs = x.findIndex((rank, n) => rank !== y[n]);
      return differs < 0 ? 0 : x[differs]! < y[differs]! ? -1 : 1;
    })[0]!;
  };
  const strike = (voice: Voice, velocity: number): void => {
    voice.velocity = velocity;
    voice.number = ++notes;
    voice.struck = true;
  };

  let next = 0;
  for (let frame = 0; frame < frames; frame++) {
    const top = stack.at(-1);
    stack = stack.filter(({ ends }) => ends > frame);
    for (const voice of voices) if (voice.held && voice.ends <= frame) [voice.held, voice.released] = [false, frame];
    const show = (): void => {
      const [voice, sounding] = [voices[0]!, stack.at(-1)];
      if (sounding) Object.assign(voice, { key: sounding.key, pitch: sounding.pitch, held: true, ends: Infinity });
      else if (voice.held) Object.assign(voice, { held: false, released: frame });
    };
    if (mode !== 'poly' && top !== stack.at(-1)) show();
    for (; next < happenings.length && happenings[next]!.frame === frame; next++) {
      const { key = 0, velocity = 1, lasts = 0, pitch = pitchOfKey(key) } = happenings[next]!;
      const ends = lasts > 0 ? frame + lasts : Infinity;
      if (mode !== 'poly') {
        const joins = stack.length > 0;
        if (velocity === 0) stack = key === -1 ? [] : stack.filter((held) => held.key !== key);
        else stack = [...stack.filter((held) => held.key !== key), { key, pitch, ends }].slice(-16);
        show();
        if (velocity > 0 && !(mode === 'legato' && joins)) strike(voices[0]!, 10 * velocity);
      } else if (velocity === 0) {
        for (const voice of voices) if (voice.held && (key === -1 || voice.key === key)) [voice.held, voice.released] = [false, frame];
      } else {
        let at = voices.findIndex((voice) => voice.held && voice.key === key);
        if (at < 0) turn = at = choose(frame);
        Object.assign(voices[at]!, { key, pitch, held: true, ends });
        strike(voices[at]!, 10 * velocity);
      }
    }
    voices.forEach((voice, i) => {
      const rests = voice.struck && (voice.gate || voice.trigger > 0);
      if (rests) voice.trigger = 0;
      else if (voice.struck) [voice.struck, voice.trigger] = [false, PULSE];
      else voice.trigger = Math.max(0, voice.trigger - 1);
      voice.gate = voice.held && !rests;
      played[i]!.pitch[frame] = voice.pitch;
      played[i]!.gate[frame] = voice.gate ? 10 : 0;
      played[i]!.velocity[frame] = voice.velocity;
      played[i]!.trigger[frame] = voice.trigger > 0 ? 10 : 0;
    });
  }
  return played;
}
