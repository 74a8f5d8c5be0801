// A real `krell play`, driven by OSC from other programs: krell send, liblo's oscsend and oscdump, SuperCollider's sclang, a web client.
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import type { ChildProcess } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from './fake-engine.js';
import { file, folder, krell, patch, PROGRAM, run } from './krell.js';
import { has, oscsend, play, until, type Playing } from './playing.js';

/** A voice that is silent until a key is struck. */
const VOICE = patch(
  {
    keys1: { type: 'keys' },
    vco1: { type: 'vco' },
    vcf1: { type: 'vcf', params: { cutoff: 1000 } },
    vca1: { type: 'vca' },
    out: { type: 'out' },
  },
  [
    { from: 'keys1.pitch', to: 'vco1.pitch' },
    { from: 'keys1.gate', to: 'vca1.cv' },
    { from: 'vco1.saw', to: 'vcf1.in' },
    { from: 'vcf1.low', to: 'vca1.in' },
    { from: 'vca1.out', to: 'out.left' },
  ],
  { title: 'Voice', osc: { '/1/fader1': { to: 'vcf1.cutoff', range: [200, 8000] } } },
);
const other = patch({ vcf9: { type: 'vcf' } }, [], { title: 'Another' });

let playing: Playing;
beforeAll(async () => {
  mkdirSync(`${folder}/patches`);
  file('patches/other.json', other);
  file('secret.json', other);
  playing = await play(file('patches/voice.json', VOICE), folder);
});
afterAll(async () => {
  const { code } = await playing.stop();
  expect(code).toBe(0);
});

const ask = (address: string, ...args: string[]): Promise<string[]> => playing.ask(address, ...args);
/** The loudest sample since somebody last asked. */
async function peak(): Promise<number> {
  const [line = ''] = await ask('/engine/status');
  return Number(/'?peak\[0\]'? (\S+)/.exec(line)![1]);
}
const isSilent = async (): Promise<boolean> => (await peak()) === 0;
const sounds = async (): Promise<boolean> => (await peak()) > 0.01;
const cutoffIs = (hz: number) => async (): Promise<boolean> => (await ask('/vcf1/cutoff'))[0] === `/vcf1/cutoff ${hz}`;

describe('krell send', () => {
  const send = async (...args: string[]) => {
    const { code, stdout } = await krell(['send', '--port', String(playing.oscPort), ...args]);
    return { code, stdout };
  };

  it('sets a parameter, now and later, and asks for it', async () => {
    expect(await send('/vcf1/cutoff', '1.2 kHz')).toEqual({ code: 0, stdout: '' });
    expect(await send('/vcf1/cutoff')).toEqual({ code: 0, stdout: '/vcf1/cutoff 1200\n' });
    expect(await send('/vcf1/cutoff', '500', '--at', '+0.2')).toEqual({ code: 0, stdout: '' });
    await until(cutoffIs(500));
  });

  it('gives commands', async () => {
    expect(await send('/engine/module/create', 'lfo', 'lfo1')).toEqual({ code: 0, stdout: '/done /engine/module/create lfo lfo1\n' });
    expect(await send('/engine/module/remove', 'lfo1')).toEqual({ code: 0, stdout: '/done /engine/module/remove lfo1\n' });
    expect(await send('/engine/module/remove', 'lfo1')).toMatchObject({ code: 1 });
  });

  it('is told what is wrong, and what was meant', async () => {
    const { code, stdout } = await send('/vcf1/cutof', '3');
    expect(code).toBe(1);
    expect(stdout).toMatch(/^\/fail \/vcf1\/cutof .*did you mean 'cutoff'/);
  });
});

