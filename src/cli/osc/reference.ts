// docs/osc.md, written from the tables that the engine itself reads: commands, module specs, limits.
import type { EventSpec, ModuleDefinition } from '../../module.js';
import { COMMANDS, usageOf, type EngineCommand } from '../../osc/commands.js';
import { EXPIRES_S } from '../../osc/desk.js';
import { HELD_MAX } from '../../osc/held.js';
import { PATTERN_LIMITS } from '../../osc/match.js';
import { PITCH_MAX, PITCH_MIN } from '../../osc/pitch.js';
import { MAX_REQUESTS } from '../../osc/protocol.js';
import { eventsOf, parametersOf, type ParameterDescription } from '../../osc/query/describe.js';
import { LISTEN_PERIOD_MS, MAX_LISTENED } from '../../osc/query/listen.js';
import { REPLY_LIMITS } from '../../osc/replies.js';
import { HTTP_PORT, OSC_PORT } from '../../osc/server.js';
import { CONNECTIONS_MAX } from '../../osc/tcp.js';
import { DATAGRAM_MAX } from '../../osc/udp.js';
import { LIMITS } from '../../osc/validate.js';
import { describeParam } from '../describe-param.js';

/** The whole page. */
export const oscReference = (modules: readonly ModuleDefinition[]): string =>
  [
    INTRODUCTION,
    ADDRESSES,
    VALUES,
    NOTES,
    REPLIES,
    TIME,
    PATTERNS,
    ALIASES,
    TRANSPORTS,
    OSCQUERY,
    PROGRAMS,
    LIMITATIONS,
    commands(),
    types(modules),
  ]
    .map((section) => `${section.trim()}\n`)
    .join('\n');

const cell = (text: string): string => text.replaceAll('|', '\\|');
const row = (...cells: string[]): string => `| ${cells.map(cell).join(' | ')} |`;
const table = (head: readonly string[], rows: readonly string[][]): string =>
  [row(...head), `|${'---|'.repeat(head.length)}`, ...rows.map((cells) => row(...cells))].join('\n');

// ── how it works ──

const INTRODUCTION = `
# OSC

<!-- Written by \`npm run docs\` from the tables in src/osc, src/cli/osc and modules: change those. -->

\`krell play\` listens for Open Sound Control at UDP and TCP port ${OSC_PORT} and for OSCQuery and WebSocket at port ${HTTP_PORT} of this machine. If these are taken and
none were asked for, it takes the next free ones and says which. \`--osc-port\` and \`--http-port\` choose others (0 is any free one), \`--bind\`
another address than 127.0.0.1, \`--no-osc\` none. Whoever reaches the address can play and edit, load and save patches, and record.

\`\`\`sh
krell play patches/acid.json &
krell send /squelch/cutoff                       # asks for a value
krell send /squelch/cutoff 900                   # sets it
krell send /squelch/cutoff '1.2 kHz' --at +2     # in two seconds, to the sample
krell send /engine/module/create vco vco2        # edits while it plays
krell send --list                                # what there is to say to /engine
krell monitor                                    # prints what arrives, and what it does
\`\`\`
`;

const ADDRESSES = `
## Addresses
${table(
  ['address', 'what it does'],
  [
    ['`/<id>/<param> value`', 'sets a parameter of a module; `<id>` is the module’s name in the patch'],
    ['`/<id>/<param> value value …`', 'sets it voice by voice'],
    ['`/<id>/<param>/<voice> value`', 'sets it in one voice; the first is 0'],
    ['`/<id>/<param>`', 'is answered at the same address with the value, or with one per voice where they differ'],
    ['`/<id>/<event> …`', 'plays: [notes, triggers, pads](#notes-triggers-and-pads)'],
    ['`/engine/…`', 'is everything else: [commands](#commands)'],
    ['an address of your own', 'moves a parameter that the patch says: [aliases](#aliases-and-learning)'],
  ],
)}
`;

