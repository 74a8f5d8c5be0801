// The program from the outside: help, exit codes, what goes to stdout and what to stderr.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseCommandLine, type Command } from '#src/cli/args.js';
import { UsageError } from '#src/errors.js';
import { file, folder, krell, patch, PROGRAM, run, TONE } from './krell.js';

const COMMANDS = ['play', 'render', 'check', 'modules', 'devices', 'send', 'monitor', 'osc-page', 'bench', 'stress', 'stats', 'new-module'];
/** What a terminal could take for a command. */
const CONTROL = /[\x00-\x09\x0b-\x1f\x7f]/;

describe('krell', () => {
  it('lists its commands', async () => {
    const { code, stdout, stderr } = await krell(['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect([...stdout.matchAll(/^ {2}([a-z-]+) {2}/gm)].map((match) => match[1])).toEqual(COMMANDS);
  });

  it.each(COMMANDS)('%s --help says how it is used', async (name) => {
    const { code, stdout, stderr } = await krell([name, '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`^Usage: krell ${name} `));
    // What osc-page prints is a file of another program, in JSON anyway.
    if (name !== 'osc-page') expect(stdout).toContain('--json');
  });

  it('tells its version', async () => {
    const { code, stdout } = await krell(['--version']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it.each([
    [[], 'krell: needs a command; there is play, render'],
    [['plya'], "krell: unknown command 'plya'; did you mean 'play'?"],
    [['constructor'], "krell: unknown command 'constructor'"],
    [['play'], 'krell play: needs a patch'],
    [['check'], 'krell check: needs a patch'],
    [['render', 'a.json'], 'krell render: needs --out <file.wav>'],
    [['render', 'a.json', '-o', 'a.wav', '--secnds', '3'], "krell render: unknown option '--secnds'; did you mean '--seconds'?"],
    [['modules', 'vcf', 'vco'], "krell modules: unexpected argument 'vco'"],
    [['devices', '--jsno'], "krell devices: unknown option '--jsno'; did you mean '--json'?"],
  ])('exits with 2 for a wrong use: %j', async (args, message) => {
    const { code, stdout, stderr } = await krell(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr).toContain("--help' shows what is possible");
  });

  /** Everything that a command line alone can be wrong in, besides what every command has. */
  const WRONG: [line: string, message: string][] = [
    ...['abc', '0', '-1', 'NaN', '604801'].map((value): [string, string] => [
      `play p --seconds ${value}`,
      `--seconds: '${value}' is not possible`,
    ]),
    ...['0', '48', '2048'].map((value): [string, string] => [`play p --block ${value}`, 'give a power of two from 16 to 1024']),
    ['play p --workers 0', 'give a whole number from 1 to 16'],
    ['play p --workers many', 'give a whole number from 1 to 16'],
    ['play p --rate 1', 'give a whole number from 8000 to 192000'],
    ['play p --max-modules 0', 'give a whole number from 1 to'],
    ['play p --memory 0', 'give a whole number from 1 to 4000'],
    ['play p --driver foo', "--driver: 'foo' is not possible; there is auto, jack"],
    ['play p --device=', '--device: '],
    ['play p --driver null --device x', 'the null driver has no devices'],
    ['play p --latency fast', 'give low, safe, or milliseconds'],
    ['play p --latency 0', 'give low, safe, or milliseconds'],
    ['play p --inputs 3', 'give a whole number from 0 to 2'],
    ['play p --osc-port 65536', 'give a whole number from 0 to 65535'],
    ['play p --http-port x', 'give a whole number from 0 to 65535'],
    ['play p --bind=', '--bind: '],
    ['play p --record=', 'give a file.wav'],
    ['play p --flight=', 'give a folder'],
    ['render p -o w --bits 8', "--bits: '8' is not possible; there is 16, 24"],
    ['render p -o w --seconds 0', 'give a number from 0.001'],
    ['render p -o w --seed 1.5', 'give a whole number from 0'],
    ['render p -o w --score=', 'give a file.osc'],
    ['render p -o w --max-modules 4097', 'give a whole number from 1 to'],
    ['modules nothing', "there is no module type 'nothing'"],
    ['send vcf1', "'vcf1' is not an OSC address"],
    ['send /a i:x', "'i:x' is not possible"],
    ['send /a --wait soon', 'give a number from 0 to 600'],
    ['send /a --at -1', 'give a number from 0 to 3600'],
    ['send /a --port 0', 'give a whole number from 1 to 65535'],
    ['monitor --seconds 0', 'give a number from 0.1'],
    ['monitor --port x', 'give a whole number from 1 to 65535'],
    ['stats --watch 0', 'give a number from 0.1 to 3600'],
    ['stats --host=', '--host: '],
    ['osc-page p --port 1.5', 'give a whole number from 1 to 65535'],
    ['bench nothing', "there is no bench 'nothing'"],
    ['bench voices --html=', 'give a report.html'],
    ['stress --seconds 0', 'give a number from 0.5 to 3600'],
    ['new-module 9lives', "'9lives' is not a module type"],
  ];
  const load = async (name: string): Promise<Command> => ((await import(`#src/cli/commands/${name}.js`)) as { command: Command }).command;
  it.each(WRONG)('calls it wrong usage: %s', async (line, message) => {
    const [name, ...args] = line.split(' ');
    const command = await load(name!);
    const outcome = Promise.resolve().then(() => {
      const { operands, options } = parseCommandLine(command, args)!;
      return command.run(operands, options);
    });
    const error: unknown = await outcome.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UsageError);
    expect((error as Error).message).toContain(message);
  });

  it.each(['play p --seconds abc', 'render p -o w --bits 8', 'send vcf1'])('exits with 2 for wrong usage: %s', async (line) => {
    const [name, ...args] = line.split(' ');
    const { code, stdout, stderr } = await krell([name!, ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(new RegExp(`^krell ${name}: .+\n'krell ${name} --help' shows what is possible\n$`));
  });

  it.each(COMMANDS)('calls wrong usage what every command refuses: %s', async (name) => {
    const command = await load(name);
    const needed = command.operands?.min ? ['x'] : [];
    const lines = [['--no-such-option'], ['--json=1']];
    for (const [option, { type }] of Object.entries(command.options)) if (type !== 'flag') lines.push([...needed, `--${option}`]);
    if (command.operands?.min) lines.push([]);
    if (command.operands?.max !== Infinity) lines.push(Array.from({ length: (command.operands?.max ?? 0) + 1 }, () => 'x'));
    for (const line of lines) expect(() => parseCommandLine(command, line), line.join(' ')).toThrow(UsageError);
  });
});

describe('krell check', () => {
  const cable = (from: string, to: string): object => patch({ vco1: { type: 'vco' }, out: { type: 'out' } }, [{ from, to }]);
  const BAD: [what: string, content: unknown, message: string][] = [
    ['not JSON', '{ "format": ', 'line 1, column'],
    ['a wrong version', patch({}, [], { formatVersion: 99 }), 'formatVersion'],
    ['an unknown type', patch({ a: { type: 'vfc' } }), "modules.a.type: there is no module type 'vfc'; did you mean 'vcf'?"],
    ['an unknown output', cable('vco1.saww', 'out.left'), "cables[0].from: vco1 (vco) has no output 'saww'"],
    [
      'an unknown param',
      patch({ a: { type: 'vco', params: { frq: 1 } } }),
      "modules.a.params.frq: vco has no parameter 'frq'; did you mean 'freq'?",
    ],
    ['an unknown unit', patch({ a: { type: 'vco', params: { freq: { value: 1, unit: 'kHzz' } } } }), 'kHzz'],
    ['a value out of range', patch({ a: { type: 'vco', params: { pulseWidth: 7 } } }), 'modules.a.params.pulseWidth: 7'],
    [
      'a duplicate id',
      '{"format":"krell-patch","formatVersion":1,"modules":{"a":{"type":"vco"},"a":{"type":"vco"}}}',
      "'a' is there twice",
    ],
    ['a cable to nowhere', cable('vco1.saw', 'vcf9.in'), "cables[0].to: there is no module 'vcf9'"],
    ['100,000 modules', patch(Object.fromEntries(Array.from({ length: 1e5 }, (_, i) => [`m${i}`, {}]))), '100,000 modules'],
    ['a path as id', patch({ '../../etc/passwd': { type: 'vco' } }), "'../../etc/passwd' is not a module id"],
    ['__proto__', '{"format":"krell-patch","formatVersion":1,"modules":{"__proto__":{"type":"vco"}}}', "'__proto__' is not allowed"],
  ];

  it('says ok to what is right', async () => {
    const [a, b] = [file('a.json', TONE), file('b.json', patch({}))];
    expect(await krell(['check', a, b])).toEqual({
      code: 0,
      stdout: `ok ${a} (2 modules, 1 cable)\nok ${b} (0 modules, 0 cables)\n`,
      stderr: '',
    });
  });

  it.each(BAD)('explains %s', async (_, content, message) => {
    const { code, stdout, stderr } = await krell(['check', file('bad.json', content)]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(CONTROL);
    expect(stderr).not.toContain('    at ');
  });

  it('explains a missing file with the nearest there is', async () => {
    file('drone.json', TONE);
    const { code, stderr } = await krell(['check', `${folder}/dorne.json`]);
    expect(code).toBe(1);
    expect(stderr).toBe(`${folder}/dorne.json: there is no such file; did you mean 'drone.json'?\n`);
  });

  it('goes on after a bad file and lists every problem of it', async () => {
    const many = file('many.json', patch(Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`m${i}`, { type: 'nothing' }]))));
    const good = file('good.json', TONE);
    const { code, stdout, stderr } = await krell(['check', many, good]);
    expect(code).toBe(1);
    expect(stdout).toBe(`ok ${good} (2 modules, 1 cable)\n`);
    expect(stderr.split('\n').filter((line) => line.startsWith('  modules.m'))).toHaveLength(30);
  });

  it('prints one JSON object', async () => {
    const [good, bad] = [file('good.json', TONE), file('bad.json', patch({ a: { type: 'vfc' } }))];
    const { code, stdout } = await krell(['check', good, bad, '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual({
      ok: false,
      files: [
        { file: good, ok: true, problems: [] },
        {
          file: bad,
          ok: false,
          problems: [{ path: 'modules.a.type', message: "there is no module type 'vfc'", hint: "did you mean 'vcf'?" }],
        },
      ],
    });
  });
});

describe('krell modules', () => {
  it('lists every type with a summary', async () => {
    const { code, stdout, stderr } = await krell(['modules']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^vcf +\S.*\.$/m);
    expect(stdout).not.toMatch(CONTROL);
  });

  it('shows ports, and params with unit, range, default and curve', async () => {
    const { code, stdout } = await krell(['modules', 'vcf']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ {2}cutoff +V\/oct/m);
    expect(stdout).toMatch(/^ {2}notch +audio/m);
    expect(stdout).toMatch(/^ {2}cutoff +\S+ Hz to \S+ kHz +default 1 kHz +log/m);
  });

  it('prints the spec as one JSON object', async () => {
    const { stdout } = await krell(['modules', 'vcf', '--json']);
    const spec = JSON.parse(stdout) as { type: string; params: Record<string, { unit: string; default: number; curve: string }> };
    expect(spec.type).toBe('vcf');
    expect(spec.params['cutoff']).toMatchObject({ unit: 'Hz', default: 1000, curve: 'log' });
    const { stdout: all } = await krell(['modules', '--json']);
    expect((JSON.parse(all) as { modules: object[] }).modules).toContainEqual(spec);
  });

  it('suggests the nearest type', async () => {
    expect(await krell(['modules', 'vcfo'])).toEqual({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/^krell modules: there is no module type 'vcfo'; did you mean 'vc[fo]'\?\n/) as string,
    });
  });

  it('does not mind a reader that has left', async () => {
    const script = `{ sleep 0.1; '${process.execPath}' '${PROGRAM}' modules; } | true; exit \${PIPESTATUS[0]}`;
    expect(await run('bash', ['-c', script])).toEqual({ code: 0, stdout: '', stderr: '' });
  });
});

describe('krell bench', () => {
  it('lists what there is', async () => {
    const { code, stdout } = await krell(['bench']);
    expect(code).toBe(0);
    expect(stdout.split('\n')).toEqual(expect.arrayContaining(['kernels', 'voices']));
  });
  it('suggests the nearest', async () => {
    const { code, stderr } = await krell(['bench', 'voice']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^krell bench: there is no bench 'voice'; did you mean 'voices'\?\n/);
  });
});

describe('krell check, of scripts', () => {
  const scripted = (name: string): string =>
    file(`${name}.json`, patch({ s: { type: 'script', script: `${name}.ts` }, out: { type: 'out' } }, []));
  const check = (name: string, text: string) => {
    file(`${name}.ts`, text);
    return krell(['check', scripted(name)]);
  };

  it.each([
    ['syntax', 'const a = 1;\nexport default (;', 'syntax.ts:2:17: Unexpected token'],
    ['missing', "import { a } from './nowhere.js';\nexport default { tick() {} };", "missing.ts:1:19: there is no file './nowhere.js'"],
    ['name', "import { fife } from './five.js';\nexport default { tick() { fife; } };", "name.ts:1:10: './five.js' exports no 'fife'"],
    [
      'type',
      "import { Script } from 'krell/script';\nexport default { tick() {} } as Script;",
      "type.ts:1:10: 'krell/script' exports no 'Script'",
    ],
    [
      'engine',
      `import '${fileURLToPath(import.meta.resolve('#src/control/engine.js'))}';\nexport default { tick() {} };`,
      'engine.ts:1:8: control/engine.js: only the main thread',
    ],
    ['none', 'export const a = 1;', 'none.ts:1:1: exports no script'],
    [
      'tock',
      "import { defineScript } from 'krell/script';\nexport default defineScript({ tock() {} } as never);",
      'tock.ts:2:29: exports no script',
    ],
  ])('names file, line and column: %s', async (name, text, message) => {
    file('five.ts', 'export const five: number = 5;');
    const { code, stderr } = await check(name, text);
    expect(code).toBe(1);
    expect(stderr).toContain(`  modules.s.script: ${folder}/${message}`);
  });

  it('names the script that a file which is not there may be', async () => {
    file('melody.ts', 'export default { tick() {} };');
    const { code, stderr } = await krell(['check', scripted('melodi')]);
    expect(code).toBe(1);
    expect(stderr).toContain(`modules.s.script: ${folder}/melodi.ts:1:1: cannot be read (ENOENT); did you mean 'melody.ts'?`);
  });

  it('is content with what is right, and runs nothing of it', async () => {
    const text =
      "import { defineScript, type ScriptContext } from 'krell/script';\nprocess.exit(9);\nexport default defineScript({ tick(ctx: ScriptContext) {} });";
    const { code, stdout } = await check('right', text);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('ok ') as string });
  });
});

describe('krell devices', () => {
  it('lists drivers and devices and says what play takes, and nothing that a sound library has to say', async () => {
    const { code, stdout, stderr } = await krell(['devices']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(
      /^Drivers\n {2}jack .+\n {2}portaudio .+\n {2}naudiodon .+\n {2}null +yes .+\n\nDevices\n( .+\n)+\nplay takes \w+.*: .+\n$/,
    );
    expect(stdout).not.toMatch(CONTROL);
  });

  it('prints one JSON object', async () => {
    const { stdout, stderr } = await krell(['devices', '--json']);
    const { drivers, auto } = JSON.parse(stdout) as { drivers: { name: string; available: boolean }[]; auto: { driver: string } };
    expect(stderr).toBe('');
    expect(drivers.map(({ name }) => name)).toEqual(['jack', 'portaudio', 'naudiodon', 'null']);
    expect(auto.driver).toBe(drivers.find(({ available }) => available)!.name);
  });
});

describe('output', () => {
  it.skipIf(!existsSync('/dev/full'))('that cannot be written is a failure', async () => {
    const { code, stderr } = await run('/bin/sh', ['-c', `"${process.execPath}" "${PROGRAM}" modules > /dev/full`]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'krell modules: cannot write what there is to say: the disk is full\n' });
  });

  it('of a bench is tried before minutes of measuring', async () => {
    const { code, stderr } = await krell(['bench', 'jobs', '--quick', '--html', `${folder}/nowhere/report.html`]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^krell bench: .*report\.html: cannot be written: its folder does not exist/);
  });
});
