// The engine's own addresses: what there is to say to `/engine/…`. Dispatch, OSCQuery, `krell send` and docs/osc.md read this table.

export interface CommandArg {
  readonly name: string;
  readonly kind: 'text' | 'number' | 'integer' | 'toggle' | 'value';
  readonly optional?: true;
  readonly summary: string;
}

export interface EngineCommand {
  readonly address: string;
  /** In order; after them the sender may add an integer that the replies echo. */
  readonly args: readonly CommandArg[];
  /** Who carries it out: the OSC thread at once, or control. */
  readonly by: 'osc' | 'control';
  readonly summary: string;
  /** What `/done <address>` carries, and what is sent before it. */
  readonly replies: string;
  /** Arguments as one would write them for `krell send`. */
  readonly example: string;
}

const arg = (name: string, kind: CommandArg['kind'], summary: string): CommandArg => ({ name, kind, summary });
const optional = (name: string, kind: CommandArg['kind'], summary: string): CommandArg => ({ name, kind, optional: true, summary });
const command = (
  by: EngineCommand['by'],
  address: string,
  args: readonly CommandArg[],
  summary: string,
  replies = '',
  example = '',
): EngineCommand => ({ by, address: `/engine/${address}`, args, summary, replies, example });

const id = (what = 'module'): CommandArg => arg('id', 'text', `The ${what}'s id.`);
const from = arg('from', 'text', 'An output, `vco1.saw`.');
const to = arg('to', 'text', 'An input, `vcf1.in`.');

export const COMMANDS: readonly EngineCommand[] = [
  // the connection
  command('osc', 'version', [], 'Which program this is.', '`krell` and the version'),
  command('osc', 'sync', [], 'Answers once everything sent before has been carried out.'),
  command(
    'osc',
    'notify',
    [arg('on', 'toggle', 'Whether to be told.'), optional('port', 'integer', 'UDP port of the same host to tell instead of the sender.')],
    'Registers the sender for pushes: edits, faults, what comes late. Lasts as long as the connection; over UDP 60 seconds after the last packet.',
    'seconds until it expires',
    '1',
  ),
  command(
    'osc',
    'monitor',
    [arg('on', 'toggle', 'Whether to be told.')],
    'Tells the sender of everything that arrives, and what it did.',
    '',
    '1',
  ),
  command('osc', 'time', [], 'The map from time to frames.', 'frame, time tag of that frame, frames per second, sample rate'),
  command(
    'osc',
    'learn',
    [id(), arg('param', 'text', 'Its parameter.')],
    'The next address that is moved and means nothing yet becomes an alias of the parameter.',
    'id, parameter, address',
    'vcf1 cutoff',
  ),
  command('osc', 'learn/cancel', [], 'Learns nothing after all.'),
  // the engine
  command('control', 'status', [], 'How it goes.', 'name and value, in turn'),
  command(
    'control',
    'tempo',
    [optional('bpm', 'number', 'The new tempo.')],
    'The tempo of the patch; clocks that follow it follow.',
    'BPM',
    '96',
  ),
  command('control', 'quit', [], 'Ends the program.'),
  // patches
  command(
    'control',
    'patch/load',
    [arg('name', 'text', 'A file in the patch folders, with or without `.json`.')],
    'Plays another patch.',
    'its title',
    'acid',
  ),
  command('control', 'patch/save', [optional('name', 'text', 'A new name.')], 'Writes the patch as it is now.', 'the file', 'acid-2'),
  command('control', 'patch/clear', [], 'Removes everything.'),
  command('control', 'patch/list', [], 'Patches that can be loaded.', 'names'),
  // modules and cables
  command(
    'control',
    'module/create',
    [arg('type', 'text', 'See `module/types`.'), id('new module'), optional('voices', 'integer', '1 to 16.')],
    'Adds a module.',
    'type, id',
    'vco vco2',
  ),
  command('control', 'module/remove', [id()], 'Removes a module and its cables.', 'id', 'vco2'),
  command('control', 'module/list', [], 'Modules of the patch.', 'id, type, voices, in turn'),
  command('control', 'module/info', [id()], 'One module.', 'name and value, in turn', 'vco1'),
  command('control', 'module/find', [arg('type', 'text', 'A module type.')], 'Modules of a type.', 'ids', 'vco'),
  command('control', 'module/types', [], 'Module types there are.', 'types'),
  command(
    'control',
    'cable/connect',
    [from, to, optional('gain', 'number', '1 unless given.')],
    'Connects an output to an input.',
    'from, to',
    'vco2.saw vcf1.in',
  ),
  command('control', 'cable/disconnect', [from, to], 'Removes a cable.', 'from, to', 'vco2.saw vcf1.in'),
  command(
    'control',
    'cable/gain',
    [from, to, arg('gain', 'number', 'Its new gain.')],
    'How much of it passes.',
    'from, to, gain',
    'vco2.saw vcf1.in 0.5',
  ),
  command('control', 'cable/list', [], 'Cables of the patch.', 'from, to, gain, in turn'),
  // snapshots
  command('control', 'snapshot/save', [arg('name', 'text', 'Of the snapshot.')], 'Keeps all parameters as they are.', 'name', 'bright'),
  command(
    'control',
    'snapshot/recall',
    [arg('name', 'text', 'Of the snapshot.'), optional('seconds', 'number', 'Time to get there.')],
    'Sets all its parameters at one moment.',
    'name',
    'bright 4',
  ),
  command('control', 'snapshot/remove', [arg('name', 'text', 'Of the snapshot.')], 'Forgets it.', 'name', 'bright'),
  command('control', 'snapshot/list', [], 'Snapshots of the patch.', 'names'),
  // aliases
  command(
    'control',
    'alias/set',
    [
      arg('address', 'text', 'An address of your own.'),
      id(),
      arg('param', 'text', 'Its parameter.'),
      optional('low', 'value', 'What 0 means.'),
      optional('high', 'value', 'What 1 means.'),
    ],
    'Lets an address move a parameter.',
    'address',
    '/1/fader1 vcf1 cutoff 200 8000',
  ),
  command('control', 'alias/remove', [arg('address', 'text', 'An address of your own.')], 'Forgets it.', 'address', '/1/fader1'),
  command('control', 'alias/list', [], 'Aliases of the patch.', 'address, id, parameter, low, high, in turn'),
  // recording
  command(
    'control',
    'record/start',
    [optional('name', 'text', 'A file in the recordings folder.')],
    'Writes what is heard to a WAV file.',
    'the file',
    'take1',
  ),
  command('control', 'record/stop', [], 'Completes it.', 'the file, seconds'),
  // several edits as one
  command('control', 'tx/begin', [], 'Edits from this sender wait from now on.'),
  command('control', 'tx/commit', [], 'Carries them out, all or none.', 'how many'),
  command('control', 'tx/abort', [], 'Forgets them.', 'how many'),
];

export const commandAt = new Map(COMMANDS.map((entry) => [entry.address, entry]));
