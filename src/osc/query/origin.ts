// Whom a browser may speak for.
//
// A program on the network reaches the server with no more rights than over UDP. A web page is another matter: any page that the performer
// opens could reach a server on this machine, and a WebSocket knows no same-origin rule. So a request that a page makes (it has an Origin) is
// heard only if the page comes from this machine or its network. And a Host that is a public name is refused, or a page could have
// its own name resolve to this machine (DNS rebinding) and thereby be of the server's own origin.
import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';
import { hostname } from 'node:os';

const PRIVATE = new BlockList();
for (const [net, bits] of [
  ['127.0.0.0', 8],
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
  ['100.64.0.0', 10],
] as const)
  PRIVATE.addSubnet(net, bits, 'ipv4');
PRIVATE.addAddress('::1', 'ipv6');
PRIVATE.addSubnet('fc00::', 7, 'ipv6');
PRIVATE.addSubnet('fe80::', 10, 'ipv6');

/** The host of an URL, without the brackets of IPv6; `undefined` if there is none. */
function hostOf(url: string): string | undefined {
  try {
    return new URL(url).hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '') || undefined;
  } catch {
    return undefined;
  }
}

/** A name that no public name server answers for: `localhost`, `studio`, `studio.local`, this machine's own. */
const isLocalName = (host: string): boolean =>
  !host.includes('.') || /\.(local|localhost|lan|home\.arpa|internal)$/.test(host) || host === hostname().toLowerCase();

const isPrivate = (address: string): boolean => PRIVATE.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');

/** What is wrong with where a request comes from, or `undefined`. */
export function refusal({ headers }: IncomingMessage): string | undefined {
  const host = hostOf(`http://${headers.host ?? ''}`);
  if (host !== undefined && isIP(host) === 0 && !isLocalName(host)) return `Host ${host} is not a name of this machine; use its IP address`;
  const { origin } = headers;
  if (origin === undefined) return undefined;
  const from = hostOf(origin);
  const isNear = from !== undefined && (from === host || (isIP(from) === 0 ? isLocalName(from) : isPrivate(from)));
  return isNear
    ? undefined
    : `pages of ${origin === 'null' ? 'no origin' : origin} may not use this server; serve the page from this machine or network`;
}
