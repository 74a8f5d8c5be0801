// What an address that means nothing may have been meant as.
import { didYouMean, nearest } from '../control/names.js';
import type { AddressTable } from './addresses.js';
import { COMMANDS } from './commands.js';

const COMMAND_ADDRESSES = COMMANDS.map(({ address }) => address);

/** Says what is wrong with an unknown address, and what is near it. */
export function whatIsNear(address: string, table: AddressTable): string {
  const [, id = '', ...rest] = address.split('/');
  if (id === 'engine') return sentence('there is no such command', nearest(address, COMMAND_ADDRESSES));
  const name = rest.join('/');
  if (table.target(id)) {
    const hint = didYouMean(name, table.namesOf(id));
    return `${id} has no '${name}'${hint ? `; ${hint}` : ''}`;
  }
  const near = nearest(id, table.ids());
  const ofModule = near === undefined ? undefined : [`/${near}`, ...rest].join('/');
  return sentence('there is no such address', nearest(address, table.aliases()) ?? ofModule);
}

const sentence = (message: string, near: string | undefined): string => (near ? `${message}; did you mean '${near}'?` : message);
