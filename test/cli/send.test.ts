// `krell send` from the outside, against something that answers like an engine.
import { OscClient } from '#src/cli/osc/client.js';
import { ask } from '#src/cli/osc/exchange.js';
import { readArg, showMessage } from '#src/cli/osc/values.js';
import { COMMANDS } from '#src/osc/commands.js';
import type { Arg, Decoded } from '#src/osc/decode.js';
import { timetagFromUnix, unixFromTimetag } from '#src/osc/timetag.js';
import { describe, expect, it } from 'vitest';
import { fakeEngine, freePort, type Reply } from './fake-engine.js';
import { krell } from './krell.js';
import { until } from './playing.js';

const isSync = (packet: Decoded): boolean => packet.kind === 'message' && packet.address === '/engine/sync';
const SYNCED: Reply = ['/done', '/engine/sync'];

/** Runs `krell send` at an engine that answers every message with `replies`, and knows `/engine/sync`. */
async function send(args: readonly string[], ...replies: Reply[]) {
  const engine = await fakeEngine((packet) => (isSync(packet) ? [SYNCED] : replies));
  try {
    const outcome = await krell(['send', ...args, '--port', String(engine.port)]);
    return { ...outcome, received: engine.received.filter((packet) => !isSync(packet)) };
  } finally {
    engine.stop();
  }
}

describe('an argument', () => {
  it.each<[string, Arg['type'], unknown]>([
    ['3', 'i', 3],
    ['-12', 'i', -12],
    ['+7', 'i', 7],
    ['2147483648', 'f', 2147483648],
    ['0.5', 'f', 0.5],
    ['-.5', 'f', -0.5],
    ['1e3', 'f', 1000],
    ['true', 'T', true],
    ['false', 'F', false],
    ['nil', 'N', null],
    ['saw', 's', 'saw'],
    ['1.2 kHz', 's', '1.2 kHz'],
    ['', 's', ''],
    ['constructor', 's', 'constructor'],
    ['s:123', 's', '123'],
    ['s:', 's', ''],
    ['f:1', 'f', 1],
    ['d:0.1', 'd', 0.1],
    ['i:5', 'i', 5],
    ['h:-9223372036854775808', 'h', -(2n ** 63n)],
  ])('%s is of type %s', (text, type, value) => expect(readArg(text)).toEqual({ type, value }));

  it.each(['i:1.5', 'i:3000000000', 'f:loud', 'd:', 'h:1.5', 'h:9223372036854775808', 'h:0'])('%s is refused', (text) =>
    expect(() => readArg(text)).toThrow(`'${text}' is not possible`),
  );
});

describe('a message in a terminal', () => {
  const shown = (...args: Arg[]): string => showMessage({ address: '/a', args });
  it('has short numbers and quotes where they are needed', () => {
    expect(shown({ type: 'f', value: Math.fround(0.1) }, { type: 'f', value: 16777216 }, { type: 'd', value: 0.1 })).toBe(
      '/a 0.1 16777216 0.1',
    );
    expect(shown({ type: 's', value: 'Acid line' }, { type: 's', value: 'vcf1' }, { type: 's', value: '' })).toBe("/a 'Acid line' vcf1 ''");
    expect(shown({ type: 'N', value: null }, { type: 'T', value: true }, { type: 'b', value: new Uint8Array(3) })).toBe(
      '/a nil true <3 bytes>',
    );
    expect(shown({ type: 't', value: timetagFromUnix(0) }, { type: '[', value: [{ type: 'i', value: 1 }] })).toBe(
      '/a 1970-01-01T00:00:00.000Z [1]',
    );
  });
  it('cannot command the terminal', () => {
    expect(shown({ type: 's', value: '\x1b[2J\x9b\u202e' })).toBe("/a '\\u001b[2J\\u009b\\u202e'");
  });
});

describe('a question from another machine', () => {
  it('is asked by one who has registered, and does not stay so', async () => {
    const engine = await fakeEngine((packet) => {
      if (packet.kind !== 'message') return [];
      return packet.address.startsWith('/engine/') ? [['/done', packet.address]] : [[packet.address, 'saw']];
    });
    const client = await OscClient.open('127.0.0.1', engine.port);
    const { replies, outcome } = await ask(Object.assign(client, { isLocal: false }), { address: '/vco1/wave', args: [] });
    expect(outcome).toBe('ok');
    expect(replies.map(showMessage)).toEqual(['/vco1/wave saw']);
    await until(async () => engine.received.length === 4);
    const asked = engine.received.map((packet) => (packet.kind === 'message' ? showMessage(packet) : ''));
    expect(asked).toEqual(['/engine/notify 1', '/vco1/wave', '/engine/sync', '/engine/notify 0']);
    await client.close();
    engine.stop();
  });
});

