// Its own declarations describe a default export that ES modules do not see. This is the part used here.
declare module 'osc-js' {
  interface Packet {
    pack(): Uint8Array;
  }
  interface Value {
    readonly type: string;
    readonly value: unknown;
  }
  const OSC: {
    readonly Message: new (address: string, args: readonly Value[]) => Packet;
    readonly Bundle: new (messages: readonly Packet[], unixMs: number) => Packet;
  };
  export default OSC;
}
