import type { Random } from '../random.js';
import type { Show } from '../show.js';

/** Something that goes wrong. Resolves when its consequences are over, with what it was in words; rejects when they were not as promised. */
export interface Disaster {
  readonly name: string;
  run(show: Show, random: Random): Promise<string>;
}

export const expectThat = (holds: boolean, message: string): void => {
  if (!holds) throw new Error(message);
};

/** The code of the error that a promise is rejected with; undefined when it is not. */
export const codeOf = (work: Promise<unknown>): Promise<string | undefined> =>
  work.then(
    () => undefined,
    (error: unknown) => (error as { code?: string }).code ?? String(error),
  );