const VALUES = `
## Values
A parameter takes a number of any type (\`i f d h\`), \`T\` or \`F\`, or a text: the name of a choice (\`"saw"\`), a value with a unit (\`"1.2 kHz"\`). Numbers are in the
parameter's own unit. A choice also takes its number, counted from 0; any number but 0 switches a toggle on. Values in brackets count as values without.
What is out of range counts as the nearest value within it, which the sender is told once: \`/clamped address given applied\`. NaN and ∞ are refused.

Answers are \`f\` for numbers, \`i\` for whole numbers, \`T\` and \`F\` for toggles, \`s\` for choices. OSC 1.0's types and \`T F N I h d t S c r m [ ]\` may be sent; no command takes
blobs, colours or MIDI.
`;

const NOTES = `
## Notes, triggers and pads
${table(
  ['address', 'what it does'],
  [
    [
      '`/<id>/note pitch velocity [seconds]`',
      `strikes a key of a \`keys\` module: pitch as a MIDI number (60 is C4 is 0 V; fractions and ${PITCH_MIN} to ${PITCH_MAX} are possible) or a name (\`c4\`, \`f#3\`, \`eb5\`); velocity 0 to 1, or a whole number to 127. With \`seconds\` it ends by itself`,
    ],
    ['`/<id>/note pitch 0`, `/<id>/off pitch`', 'releases it'],
    ['`/<id>/off`', 'releases all'],
    ['`/<id>/trig`', 'gives a trigger, with or without a value; 0 gives none, so a button may send its release'],
    ['`/<id>/xy x y`', 'moves both axes of a pad at one moment'],
    ['`/<id>/gate 1`', 'is a parameter like any other'],
  ],
)}
`;

const REPLIES = `
## Replies
A set that goes well is not answered. All else is answered to its sender:

${table(
  ['reply', 'when'],
  [
    ['`/<id>/<param> value …`', 'a query'],
    ['`/done command …`', 'a command has been carried out; see there for what follows'],
    ['`/fail address message`', 'it has not, and why; the nearest name that there is'],
    ['`/clamped address given applied`', 'a value was out of range; once, until it is in range again'],
    ['`/late address milliseconds [others]`', 'its time had passed; it was carried out at once'],
  ],
)}

An integer after all arguments of a command is the sender's: it ends every reply to this command. What lists things sends them to the command's own address, in pages
of at most ${DATAGRAM_MAX} bytes that begin with their number and how many there are, and then \`/done\`.

After \`/engine/notify 1\` a client is also told of what it did not ask for, over UDP for ${EXPIRES_S} seconds after its last packet. \`/engine/notify 1 port\` has another port of the same
host told.

${table(
  ['push', 'when'],
  [
    ['`/engine/module/created id type`, `/engine/module/removed id`', 'the patch was edited, by whomever'],
    ['`/engine/patch/loaded title`', 'another patch plays'],
    ['`/engine/learned id param address`', 'an address was learned'],
    ['`/fail module what id message`, `/fail worker number message`', 'a module or a thread failed; what was done about it'],
    ['`/engine/underrun new total`', 'the sound was interrupted'],
    ['`/engine/device state driver device`', 'the sound device was lost or is back'],
    ['`/monitor client address values did`', 'something arrived (after `/engine/monitor 1`)'],
    ['`/late …`', 'somebody’s message was late'],
    [
      '`/engine/restarted`, `/engine/stopped`',
      'the OSC thread was started anew: who is registered over UDP still is, connections have ended; the engine has ended',
    ],
  ],
)}

A UDP sender of another machine that has not registered is not sent more bytes than came from it. Of mistakes one client is told ${REPLY_LIMITS.complaints} a second; what was
left out is counted in the next. Of values it is told ${REPLY_LIMITS.answers.toLocaleString('en')} a second. A TCP connection that does not read its replies is ended; what a WebSocket client sends that does not is left
unread, and after five seconds it is cut off.
`;

const TIME = `
## Time
A message is carried out as soon as it arrives, a bundle at its time tag: parameters, notes and triggers on that very sample, commands within a few milliseconds after it. The engine
follows the wall clock (NTP time) through a map that evens out its jitter; \`/engine/time\` tells it, and which beat is at that frame: beats count from frame 0 and on when the tempo changes, as clocks and scripts count them. A time tag is the moment at which the sample is computed, so everything is
heard later by the same few milliseconds, and nothing that is meant for now is late. Send bundles some 50 ms ahead for a steady rhythm.

A bundle that comes late is carried out at once, counted (\`/engine/status\`) and reported with \`/late\`. More than an hour ahead is refused.
`;

