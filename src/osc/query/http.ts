// GET of an address gives what is there as JSON, `?VALUE` and the like one attribute of it, `?HOST_INFO` what this server is.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { didYouMean } from '../../control/names.js';
import { jsonOf } from './json.js';
import { refusal } from './origin.js';
import { partsOf, READ, type Node } from './tree.js';
import type { Json } from './values.js';

const LONGEST_URL = 2048;
/** Bytes put together before they are sent; then others have their turn. */
const CHUNK = 8 * 1024;
/** Given to a client to take an answer. */
const DEADLINE_MS = 20_000;

/** Optional attributes that there are. */
export const ATTRIBUTES = ['ACCESS', 'VALUE', 'RANGE', 'DESCRIPTION', 'TAGS', 'EXTENDED_TYPE', 'UNIT', 'CLIPMODE', 'OVERLOADS'] as const;
const KNOWN = ['FULL_PATH', 'CONTENTS', 'TYPE', 'HOST_INFO', ...ATTRIBUTES];

export interface Content {
  root(): Node;
  hostInfo(): Json;
}

interface Answer {
  readonly status: number;
  readonly body?: Iterable<string>;
  readonly headers?: Readonly<Record<string, string>>;
}

const problem = (status: number, error: string, hint?: string, headers = {}): Answer => ({
  status,
  body: [JSON.stringify({ ERROR: error, ...(hint ? { HINT: hint } : {}) })],
  headers,
});
/** What came with a request that is refused is not read. */
const CLOSE = { connection: 'close' };

function answer(request: IncomingMessage, content: Content): Answer {
  const refused = refusal(request);
  if (refused) return problem(403, refused);
  const { method = '', url = '', headers } = request;
  if (method !== 'GET' && method !== 'HEAD')
    return problem(405, `${method} is not for reading`, 'GET an address; change values by OSC', { allow: 'GET, HEAD', ...CLOSE });
  if (Number(headers['content-length'] ?? 0) !== 0 || headers['transfer-encoding'] !== undefined)
    return problem(400, 'a GET has no body', undefined, CLOSE);
  if (url.length > LONGEST_URL) return problem(414, `the address is longer than ${LONGEST_URL} characters`);
  const [path, query] = splitUrl(url);
  if (path === undefined) return problem(400, `${url} is not an address`, "begin with '/'");
  const wanted = new Set(query.split('&').filter((name) => name !== ''));
  const unknown = [...wanted].find((name) => !KNOWN.includes(name));
  if (unknown !== undefined) return problem(400, `there is no attribute ${unknown}`, didYouMean(unknown, KNOWN));
  if (wanted.has('HOST_INFO')) return { status: 200, body: [JSON.stringify(content.hostInfo())] };

  const found = content.root().find(partsOf(path));
  if ('missing' in found) return problem(404, `there is nothing at ${path}`, didYouMean(found.missing, found.at.children.keys()));
  if (wanted.size === 1 && wanted.has('VALUE') && (found.attributes().ACCESS & READ) === 0) return { status: 204 };
  return { status: 200, body: wanted.size > 0 ? jsonOf(found, wanted) : jsonOf(found) };
}

/** Path and query of a request target; no path if it is malformed. */
function splitUrl(url: string): [path: string | undefined, query: string] {
  const [target] = url.split('#', 1);
  const mark = target!.indexOf('?');
  const [path, query] = mark < 0 ? [target!, ''] : [target!.slice(0, mark), target!.slice(mark + 1)];
  try {
    return [path.startsWith('/') ? decodeURIComponent(path) : undefined, query];
  } catch {
    return [undefined, query];
  }
}

const answering = new WeakMap<Socket, ServerResponse>();

/** Answers a request. Never throws; a client that is too slow loses its connection. */
export async function serve(request: IncomingMessage, response: ServerResponse, content: Content): Promise<void> {
  const { socket } = request;
  // Requests sent before the last one has been answered would all be computed at once: nobody does that but to do harm.
  if (answering.get(socket)?.writableFinished === false) {
    socket.destroy();
    return;
  }
  answering.set(socket, response);
  const deadline = setTimeout(() => socket.destroy(), DEADLINE_MS);
  response.on('close', () => clearTimeout(deadline)).on('error', () => socket.destroy());

  const { status, body, headers } = answer(request, content);
  response.writeHead(status, {
    ...(body ? { 'content-type': 'application/json' } : {}),
    'cache-control': 'no-store',
    // Pages of elsewhere have been refused above.
    'access-control-allow-origin': '*',
    ...headers,
  });
  await send(response, request.method === 'HEAD' ? [] : (body ?? []));
}

async function send(response: ServerResponse, pieces: Iterable<string>): Promise<void> {
  let text = '';
  for (const piece of pieces) {
    text += piece;
    if (text.length < CHUNK) continue;
    if (!response.write(text)) await drained(response);
    await turn(); // also after 'drain', which comes within the same turn when the network is fast
    if (response.destroyed) return;
    text = '';
  }
  response.end(text);
}

/** Resolves when there is room again, or nobody to write to. */
const drained = (response: ServerResponse): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
