import { KrellError } from '#src/errors.js';
import { COMMAND } from '#src/shared/layout.js';
export default (fails) => {
  if (fails) throw new KrellError('too-much', 'this is too much', { hint: 'take less' });
  return COMMAND.WORDS;
};
