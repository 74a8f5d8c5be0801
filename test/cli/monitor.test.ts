// `krell monitor` from the outside, against something that tells like an engine.
import { describe, expect, it } from 'vitest';
import { fakeEngine, freePort, type Reply } from './fake-engine.js';
import { krell } from './krell.js';

const NEWS: Reply[] = [
  ['/done', '/engine/monitor'],
  ['/monitor', 'udp 127.0.0.1:50000', '/vcf1/cutoff', '1200', 'set vcf1 cutoff to 1.2 kHz'],
  ['/monitor', 'udp 127.0.0.1:50000', '/vcf1/\x1b[2J', '', 'there is no such address'],
  ['/late', '/vcf1/cutoff', 12.5],
];

/** Runs `krell monitor` at an engine that tells NEWS whoever asks to be told of everything. */
async function monitor(args: readonly string[], meanwhile?: Parameters<typeof krell>[1]) {
  const engine = await fakeEngine((packet) =>
    packet.kind === 'message' && packet.address === '/engine/monitor' && packet.args[0]?.value === 1 ? NEWS : [],
  );
  try {
    return { ...(await krell(['monitor', '--port', String(engine.port), ...args], meanwhile)), received: engine.received };
  } finally {
    engine.stop();
  }
}

describe('krell monitor', () => {
  it('prints what arrives and what it does, and leaves when the time is over', async () => {
    const { code, stdout, stderr, received } = await monitor(['--seconds', '0.3']);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^watching 127\.0\.0\.1:\d+\n$/);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.map((line) => line.replace(/ {2,}/g, ' | '))).toEqual([
      expect.stringMatching(/^\d\d:\d\d:\d\d\.\d{3} \| udp 127\.0\.0\.1:50000 \| \/vcf1\/cutoff 1200 \| set vcf1 cutoff to 1\.2 kHz$/),
      expect.stringMatching(/ \| \/vcf1\/\\u001b\[2J \| there is no such address$/),
      expect.stringMatching(/^\S+ \| \/late \/vcf1\/cutoff 12\.5$/),
    ]);
    const asked = received.map((packet) => packet.kind === 'message' && [packet.address, packet.args[0]!.value]);
    expect(asked).toEqual([
      ['/engine/notify', 1],
      ['/engine/monitor', 1],
      ['/engine/notify', 0],
      ['/engine/monitor', 0],
    ]);
  });

  it('prints one JSON object per line', async () => {
    const { stdout } = await monitor(['--seconds', '0.3', '--json']);
    const [first, , last] = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    const arrival = { client: 'udp 127.0.0.1:50000', address: '/vcf1/cutoff', args: '1200', did: 'set vcf1 cutoff to 1.2 kHz' };
    expect(first).toEqual({ time: expect.any(String) as string, ...arrival });
    expect(last).toMatchObject({ address: '/late', args: ['/vcf1/cutoff', 12.5] });
  });

  it('stops at Ctrl-C', async () => {
    const { code } = await monitor([], (child, stderr) => void (stderr.includes('watching') && !child.killed && child.kill('SIGINT')));
    expect(code).toBe(0);
  });

  it('stops when nobody reads any more', async () => {
    // Whoever reads leaves at once; what comes then finds that out.
    const { code } = await monitor([], (child) => child.stdout!.destroy());
    expect(code).toBe(0);
  });

  it('says that nobody listens', async () => {
    const { code, stderr } = await krell(['monitor', '--port', String(await freePort())]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/krell monitor: nothing listens at 127\.0\.0\.1:\d+; start 'krell play'/);
  });
});
