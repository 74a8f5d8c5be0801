// What the rest of the process does meanwhile: nothing for a while, garbage, jobs that crash, recordings, scripts that hang.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readFloatWav } from '../../control/wav.js';
import { collectGarbage } from '../show.js';
import { heardPieces } from '../pieces.js';
import { codeOf, expectThat, type Disaster } from './disaster.js';

export const blockMain: Disaster = {
  name: 'block the main thread',
  async run(_, random) {
    const ms = 100 + random.below(150);
    for (const end = performance.now() + ms; performance.now() < end;);
    return `${ms} ms`;
  },
};

export const makeGarbage: Disaster = {
  name: 'make garbage and collect it',
  async run(_, random) {
    let kept: unknown[] = [];
    for (let i = 20 + random.below(50); i > 0; i--) {
      kept = [Array.from({ length: 20_000 }, (_, n) => ({ n })), kept.length];
      await sleep(1);
    }
    collectGarbage();
    return '';
  },
};

const HANDLERS = new URL('../../jobs/handlers/work.mjs', import.meta.url);
/** Export, argument, options, and how it must end. */
const JOBS = [
  ['echo', 'x', {}, 'succeeded'],
  ['sleep', 2, {}, 'succeeded'],
  ['fails', undefined, {}, 'job'],
  ['failsLater', undefined, {}, 'job'],
  ['exit', undefined, {}, 'crash'],
  ['hang', undefined, { timeoutMs: 30 }, 'timeout'],
  ['unclonable', undefined, {}, 'result'],
  ['notAFunction', undefined, {}, 'handler'],
] as const;

export const crashJobs: Disaster = {
  name: 'jobs that fail, crash and hang',
  async run({ jobs }, random) {
    const count = 20 + random.below(40);
    const ends = Array.from({ length: count }, () => {
      const [name, argument, options, wanted] = random.next() < 0.8 ? JOBS[random.below(4)]! : random.pick(JOBS);
      const job = jobs.submit({ file: HANDLERS, name }, argument, options);
      const isCancelled = random.next() < 0.1 && job.cancel();
      return job.result().then(
        () => (isCancelled ? 'a cancelled job succeeded' : wanted === 'succeeded' ? '' : `${name} succeeded`),
        ({ code }: { code: string }) => (code === (isCancelled ? 'cancelled' : wanted) ? '' : `${name} ended with ${code}, not ${wanted}`),
      );
    });
    const wrong = (await Promise.all(ends)).filter((message) => message !== '');
    expectThat(wrong.length === 0, wrong.join('; '));
    return `${count} jobs`;
  },
};

export const record: Disaster = {
  name: 'record',
  async run(show, random) {
    const { engine, witness } = show;
    const path = join(show.folder, 'take.wav');
    const before = { underruns: engine.stats().underruns, gaps: witness.gaps.length, devices: show.deviceChanges };
    await engine.startRecording(path);
    await sleep(500 + random.below(2500));
    const { frames, drops } = (await engine.stopRecording())!;
    // What breaks the sine in the device's ears: the engine too late, the device another, a gap of the engine's own.
    await sleep(100);
    const excused =
      engine.stats().underruns - before.underruns + 2 * (show.deviceChanges - before.devices) + witness.gaps.length - before.gaps;
    const [left, right] = readFloatWav(path) as [Float32Array, Float32Array];
    expectThat(drops === 0, `a recording lost ${drops} frames`);
    expectThat(left.length === frames && right.every((value) => Math.abs(value) < Infinity), 'a recording holds what is no sound');
    const pieces = heardPieces(left, show.tone);
    expectThat(
      pieces.length <= 1 + excused,
      `${frames} frames recorded, the sine is in pieces, ${excused} breaks excused: ${JSON.stringify(pieces)}`,
    );
    return `${frames} frames, ${pieces.length} pieces`;
  },
};

export const hangScript: Disaster = {
  name: 'a script hangs',
  async run(show, random) {
    const script = `hang${random.below(1e6)}.mjs`;
    writeFileSync(join(show.folder, script), 'export default { tick() { for (;;); } };\n');
    const fault = show.witness.expect({ what: 'script', repeats: true });
    show.guests.modules['hanging'] = { type: 'script', script };
    // The patch plays even when its script does not come back.
    const code = await codeOf(show.cast(show.onStage));
    expectThat(code === undefined || code === 'script', `a patch with a script that hangs: ${code}`);
    await show.until('the script is found to hang', () => fault.seen > 0);
    delete show.guests.modules['hanging'];
    await show.cast(show.onStage);
    show.witness.done(fault);
    return '';
  },
};
