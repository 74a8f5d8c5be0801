import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { execFile } from 'node:child_process';
import { channel } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { Writable } from 'node:stream';
import { promisify } from 'node:util';
import { modules } from '#modules/index.js';
import { KrellError } from '#src/errors.js';
import { serve } from '#src/osc/query/http.js';
import { describeSpace, treeOf } from '#src/osc/query/tree.js';
import { FakeArena, Rig, until, untilClosed } from './query-rig.js';

const arena = new FakeArena();
arena.put(Object.fromEntries(modules.map(({ type }) => [`${type}1`, { type }])));
let rig: Rig;
beforeAll(async () => void (rig = await Rig.open(arena.space)));
afterAll(() => rig.close());

describe('GET', () => {
  it('gives the whole tree', async () => {
    const { status, headers, json } = await rig.get('/');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('application/json');
    expect({ ...json, DESCRIPTION: 'Krell' }).toEqual(JSON.parse(JSON.stringify(describeSpace(arena.space))));
    expect(json.DESCRIPTION).toBe('Krell 1.2.3');
  });

  it('gives a node with what is in it', async () => {
    const { json } = await rig.get('/vcf1');
    expect(json.FULL_PATH).toBe('/vcf1');
    expect(Object.keys(json.CONTENTS)).toContain('cutoff');
    expect((await rig.get('/vcf1/')).json).toEqual(json);
    expect((await rig.get('/vcf1/cutoff')).json).toEqual(json.CONTENTS.cutoff);
    expect((await rig.get('/vcf1/%63utoff#here')).json).toEqual(json.CONTENTS.cutoff);
    expect((await rig.get('/engine/patch/load')).json).toMatchObject({ ACCESS: 2, TYPE: 's' });
  });

  it('reads values when asked, not before', async () => {
    for (const value of [100, 250, 1000]) {
      arena.set('vcf1', 'cutoff', value);
      expect((await rig.get('/vcf1/cutoff?VALUE')).json).toEqual({ VALUE: [value] });
    }
  });

  it('gives single attributes', async () => {
    const whole = (await rig.get('/vcf1/cutoff')).json;
    for (const name of Object.keys(whole)) expect((await rig.get(`/vcf1/cutoff?${name}`)).json, name).toEqual({ [name]: whole[name] });
    expect((await rig.get('/vcf1/cutoff?TYPE&RANGE')).json).toEqual({ TYPE: whole.TYPE, RANGE: whole.RANGE });
    expect((await rig.get('/vcf1?CONTENTS')).json).toEqual({ CONTENTS: (await rig.get('/vcf1')).json.CONTENTS });
    expect((await rig.get('/vcf1?ACCESS&CONTENTS')).json).toMatchObject({ ACCESS: 0, CONTENTS: { cutoff: {} } });
  });

  it('gives an empty object for an attribute that a node has not', async () => {
    for (const path of ['/vcf1?TYPE', '/vcf1/cutoff?CONTENTS', '/vcf1/resonance?UNIT', '/vcf1/cutoff?TAGS'])
      expect(await rig.get(path), path).toMatchObject({ status: 200, json: {} });
  });

  it('answers 204 for the value of what has none', async () => {
    for (const path of ['/vcf1?VALUE', '/engine/patch/load?VALUE', '/?VALUE']) {
      const { status, json } = await rig.get(path);
      expect([status, json], path).toEqual([204, undefined]);
    }
  });

  it('answers 400 for attributes that there are not', async () => {
    expect(await rig.get('/vcf1?VALEU')).toMatchObject({ status: 400, json: { HINT: "did you mean 'VALUE'?" } });
    expect((await rig.get('/vcf1?HTML')).status).toBe(400);
    expect((await rig.get('/vcf1?VALUE&__proto__')).status).toBe(400);
    expect((await rig.get('/%ff')).status).toBe(400);
  });

  it('answers 404 with the nearest name', async () => {
    expect(await rig.get('/vcf1/cutof')).toMatchObject({
      status: 404,
      json: { ERROR: 'there is nothing at /vcf1/cutof', HINT: "did you mean 'cutoff'?" },
    });
    expect(await rig.get('/vfc1?TYPE')).toMatchObject({ status: 404, json: { HINT: "did you mean 'vcf1'?" } });
    for (const path of ['/vcf1/cutoff/more', '/__proto__', '/vcf1/constructor', '/%2e%2e/etc/passwd'])
      expect((await rig.get(path)).status, path).toBe(404);
  });

  it('says what the host is, at any path', async () => {
    for (const path of ['/?HOST_INFO', '/no/such/thing?HOST_INFO']) {
      const { status, json } = await rig.get(path);
      expect(status).toBe(200);
      const { EXTENSIONS, ...info } = json;
      expect(info).toEqual({ NAME: 'Krell', OSC_PORT: 9000, OSC_TRANSPORT: 'UDP', WS_PORT: rig.server.port });
      for (const name of ['ACCESS', 'VALUE', 'RANGE', 'DESCRIPTION', 'TAGS', 'EXTENDED_TYPE', 'UNIT', 'CLIPMODE', 'OVERLOADS', 'LISTEN'])
        expect(EXTENSIONS[name], name).toBe(true);
      for (const name of ['PATH_ADDED', 'PATH_REMOVED', 'PATH_CHANGED']) expect(EXTENSIONS[name], name).toBe(true);
      for (const name of ['HTML', 'CRITICAL', 'PATH_RENAMED']) expect(EXTENSIONS[name], name).toBeUndefined();
    }
  });

  it('claims no extension that it has not', async () => {
    const { EXTENSIONS } = (await rig.get('/?HOST_INFO')).json;
    const text = JSON.stringify((await rig.get('/')).json);
    for (const name of Object.keys(EXTENSIONS)) if (!/LISTEN|PATH/.test(name)) expect(text).toContain(`"${name}":`);
  });
});