describe('a playing engine', () => {
  it('is set in every way that docs/osc.md says', async () => {
    expect(await ask('/vcf1/cutoff', '900')).toEqual([]);
    expect(await ask('/vcf1/cutoff/0')).toEqual(['/vcf1/cutoff/0 900']);
    expect(await ask('/vcf*/cutoff')).toEqual(['/vcf1/cutoff 900']);
    expect(await ask('/1/fader1', 'f:1')).toEqual([]);
    expect(await ask('/vcf1/cutoff')).toEqual(['/vcf1/cutoff 8000']);
    expect(await ask('/vcf1/cutoff', '99999')).toEqual(['/clamped /vcf1/cutoff 99999 20000']);
    expect(await ask('/vca1/response', 'exponential')).toEqual([]);
    expect(await ask('/vca1/response')).toEqual(['/vca1/response exponential']);
    expect(await ask('/out/limiter', 'false')).toEqual([]);
    expect(await ask('/out/limiter')).toEqual(['/out/limiter false']);
    expect(await ask('/engine/tempo', '96', '12345')).toEqual(['/done /engine/tempo 96 12345']);
  });

  it('is edited', async () => {
    await ask('/engine/module/create', 'lfo', 'lfo1');
    const cable = 'lfo1.sine vcf1.cutoff';
    expect(await ask('/engine/cable/connect', ...cable.split(' '), '0.5')).toEqual([`/done /engine/cable/connect ${cable}`]);
    expect((await ask('/engine/cable/list'))[0]).toContain(`${cable} 0.5`);
    expect(await ask('/lfo1/rate')).toEqual(['/lfo1/rate 2']);
    expect(await ask('/engine/module/remove', 'lfo1')).toEqual(['/done /engine/module/remove lfo1']);
    expect(await ask('/lfo1/rate')).toEqual([expect.stringMatching(/^\/fail \/lfo1\/rate /)]);
  });

  it.each([
    [['/engine/module/create', 'vfc', 'x'], "did you mean 'vcf'"],
    [['/engine/module/create', 'vcf', 'engine'], 'engine'],
    [['/engine/module/create', 'vcf'], 'id is missing'],
    [['/engine/cable/connect', 'vco1.saww', 'vcf1.in'], "did you mean 'saw'"],
    [['/engine/patch/laod', 'voice'], '/engine/patch/load'],
    [['/vcf1/cutoff', 'loud'], 'loud'],
    [['/vcf1'], 'cutoff'],
    [['/engine/patch/load', '../secret'], 'is not the name of a file'],
    [['/engine/patch/load', '../../../../etc/passwd'], 'is not the name of a file'],
    [['/engine/patch/load', '/etc/passwd'], 'is not the name of a file'],
    [['/engine/patch/save', '../../escaped'], 'is not the name of a file'],
    [['/engine/record/start', '../escaped'], 'is not the name of a file'],
  ])('refuses %j', async ([address = '', ...args], message) => {
    const replies = await ask(address, ...args);
    expect(replies).toHaveLength(1);
    expect(replies[0]).toMatch(new RegExp(`^/fail ${address} `));
    expect(replies[0]).toContain(message);
  });

  it('loads, lists and saves patches', async () => {
    expect(await ask('/engine/patch/load', 'other')).toEqual(['/done /engine/patch/load Another']);
    expect(await ask('/vcf9/resonance', '0.75')).toEqual([]);
    expect(await ask('/engine/patch/save', 'mine')).toEqual(['/done /engine/patch/save mine.json']);
    const saved = JSON.parse(readFileSync(`${folder}/patches/mine.json`, 'utf8')) as { modules: { vcf9: { params: object } } };
    expect(saved.modules.vcf9.params).toMatchObject({ resonance: 0.75 });
    const [listed = ''] = await ask('/engine/patch/list');
    expect(listed.split(' ')).toEqual(expect.arrayContaining(['voice', 'other', 'mine', 'krell']));
    expect(await ask('/engine/patch/load', 'voice')).toEqual(['/done /engine/patch/load Voice']);
  });

  it('plays notes', async () => {
    await until(isSilent);
    expect(await ask('/keys1/note', 'c3', '0.8')).toEqual([]);
    await until(sounds);
    expect(await ask('/keys1/off')).toEqual([]);
    await until(isSilent);
  });

  it('is watched by krell monitor', async () => {
    const act = async (child: ChildProcess): Promise<void> => {
      await ask('/vcf1/cutoff', '700');
      await ask('/engine/module/create', 'vca', 'seen');
      child.kill('SIGINT');
    };
    let out = '';
    const { code, stdout } = await krell(['monitor', '--port', String(playing.oscPort), '--json'], (child, stderr) => {
      // What it first prints says that the engine has heard of it.
      if (stderr !== '') void until(async () => (await ask('/engine/sync')).length > 0 && out !== '').then(() => act(child));
      else child.stdout!.on('data', (text: Buffer) => (out += text.toString()));
    });
    expect(code).toBe(0);
    const told = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(told).toContainEqual(
      expect.objectContaining({ address: '/vcf1/cutoff', args: '700', did: expect.stringMatching(/./) as string }),
    );
    expect(told).toContainEqual(expect.objectContaining({ address: '/engine/module/created', args: ['seen', 'vca'] }));
  });
});

