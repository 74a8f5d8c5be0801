// The one-module rig: `new Rig(vcf, { voices, inputs, params, backEnd }).input('in', …).run(frames, block).output('low')`.
export * from '#src/kernel/rig.js';
