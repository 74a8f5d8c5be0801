// JACK, called through koffi. Signatures: jack.h, jack/thread.h, protocol 9.
//
// There is no callback. JACK allows a client to run its cycles itself: `jack_cycle_wait` begins one, `jack_cycle_signal` ends it.
// Meant for a thread that JACK starts (jack_set_process_thread), but any may call them: JACK's own is given a function of the C
// library that sleeps for ever, and the cycles run on ours.
//
// `jack_cycle_wait` would wait for ever for a server that has ended. What it waits on is a futex in a file of this client's name
// (JackLinuxFutex of JACK 1.9.11 and later: the file's first word, 1 when a cycle has begun): we wait on that, with an end. A server
// that has no such file, as PipeWire, is left to PortAudio.
import { closeSync, openSync } from 'node:fs';
import { KrellError } from '../errors.js';
import { loadKoffi, once, type Koffi, type Native } from '../realtime/native.js';
import type { Device } from './device.js';
import { pin } from './pin.js';

const JACK_LIBRARY = 'libjack.so.0';
const C_LIBRARY = 'libc.so.6';
/** Number of the system call futex. */
const FUTEX = new Map<string, number>([
  ['x64', 202],
  ['arm64', 98],
]).get(process.arch);
const FUTEX_WAIT = 0;
const FUTEX_BYTES = 12;
/** mmap: PROT_READ | PROT_WRITE, MAP_SHARED. */
const [READ_WRITE, SHARED] = [3, 1];
/** Longest wait for a cycle. */
const WAIT_NS = 100e6;
const AUDIO = '32 bit float mono audio';
/** JackPortFlags. */
const [IS_INPUT, IS_OUTPUT, IS_PHYSICAL] = [1, 2, 4];
/** JackNoStartServer: a server is the user's to start. */
const NO_START = 1;
const POINTER_BYTES = 8;

export type PortDirection = 'input' | 'output';
type Call = (name: string, result: string, ...parameters: readonly string[]) => Native;

interface Library {
  readonly koffi: Koffi;
  readonly call: Call;
  /** A function's address. */
  readonly address: (name: string) => unknown;
  readonly copy: Native;
  readonly copyOut: Native;
  readonly c: ReturnType<Koffi['load']>;
}

/** Once a thread. @throws KrellError 'no-library' */
const loadLibrary = once((): Library => {
  const koffi = loadKoffi();
  if (!koffi) throw new KrellError('no-library', 'the package koffi is not installed');
  if (process.platform !== 'linux' || FUTEX === undefined) throw new KrellError('no-library', 'JACK is not called on this system');
  try {
    const [jack, c] = [koffi.load(JACK_LIBRARY), koffi.load(C_LIBRARY)];
    // Threads of its own run in it until its clients are closed.
    pin(koffi, JACK_LIBRARY);
    const known = new Map<string, Native>();
    const call: Call = (name, result, ...parameters) => {
      const found = known.get(name) ?? jack.func(`jack_${name}`, result, parameters);
      known.set(name, found);
      return found;
    };
    // What JACK has to say about a server that is not there means nothing to a performer: it is told to a function that only reads.
    for (const speech of ['error', 'info']) call(`set_${speech}_function`, 'void', 'void *')(c.symbol('strlen', 'void'));
    return {
      koffi,
      call,
      c,
      address: (name) => c.symbol(name, 'void'),
      copy: c.func('memcpy', 'void', ['uintptr_t', 'void *', 'size_t']),
      copyOut: c.func('memcpy', 'void', ['_Out_ void *', 'uintptr_t', 'size_t']),
    };
  } catch (error) {
    throw new KrellError('no-library', 'the JACK library is not installed', { cause: error });
  }
});

/** Finds what a client's cycles are told by. @returns a function that waits for one, with an end. @throws KrellError 'no-library' */
function openFutex({ koffi, c }: Library, client: string): () => boolean {
  const server = process.env['JACK_DEFAULT_SERVER'] ?? 'default';
  const path = `/dev/shm/jack_sem.${process.getuid!()}_${server}_${client}`;
  let file: number;
  try {
    file = openSync(path, 'r+');
  } catch (error) {
    throw new KrellError('no-library', 'this JACK server is not one whose cycles Krell can run', { cause: error });
  }
  const map = c.func('mmap', 'void *', ['void *', 'size_t', 'int', 'int', 'int', 'long']);
  const place = map(null, FUTEX_BYTES, READ_WRITE, SHARED, file, 0);
  closeSync(file);
  const words = new Int32Array(koffi.view(place, FUTEX_BYTES));
  const futex = c.func('syscall', 'long', ['long', 'void *', 'int', 'int', 'void *']);
  const timeout = new Int32Array([0, 0, WAIT_NS, 0]);
  return () => {
    if (words[0] === 0) futex(FUTEX, words, FUTEX_WAIT, 0, timeout);
    return words[0] !== 0;
  };
}

/** A client of the JACK server: its ports, and its part in each cycle. */
export class JackClient {
  readonly sampleRate: number;
  readonly periodFrames: number;
  readonly name: string;
  private readonly library = loadLibrary();
  readonly client: bigint;
  private readonly waitCycle: Native;
  private readonly signalCycle: Native;
  private readonly isBegun: () => boolean;
  private readonly buffer: Native;

