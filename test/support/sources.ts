// The sources of lib/ and the pages of the docs, for tests that compare what they say.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

const root = join(__dirname, '../..');

export const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** The files below a folder with this ending, by their paths from the root. */
export function filesBelow(folder: string, ending: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((path) => join(folder, path).replaceAll('\\', '/'))
    .filter((path) => path.endsWith(ending) && !path.includes('node_modules'));
}

/** The pages for users: not those that record decisions. */
export const pages: ReadonlyMap<string, string> = new Map(
  [
    ...['README.md', 'SECURITY.md', 'CONTRIBUTING.md', 'examples/README.md'],
    ...readdirSync(join(root, 'docs'))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `docs/${name}`),
  ].map((path) => [path, read(path)]),
);

export const docs: string = [...pages.values()].join('\n');

/** The parsed files of lib/, without those that a script writes. */
export const library: ReadonlyMap<string, ts.SourceFile> = new Map(
  filesBelow('lib', '.ts')
    .filter((path) => !path.includes('/generated/'))
    .map((path) => [path, ts.createSourceFile(path, read(path), ts.ScriptTarget.ES2022, true)]),
);

/** Calls `visit` with each node of a file. */
export function eachNode(file: ts.Node, visit: (node: ts.Node) => void): void {
  visit(file);
  ts.forEachChild(file, (node) => eachNode(node, visit));
}

/** The JSDoc of a node in one line, with that of its parameters, and without other tags; `''` if there is none. */
export function jsDocOf(node: ts.Node): string {
  const docs = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc);
  return docs
    .flatMap(({ comment, tags = [] }) => [
      ts.getTextOfJSDocComment(comment),
      ...tags.filter(ts.isJSDocParameterTag).map((tag) => ts.getTextOfJSDocComment(tag.comment)),
    ])
    .join(' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

/** The members of an exported interface, its own and those that it inherits from interfaces of lib/. */
export function membersOf(name: string): { name: string; isOptional: boolean; doc: string }[] {
  for (const file of library.values()) {
    const found = file.statements.find(
      (node) => ts.isInterfaceDeclaration(node) && node.name.text === name,
    ) as ts.InterfaceDeclaration | undefined;
    if (found === undefined) continue;
    const inherited = (found.heritageClauses ?? [])
      .flatMap(({ types }) => types)
      .flatMap(({ expression }) => membersOf(expression.getText()));
    const own = found.members.filter(ts.isPropertySignature).map((member) => ({
      name: member.name.getText(),
      isOptional: member.questionToken !== undefined,
      doc: jsDocOf(member),
    }));
    return [...inherited, ...own];
  }
  throw new Error(`lib/ has no interface ${name}`);
}

/** The words of an exported union of strings: `type ZeroWindow = 'fail' | 'tolerate'`. */
export function wordsOf(name: string): string[] {
  for (const file of library.values()) {
    for (const node of file.statements) {
      if (!ts.isTypeAliasDeclaration(node) || node.name.text !== name) continue;
      return [...node.type.getText().matchAll(/'([^']+)'/g)].map(([, word]) => word as string);
    }
  }
  throw new Error(`lib/ has no type ${name}`);
}
