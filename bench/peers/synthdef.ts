// SuperCollider's binary formats, as far as a bench needs them: a synth definition (file format version 2) and a score of OSC
// bundles for offline rendering. After the help files "Synth Definition File Format" and "Non-Realtime Synthesis".

type Rate = 'scalar' | 'control' | 'audio';
const RATES: Record<Rate, number> = { scalar: 0, control: 1, audio: 2 };
/** Special index of the operators of `BinaryOpUGen`. */
const OPERATORS = { '+': 0, '*': 2, '**': 25 } as const;

/** One output of a unit generator, or a constant. */
export type Signal = number | { readonly unit: number; readonly output: number };

interface Unit {
  readonly name: string;
  readonly rate: Rate;
  readonly inputs: readonly Signal[];
  readonly outputs: number;
  readonly special: number;
}

/** Big-endian bytes, as everything of SuperCollider's is. */
class Writer {
  readonly #parts: Buffer[] = [];
  #put(size: number, write: (part: Buffer) => void): this {
    const part = Buffer.alloc(size);
    write(part);
    this.#parts.push(part);
    return this;
  }
  int8(...values: number[]): this {
    return this.#put(values.length, (part) => values.forEach((value, i) => part.writeInt8(value, i)));
  }
  int16(value: number): this {
    return this.#put(2, (part) => part.writeInt16BE(value));
  }
  int32(...values: number[]): this {
    return this.#put(4 * values.length, (part) => values.forEach((value, i) => part.writeInt32BE(value, 4 * i)));
  }
  float32(...values: number[]): this {
    return this.#put(4 * values.length, (part) => values.forEach((value, i) => part.writeFloatBE(value, 4 * i)));
  }
  /** Length byte, then the text. */
  pascal(text: string): this {
    return this.int8(text.length).bytes(Buffer.from(text, 'latin1'));
  }
  bytes(bytes: Buffer): this {
    this.#parts.push(bytes);
    return this;
  }
  end(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

/** A synth definition: units are added in the order in which they run. */
export class SynthDef {
  readonly #units: Unit[] = [];
  readonly #controls: { name: string; value: number }[];

  /** `controls`: names and initial values of what a synth is given when it starts. */
  constructor(
    readonly name: string,
    controls: Readonly<Record<string, number>>,
  ) {
    this.#controls = Object.entries(controls).map(([control, value]) => ({ name: control, value }));
    this.#add('Control', 'control', [], this.#controls.length);
  }

  #add(name: string, rate: Rate, inputs: readonly Signal[], outputs = 1, special = 0): number {
    return this.#units.push({ name, rate, inputs, outputs, special }) - 1;
  }

  control(name: string): Signal {
    return { unit: 0, output: this.#controls.findIndex((control) => control.name === name) };
  }

  unit(name: string, rate: Rate, ...inputs: readonly Signal[]): Signal {
    return { unit: this.#add(name, rate, inputs), output: 0 };
  }

  operate(left: Signal, operator: keyof typeof OPERATORS, right: Signal): Signal {
    return { unit: this.#add('BinaryOpUGen', 'audio', [left, right], 1, OPERATORS[operator]), output: 0 };
  }

  /** An envelope of `Env.adsr`: curve −4, held at `sustain` while `gate` is open. */
  adsr(gate: Signal, times: { attack: number; decay: number; sustain: number; release: number }): Signal {
    const segment = (level: number, seconds: number): number[] => [level, seconds, 5, -4];
    const { attack, decay, sustain, release } = times;
    const envelope = [0, 3, 2, -99, ...segment(1, attack), ...segment(sustain, decay), ...segment(0, release)];
    return this.unit('EnvGen', 'audio', gate, 1, 0, 1, 0, ...envelope);
  }

  out(bus: number, signal: Signal): void {
    this.#add('Out', 'audio', [bus, signal], 0);
  }

  encode(): Buffer {
    const constants = [...new Set(this.#units.flatMap(({ inputs }) => inputs.filter((input) => typeof input === 'number')))];
    const file = new Writer().bytes(Buffer.from('SCgf')).int32(2).int16(1).pascal(this.name);
    file.int32(constants.length).float32(...constants);
    file.int32(this.#controls.length).float32(...this.#controls.map(({ value }) => value));
    file.int32(this.#controls.length);
    this.#controls.forEach(({ name }, i) => file.pascal(name).int32(i));
    file.int32(this.#units.length);
    for (const { name, rate, inputs, outputs, special } of this.#units) {
      file.pascal(name).int8(RATES[rate]).int32(inputs.length, outputs).int16(special);
      for (const input of inputs)
        if (typeof input === 'number') file.int32(-1, constants.indexOf(input));
        else file.int32(input.unit, input.output);
      file.int8(...new Array<number>(outputs).fill(RATES[rate]));
    }
    return file.int16(0).end();
  }
}

// ── score ──

const padded = (bytes: Buffer, zero = 0): Buffer => Buffer.concat([bytes, Buffer.alloc(-(bytes.length + zero) & 3), Buffer.alloc(zero)]);
/** An OSC string: a zero at least, then up to a multiple of four. */
const text = (value: string): Buffer => padded(Buffer.from(`${value}\0`, 'latin1'));

type Argument = string | number | Buffer | { readonly float: number };

/** An OSC message; whole numbers are sent as such, others as `{ float }`. */
export function message(address: string, ...args: readonly Argument[]): Buffer {
  const tag = (arg: Argument): string => (typeof arg === 'string' ? 's' : typeof arg === 'number' ? 'i' : Buffer.isBuffer(arg) ? 'b' : 'f');
  const body = args.map((arg) => {
    if (typeof arg === 'string') return text(arg);
    if (typeof arg === 'number') return new Writer().int32(arg).end();
    if (Buffer.isBuffer(arg)) return padded(new Writer().int32(arg.length).bytes(arg).end());
    return new Writer().float32(arg.float).end();
  });
  return Buffer.concat([text(address), text(`,${args.map(tag).join('')}`), ...body]);
}

/** A score: what happens when, in seconds and in order. The last time is where the sound ends. */
export function score(events: readonly { readonly at: number; readonly messages: readonly Buffer[] }[]): Buffer {
  const file = new Writer();
  for (const { at, messages } of events) {
    const bundle = new Writer().bytes(text('#bundle')).int32(Math.floor(at), ((at % 1) * 2 ** 32) | 0);
    for (const each of messages) bundle.int32(each.length).bytes(each);
    const bytes = bundle.end();
    file.int32(bytes.length).bytes(bytes);
  }
  return file.end();
}
