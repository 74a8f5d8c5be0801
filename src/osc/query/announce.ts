// Lets controllers on the network find the server: mDNS, `_oscjson._tcp` and `_osc._udp`. Whatever goes wrong with it, the server works.
import { hostname } from 'node:os';
import { isIPv4 } from 'node:net';

export interface Announced {
  readonly name: string;
  readonly bind: string;
  readonly httpPort: number;
  readonly oscPort: number;
}

interface Emitter {
  on(event: string, listener: (error: Error) => void): unknown;
}
/** As much of bonjour-service as is used. */
export interface Bonjour {
  publish(service: {
    name: string;
    type: string;
    protocol: 'tcp' | 'udp';
    port: number;
    host: string;
    probe: boolean;
    disableIPv6: boolean;
    txt: Record<string, string>;
  }): Emitter;
  unpublishAll(done: () => void): void;
  destroy(done: () => void): void;
}
export type LoadBonjour = (options: object, failed: (error: Error) => void) => Promise<Bonjour>;

/** What the network may take to hear that the services end. */
const GOODBYE_MS = 250;

const loadBonjour: LoadBonjour = async (options, failed) => {
  const { default: Service } = await import('bonjour-service');
  const bonjour = new Service(options, failed);
  // Of its socket it would throw the errors into the air.
  const { mdns } = (bonjour as unknown as { server: { mdns: Emitter } }).server;
  mdns.on('error', failed);
  return bonjour;
};

export const isLoopback = (bind: string): boolean => bind === 'localhost' || bind === '::1' || bind.startsWith('127.');

/** Announces both services. @returns what ends that */
export async function announce(
  { name, bind, httpPort, oscPort }: Announced,
  warn: (message: string) => void,
  load: LoadBonjour = loadBonjour,
): Promise<() => Promise<void>> {
  let warned = false;
  const failed = (error: unknown): void => {
    if (!warned) warn(`not announced on the network (mDNS): ${error instanceof Error ? error.message : String(error)}`);
    warned = true;
  };
  const isOne = isIPv4(bind) && bind !== '0.0.0.0';
  // Group messages do not come to a socket that is bound to one address, so only membership and sending are.
  const network = isOne ? { interface: bind, bind: '0.0.0.0' } : {};
  try {
    const bonjour = await load(network, failed);
    const [host] = hostname().split('.');
    // Not probed for: the library prints to stdout when a name is taken. With host and port in it, no other has it.
    const common = {
      name: `${name} on ${host} (${httpPort})`,
      host: `${host}.local`,
      probe: false,
      disableIPv6: isIPv4(bind),
      txt: { txtvers: '1' },
    };
    bonjour.publish({ ...common, type: 'oscjson', protocol: 'tcp', port: httpPort }).on('error', failed);
    bonjour.publish({ ...common, type: 'osc', protocol: 'udp', port: oscPort }).on('error', failed);
    return () => end(bonjour, failed);
  } catch (error) {
    failed(error);
    return async () => {};
  }
}

/** Says goodbye and closes the socket. */
function end(bonjour: Bonjour, failed: (error: unknown) => void): Promise<void> {
  return new Promise((resolve) => {
    const destroy = (): void => {
      clearTimeout(timer);
      try {
        bonjour.destroy(resolve);
      } catch (error) {
        failed(error);
        resolve();
      }
    };
    const timer = setTimeout(destroy, GOODBYE_MS);
    bonjour.unpublishAll(destroy);
  });
}
