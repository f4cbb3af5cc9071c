// Checks the JSDoc of the public symbols, which are the exports of the entry points and their members: docs/style.md has the
// rules. scripts/jsdoc-rules.mjs checks one doc, scripts/jsdoc-examples.mjs compiles the examples. `npm run check` runs it.

import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { compileExamples } from './jsdoc-examples.mjs';
import { docProblems, exampleOf, optionProblems } from './jsdoc-rules.mjs';
import { source } from './source.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const ENTRY_POINTS = ['index', 'heartbeat', 'metrics'].map((name) => `${root}lib/${name}.ts`);
/** Exports that no user sees: scripts/build.mjs. */
const INTERNAL = /^internal/;
/** Types whose members are rows of the catalogue. */
const OF_OPTIONS = /^(?:OptionValues|SocketOptions|OpeningOptions)\.(\w+)$/;

const { rows } = await source(['catalogue/catalogue']);
const { config } = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile);
const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
const host = ts.createCompilerHost(options);
const program = ts.createProgram({ rootNames: ENTRY_POINTS, options, host });
const checker = program.getTypeChecker();

const counts = { symbols: 0, members: 0 };
const problems = [];
const examples = [];
/** The symbols and nodes that are done: several types may have the same member. */
const done = new Set();
/** The names of functions, classes and constants, with their entry points. */
const values = [];

for (const file of ENTRY_POINTS) {
  const entry = checker.getSymbolAtLocation(program.getSourceFile(file));
  for (const exported of checker.getExportsOfModule(entry)) {
    if (INTERNAL.test(exported.name)) continue;
    const isType = exported.declarations.some(ts.isTypeOnlyExportDeclaration);
    const isAlias = exported.flags & ts.SymbolFlags.Alias;
    const symbol = isAlias ? checker.getAliasedSymbol(exported) : exported;
    const isValue = !isType && (symbol.flags & ts.SymbolFlags.Value) !== 0;
    if (isValue) values.push([exported.name, file]);
    checkSymbol(symbol, isValue);
  }
}
problems.push(...compileExamples(examples, values, program, host));

for (const { node, name, problem } of problems) {
  const file = node.getSourceFile();
  const { line } = file.getLineAndCharacterOfPosition(node.getStart());
  console.error(`${relative(root, file.fileName)}:${line + 1} ${name}: ${problem}`);
  process.exitCode = 1;
}
const { symbols, members } = counts;
console.log(`${symbols} public symbols, ${members} members, ${examples.length} examples`);

function checkSymbol(symbol, isValue) {
  if (done.has(symbol)) return;
  done.add(symbol);
  counts.symbols++;
  const { name } = symbol;
  const [node] = symbol.declarations;
  if (ts.isFunctionDeclaration(node)) {
    checkOverloads(symbol.declarations, 'function', name);
  } else if (ts.isVariableDeclaration(node)) {
    checkDoc('constant', node, name);
  } else {
    const isClass = ts.isClassDeclaration(node);
    // A program cannot construct a class if only its type is exported.
    checkDoc(isClass && isValue ? 'class' : 'type', node, name);
    if (isClass) checkClass(node, name, isValue);
    checkProperties(checker.getDeclaredTypeOfSymbol(symbol), node, name);
  }
}

/** The first overload has the whole doc, the others a summary and `@param` for further parameters. */
function checkOverloads(declarations, kind, name) {
  const overloads =
    declarations.length > 1 ? declarations.filter(({ body }) => !body) : declarations;
  const documented = new Set();
  for (const [index, node] of overloads.entries()) {
    checkDoc(index === 0 ? kind : 'overload', node, name, { documented });
  }
}

function checkClass({ members, heritageClauses }, name, isValue) {
  const events = heritageClauses?.[0].types[0].typeArguments?.[0]?.members ?? [];
  for (const event of events) checkMember('type', event, `${name} '${event.name.text}'`);
  for (const member of members) {
    if (ts.isConstructorDeclaration(member) && isValue) {
      checkMember('constructor', member, `${name} constructor`);
    } else if (ts.isMethodDeclaration(member) && isPublic(member)) {
      checkMember('method', member, `${name}.${member.name.getText()}`);
    }
  }
}

function isPublic(member) {
  const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected;
  return !ts.isPrivateIdentifier(member.name) && !(ts.getCombinedModifierFlags(member) & hidden);
}

/** Checks the properties of a type. The doc of `container` may say what `null` and `undefined` mean. */
function checkProperties(type, container, name) {
  for (const part of type.isUnion() ? type.types : [type]) {
    if (!(part.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection))) continue;
    // Parts without a name, as `{ fd }` of SocketLike: the doc of the union is theirs.
    if (part !== type && part.symbol?.flags & ts.SymbolFlags.TypeLiteral) continue;
    for (const property of checker.getPropertiesOfType(part)) {
      const node = property.declarations?.find(isOwn);
      if (node === undefined || ts.isMethodDeclaration(node)) continue;
      if (ts.isClassElement(node) && !isPublic(node)) continue;
      checkProperty(property, node, container, `${name}.${property.name}`);
    }
  }
}

function checkProperty(property, node, container, name) {
  const type = checker.getTypeOfSymbol(property);
  const parts = type.isUnion() ? type.types : [type];
  const [, option] = OF_OPTIONS.exec(name) ?? [];
  checkMember(ts.isMethodSignature(node) ? 'type' : 'member', node, name, {
    container,
    holds: (flag) => parts.some(({ flags }) => flags & flag),
    isOptional: Boolean(property.flags & ts.SymbolFlags.Optional),
    row: option && rows()[option],
  });
  // An object without a type of its own: SO_MEMINFO of KernelTcpInfoDetails.
  for (const part of parts) {
    if (part.symbol?.flags & ts.SymbolFlags.ObjectLiteral) checkProperties(part, container, name);
  }
}

/** Whether a declaration is one of this package. */
function isOwn(node) {
  return node.getSourceFile().fileName.startsWith(`${root}lib/`);
}

function checkMember(kind, node, name, about) {
  if (done.has(node)) return;
  done.add(node);
  counts.members++;
  checkDoc(kind, node, name, about);
}

function checkDoc(kind, node, name, about = {}) {
  const found = docProblems(kind, node, { checker, ...about });
  if (about.row !== undefined) found.push(...optionProblems(node, about.row));
  problems.push(...found.map((problem) => ({ node, name, problem })));
  const code = exampleOf(node);
  if (code !== undefined) examples.push({ node, name, code });
}
