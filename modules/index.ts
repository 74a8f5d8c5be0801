// Every module there is. A new one is a file and a line here.
import type { ModuleDefinition } from '../src/module.js';
import { adsr } from './adsr.js';
import { attenuverter } from './attenuverter.js';
import { clock } from './clock.js';
import { delay } from './delay.js';
import { gate } from './gate.js';
import { input } from './in.js';
import { keys } from './keys.js';
import { lfo } from './lfo.js';
import { mixer } from './mixer.js';
import { noise } from './noise.js';
import { out } from './out.js';
import { quantizer } from './quantizer.js';
import { reverb } from './reverb.js';
import { samplehold } from './samplehold.js';
import { script } from './script.js';
import { sequencer } from './sequencer.js';
import { trigger } from './trigger.js';
import { value } from './value.js';
import { vca } from './vca.js';
import { vcf } from './vcf.js';
import { vco } from './vco.js';
import { xy } from './xy.js';

export const modules: readonly ModuleDefinition[] = [
  // Sound
  vco,
  noise,
  input,
  vcf,
  vca,
  // Modulation
  adsr,
  lfo,
  samplehold,
  attenuverter,
  // Time and pitch
  clock,
  sequencer,
  quantizer,
  // Play
  keys,
  gate,
  trigger,
  value,
  xy,
  script,
  // Space and sum
  mixer,
  delay,
  reverb,
  out,
];