const PATTERNS = `
## Patterns
\`?\` is any character, \`*\` any number of them, \`[a-z]\` and \`[!a-z]\` one of a set or not of it, \`{one,two}\` one of several words; none but the words crosses a \`/\`. \`/vco*/fine 0\` sets
them all, \`/*/cutoff\` asks all. Patterns reach parameters, events and aliases; of the engine's commands they reach none that edits the patch, and the others only if they begin with \`/engine/\`. A pattern has at most ${PATTERN_LIMITS.length} characters.
`;

const ALIASES = `
## Aliases and learning
An alias lets a controller's own address move a parameter: 0 to 1 over a range, in equal ratios where the parameter's scale is logarithmic. It is part of the patch ([\`osc\`](patch-format.md#osc-addresses)).

\`\`\`sh
krell send /engine/alias/set /1/fader1 squelch cutoff 200 8000
krell send /engine/learn squelch cutoff --wait 60     # now move the fader: its address is learned
krell send /engine/patch/save my-acid                 # and kept
\`\`\`

What is learned is the next address that means nothing yet and comes with one number.
`;

const TRANSPORTS = `
## Transports
- **UDP**: one packet, one datagram. Replies have at most ${DATAGRAM_MAX} bytes.
- **TCP**, at the same port: packets with their length before them (four bytes, OSC 1.0) or as SLIP (double END, OSC 1.1). What the first packet has is found out, and replies have it too.
- **WebSocket**, at the HTTP port: binary frames are packets, text frames OSCQuery commands. Web pages are heard if they come from this machine or its network.
`;

const OSCQUERY = `
## OSCQuery
\`GET /\` at the HTTP port describes all addresses as JSON, \`GET /squelch/cutoff\` one, \`GET /squelch/cutoff?VALUE\` one attribute, \`GET /?HOST_INFO\` the server: TYPE, VALUE, RANGE, UNIT, ACCESS, DESCRIPTION,
CLIPMODE, EXTENDED_TYPE, TAGS, OVERLOADS. Over the WebSocket \`{"COMMAND":"LISTEN","DATA":"/squelch/cutoff"}\` subscribes to a value (looked at every ${LISTEN_PERIOD_MS} ms; ${MAX_LISTENED} for each client), IGNORE ends that, and
PATH_ADDED, PATH_REMOVED and PATH_CHANGED tell of edits. Beyond 127.0.0.1 the server announces itself by mDNS as \`_oscjson._tcp\` and \`_osc._udp\`.
`;

const PROGRAMS = `
## Controllers and programs
**TouchOSC**: \`krell play patches/acid.json --bind 0.0.0.0\`; in its connections, OSC by UDP to this machine's address, send port ${OSC_PORT}. Give a fader the address \`/squelch/cutoff\` and the
range 20 to 20000, or let its own address be [learned](#aliases-and-learning).

**Open Stage Control**: \`krell osc-page patches/acid.json > acid.json\` writes a page with a tab for each module; load it as session.

**liblo**:
\`\`\`sh
oscsend 127.0.0.1 ${OSC_PORT} /squelch/cutoff f 900
oscdump 9100 & oscsend 127.0.0.1 ${OSC_PORT} /engine/notify ii 1 9100    # what is pushed, for a minute
\`\`\`

**Python** with python-osc, and without anything:
\`\`\`python
from pythonosc.udp_client import SimpleUDPClient
SimpleUDPClient('127.0.0.1', ${OSC_PORT}).send_message('/squelch/cutoff', 900.0)
\`\`\`
\`\`\`python
import socket, struct
message = b'/squelch/cutoff\\0' + b',f\\0\\0' + struct.pack('>f', 900)    # texts end with a zero byte, in multiples of four
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(message, ('127.0.0.1', ${OSC_PORT}))
\`\`\`

**SuperCollider**:
\`\`\`
n = NetAddr("127.0.0.1", ${OSC_PORT});
n.sendMsg("/squelch/cutoff", 900);
n.sendBundle(0.1, ["/squelch/cutoff", 900], ["/squelch/resonance", 0.9]);
\`\`\`
`;

