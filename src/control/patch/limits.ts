// How large a patch may be. A patch comes from anywhere: every size is checked before anything is made of it.
import { MAX_MODULES } from '../../shared/layout.js';

export const FORMAT = 'krell-patch';
export const FORMAT_VERSION = 1;

/** A module's id: legal in an OSC address, and nobody's path. */
export const ID = /^[a-z][a-z0-9_-]*$/;
/** An OSC address: printable ASCII without what patterns are made of, in parts that are not empty. */
export const ADDRESS = /^(?:\/[!"$-)+\-.0->@-Z\\^-z|~]+)+$/;
/** A script beside the patch, or in a folder there. */
export const SCRIPT_FILE = /^[^/\\:][^:]*\.(?:ts|js|mjs)$/;
/** The engine's own name, as a module id and as the first part of an address. */
export const RESERVED = 'engine';

export const LIMITS = {
  fileBytes: 4 * 1024 * 1024,
  /** Objects and arrays within each other. */
  depth: 32,
  modules: MAX_MODULES,
  cables: 16_384,
  snapshots: 1024,
  aliases: 4096,
  voices: 16,
  /** A cable's gain is within ± this. */
  gain: 100,
  tempo: { min: 10, max: 999 },
  seed: 2 ** 32 - 1,
  titleLength: 256,
  idLength: 64,
  /** A snapshot's name. */
  nameLength: 64,
  /** An OSC address. */
  addressLength: 255,
  /** A script's file name, with folders. */
  scriptLength: 1024,
  /** A value written as text, `"1.2 kHz"`. */
  valueLength: 64,
  /** Problems that are kept; the rest is counted. */
  problems: 1000,
  /** Problems that get a hint: a search for the nearest name costs more than the check that failed. */
  hints: 100,
} as const;
