// `krell play` and `krell render` from the outside: sound without a sound card, Ctrl-C, what a terminal sees, what cannot work.
import { createSocket } from 'node:dgram';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { file, folder, krell, patch, PROGRAM, run, TONE } from './krell.js';

const tone = file('tone.json', TONE);
const CONTROL = /[\x00-\x09\x0b-\x1f\x7f]/;

/** Ports of their own: other tests play at the same time. */
const ANY_PORTS = ['--osc-port', '0', '--http-port', '0'];

/** Ctrl-C once the program plays. */
const interruptWhenPlaying = (signal: NodeJS.Signals) => {
  let sent = false;
  return (child: { kill(signal: NodeJS.Signals): boolean }, stderr: string): void => {
    if (!sent && stderr.includes('playing ')) sent = child.kill(signal);
  };
};

/** A WAV file whose header tells its length. */
function expectWholeWav(path: string): void {
  const header = readFileSync(path).subarray(0, 12);
  expect(header.toString('latin1', 0, 4) + header.toString('latin1', 8, 12)).toBe('RIFFWAVE');
  expect(header.readUInt32LE(4)).toBe(statSync(path).size - 8);
}

describe('krell play', () => {
  it('plays for the time asked for and prints one JSON object', async () => {
    const { code, stdout, stderr } = await krell([
      'play',
      tone,
      '--driver',
      'null',
      '--seconds',
      '0.5',
      '--workers',
      '1',
      '--json',
      ...ANY_PORTS,
    ]);
    expect(code).toBe(0);
    const [, oscPort, httpPort] = /^listening for OSC on 127\.0\.0\.1:(\d+), http:\/\/127\.0\.0\.1:(\d+)\n/.exec(stderr)!;
    expect(stderr.split('\n').slice(1)).toEqual([expect.stringMatching(new RegExp(`^playing ${tone} on null`)) as string, '']);
    const result = JSON.parse(stdout) as { frames: number; seconds: number; peak: number; workers: object[] };
    expect(result).toMatchObject({ sampleRate: 48000, driver: 'null', modules: 2, cables: 1 });
    expect(Object.keys(result)).toEqual(expect.arrayContaining(['underruns', 'blockFrames', 'voices', 'memory']));
    expect(result.frames).toBeGreaterThan(0);
    expect(result.peak).toBeGreaterThan(0.1);
    expect(result.workers).toHaveLength(1);
    expect(result).toMatchObject({ oscPort: Number(oscPort), httpPort: Number(httpPort) });
  });

  it('prints a line at the end, and nothing that only a terminal understands', async () => {
    const { code, stdout, stderr } = await krell(['play', tone, '--driver', 'null', '--seconds', '0.3', ...ANY_PORTS]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^played 0:00, \d+ underruns?, peak -\d+\.\d dB, load \d+%.*\n$/);
    expect(stdout + stderr).not.toMatch(CONTROL);
  });

  // Two seconds after a Ctrl-C a program that still runs is killed, and that is no exit code of 0.
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('stops within 2 s and reports after %s', async (signal) => {
    const { code, stdout } = await krell(['play', tone, '--driver', 'null', '--json', ...ANY_PORTS], interruptWhenPlaying(signal));
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ driver: 'null' });
  });

  it('records what is heard, complete even after Ctrl-C', async () => {
    const wav = `${folder}/take.wav`;
    const args = ['play', tone, '--driver', 'null', '--record', wav, '--json', ...ANY_PORTS];
    const { code, stdout } = await krell(args, interruptWhenPlaying('SIGINT'));
    expect(code).toBe(0);
    expectWholeWav(wav);
    const { recording } = JSON.parse(stdout) as { recording: { path: string; frames: number; drops: number } };
    expect(recording).toMatchObject({ path: wav, drops: 0 });
    expect(recording.frames).toBeGreaterThan(0);
  });

  it.skipIf(!existsSync('/dev/full'))('says at once that the disk is full, plays on, and has failed in the end', async () => {
    const args = ['play', tone, '--driver', 'null', '--record', '/dev/full', '--seconds', '1.5', ...ANY_PORTS];
    const said = "cannot write '/dev/full': the disk is full";
    let isAtOnce = false;
    const { code, stdout, stderr } = await krell([...args, '--json'], (child, text) => {
      isAtOnce ||= text.includes(said) && child.exitCode === null;
    });
    expect({ code, isAtOnce }).toEqual({ code: 1, isAtOnce: true });
    expect(stderr.split('\n')).toContain(`${said}; the recording ends there`);
    const { seconds, recording } = JSON.parse(stdout) as { seconds: number; recording: object };
    expect(seconds).toBeGreaterThan(1);
    expect(recording).toEqual({ error: said });
    expect(await krell(args)).toMatchObject({ code: 1, stdout: expect.stringMatching(`^played 0:0[12], .+, ${said}\n$`) as string });
  });

  it('names all scripts that cannot be loaded', async () => {
    file('bad1.js', 'export default (;');
    file('bad2.js', 'export const a = 1;');
    const bad = file('bad-scripts.json', patch({ a: { type: 'script', script: 'bad1.js' }, b: { type: 'script', script: 'bad2.js' } }));
    const { code, stdout, stderr } = await krell(['play', bad, '--driver', 'null', '--no-osc']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^krell play: .+bad1\.js:1:17: .+\n.+bad2\.js:1:1: .+\n$/);
  });

  it.skipIf(!existsSync('/usr/bin/script'))('draws a live line on a terminal and leaves the terminal as it was', async () => {
    const command = `stty cols 120; '${process.execPath}' '${PROGRAM}' play '${tone}' --driver null --seconds 0.5 ${ANY_PORTS.join(' ')}`;
    const { code, stdout } = await run('script', ['-qec', command, '/dev/null']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/\r\x1b\[K +0:00 +\S*L▕[█▏▎▍▌▋▊▉│ ]+▏.*\d+ underruns?.* dsp +\d+%.* \d+ voices? +osc \d+/);
    expect(stdout.split('\x1b[?25l')).toHaveLength(2);
    expect(stdout.slice(stdout.lastIndexOf('\x1b[?25h'))).toMatch(/^\x1b\[\?25hplayed /);
  });

  it.each([
    ['a missing file', [`${folder}/none.json`], 'none.json: there is no such file'],
    ['a file that is not JSON', [file('not.json', 'modules: []')], 'line 1, column 1'],
    ['a wrong patch, before anything plays', [file('wrong.json', patch({ a: { type: 'vfc' } }))], "did you mean 'vcf'?"],
    ['an unknown device', [tone, '--device', 'no such thing'], /'no such thing'|no sound card found|no JACK server is running/],
    ['more modules than were allowed', [tone, '--max-modules', '1'], '2 modules are more than the 1 this engine may have'],
    ['a file it cannot record to', [tone, '--driver', 'null', '--record', `${folder}/no/take.wav`], 'no/take.wav'],
    [
      'more memory than there is',
      [file('huge.json', patch(Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`d${i}`, { type: 'delay', voices: 16 }]))))],
      'memory budget exceeded',
    ],
  ])('explains %s', async (_, args, message) => {
    const { code, stdout, stderr } = await krell(['play', ...args, '--seconds', '1', ...ANY_PORTS]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^krell play: /m);
    expect(stderr).not.toContain('this is a bug');
  });
});

