// What is said to whoever wants something of an engine that has been stopped.
import { KrellError } from '../errors.js';

export const stopped = (): KrellError => new KrellError('stopped', 'the engine has been stopped', { hint: 'create another' });
