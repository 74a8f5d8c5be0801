// OSC for `krell play`: which ports it gets, and what is said about them.
import { basename, dirname, join } from 'node:path';
import type { Engine } from '../../control/engine.js';
import { KrellError } from '../../errors.js';
import { PACKAGE_ROOT } from '../../kernel/source.js';
import { isLoopback } from '../../osc/query/announce.js';
import { HTTP_PORT, LOOPBACK, OSC_PORT, OscServer } from '../../osc/server.js';
import type { Options, Values } from '../args.js';

export const SERVE_OPTIONS = {
  'osc-port': {
    type: 'number',
    value: 'N',
    min: 0,
    max: 65_535,
    only: 'integers',
    otherwise: `${OSC_PORT}, or the next that is free`,
    help: 'UDP and TCP port for OSC; 0 is any free one',
  },
  'http-port': {
    type: 'number',
    value: 'N',
    min: 0,
    max: 65_535,
    only: 'integers',
    otherwise: `${HTTP_PORT}, or the next that is free`,
    help: 'port for OSCQuery and WebSocket; 0 is any free one',
  },
  bind: { type: 'text', value: 'address', default: LOOPBACK, help: 'address to listen at; 0.0.0.0 lets everybody on the network play' },
  'no-osc': { type: 'flag', help: 'do not listen for OSC' },
} as const satisfies Options;

/** Pairs of ports that are tried when none were asked for: 9000 and 9001, 9002 and 9003 … */
const PAIRS = 5;

/**
 * Listens, and says on stderr where. Patches are loaded from the folder of `patch`, the file that plays, and from those that come along.
 * @throws KrellError `port` or `listen` (HTTP) when the ports asked for, or all that are tried, are taken
 */
export async function serveOsc(engine: Engine, patch: string, asked: Values<typeof SERVE_OPTIONS>, onQuit: () => void): Promise<OscServer> {
  const { 'osc-port': oscPort, 'http-port': httpPort, bind } = asked;
  const patchFolders = [dirname(patch), join(PACKAGE_ROOT, 'patches')];
  const options = { bind, patchFolders, patchName: basename(patch), recordFolder: '.', onQuit };
  let first: unknown;
  for (let pair = 0; pair < PAIRS; pair++) {
    const ports = { oscPort: oscPort ?? OSC_PORT + 2 * pair, httpPort: httpPort ?? HTTP_PORT + 2 * pair };
    try {
      const server = await OscServer.start(engine, { ...options, ...ports });
      say(server, bind, pair > 0);
      return server;
    } catch (error) {
      const code = error instanceof KrellError ? error.code : undefined;
      const mayMove = (code === 'port' && oscPort === undefined) || (code === 'listen' && httpPort === undefined);
      if (!mayMove) throw error;
      first ??= error;
    }
  }
  throw first;
}

function say({ oscPort, httpPort }: OscServer, bind: string, isElsewhere: boolean): void {
  const host = bind.includes(':') ? `[${bind}]` : bind;
  const why = isElsewhere ? ` (${OSC_PORT} or ${HTTP_PORT} is taken)` : '';
  process.stderr.write(`listening for OSC on ${host}:${oscPort}, http://${host}:${httpPort}${why}\n`);
  if (!isLoopback(bind)) process.stderr.write('anyone who reaches this address can play, load and save patches, and record\n');
}