describe('krell play and its ports', () => {
  /** Plays for a moment; where it said it listens. */
  async function listening(...options: string[]) {
    const outcome = await krell(['play', tone, '--driver', 'null', '--seconds', '0.2', '--json', ...options]);
    return { ...outcome, oscPort: Number(/^listening for OSC on \S+:(\d+),/m.exec(outcome.stderr)?.[1]) };
  }

  /** Takes a UDP port, if nobody has it already. */
  async function take(port: number) {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.once('error', () => resolve()).bind(port, '127.0.0.1', () => resolve()));
    return socket;
  }

  it('takes others when the usual are taken, and says so', async () => {
    const socket = await take(9000);
    const { code, stderr, oscPort } = await listening();
    socket.close();
    expect(code).toBe(0);
    expect(oscPort).toBeGreaterThan(9000);
    expect(oscPort).toBeLessThan(9010);
    expect(stderr).toContain('(9000 or 9001 is taken)');
  });

  it('does not play without the port that was asked for', async () => {
    const socket = await take(0);
    const { port } = socket.address();
    const { code, stdout, stderr } = await listening('--osc-port', String(port));
    socket.close();
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(new RegExp(`^krell play: OSC port ${port} .*in use; .*--osc-port\n$`));
  });

  it('warns when the whole network may play', async () => {
    const { code, stderr } = await listening('--bind', '0.0.0.0', ...ANY_PORTS);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^listening for OSC on 0\.0\.0\.0:\d+, http:\/\/0\.0\.0\.0:\d+\nanyone who reaches this address can play/);
  });

  it('explains an address that is not of this machine', async () => {
    const { code, stderr } = await listening('--bind', '192.0.2.1');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^krell play: OSC port 9000 at 192\.0\.2\.1: .*--bind\n$/);
  });

  it('listens to nobody when told so', async () => {
    const { code, stdout, stderr } = await listening('--no-osc');
    expect(code).toBe(0);
    expect(stderr).not.toContain('listening');
    expect(JSON.parse(stdout)).not.toHaveProperty('oscPort');
  });
});

