// PortAudio, called through koffi: the system's library, else the one that naudiodon brings along.
// Signatures: portaudio.h, V19.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { KrellError } from '../errors.js';
import { loadKoffi, once, type Koffi, type Native } from '../realtime/native.js';
import { COMMON_RATES, type Device } from './device.js';
import { pin } from './pin.js';
import { quietly, STDERR } from './quiet.js';

const FLOAT32 = 1;
const INVALID_SAMPLE_RATE = -9997;
export const OUTPUT_UNDERFLOWED = -9980;
/** Whatever PortAudio says then, a wrong rate or too little memory. */
const JACK_HINT = 'a JACK server that it has lost once it never finds again in the same process: use the jack driver, or start Krell anew';

/** Names under which a system knows the library, and what naudiodon's copy is called. */
const NAMES: Partial<Record<NodeJS.Platform, { system: string[]; bundled: string }>> = {
  linux: { system: ['libportaudio.so.2', 'libportaudio.so'], bundled: 'bin/libportaudio.so.2' },
  darwin: {
    system: ['libportaudio.2.dylib', '/opt/homebrew/lib/libportaudio.2.dylib', '/usr/local/lib/libportaudio.2.dylib'],
    bundled: 'bin/libportaudio.dylib',
  },
  win32: { system: ['portaudio.dll', 'portaudio_x64.dll', 'libportaudio.dll'], bundled: 'bin/portaudio_x64.dll' },
};

function candidates(): string[] {
  const names = NAMES[process.platform];
  if (!names) return [];
  try {
    const folder = dirname(createRequire(import.meta.url).resolve('naudiodon/package.json'));
    return [...names.system, join(folder, 'portaudio', names.bundled)];
  } catch {
    return names.system;
  }
}

/** The library's functions and types. */
interface Library {
  readonly koffi: Koffi;
  readonly call: (name: string, result: unknown, parameters?: readonly unknown[]) => Native;
  readonly apiInfo: unknown;
  readonly deviceInfo: unknown;
  readonly streamParameters: unknown;
  readonly streamInfo: unknown;
}

/** Once a thread. @throws KrellError 'no-library' */
const loadLibrary = once((): Library => {
  const koffi = loadKoffi();
  if (!koffi)
    throw new KrellError('no-library', 'the package koffi is not installed', { hint: "'npm install koffi' lets Krell call PortAudio" });
  const library = findLibrary(koffi);
  const known = new Map<string, Native>();
  return {
    koffi,
    call: (name, result, parameters = []) => {
      const found = known.get(name) ?? library.func(`Pa_${name}`, result, parameters);
      known.set(name, found);
      return found;
    },
    apiInfo: koffi.struct({ version: 'int', type: 'int', name: 'const char *', devices: 'int', input: 'int', output: 'int' }),
    deviceInfo: koffi.struct({
      version: 'int',
      name: 'const char *',
      hostApi: 'int',
      inputs: 'int',
      outputs: 'int',
      lowInputLatency: 'double',
      lowLatency: 'double',
      highInputLatency: 'double',
      highLatency: 'double',
      sampleRate: 'double',
    }),
    streamParameters: koffi.struct({ device: 'int', channels: 'int', format: 'unsigned long', latency: 'double', specific: 'void *' }),
    streamInfo: koffi.struct({ version: 'int', inputLatency: 'double', latency: 'double', sampleRate: 'double' }),
  };
});

function findLibrary(koffi: Koffi): ReturnType<Koffi['load']> {
  for (const file of candidates())
    try {
      const library = koffi.load(file);
      pin(koffi, file);
      return library;
    } catch {
      // Not here; the next one.
    }
  throw new KrellError('no-library', 'the PortAudio library is not installed', {
    hint: process.platform === 'linux' ? "install it (Debian: 'apt install libportaudio2')" : 'install PortAudio',
  });
}

/** Closes a stream whose device has gone, and the library with it, so that it looks for devices anew when it is started again. */
export function releaseStream(stream: bigint): void {
  const { call } = loadLibrary();
  for (const name of ['AbortStream', 'CloseStream']) call(name, 'int', ['void *'])(stream);
  quietly([STDERR], call('Terminate', 'int') as () => void);
}

/** An open stream. Sizes are in frames; results below 0 are PortAudio's errors. */
export interface AudioStream {
  readonly handle: bigint;
  readonly latencyMs: number;
  /** Whether the device is still there and plays. */
  isActive(): boolean;
  /** Frames that `write` would take without waiting. */
  room(): number;
  write(samples: Float32Array, frames: number): number;
  /** Frames that `read` would give without waiting. */
  arrived(): number;
  read(samples: Float32Array, frames: number): number;
  /** Ends at once, without playing what is queued. */
  close(): void;
}

interface StreamOptions {
  readonly outputs: number;
  readonly inputs: number;
  readonly sampleRate: number;
  readonly periodFrames: number;
}

interface ApiInfo {
  readonly name: string;
}
interface DeviceInfo {
  readonly name: string;
  readonly hostApi: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly lowLatency: number;
  readonly highLatency: number;
  readonly sampleRate: number;
}

export class PortAudio {
  private readonly library = loadLibrary();