  /** @throws KrellError 'no-library'; 'no-device' when no server runs. */
  constructor(name: string) {
    const { call, address } = this.library;
    const status = Buffer.alloc(4);
    const client = call('client_open', 'void *', 'const char *', 'int', 'void *')(name, NO_START, status) as bigint | null;
    if (client === null) throw new KrellError('no-device', 'no JACK server is running');
    this.client = client;
    this.name = call('get_client_name', 'const char *', 'void *')(this.client) as string;
    this.sampleRate = call('get_sample_rate', 'uint32_t', 'void *')(this.client) as number;
    this.periodFrames = call('get_buffer_size', 'uint32_t', 'void *')(this.client) as number;
    this.waitCycle = call('cycle_wait', 'uint32_t', 'void *');
    this.signalCycle = call('cycle_signal', 'void', 'void *', 'int');
    this.buffer = call('port_get_buffer', 'uintptr_t', 'uintptr_t', 'uint32_t');
    call('set_process_thread', 'int', 'void *', 'void *', 'void *')(this.client, address('pause'), null);
    try {
      this.isBegun = openFutex(this.library, this.name);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Registers an audio port. */
  addPort(name: string, direction: PortDirection): number {
    const register = this.library.call('port_register', 'uintptr_t', 'void *', 'const char *', 'const char *', 'ulong', 'ulong');
    return register(this.client, name, AUDIO, direction === 'input' ? IS_INPUT : IS_OUTPUT, 0) as number;
  }

  /** Cycles begin. @returns false when the server does not answer */
  activate(): boolean {
    return this.library.call('activate', 'int', 'void *')(this.client) === 0;
  }

  connect(from: string, to: string): void {
    this.library.call('connect', 'int', 'void *', 'const char *', 'const char *')(this.client, from, to);
  }

  /** Full names of other clients' audio ports that take (`input`) or give sound; only a sound card's when `physical`. */
  ports(direction: PortDirection, physical: boolean): string[] {
    const { koffi, call } = this.library;
    const flags = (direction === 'input' ? IS_INPUT : IS_OUTPUT) | (physical ? IS_PHYSICAL : 0);
    const list = call('get_ports', 'void *', 'void *', 'const char *', 'const char *', 'ulong')(this.client, null, AUDIO, flags);
    const names: string[] = [];
    if (!list) return names;
    for (let at = 0; ; at += POINTER_BYTES) {
      const name = koffi.decode(list, at, 'const char *') as string | null;
      if (name === null) break;
      if (!name.startsWith(`${this.name}:`)) names.push(name);
    }
    call('free', 'void', 'void *')(list);
    return names;
  }

  /** Clients that play or record, as devices; those of the sound card first. */
  devices(): Device[] {
    const owners = (direction: PortDirection, physical: boolean): string[] => this.ports(direction, physical).map(ownerOf);
    const [inputs, outputs] = [owners('output', false), owners('input', false)];
    const names = [...new Set([...owners('input', true), ...owners('output', true), ...outputs, ...inputs])];
    const latencyMs = (1000 * this.periodFrames) / this.sampleRate;
    return names.map((name, index) => ({
      index,
      driver: 'jack',
      name,
      api: 'JACK',
      inputs: inputs.filter((owner) => owner === name).length,
      outputs: outputs.filter((owner) => owner === name).length,
      isDefault: index === 0,
      defaultSampleRate: this.sampleRate,
      sampleRates: [this.sampleRate],
      defaultLowLatencyMs: latencyMs,
      defaultHighLatencyMs: latencyMs,
    }));
  }

  // ── cycles: no allocation beyond a number ──

  /** Waits for a cycle, a tenth of a second. @returns whether it has begun */
  awaitCycle(): boolean {
    return this.isBegun();
  }
  /** Takes up a cycle that has begun. @returns its frames */
  beginCycle(): number {
    return this.waitCycle(this.client) as number;
  }
  endCycle(): void {
    this.signalCycle(this.client, 0);
  }
  /** Fills an output port's buffer, in a cycle. */
  write(port: number, samples: Float32Array, frames: number): void {
    this.library.copy(this.buffer(port, frames), samples, 4 * frames);
  }
  /** Takes what has arrived at an input port, in a cycle. */
  read(port: number, samples: Float32Array, frames: number): void {
    this.library.copyOut(samples, this.buffer(port, frames), 4 * frames);
  }

  /** Leaves the server. */
  close(): void {
    this.library.call('client_close', 'int', 'void *')(this.client);
  }
}

/** Closes a client of a server that has gone. */
export function releaseClient(client: bigint): void {
  loadLibrary().call('client_close', 'int', 'void *')(client);
}

/** The client that has a port. */
const ownerOf = (port: string): string => port.slice(0, port.lastIndexOf(':'));

/** Clients of the JACK server that have audio ports. @throws KrellError 'no-library', 'no-device' */
export function jackDevices(): Device[] {
  const client = new JackClient('krell-devices');
  try {
    return client.devices();
  } finally {
    client.close();
  }
}