describe('oscsend and oscdump', () => {
  const missing = ['oscsend', 'oscdump'].filter((program) => !has(program));

  it.skipIf(missing.length > 0)(`set, edit, load and play${missing.map((program) => `: no ${program}`).join()}`, async () => {
    const { oscPort } = playing;
    await oscsend(oscPort, '/vcf1/cutoff', 'f', '333');
    await until(cutoffIs(333));
    await oscsend(oscPort, '/vcf1/cutoff', 'd', '444');
    await until(cutoffIs(444));
    await oscsend(oscPort, '/vcf1/cutoff', 's', '0.5 kHz');
    await until(cutoffIs(500));
    await until(isSilent);
    await oscsend(oscPort, '/keys1/note', 'ii', '48', '100');
    await until(sounds);
    await oscsend(oscPort, '/keys1/note', 'ii', '48', '0');
    await until(isSilent);
    await oscsend(oscPort, '/engine/module/create', 'ssi', 'vco', 'vco2', '4');
    await oscsend(oscPort, '/engine/cable/connect', 'ssf', 'vco2.saw', 'vcf1.in', '0.5');
    await until(async () => (await ask('/engine/cable/list'))[0]!.includes('vco2.saw vcf1.in 0.5'));
    await oscsend(oscPort, '/engine/patch/load', 's', 'voice');
    await until(async () => !(await ask('/engine/module/list'))[0]!.includes('vco2'));
  });

  it.skipIf(missing.length > 0)(`are told of edits${missing.map((program) => `: no ${program}`).join()}`, async () => {
    const { oscPort } = playing;
    const CREATED = '/engine/module/created ss "noise1" "noise"';
    const port = await freePort();
    let heard = '';
    const dump = run('oscdump', ['-L', String(port)], (child) => {
      child.stdout?.on('data', (text: Buffer) => {
        heard += text.toString();
        if (heard.includes(CREATED)) child.kill('SIGTERM');
      });
    });
    // It may not listen yet.
    const asking = setInterval(() => void oscsend(oscPort, '/engine/notify', 'ii', '1', String(port)), 100);
    try {
      await until(async () => {
        await oscsend(oscPort, '/engine/module/create', 'ss', 'noise', 'noise1');
        await oscsend(oscPort, '/engine/module/remove', 's', 'noise1');
        return heard.includes(CREATED);
      });
    } finally {
      clearInterval(asking);
    }
    await dump;
    expect(heard).toContain(CREATED);
  });
});