const LIMITATIONS = `
## Limits
A packet is checked as a whole before any of it is believed: at most ${LIMITS.bytes / 1024} KiB, bundles and arrays ${LIMITS.depth} deep, ${LIMITS.elements} bundle elements, ${LIMITS.tags} arguments in a message. ${MAX_REQUESTS} commands may wait
for the engine and ${HELD_MAX} for their time; ${REPLY_LIMITS.registered} clients may be registered, and there may be ${CONNECTIONS_MAX} connections by TCP and as many by HTTP and WebSocket. While more arrives than the engine can take in, the last value of each parameter wins, and
notes and triggers that find no room are dropped, counted and reported; the sound goes on. Patches are loaded from and saved to the folder of the patch that was played, and loaded from those that come
along; recordings go to the folder in which \`krell play\` was started. Names lead nowhere else.
`;

// ── commands ──

const GROUPS = {
  '': 'The connection and the engine',
  patch: 'Patches',
  module: 'Modules',
  cable: 'Cables',
  snapshot: 'Snapshots',
  alias: 'Aliases',
  record: 'Recording',
  tx: 'Several edits as one',
} as const;
type Group = keyof typeof GROUPS;

/** `/engine/cable/list` → `cable`. */
function groupOf({ address }: EngineCommand): Group {
  const [, , group = ''] = address.split('/');
  return group in GROUPS ? (group as Group) : '';
}

function commands(): string {
  const sections = Object.entries(GROUPS).map(([group, title]) => {
    const members = COMMANDS.filter((command) => groupOf(command) === group);
    return `### ${title}\n${members.map(command).join('\n')}`;
  });
  return `## Commands\n${sections.join('\n\n')}`;
}

function command(entry: EngineCommand): string {
  const { address, args, summary, data, replies, example } = entry;
  const lines = [
    `- **\`${usageOf(entry)}\`** ${summary}`,
    ...args.map(({ name, summary: text }) => `  \`${name}\`: ${text}`),
    ...(data ? [`  Sends rows of ${data}.`] : []),
    ...(replies ? [`  \`/done\` carries ${replies}.`] : []),
    ...(example ? [`  \`krell send ${address} ${example}\``] : []),
  ];
  // Two blanks in the end are a line break.
  return lines.join('  \n');
}

// ── modules ──

const types = (modules: readonly ModuleDefinition[]): string =>
  `## Module types\n\`krell modules vcf\` tells of one type's inputs and outputs too.\n\n${modules.map(type).join('\n\n')}`;

function type(definition: ModuleDefinition): string {
  const { type: name, summary } = definition;
  const rows = [
    ...eventsOf(definition).map((event) => [`\`/<id>/${event.name}${takes(definition.events[event.name])}\``, '', '', event.summary]),
    ...withoutNumbers(parametersOf(definition).map(paramRow)),
  ];
  return `### ${name}\n${summary}\n${rows.length === 0 ? '' : `\n${table(['address', 'range', 'unless set', ''], rows)}`}`.trimEnd();
}

function paramRow({ name, spec }: ParameterDescription): string[] {
  const [range, standard, curve] = describeParam(spec);
  return [`\`/<id>/${name}\``, curve === 'log' ? `${range}, logarithmic` : range, standard.replace('default ', ''), spec.summary];
}

/** One row for `step1`, `step2` … that differ in their number only. */
function withoutNumbers(rows: readonly string[][]): string[][] {
  const kept = new Map<string, string[]>();
  for (const [address = '', range = '', standard = '', summary = ''] of rows) {
    const [, number] = /(\d+)`$/.exec(address) ?? [];
    const anyNumber = number === undefined ? summary : summary.replace(new RegExp(`\\b${number}\\b`), 'n');
    const key = [address.replace(/\d+`$/, ''), range, standard, anyNumber].join();
    const first = kept.get(key)?.[0]?.split(' … ')[0];
    kept.set(key, first === undefined ? [address, range, standard, summary] : [`${first} … ${address}`, range, standard, anyNumber]);
  }
  return [...kept.values()];
}

/** What is sent with an event; with `off`, which comes with notes, if there is none. */
function takes(event: EventSpec | undefined): string {
  switch (event?.kind) {
    case undefined:
      return ' [pitch]';
    case 'note':
      return ' pitch velocity [seconds]';
    case 'trigger':
      return '';
    case 'set':
      return ` ${event.params.join(' ')}`;
  }
}