describe('krell send', () => {
  it('sends what it was given, and ends well when a set is not answered', async () => {
    const { code, stdout, stderr, received } = await send(['/vco1/fine', '-12', 's:3', 'grün']);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '', stderr: '' });
    const args = [
      { type: 'i', value: -12 },
      { type: 's', value: '3' },
      { type: 's', value: 'grün' },
    ];
    expect(received).toEqual([{ kind: 'message', address: '/vco1/fine', args }]);
  });

  it('prints the value that a query is answered with', async () => {
    const { code, stdout } = await send(['/vcf1/cutoff'], ['/vcf1/cutoff', { type: 'f', value: Math.fround(0.1) }]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '/vcf1/cutoff 0.1\n' });
  });

  it('leaves out what the engine says of itself to a pattern for modules', async () => {
    const version: Reply = ['/done', '/engine/version', 'krell', '0.1.0'];
    const { stdout } = await send(['/*/*', '--json'], ['/vcf1/cutoff', 900], version);
    expect((JSON.parse(stdout) as { replies: object[] }).replies).toEqual([{ address: '/vcf1/cutoff', args: [900] }]);
    expect((await send(['/engine/ver*'], version)).stdout).toBe('/done /engine/version krell 0.1.0\n');
  });

  it('waits for what a command says last', async () => {
    const replies: Reply[] = [
      ['/engine/module/list', 1, 1, 'vco1', 'vco', 1],
      ['/done', '/engine/module/list', 1],
    ];
    const { code, stdout } = await send(['/engine/module/list'], ...replies);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '/engine/module/list 1 1 vco1 vco 1\n/done /engine/module/list 1\n' });
  });

  it('fails when the engine does', async () => {
    const { code, stdout } = await send(['/vcf1/cutof', '3'], ['/fail', '/vcf1/cutof', "there is no parameter 'cutof'"]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "/fail /vcf1/cutof 'there is no parameter 'cutof''\n" });
  });

  it.each([['/vcf1/cutoff'], ['/vcf1/cutoff', '3'], ['/engine/sync']])('fails when the engine is silent: %s %s', async (...args) => {
    const engine = await fakeEngine(() => []);
    const { code, stdout, stderr } = await krell(['send', ...args, '--port', String(engine.port), '--wait', '0.05']);
    engine.stop();
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toBe(`krell send: no answer from 127.0.0.1:${engine.port}\n`);
  });

  it('sends a bundle for a later moment', async () => {
    const before = Date.now() / 1000;
    const { received } = await send(
      ['/vcf1/cutoff', '300', '--at', '+60', '--wait', '0.01', '--host', 'localhost'],
      ['/fail', '/vcf1/cutoff'],
    );
    expect(received).toMatchObject([{ kind: 'bundle', elements: [{ address: '/vcf1/cutoff', args: [{ type: 'i', value: 300 }] }] }]);
    const [bundle] = received;
    const at = bundle!.kind === 'bundle' ? unixFromTimetag(bundle!.timetag) : NaN;
    expect(at).toBeGreaterThanOrEqual(before + 60 - 0.001);
    expect(at).toBeLessThanOrEqual(Date.now() / 1000 + 60.001);
  });

  it('prints one JSON object', async () => {
    const { code, stdout } = await send(['/vcf1/cutoff', '--json'], ['/vcf1/cutoff', { type: 'f', value: Math.fround(0.1) }]);
    expect(code).toBe(0);
    const replies = [{ address: '/vcf1/cutoff', args: [0.1] }];
    expect(JSON.parse(stdout)).toEqual({ address: '/vcf1/cutoff', args: [], outcome: 'ok', replies });
  });

  it('says that nobody listens, and what to do', async () => {
    const port = await freePort();
    const { code, stdout, stderr } = await krell(['send', '/engine/sync', '--port', String(port)]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toBe(`krell send: nothing listens at 127.0.0.1:${port}; start 'krell play', or give its port with --port\n`);
  });

  it('warns of a command there is not, and asks for it all the same', async () => {
    const { code, stderr, received } = await send(['/engine/stauts', '1']);
    expect(stderr).toBe("krell send: there is no command '/engine/stauts'; did you mean '/engine/status'?\n");
    expect(received).toHaveLength(1);
    expect(code).toBe(0);
  });

  it.each([
    [['vcf1/cutoff'], 2, "'vcf1/cutoff' is not an OSC address; begin it with a slash"],
    [[], 2, 'needs an address; there is /engine/status; --list shows all commands'],
    [['/a', '--host', 'no.such.host.invalid'], 1, "--host: there is no host 'no.such.host.invalid'"],
    [['/a', 'i:x'], 2, "'i:x' is not possible; write a number after i:"],
  ])('explains %j', async (args, expected, message) => {
    const { code, stdout, stderr } = await krell(['send', ...args]);
    expect({ code, stdout }).toEqual({ code: expected, stdout: '' });
    expect(stderr).toContain(`krell send: ${message}`);
  });

  it('explains what is too long for a datagram', async () => {
    const { code, stderr } = await krell(['send', '/a', 'x'.repeat(100_000)]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'krell send: cannot send to 127.0.0.1:9000 (EMSGSIZE)\n' });
  });

  it('lists all commands', async () => {
    const { code, stdout } = await krell(['send', '--list']);
    expect(code).toBe(0);
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.split(' ')[0]),
    ).toEqual(COMMANDS.map(({ address }) => address));
    expect(stdout).toMatch(/^\/engine\/snapshot\/recall name \[seconds\] {2,}Sets all/m);
  });
});
