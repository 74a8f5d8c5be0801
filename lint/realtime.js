// ESLint rule for code that DSP threads run: nothing there may allocate, throw, wait for a promise or print.
//
// What runs once, before sound, or on a thread that may do all that, says so in a comment above it that begins with its label:
// `// setup`, `// control` or `// host`, alone or followed by punctuation. The label covers everything inside that function or class.

const LABEL = /^\s*(setup|control|host)\s*($|[:;,.()–—-])/;
const FUNCTIONS = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']);
const CLASSES = new Set(['ClassDeclaration', 'ClassExpression']);

const isInitialiser = (node) => node.type === 'PropertyDefinition' && !node.static;
/** Field initialisers run in the constructor: they count as a function, and its label is theirs. */
const isScope = (node) => FUNCTIONS.has(node.type) || isInitialiser(node);
const constructorAround = (field) => field.parent.body.find((member) => member.kind === 'constructor');

/** Nodes around a function or class whose leading comment is also the function's own. */
const CARRIERS = new Set([
  'VariableDeclarator',
  'VariableDeclaration',
  'ExportNamedDeclaration',
  'ExportDefaultDeclaration',
  'MethodDefinition',
  'PropertyDefinition',
  'Property',
  'AssignmentExpression',
  'ExpressionStatement',
]);

function isLabelled(node, source) {
  const constructor = isInitialiser(node) ? constructorAround(node) : undefined;
  if (constructor && isLabelled(constructor, source)) return true;
  for (let carrier = node; carrier === node || CARRIERS.has(carrier.type); carrier = carrier.parent) {
    const comments = source.getCommentsBefore(carrier);
    // A label begins a comment: a line of prose that happens to start with "host" in the middle of one is no label.
    const begins = (comment, i) => i === 0 || comments[i - 1].type !== 'Line' || comments[i - 1].loc.end.line < comment.loc.start.line - 1;
    if (comments.some((comment, i) => comment.type === 'Line' && LABEL.test(comment.value) && begins(comment, i))) return true;
  }
  return false;
}

/** True when `node` is inside a function and neither that nor anything around it is labelled. */
function isRealTime(node, source) {
  let inside = false;
  for (let scope = node.parent; scope; scope = scope.parent) {
    if (isScope(scope)) inside = true;
    if ((isScope(scope) || CLASSES.has(scope.type)) && isLabelled(scope, source)) return false;
  }
  return inside;
}

const isText = (node) => node.type === 'TemplateLiteral' || (node.type === 'Literal' && typeof node.value === 'string');

const noAllocation = {
  meta: {
    type: 'problem',
    docs: { description: 'forbid allocation, exceptions, promises and printing in real-time code' },
    messages: {
      forbidden:
        '{{what}} in real-time code. Move it to where the thread is set up, or label the function `// setup`, `// control` or `// host`.',
    },
    schema: [],
  },
  create(context) {
    const forbid = (what) => (node) => {
      if (isRealTime(node, context.sourceCode)) context.report({ node, messageId: 'forbidden', data: { what } });
    };
    const closure = forbid('A closure');
    const concatenation = forbid('String concatenation');
    return {
      NewExpression: forbid('`new`'),
      ObjectExpression: forbid('An object literal'),
      ArrayExpression: forbid('An array literal'),
      'Literal[regex]': forbid('A regular expression'),
      // Methods and accessors are part of the class or object literal that is reported already.
      FunctionDeclaration: closure,
      ArrowFunctionExpression: closure,
      ':not(MethodDefinition, Property[method=true], Property[kind!="init"]) > FunctionExpression': closure,
      ClassDeclaration: forbid('A class'),
      ClassExpression: forbid('A class'),
      SpreadElement: forbid('Spread'),
      ':function > RestElement': forbid('A rest parameter'),
      'TemplateLiteral[expressions.length>0]': forbid('A template literal'),
      AwaitExpression: forbid('`await`'),
      YieldExpression: forbid('`yield`'),
      ThrowStatement: forbid('`throw`'),
      'MemberExpression > Identifier.object[name="console"]': forbid('`console`'),
      'BinaryExpression[operator="+"]'(node) {
        if (isText(node.left) || isText(node.right)) concatenation(node);
      },
      'AssignmentExpression[operator="+="]'(node) {
        if (isText(node.right)) concatenation(node);
      },
    };
  },
};

export default { meta: { name: 'realtime' }, rules: { 'no-allocation': noAllocation } };