describe('sclang', () => {
  const isMissing = !has('sclang');

  /** Runs a program that knows `~engine`, and waits until the engine has done all it said. @returns what it heard */
  async function sclang(program: string): Promise<string[]> {
    const script = file(
      'script.scd',
      `(
      ~engine = NetAddr("127.0.0.1", ${playing.oscPort});
      thisProcess.addOSCRecvFunc({ |message| ("HEARD" + message.collect(_.asString).join(" ")).postln });
      ~synced = Condition.new;
      OSCFunc({ |message| if(message[1] == '/engine/sync') { ~synced.unhang } }, '/done');
      fork { ${program} ~engine.sendMsg("/engine/sync", 77); ~synced.hang; 0.exit };
      )`,
    );
    const headless = { QT_QPA_PLATFORM: 'offscreen', QTWEBENGINE_DISABLE_SANDBOX: '1', QTWEBENGINE_CHROMIUM_FLAGS: '--no-sandbox' };
    const settings = Object.entries(headless).map(([name, value]) => `${name}=${value}`);
    const { code, stdout, stderr } = await run('env', [...settings, 'sclang', script]);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    return stdout.split('\n').flatMap((line) => (line.startsWith('HEARD ') ? [line.slice(6)] : []));
  }

  it.skipIf(isMissing)(`drives it with messages and bundles${isMissing ? ': no sclang' : ''}`, async () => {
    const heard = await sclang(`
      ~engine.sendMsg("/engine/notify", 1);
      ~engine.sendBundle(0.2, ["/vcf1/cutoff", 321], ["/vcf1/resonance", 0.5], ["/keys1/note", 60, 0.9]);
      0.5.wait;
      ~engine.sendMsg("/vcf1/cutoff");
      ~engine.sendMsg("/vcf1/resonance");
      ~engine.sendMsg("/keys1/note", 60, 0);
      ~engine.sendMsg("/engine/module/create", "vco", "fromsc", 2, 1001);
      ~engine.sendMsg("/engine/cable/connect", "fromsc.saw", "vcf1.in");
      ~engine.sendBundle(-0.5, ["/vcf1/drive", 3]);
      ~engine.sendMsg("/engine/no/such/command");
      ~engine.sendMsg("/engine/module/create", "vcoo", "x");
      ~engine.sendMsg("/engine/patch/load", "voice");
    `);
    expect(heard).toEqual(
      expect.arrayContaining([
        '/done /engine/notify 60',
        '/vcf1/cutoff 321.0',
        '/vcf1/resonance 0.5',
        '/done /engine/module/create vco fromsc 1001',
        '/engine/module/created fromsc vco',
        '/done /engine/cable/connect fromsc.saw vcf1.in',
        expect.stringMatching(/^\/late \/vcf1\/drive \d/),
        expect.stringMatching(/^\/fail \/engine\/no\/such\/command /),
        expect.stringMatching(/^\/fail \/engine\/module\/create .*did you mean 'vco'/),
        '/done /engine/patch/load Voice',
        '/done /engine/sync 77',
      ]),
    );
  });
});

describe('the HTTP port', () => {
  it('tells values as OSCQuery', async () => {
    await ask('/vcf1/cutoff', '640');
    const get = async (path: string): Promise<unknown> => (await fetch(`http://127.0.0.1:${playing.httpPort}${path}`)).json();
    expect(await get('/vcf1/cutoff?VALUE')).toEqual({ VALUE: [640] });
    expect(await get('/?HOST_INFO')).toMatchObject({ OSC_PORT: playing.oscPort });
  });
});

describe('docs/osc.md', () => {
  const python = /```python\n(import socket[^]*?)```/.exec(readFileSync('docs/osc.md', 'utf8'))![1]!;
  const isMissing = !has('python3');

  it.skipIf(isMissing)(`shows Python that works${isMissing ? ': no python3' : ''}`, async () => {
    const program = python
      .replaceAll('/squelch/cutoff\\0', '/vcf1/cutoff\\0\\0\\0\\0')
      .replace('9000', String(playing.oscPort))
      .replace('900)', '812)');
    const { code, stderr } = await run('python3', [file('message.py', program)]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    await until(cutoffIs(812));
  });
});

describe('README.md', () => {
  const [, section = ''] = readFileSync('README.md', 'utf8').split('## Play it by OSC');
  const lines = [...section.split('\n## ')[0]!.matchAll(/^krell send [^#\n]*/gm)].map(([line]) => line.trim());

  it('shows messages that are understood', async () => {
    expect(lines.length).toBeGreaterThan(3);
    const first = /```json\n([^]*?)```/.exec(readFileSync('README.md', 'utf8'))![1]!;
    const { oscPort, stop } = await play(file('patches/first.json', first), folder);
    for (const line of lines) {
      const command = line.replace('krell', `'${process.execPath}' '${PROGRAM}'`);
      const { code, stderr } = await run('bash', ['-c', `${command} --port ${oscPort}`]);
      expect({ line, code, stderr }).toEqual({ line, code: 0, stderr: '' });
    }
    await stop();
  });
});

describe('/engine/quit', () => {
  it('ends krell play as Ctrl-C does', async () => {
    const quitting = await play('patches/voice.json', folder);
    expect(await quitting.ask('/engine/record/start', 'take')).toEqual(['/done /engine/record/start take.wav']);
    expect(await quitting.ask('/engine/quit')).toEqual(['/done /engine/quit']);
    const { code, stdout } = await quitting.ended;
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ oscPort: quitting.oscPort, httpPort: quitting.httpPort, recording: { drops: 0 } });
    expect(existsSync(`${folder}/take.wav`)).toBe(true);
  });
});