describe('other requests', () => {
  it('answers HEAD as GET, without the body', async () => {
    const { status, json, headers } = await rig.get('/vcf1', { method: 'HEAD' });
    expect([status, json, headers.get('content-type')]).toEqual([200, undefined, 'application/json']);
  });

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])('answers %s with 405', async (method) => {
    const { status, headers } = await rig.get('/vcf1/cutoff', { method, ...(method === 'POST' ? { body: '1' } : {}) });
    expect([status, headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  it('refuses long addresses', async () => {
    expect((await rig.get(`/${'x'.repeat(2050)}`)).status).toBe(414);
  });
});

describe('pages of elsewhere', () => {
  const request = async (headers: string): Promise<number> => {
    const socket = await rig.raw();
    socket.write(`GET /vcf1/cutoff?TYPE HTTP/1.1\r\n${headers}Connection: close\r\n\r\n`);
    return Number(/^HTTP\/1\.1 (\d+)/.exec(await untilClosed(socket))?.[1]);
  };

  it.each(['127.0.0.1:9001', '192.168.1.7:9001', '[::1]:9001', 'localhost:9001', 'studio', 'studio.local:9001'])(
    'hears Host %s',
    async (host) => {
      expect(await request(`Host: ${host}\r\n`)).toBe(200);
    },
  );

  it.each(['evil.example:9001', 'krell.example.com', '127.0.0.1.evil.example'])(
    'refuses Host %s: a name that could be bound anew',
    async (host) => {
      expect(await request(`Host: ${host}\r\n`)).toBe(403);
    },
  );

  it.each(['http://localhost:8080', 'http://192.168.1.7', 'https://studio.local', 'http://[::1]:3000', 'http://127.0.0.1:9001'])(
    'hears pages of %s',
    async (origin) => {
      expect(await request(`Host: 127.0.0.1\r\nOrigin: ${origin}\r\n`)).toBe(200);
    },
  );

  it.each(['https://evil.example', 'null', 'http://8.8.8.8', 'http://localhost.evil.example', 'nonsense', 'http://krell.example'])(
    'refuses pages of %s',
    async (origin) => {
      expect(await request(`Host: 127.0.0.1\r\nOrigin: ${origin}\r\n`)).toBe(403);
    },
  );

  it('lets near pages read the answer', async () => {
    const { headers } = await rig.get('/vcf1', { headers: { origin: 'http://localhost:8080' } });
    expect(headers.get('access-control-allow-origin')).toBe('*');
  });
});

describe('raw sockets', () => {
  const reply = async (text: string | Buffer): Promise<string> => {
    const socket = await rig.raw();
    socket.write(text);
    return untilClosed(socket);
  };
  const stillServes = async (): Promise<void> => expect((await rig.get('/vcf1?TYPE')).status).toBe(200);

  it('survives what is not HTTP', async () => {
    expect(await reply('\0\0\0\x10/vcf1/cutoff\0\0\0\0')).toMatch(/^HTTP\/1\.1 400/);
    expect(await reply(Buffer.alloc(1000, 0xff))).toMatch(/^HTTP\/1\.1 400/);
    await stillServes();
  });

  it('refuses headers without end', async () => {
    expect(await reply(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(20_000)}`)).toMatch(/^HTTP\/1\.1 431/);
    await stillServes();
  });

  it('reads no bodies', async () => {
    expect(await reply('GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 2147483648\r\n\r\n')).toMatch(/^HTTP\/1\.1 400/);
    expect(await reply('GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n')).toMatch(/^HTTP\/1\.1 400/);
    expect(await reply('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2147483648\r\n\r\n')).toMatch(/^HTTP\/1\.1 405/);
  });

  it('refuses whole addresses and others', async () => {
    expect(await reply('GET http://x/vcf1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')).toMatch(/^HTTP\/1\.1 400/);
    expect(await reply('CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n')).toBe('');
    await stillServes();
  });

  it('does not compute a thousand answers for one packet', async () => {
    const text = await reply('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(1000));
    expect(text.length).toBeLessThan(100_000);
    await stillServes();
  });

  it('answers one request after the other on a connection', async () => {
    const socket = await rig.raw();
    let text = '';
    socket.on('data', (data) => (text += data.toString()));
    for (let i = 1; i <= 5; i++) {
      socket.write('GET /vcf1/cutoff?TYPE HTTP/1.1\r\nHost: x\r\n\r\n');
      await until(() => text.split('{"TYPE":"f"}').length === i + 1);
    }
    socket.destroy();
  });

  it('lets go of who goes away in the middle', async () => {
    for (const part of ['G', 'GET / HTTP/1.1\r\nHo', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n']) {
      const socket = await rig.raw();
      socket.write(part);
      socket.resetAndDestroy();
    }
    await stillServes();
  });

  it('does not wait for ever for who says nothing, or half of it', async () => {
    const own = await Rig.open(arena.space, { secondMs: 50 });
    const [silent, half] = [await own.raw(), await own.raw()];
    half.write('GET / HTTP/1.1\r\nHos');
    for (const text of await Promise.all([silent, half].map(untilClosed))) expect(text).toMatch(/^HTTP\/1\.1 408/);
    await own.close();
  });

  it('does not wait for ever for who reads nothing', async () => {
    const large = new FakeArena();
    large.put(Object.fromEntries(Array.from({ length: 4096 }, (_, i) => [`m${i}`, { type: 'vco', voices: 8 }])));
    const own = await Rig.open(large.space, { secondMs: 20 });
    const accepted = new Promise<Socket>((resolve) =>
      channel('net.server.socket').subscribe((message) => {
        const { socket } = message as { socket: Socket };
        if (socket.localPort === own.server.port) resolve(socket);
      }),
    );
    const slow = (await own.raw()).pause();
    const itsEnd = await accepted;
    slow.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await until(() => itsEnd.destroyed);
    slow.resume();
    const text = await untilClosed(slow);
    expect(text).toMatch(/^HTTP\/1\.1 200/);
    expect(text).not.toMatch(/\r\n0\r\n\r\n$/);
    await own.close();
  });

  it('takes 64 connections and no more', async () => {
    const own = await Rig.open(arena.space);
    const sockets = await Promise.all(Array.from({ length: 100 }, () => own.raw()));
    await until(
      () => sockets.filter(({ destroyed }) => destroyed || false).length >= 36 || sockets.filter((s) => s.readableEnded).length >= 36,
    );
    await until(() => sockets.filter((socket) => socket.closed).length === 36);
    sockets.find((socket) => !socket.closed)!.destroy();
    await until(() => sockets.filter((socket) => socket.closed).length === 37);
    let served = false;
    for (let i = 0; i < 50 && !served; i++)
      served = await own.get('/vcf1?TYPE').then(
        ({ status }) => status === 200,
        () => false,
      );
    expect(served).toBe(true);
    for (const socket of sockets) socket.destroy();
    await own.close();
  });
});

describe('opening and closing', () => {
  it('says when the port is taken', async () => {
    const error = await Rig.open(arena.space, { port: rig.server.port }).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(KrellError);
    expect((error as KrellError).code).toBe('port');
    expect((error as KrellError).message).toMatch(/HTTP port \d+ at 127\.0\.0\.1: it is in use; give another with --http-port/);
  });

  it('leaves nothing behind', async () => {
    // A process ends by itself when nothing keeps it.
    const program = `
      import { once } from 'node:events';
      import { execFile } from 'node:child_process';
import { channel } from 'node:diagnostics_channel';
      import { createConnection } from 'node:net';
      import { WebSocket } from 'ws';
      import { QueryServer } from '#src/osc/query/index.js';
      import { Space } from '#src/osc/space.js';
      const gone = [];
      const server = await QueryServer.open({
        bind: '0.0.0.0', port: 0, space: new Space(new SharedArrayBuffer(64)), info: { name: 'Krell', version: '1', oscPort: 9000 },
        receive() {}, gone: (client) => gone.push(client), nextClientId: () => 1, warn: console.error,
      });
      const [idle, half] = [0, 1].map(() => createConnection(server.port).on('error', () => {}));
      half.write('GET / HTT');
      const socket = new WebSocket('ws://127.0.0.1:' + server.port).on('error', () => {});
      await once(socket, 'open');
      const ends = [idle, half, socket].map((each) => new Promise((ended) => each.on('close', ended)));
      await server.close();
      await Promise.all(ends);
      console.log('closed', gone.length);`;
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], { timeout: 10_000 });
    expect(stdout).toBe('closed 1\n');
    expect(stderr).toBe('');
  });
});
