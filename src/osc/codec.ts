// Open Sound Control packets, both ways: OSC 1.0 with its optional types.
export { decode, decodeMessage, type Arg, type Decoded, type DecodedBundle, type DecodedMessage } from './decode.js';
export { encode, encodeBundle, encodeBundleInto, encodeMessage, encodeMessageInto, type Value } from './encode.js';
export { Message, Reader } from './message.js';
export { TAG } from './tags.js';
export { IMMEDIATELY, isImmediate, timetagFromUnix, unixFromTimetag, unixSeconds } from './timetag.js';
export { LIMITS, validate, type Fault, type Reason } from './validate.js';
