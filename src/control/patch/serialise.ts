// JSON as a person would lay it out: an object or array that fits on a line is on one, the file's sections never are.
import type { Json } from './parse.js';

const WIDTH = 140;
/** The file itself and its sections. */
const ALWAYS_OPEN = 2;

/** The text of a JSON file; equal values give equal bytes. */
export const formatJson = (value: Json): string => `${layOut(value, 0, 0)}\n`;

/** `used`: columns before and after the value on its line. */
function layOut(value: Json, depth: number, used: number): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const isArray = Array.isArray(value);
  if (Object.keys(value).length === 0) return isArray ? '[]' : '{}';
  if (!(isArray ? isList(value) : depth < ALWAYS_OPEN)) {
    const line = onOneLine(value, WIDTH - used - 2 * depth);
    if (line !== undefined) return line;
  }
  const entries = Object.entries(value);
  const lines = entries.map(([key, item], i) => {
    const name = isArray ? '' : `${JSON.stringify(key)}: `;
    const comma = i < entries.length - 1 ? ',' : '';
    return `${'  '.repeat(depth + 1)}${name}${layOut(item, depth + 1, name.length + comma.length)}${comma}\n`;
  });
  const [open, close] = isArray ? '[]' : '{}';
  return `${open}\n${lines.join('')}${'  '.repeat(depth)}${close}`;
}

/** Things with parts of their own read better below each other. */
const isList = (items: readonly Json[]): boolean =>
  items.length > 1 && items.every((item) => typeof item === 'object' && item !== null && Object.keys(item).length > 1);

/** The value within `room` columns, or `undefined`; stops as soon as it is too long, so that a deep file costs no more than its size. */
function onOneLine(value: Json, room: number): string | undefined {
  if (typeof value !== 'object' || value === null) {
    const text = JSON.stringify(value);
    return text.length <= room ? text : undefined;
  }
  const isArray = Array.isArray(value);
  if (isArray && isList(value)) return undefined;
  const [open, close] = isArray ? ['[', ']'] : ['{ ', ' }'];
  let line = open;
  for (const key of Object.keys(value)) {
    const name = isArray ? '' : `${JSON.stringify(key)}: `;
    const item = onOneLine((value as Record<string, Json>)[key]!, room - line.length - name.length - close.length);
    if (item === undefined) return undefined;
    line += `${line === open ? '' : ', '}${name}${item}`;
    if (line.length + close.length > room) return undefined;
  }
  return line === open ? line.trim() + close.trim() : line + close;
}
