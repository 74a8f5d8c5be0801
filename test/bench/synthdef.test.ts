// SuperCollider's formats, byte for byte.
import { describe, expect, it } from 'vitest';
import { message, score, SynthDef } from '#bench/peers/synthdef.js';

const hex = (bytes: Buffer): string => bytes.toString('hex');
const ascii = (text: string): string => Buffer.from(text, 'latin1').toString('hex');

describe('a synth definition', () => {
  it('lists constants, controls and units', () => {
    const def = new SynthDef('a', { freq: 440 });
    def.out(0, def.operate(def.unit('Saw', 'audio', def.control('freq')), '*', 0.5));
    const expected = [
      `${ascii('SCgf')} 00000002 0001`,
      `01${ascii('a')}`,
      // constants 0.5 and 0, in the order of their first use
      '00000002 3f000000 00000000',
      // one control, 440, its name and number
      `00000001 43dc0000 00000001 04${ascii('freq')} 00000000`,
      '00000004',
      // name, rate, inputs, outputs, special index; inputs as unit and output, or −1 and constant; rates of outputs
      `07${ascii('Control')} 01 00000000 00000001 0000 01`,
      `03${ascii('Saw')} 02 00000001 00000001 0000 00000000 00000000 02`,
      `0c${ascii('BinaryOpUGen')} 02 00000002 00000001 0002 00000001 00000000 ffffffff 00000000 02`,
      `03${ascii('Out')} 02 00000002 00000000 0000 ffffffff 00000001 00000002 00000000`,
      // no variants
      '0000',
    ];
    expect(hex(def.encode())).toBe(expected.join('').replaceAll(' ', ''));
  });
});

describe('a score', () => {
  it('pads messages to multiples of four', () => {
    expect(hex(message('/abc', 1, 'xyz', { float: 0.5 }, Buffer.from([1, 2, 3])))).toBe(
      `${ascii('/abc\0\0\0\0')}${ascii(',isfb\0\0\0')}00000001${ascii('xyz\0')}3f0000000000000301020300`,
    );
  });

  it('begins each bundle with its size and time', () => {
    const one = message('/n');
    expect(hex(score([{ at: 1.75, messages: [one, one] }]))).toBe(
      `00000028${ascii('#bundle\0')}00000001c0000000${`00000008${hex(one)}`.repeat(2)}`,
    );
  });
});
