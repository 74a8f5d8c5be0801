// The engine's own addresses: what there is to say to `/engine/…`. Dispatch, OSCQuery, `krell send` and docs/osc.md read this table.

export interface CommandArg {
  readonly name: string;
  readonly kind: 'text' | 'number' | 'integer' | 'toggle' | 'value';
  readonly optional?: true;
  /** What a number counts. */
  readonly unit?: string;
  readonly summary: string;
}

export interface EngineCommand {
  readonly address: string;
  /** In order; after all of them the sender may add an integer, which then ends every reply. */
  readonly args: readonly CommandArg[];
  /** Who carries it out: the OSC thread at once, or control. */
  readonly by: 'osc' | 'control';
  readonly summary: string;
  /** What is sent to the command's own address before `/done`: the page's number and how many there are, then this over and over. */
  readonly data?: string;
  /** What `/done <address>` carries. */
  readonly replies: string;
  /** Arguments as one would write them for `krell send`. */
  readonly example: string;
}

const arg = (name: string, kind: CommandArg['kind'], summary: string): CommandArg => ({ name, kind, summary });
const optional = (name: string, kind: CommandArg['kind'], summary: string, unit?: string): CommandArg => ({
  name,
  kind,
  optional: true,
  summary,
  ...(unit === undefined ? {} : { unit }),
});

type Rest = Partial<Pick<EngineCommand, 'data' | 'replies' | 'example'>>;
const by =
  (who: EngineCommand['by']) =>
  (address: string, args: readonly CommandArg[], summary: string, rest: Rest = {}): EngineCommand => ({
    by: who,
    address: `/engine/${address}`,
    args,
    summary,
    replies: '',
    example: '',
    ...rest,
  });
const osc = by('osc');
const control = by('control');

const id = (what = 'module'): CommandArg => arg('id', 'text', `The ${what}'s id.`);
const from = arg('from', 'text', 'An output, `vco1.saw`.');
const to = arg('to', 'text', 'An input, `vcf1.in`.');
const snapshot = arg('name', 'text', 'Of the snapshot.');
const param = arg('param', 'text', 'Its parameter.');
const alias = arg('address', 'text', 'An address of your own.');

