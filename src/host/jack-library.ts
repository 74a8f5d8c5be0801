// JACK, called through koffi. Signatures: jack.h, jack/thread.h, protocol 9; PipeWire brings a library of the same name.
//
// There is no callback. JACK allows a client to run its cycles itself: `jack_cycle_wait` begins one, `jack_cycle_signal` ends it.
// Meant for a thread that JACK starts (jack_set_process_thread), but any may call them: JACK's own is given a function of the C
// library that sleeps for ever, and the cycles run on ours.
import { KrellError } from '../errors.js';
import { loadKoffi, type Koffi, type Native } from '../realtime/native.js';
import type { Device } from './device.js';

const LIBRARIES: Partial<Record<NodeJS.Platform, { jack: string; c: string }>> = {
  linux: { jack: 'libjack.so.0', c: 'libc.so.6' },
  darwin: { jack: 'libjack.0.dylib', c: 'libSystem.B.dylib' },
};
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
}

function loadLibrary(): Library {
  const koffi = loadKoffi();
  const names = LIBRARIES[process.platform];
  if (!koffi || !names)
    throw new KrellError('no-library', koffi ? 'JACK is not called on this system' : 'the package koffi is not installed');
  try {
    const [jack, c] = [koffi.load(names.jack), koffi.load(names.c)];
    const call: Call = (name, result, ...parameters) => jack.func(`jack_${name}`, result, parameters);
    // What JACK has to say about a server that is not there means nothing to a performer: it is told to a function that only reads.
    for (const speech of ['error', 'info']) call(`set_${speech}_function`, 'void', 'void *')(c.symbol('strlen', 'void'));
    return {
      koffi,
      call,
      address: (name) => c.symbol(name, 'void'),
      copy: c.func('memcpy', 'void', ['uintptr_t', 'void *', 'size_t']),
      copyOut: c.func('memcpy', 'void', ['_Out_ void *', 'uintptr_t', 'size_t']),
    };
  } catch (error) {
    throw new KrellError('no-library', 'the JACK library is not installed', { cause: error });
  }
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
  private readonly lastFrame: Native;
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
    this.lastFrame = call('last_frame_time', 'uint32_t', 'void *');
    this.buffer = call('port_get_buffer', 'uintptr_t', 'uintptr_t', 'uint32_t');
    call('set_process_thread', 'int', 'void *', 'void *', 'void *')(this.client, address('pause'), null);
  }

  /** Registers an audio port. */
  addPort(name: string, direction: PortDirection): number {
    const register = this.library.call('port_register', 'uintptr_t', 'void *', 'const char *', 'const char *', 'ulong', 'ulong');
    return register(this.client, name, AUDIO, direction === 'input' ? IS_INPUT : IS_OUTPUT, 0) as number;
  }

  /** Cycles begin. */
  activate(): void {
    const result = this.library.call('activate', 'int', 'void *')(this.client);
    if (result !== 0) throw new KrellError('device', 'the JACK server does not let this client play');
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
      defaultLowLatencyMs: latencyMs,
      defaultHighLatencyMs: latencyMs,
    }));
  }

  // ── cycles: no allocation beyond a number ──

  /** Frame at which the latest cycle began; stands still when the server is gone. */
  cycleFrame(): number {
    return this.lastFrame(this.client) as number;
  }
  /** Takes up a cycle that has begun. Returns when those it listens to are done. @returns its frames */
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
