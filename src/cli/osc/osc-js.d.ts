// Its own declarations describe a default export that ES modules do not see. This is the part used here.
declare module 'osc-js' {
  interface Packet {
    pack(): Uint8Array;
  }
  interface Message extends Packet {
    /** A type tag for each of `args`. */
    types: string;
    args: readonly unknown[];
  }
  const OSC: {
    readonly Message: new (address: string) => Message;
    readonly Bundle: new (messages: readonly Message[], unixMs: number) => Packet;
  };
  export default OSC;
}
