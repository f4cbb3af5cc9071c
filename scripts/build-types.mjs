// lib/ -> dist/*.d.ts: one file of types for each entry point, with nothing in it that is not public. scripts/build.mjs calls it.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rollup } from 'rollup';
import { dts } from 'rollup-plugin-dts';
import ts from 'typescript';

/** For types of Node. Since TypeScript 6 a program does not include @types/node by itself. */
const HEADER = '/// <reference types="node" />\n';

/** Writes the types of the entry points. Throws for an error in lib/. */
export async function buildTypes(root, entryPoints) {
  const folder = mkdtempSync(join(tmpdir(), 'socket-options-types-'));
  try {
    emitDeclarations(root, folder);
    for (const entry of entryPoints) {
      const input = join(folder, `${entry}.d.ts`);
      const bundle = await rollup({
        input,
        external: /^node:/,
        plugins: [dts({ tsconfig: false })],
        onwarn: warn,
      });
      const { output } = await bundle.generate({ format: 'es' });
      await bundle.close();
      const types = exportTypesAsTypes(output[0].code, readFileSync(input, 'utf8'));
      const header = types.includes('node:') ? HEADER : '';
      writeFileSync(join(root, 'dist', `${entry}.d.ts`), header + types);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** An entry point may have no types. */
function warn({ code, message }) {
  if (code !== 'EMPTY_BUNDLE') console.warn(message);
}

/** rollup-plugin-dts exports a class as a value, also where the entry point exports its type alone. */
function exportTypesAsTypes(code, entry) {
  const types = [...entry.matchAll(/\btype (\w+)/g)].map(([, name]) => name);
  return code.replace(/^export \{ .* \};$/m, (values) =>
    values.replaceAll(/\w+/g, (name) => (types.includes(name) ? `type ${name}` : name)),
  );
}

/** Writes a file of types for each file of lib/. */
function emitDeclarations(root, folder) {
  const host = { ...ts.sys, onUnRecoverableConfigFileDiagnostic: stop };
  const config = join(root, 'tsconfig.build.json');
  const { fileNames, options } = ts.getParsedCommandLineOfConfigFile(
    config,
    { outDir: folder },
    host,
  );
  const program = ts.createProgram(fileNames, options);
  const diagnostics = ts.getPreEmitDiagnostics(program);
  if (diagnostics.length > 0) stop(...diagnostics);
  const afterDeclarations = [listMembers(program.getTypeChecker())];
  program.emit(undefined, undefined, undefined, true, { afterDeclarations });
}

function stop(...diagnostics) {
  const host = {
    getCanonicalFileName: (name) => name,
    getCurrentDirectory: () => process.cwd(),
    getNewLine: () => '\n',
  };
  throw new Error(ts.formatDiagnosticsWithColorAndContext(diagnostics, host));
}

/**
 * Replaces types that are computed from internal ones by the lists of their members, with their JSDoc:
 * `{ [Name in keyof Catalogue]: Read<Catalogue[Name]> }` and `ReturnType<typeof bbr>`. "Go to definition" of an option then ends
 * at its documentation.
 */
function listMembers(checker) {
  return (context) => (file) => {
    const visit = (node) =>
      isComputed(node)
        ? listOf(ts.getOriginalNode(node), checker)
        : ts.visitEachChild(node, visit, context);
    // With type parameters, the members depend on what the type is used with.
    const visitStatement = (node) =>
      ts.isTypeAliasDeclaration(node) && node.typeParameters === undefined ? visit(node) : node;
    return ts.visitEachChild(file, visitStatement, context);
  };
}

const isComputed = (node) =>
  ts.isMappedTypeNode(node) ||
  (ts.isTypeReferenceNode(node) && node.typeName.escapedText === 'ReturnType');

/** Not the name of the type itself, and everything that is in it. */
const FLAGS =
  ts.NodeBuilderFlags.InTypeAlias |
  ts.NodeBuilderFlags.MultilineObjectLiterals |
  ts.NodeBuilderFlags.NoTruncation |
  ts.NodeBuilderFlags.UseSingleQuotesForStringLiteralType;

function listOf(node, checker) {
  const type = checker.getTypeAtLocation(node);
  const list = checker.typeToTypeNode(type, node, FLAGS);
  for (const member of list.members) {
    const comment = commentOf(checker.getPropertyOfType(type, member.name.text));
    if (comment === undefined) continue;
    ts.setCommentRange(member, { pos: -1, end: -1 });
    ts.addSyntheticLeadingComment(member, ts.SyntaxKind.MultiLineCommentTrivia, comment, true);
  }
  return list;
}

/** Returns the JSDoc of a member without its first and last two characters. */
function commentOf({ declarations }) {
  const declaration = declarations?.[0];
  if (declaration === undefined) return undefined;
  const { text } = declaration.getSourceFile();
  const ranges = ts.getLeadingCommentRanges(text, declaration.pos) ?? [];
  const comments = ranges.map(({ pos, end }) => text.slice(pos + 2, end - 2));
  return comments.findLast((one) => one.startsWith('*'))?.replaceAll(/\n *\*/g, '\n *');
}