  /** Loads and starts the library. @throws KrellError 'no-library'. */
  constructor() {
    this.check(quietly([STDERR], () => this.library.call('Initialize', 'int')() as number));
  }

  devices(): Device[] {
    const { koffi, call, apiInfo: apiType, deviceInfo: deviceType } = this.library;
    const deviceInfo = call('GetDeviceInfo', koffi.pointer(deviceType), ['int']);
    const apiInfo = call('GetHostApiInfo', koffi.pointer(apiType), ['int']);
    const preferred = call('GetDefaultOutputDevice', 'int')();
    const count = call('GetDeviceCount', 'int')() as number;
    return Array.from({ length: Math.max(0, count) }, (_, index) => {
      const info = koffi.decode(deviceInfo(index), deviceType) as DeviceInfo;
      const api = koffi.decode(apiInfo(info.hostApi), apiType) as ApiInfo;
      return {
        index,
        driver: 'portaudio',
        name: info.name,
        api: api.name,
        inputs: info.inputs,
        outputs: info.outputs,
        isDefault: index === preferred,
        defaultSampleRate: info.sampleRate,
        defaultLowLatencyMs: info.lowLatency * 1000,
        defaultHighLatencyMs: info.highLatency * 1000,
      };
    });
  }

  /** Which of COMMON_RATES a device plays at. Asks the device. */
  ratesOf(device: Device): number[] {
    const { koffi, call, streamParameters: parametersType } = this.library;
    const supports = call('IsFormatSupported', 'int', [koffi.pointer(parametersType), koffi.pointer(parametersType), 'double']);
    const latency = (device.defaultHighLatencyMs ?? 0) / 1000;
    const parameters = { device: device.index, channels: Math.min(2, device.outputs), format: FLOAT32, latency, specific: null };
    return COMMON_RATES.filter((rate) => device.outputs > 0 && supports(null, parameters, rate) === 0);
  }

  /** Opens and starts a stream of floats. @throws KrellError 'device'. */
  openStream(device: Device, { outputs, inputs, sampleRate, periodFrames }: StreamOptions): AudioStream {
    const { koffi, call, streamParameters: parametersType, streamInfo: infoType } = this.library;
    // Two periods: one to play, one to fill.
    const latency = Math.max((device.defaultLowLatencyMs ?? 0) / 1000, (2 * periodFrames) / sampleRate);
    const parameters = (channels: number): object | null =>
      channels > 0 ? { device: device.index, channels, format: FLOAT32, latency, specific: null } : null;
    const open = call('OpenStream', 'int', [
      koffi.out(koffi.pointer('void *')),
      koffi.pointer(parametersType),
      koffi.pointer(parametersType),
      'double',
      'unsigned long',
      'unsigned long',
      'void *',
      'void *',
    ]);
    const handle: unknown[] = [null];
    const result = quietly(
      [STDERR],
      () => open(handle, parameters(inputs), parameters(outputs), sampleRate, periodFrames, 0, null, null) as number,
    );
    if (result === INVALID_SAMPLE_RATE && sampleRate !== device.defaultSampleRate)
      throw new KrellError('device', `device '${device.name}' does not play at ${sampleRate} Hz`, {
        hint: `try --rate ${device.defaultSampleRate}`,
      });
    const hint = device.api.startsWith('JACK') ? JACK_HINT : undefined;
    this.check(result, `PortAudio cannot open device '${device.name}'`, hint);
    const [stream] = handle;
    this.check(
      quietly([STDERR], () => call('StartStream', 'int', ['void *'])(stream) as number),
      `PortAudio cannot start device '${device.name}'`,
      hint,
    );
    const info = koffi.decode(call('GetStreamInfo', koffi.pointer(infoType), ['void *'])(stream), infoType) as { latency: number };
    const [room, write] = [
      call('GetStreamWriteAvailable', 'long', ['void *']),
      call('WriteStream', 'int', ['void *', 'void *', 'unsigned long']),
    ];
    const [arrived, read] = [
      call('GetStreamReadAvailable', 'long', ['void *']),
      call('ReadStream', 'int', ['void *', '_Out_ void *', 'unsigned long']),
    ];
    const active = call('IsStreamActive', 'int', ['void *']);
    const [abort, close] = [call('AbortStream', 'int', ['void *']), call('CloseStream', 'int', ['void *'])];
    return {
      handle: stream as bigint,
      latencyMs: info.latency * 1000,
      isActive: () => active(stream) === 1,
      room: () => room(stream) as number,
      write: (samples, frames) => write(stream, samples, frames) as number,
      arrived: () => arrived(stream) as number,
      read: (samples, frames) => read(stream, samples, frames) as number,
      close: () => {
        abort(stream);
        close(stream);
      },
    };
  }

  /** What an error code means. */
  errorText(code: number): string {
    return this.library.call('GetErrorText', 'const char *', ['int'])(code) as string;
  }

  close(): void {
    quietly([STDERR], this.library.call('Terminate', 'int') as () => void);
  }

  private check(result: number, what = 'PortAudio', hint?: string): void {
    if (result < 0) throw new KrellError('device', `${what}: ${this.errorText(result)}`, { hint });
  }
}
