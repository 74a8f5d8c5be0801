declare module 'audiobuffer-to-wav' {
  interface Sound {
    readonly numberOfChannels: number;
    readonly sampleRate: number;
    getChannelData(channel: number): Float32Array;
  }
  /** For one or two channels: 16-bit, or 32-bit float. */
  export default function audioBufferToWav(buffer: Sound, options?: { float32?: boolean }): ArrayBuffer;
}
