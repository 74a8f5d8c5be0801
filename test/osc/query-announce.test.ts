import { hostname } from 'node:os';
import BonjourService, { type Service } from 'bonjour-service';
import { describe, expect, it } from 'vitest';
import { announce, isLoopback, type Bonjour, type LoadBonjour } from '#src/osc/query/announce.js';
import { FakeArena, Rig, until } from './query-rig.js';

const WHAT = { name: 'Krell', bind: '0.0.0.0', httpPort: 9001, oscPort: 9000 };

/** Notes what is asked of it. */
class FakeBonjour implements Bonjour {
  readonly published: Record<string, unknown>[] = [];
  readonly done: string[] = [];
  options: object = {};
  failed: (error: Error) => void = () => {};
  saysGoodbye = true;

  load: LoadBonjour = async (options, failed) => Object.assign(this, { options, failed });

  publish(service: Record<string, unknown>): { on(): unknown } {
    this.published.push(service);
    return { on: () => {} };
  }
  unpublishAll(done: () => void): void {
    this.done.push('unpublish');
    if (this.saysGoodbye) done();
  }
  destroy(done: () => void): void {
    this.done.push('destroy');
    done();
  }
}

describe('what is announced', () => {
  it('is OSCQuery and OSC, by one name', async () => {
    const bonjour = new FakeBonjour();
    const end = await announce(WHAT, expect.unreachable, bonjour.load);
    const [host] = hostname().split('.');
    const common = { name: `Krell on ${host} (9001)`, host: `${host}.local` };
    expect(bonjour.published).toMatchObject([
      { ...common, type: 'oscjson', protocol: 'tcp', port: 9001 },
      { ...common, type: 'osc', protocol: 'udp', port: 9000 },
    ]);
    // The library would print to stdout.
    for (const { probe } of bonjour.published) expect(probe).toBe(false);
    await end();
    expect(bonjour.done).toEqual(['unpublish', 'destroy']);
  });

  it('goes to the network of the address only', async () => {
    const bonjour = new FakeBonjour();
    await announce({ ...WHAT, bind: '192.0.2.7' }, expect.unreachable, bonjour.load);
    expect(bonjour.options).toEqual({ interface: '192.0.2.7', bind: '0.0.0.0' });
    await announce(WHAT, expect.unreachable, bonjour.load);
    expect(bonjour.options).toEqual({});
  });

  it('ends even if nobody takes the goodbye', async () => {
    const bonjour = new FakeBonjour();
    bonjour.saysGoodbye = false;
    await (
      await announce(WHAT, expect.unreachable, bonjour.load)
    )();
    expect(bonjour.done).toEqual(['unpublish', 'destroy']);
  });
});

describe('what goes wrong', () => {
  it('is told once, and not thrown', async () => {
    const bonjour = new FakeBonjour();
    const warnings: string[] = [];
    const end = await announce(WHAT, (message) => warnings.push(message), bonjour.load);
    bonjour.failed(new Error('no network'));
    bonjour.failed(new Error('no network'));
    expect(warnings).toEqual(['not announced on the network (mDNS): no network']);
    bonjour.destroy = () => {
      throw new Error('not open');
    };
    await end();
    expect(warnings).toHaveLength(1);
  });

  it('may be that there is no library', async () => {
    const warnings: string[] = [];
    const end = await announce(
      WHAT,
      (message) => warnings.push(message),
      () => Promise.reject(new Error('cannot find it')),
    );
    expect(warnings).toHaveLength(1);
    await end();
  });

  it('may be the address', async () => {
    const warnings: string[] = [];
    // No interface has this address (RFC 5737): joining the group fails, which multicast-dns merely notes.
    const end = await announce({ ...WHAT, bind: '203.0.113.9' }, (message) => warnings.push(message));
    await new Promise((resolve) => setTimeout(resolve, 100));
    await end();
  });
});

describe('the network', () => {
  it('hears of a server that is bound to it, by the library’s own browser', async () => {
    const { space } = new FakeArena();
    const rig = await Rig.open(space, { bind: '0.0.0.0' });
    const browser = new BonjourService();
    const up: Service[] = [];
    const down: Service[] = [];
    const isOurs = ({ name }: Service): boolean => name.startsWith('Krell on ') && name.endsWith(`(${rig.server.port})`);
    for (const query of [{ type: 'oscjson' }, { type: 'osc', protocol: 'udp' as const }])
      browser
        .find(query)
        .on('up', (service: Service) => isOurs(service) && up.push(service))
        .on('down', (service: Service) => isOurs(service) && down.push(service));
    await until(() => up.length === 2);
    expect(up.find(({ type }) => type === 'oscjson')).toMatchObject({ port: rig.server.port, protocol: 'tcp' });
    expect(up.find(({ type }) => type === 'osc')).toMatchObject({ port: 9000, protocol: 'udp' });
    await rig.close();
    await until(() => down.length === 2);
    expect(rig.warnings).toEqual([]);
    await new Promise<void>((resolve) => browser.destroy(resolve));
  });

  it('does not hear of one for this machine', () => {
    for (const bind of ['127.0.0.1', '127.1.2.3', '::1', 'localhost']) expect(isLoopback(bind), bind).toBe(true);
    for (const bind of ['0.0.0.0', '::', '192.168.1.2', 'studio.local']) expect(isLoopback(bind), bind).toBe(false);
  });
});