describe('krell render', () => {
  it('writes exactly as many frames as asked for and says how it went', async () => {
    const wav = `${folder}/tone.wav`;
    const args = ['render', tone, '-o', wav, '--seconds', '0.25', '--rate', '44100', '--bits', '16', '--workers', '1', '--json'];
    const { code, stdout, stderr } = await krell(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const result = JSON.parse(stdout) as Record<string, unknown>;
    expect(result).toMatchObject({ frames: 11025, seconds: 0.25, workers: 1, sampleRate: 44100, bits: 16, out: wav });
    expect(result['sha256']).toMatch(/^[0-9a-f]{64}$/);
    expect(result['peak']).toBeGreaterThan(0.1);
    expect(result['renderSeconds']).toBeGreaterThan(0);
    expect(result['realtimeFactor']).toBeGreaterThan(0);
    const data = readFileSync(wav);
    expect(data.readUInt32LE(data.indexOf('data') + 4)).toBe(11025 * 2 * 2);
  });

  it('renders the same bits again, and others for another rate', async () => {
    const sha = async (...more: string[]): Promise<unknown> => {
      const { stdout } = await krell(['render', tone, '-o', `${folder}/again.wav`, '--seconds', '0.2', '--json', ...more]);
      return (JSON.parse(stdout) as { sha256: string }).sha256;
    };
    const first = await sha();
    expect(await sha('--bits', '32f', '--block', '16')).toBe(first);
    expect(await sha('--rate', '44100')).not.toBe(first);
  });

  it.skipIf(!existsSync('/usr/bin/script'))('draws a progress bar on a terminal', async () => {
    const command = `stty cols 100; '${process.execPath}' '${PROGRAM}' render '${tone}' -o '${folder}/bar.wav' --seconds 5`;
    const { code, stdout } = await run('script', ['-qec', command, '/dev/null']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/\r\x1b\[K.*bar\.wav ▕█+▏ *100 %/);
    expect(stdout.slice(stdout.lastIndexOf('\x1b[?25h'))).toContain('sha256');
  });

  it('exits with 130 when interrupted, and leaves a file that ends there', async () => {
    const wav = `${folder}/long.wav`;
    let timer: NodeJS.Timeout | undefined;
    const { code, stdout, stderr } = await krell(['render', tone, '-o', wav, '--seconds', '86400'], (child) => {
      timer ??= setInterval(() => !child.killed && existsSync(wav) && child.kill('SIGINT'), 20);
    });
    clearInterval(timer);
    expect({ code, stdout, stderr }).toEqual({ code: 130, stdout: '', stderr: `interrupted: ${wav} is incomplete\n` });
    expectWholeWav(wav);
  });

  it.each([
    ['an output it cannot write', ['-o', `${folder}/no/out.wav`], 'no/out.wav'],
    ['a folder for an output', ['-o', folder], folder],
  ])('explains %s', async (_, args, message) => {
    const { code, stdout, stderr } = await krell(['render', tone, ...args]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('this is a bug');
  });
});

describe('Ctrl-C', () => {
  /** A program that never ends by itself and does not stop when asked. */
  const stubborn = (meanwhile: Parameters<typeof run>[2]) =>
    run(
      process.execPath,
      [
        '--input-type=module',
        '--eval',
        `import { abortOnInterrupt } from ${JSON.stringify(import.meta.resolve('#src/cli/signals.js'))};
        abortOnInterrupt().addEventListener('abort', () => process.stderr.write('asked'));
        setInterval(() => {}, 1000);
        process.stderr.write('ready');`,
      ],
      meanwhile,
    );

  it('ends the program at once with 130 when pressed twice', async () => {
    const { code } = await stubborn((child, stderr) => void (/(ready|asked)$/.test(stderr) && child.kill('SIGINT')));
    expect(code).toBe(130);
  });

  it('ends a program that hangs after two seconds', async () => {
    const { code, stderr } = await stubborn((child, stderr) => void (/ready$/.test(stderr) && child.kill('SIGINT')));
    expect(code).toBe('SIGKILL');
    expect(stderr).toContain('did not stop within 2 s');
  });
});
