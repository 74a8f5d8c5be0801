// A tree as JSON, piece by piece: the whole of a large patch is several megabytes, which are never held at once.
import type { Node } from './tree.js';

/** The JSON of a node and all that is in it, or of some of its attributes. Joined, the pieces are one document. */
export function* jsonOf(node: Node, wanted?: ReadonlySet<string>): Generator<string> {
  const entries = Object.entries(node.attributes());
  const own = JSON.stringify(Object.fromEntries(wanted ? entries.filter(([name]) => wanted.has(name)) : entries));
  if (!node.holds || !(wanted?.has('CONTENTS') ?? true)) {
    yield own;
    return;
  }
  yield `${own.slice(0, -1)}${own === '{}' ? '' : ','}"CONTENTS":{`;
  let comma = '';
  for (const [name, child] of node.children) {
    yield `${comma}${JSON.stringify(name)}:`;
    yield* jsonOf(child);
    comma = ',';
  }
  yield '}}';
}
