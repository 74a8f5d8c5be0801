// What Krell throws. The message is complete by itself: where, what, and what to do instead.

export class KrellError extends Error {
  /** Where: a path in a patch, a file, or an option. */
  readonly path?: string;
  /** What to do instead. */
  readonly hint?: string;

  constructor(
    /** For programs; does not change when the wording does. */
    readonly code: string,
    message: string,
    where: { path?: string | undefined; hint?: string | undefined; cause?: unknown } = {},
  ) {
    super(sentence({ path: where.path ?? '', message, hint: where.hint }), where.cause === undefined ? {} : { cause: where.cause });
    this.name = new.target.name;
    if (where.path !== undefined) this.path = where.path;
    if (where.hint !== undefined) this.hint = where.hint;
  }
}

/** The command line was wrong (exit code 2). */
export class UsageError extends KrellError {
  constructor(message: string, where: { path?: string | undefined; hint?: string | undefined } = {}) {
    super('usage', message, where);
  }
}

/** One thing wrong with a patch. */
export interface Problem {
  /** `modules.vcf1.params.cutof`, `cables[3].to`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
  readonly hint?: string | undefined;
}

/** Problems that a message spells out; the rest is counted. */
const SHOWN = 20;

/** A patch, or an edit of one, is not valid; nothing of it was applied. */
export class PatchError extends KrellError {
  constructor(
    readonly problems: readonly Problem[],
    /** `source`: the file. `count`: how many problems there are, when `problems` holds only the first. */
    { source, count = problems.length }: { source?: string | undefined; count?: number } = {},
  ) {
    const shown = problems.slice(0, SHOWN).map((problem) => indent(sentence(problem)));
    if (count > shown.length) shown.push(indent(`… and ${(count - shown.length).toLocaleString('en')} more`));
    super('patch', `${source ?? 'patch'}: ${count === 1 ? '1 error' : `${count.toLocaleString('en')} errors`}\n${shown.join('\n')}`);
  }
}

const sentence = ({ path, message, hint }: Problem): string => `${path && `${path}: `}${message}${hint ? `; ${hint}` : ''}`;
const indent = (text: string): string => text.replace(/^/gm, '  ');