export const COMMANDS: readonly EngineCommand[] = [
  // the connection
  osc('version', [], 'Which program this is.', { replies: '`krell` and the version' }),
  osc('sync', [], 'Answers once everything sent before has been carried out.'),
  osc(
    'notify',
    [arg('on', 'toggle', 'Whether to be told.'), optional('port', 'integer', 'UDP port of the same host to tell instead of the sender.')],
    'Registers the sender for pushes: edits, faults, what comes late. Lasts as long as the connection; over UDP 60 seconds after the last packet.',
    { replies: 'seconds until it expires', example: '1' },
  ),
  osc('monitor', [arg('on', 'toggle', 'Whether to be told.')], 'Tells the sender of everything that arrives, and what it did.', {
    example: '1',
  }),
  osc('time', [], 'The map from time to frames and beats.', {
    replies: 'frame, time tag of that frame, frames per second, sample rate, beat at that frame, tempo',
  }),
  osc('learn', [id(), param], 'The next address that is moved and means nothing yet becomes an alias of the parameter.', {
    replies: 'id, parameter, address',
    example: 'vcf1 cutoff',
  }),
  osc('learn/cancel', [], 'Learns nothing after all.'),
  // the engine
  control('status', [], 'How it goes.', { data: 'name, value' }),
  control(
    'tempo',
    [optional('bpm', 'number', 'The new tempo.', 'beats per minute')],
    'The tempo of the patch; clocks that follow it follow.',
    {
      replies: 'BPM',
      example: '96',
    },
  ),
  control('quit', [], 'Ends the program.'),
  // patches
  control(
    'patch/load',
    [arg('name', 'text', 'A file in the patch folders, with or without `.json`.')],
    'Plays another patch. What both have in common plays on.',
    { replies: 'its title', example: 'acid' },
  ),
  control(
    'patch/save',
    [optional('name', 'text', 'A new name; the one it was loaded by unless given.')],
    'Writes the patch as it is now.',
    {
      replies: 'the file',
      example: 'acid-2',
    },
  ),
  control('patch/clear', [], 'Removes everything.'),
  control('patch/list', [], 'Patches that can be loaded.', { data: 'name', replies: 'how many' }),
  control('patch/get', [], 'The patch as it is now, as the file would be.', {
    data: 'the next piece of the text',
    replies: 'bytes in all',
  }),
  control('patch/title', [optional('title', 'text', 'A new one.')], "The patch's title.", {
    replies: 'the title',
    example: '"Night shift"',
  }),
  // modules and cables
  control(
    'module/create',
    [arg('type', 'text', 'See `module/types`.'), id('new module'), optional('voices', 'integer', '1 to 16.')],
    'Adds a module.',
    { replies: 'type, id', example: 'vco vco2' },
  ),
  control('module/remove', [id()], 'Removes a module and its cables.', { replies: 'id', example: 'vco2' }),
  control('module/list', [], 'Modules of the patch.', { data: 'id, type, voices', replies: 'how many' }),
  control('module/info', [id()], 'One module: what it is, how it fares, its parameters.', {
    data: 'name, value',
    replies: 'id',
    example: 'vco1',
  }),
  control('module/find', [arg('what', 'text', 'A module type, or a pattern for ids.')], 'Modules of a type, or by name.', {
    data: 'id',
    replies: 'how many',
    example: 'vco*',
  }),
  control('module/running', [id()], 'Whether a module is part of what plays.', { replies: 'id, `T` or `F`', example: 'vco1' }),
  control('module/revive', [id()], 'Lets a module that was put out of action because of a fault begin anew.', {
    replies: 'id',
    example: 'vcf1',
  }),
  control('module/clean', [], 'Removes modules that were put out of action because of a fault.', { data: 'id', replies: 'how many' }),
  control('module/types', [], 'Module types there are.', { data: 'type, summary', replies: 'how many' }),
  control('module/type', [arg('type', 'text', 'A module type.')], 'The inputs, outputs and parameters of a type.', {
    data: '`input`, `output` or `param`, name, kind or range',
    replies: 'type',
    example: 'vcf',
  }),
  control('cable/connect', [from, to, optional('gain', 'number', '1 unless given.')], 'Connects an output to an input.', {
    replies: 'from, to',
    example: 'vco2.saw vcf1.in',
  }),
  control('cable/disconnect', [from, to], 'Removes a cable.', { replies: 'from, to', example: 'vco2.saw vcf1.in' }),
  control('cable/gain', [from, to, arg('gain', 'number', 'Its new gain.')], 'How much of it passes.', {
    replies: 'from, to, gain',
    example: 'vco2.saw vcf1.in 0.5',
  }),
  control('cable/list', [], 'Cables of the patch.', { data: 'from, to, gain', replies: 'how many' }),
  // snapshots
  control('snapshot/save', [snapshot], 'Keeps all parameters as they are.', { replies: 'name', example: 'bright' }),
  control(
    'snapshot/recall',
    [snapshot, optional('seconds', 'number', 'Time to get there.', 'seconds')],
    'Sets all its parameters at one moment.',
    {
      replies: 'name',
      example: 'bright 4.0',
    },
  ),
  control('snapshot/remove', [snapshot], 'Forgets it.', { replies: 'name', example: 'bright' }),
  control('snapshot/list', [], 'Snapshots of the patch.', { data: 'name', replies: 'how many' }),
  // aliases
  control(
    'alias/set',
    [alias, id(), param, optional('low', 'value', 'What 0 means.'), optional('high', 'value', 'What 1 means.')],
    'Lets an address move a parameter.',
    { replies: 'address', example: '/1/fader1 vcf1 cutoff 200 8000' },
  ),
  control('alias/remove', [alias], 'Forgets it.', { replies: 'address', example: '/1/fader1' }),
  control('alias/list', [], 'Aliases of the patch.', { data: 'address, id, parameter, low, high', replies: 'how many' }),
  // recording
  control(
    'record/start',
    [optional('name', 'text', 'A new file in the recordings folder; named by the time unless given.')],
    'Writes what is heard to a WAV file.',
    { replies: 'the file', example: 'take1' },
  ),
  control('record/stop', [], 'Completes it.', { replies: 'the file, seconds, frames that the disk was too slow for' }),
  // several edits as one
  control('tx/begin', [], 'Changes of modules and cables from this sender wait from now on; `/done` says `queued` and how many.'),
  control('tx/commit', [], 'Carries them out, all in one block, or none of them.', { replies: 'how many' }),
  control('tx/abort', [], 'Forgets them.', { replies: 'how many' }),
];

export const commandAt = new Map(COMMANDS.map((entry) => [entry.address, entry]));

/** How a command is used: `/engine/module/create type id [voices]`. */
export const usageOf = ({ address, args }: EngineCommand): string =>
  [address, ...args.map(({ name, optional }) => (optional ? `[${name}]` : name))].join(' ');
