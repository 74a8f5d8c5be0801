// `krell play` in the background, and programs that talk to it.
import { existsSync } from 'node:fs';
import { OscClient } from '#src/cli/osc/client.js';
import { ask } from '#src/cli/osc/exchange.js';
import { readArg, showMessage } from '#src/cli/osc/values.js';
import { krell, run, type Outcome } from './krell.js';

export interface Playing {
  readonly oscPort: number;
  readonly httpPort: number;
  /** What it printed and how it ended. */
  readonly ended: Promise<Outcome>;
  /** What it answers to a message, written as for `krell send`. */
  ask(address: string, ...args: string[]): Promise<string[]>;
  /** Ends it by Ctrl-C. */
  stop(): Promise<Outcome>;
}

/** Plays a patch to nobody, in a folder; resolves when it plays. */
export async function play(patch: string, folder: string): Promise<Playing> {
  const args = ['play', patch, '--driver', 'null', '--osc-port', '0', '--http-port', '0', '--json'];
  let interrupt = (): void => {};
  let ended!: Promise<Outcome>;
  const [oscPort, httpPort] = await new Promise<number[]>((resolve, reject) => {
    const look: Parameters<typeof krell>[1] = (child, stderr) => {
      interrupt = () => void child.kill('SIGINT');
      const ports = /listening for OSC on \S+:(\d+), http:\S+:(\d+)/.exec(stderr);
      if (ports && stderr.includes('playing ')) resolve(ports.slice(1).map(Number));
    };
    ended = krell(args, look, folder);
    void ended.then(({ stderr }) => reject(new Error(`krell play ended: ${stderr}`)));
  });
  return {
    oscPort: oscPort!,
    httpPort: httpPort!,
    ended,
    async ask(address, ...sent) {
      const client = await OscClient.open('127.0.0.1', oscPort!);
      try {
        const { replies } = await ask(client, { address, args: sent.map(readArg) });
        return replies.map(showMessage);
      } finally {
        await client.close();
      }
    },
    stop() {
      interrupt();
      return ended;
    },
  };
}

/** Whether a program is there. */
export const has = (program: string): boolean =>
  (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(`${folder}/${program}`));

/** Runs `oscsend` at a port of this machine. */
export async function oscsend(port: number, ...args: string[]): Promise<void> {
  const { code, stderr } = await run('oscsend', ['127.0.0.1', String(port), ...args]);
  if (code !== 0) throw new Error(stderr);
}

/** Tries until it is so; the test's own time limit ends it. */
export async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 20));
}
