// Compiles the examples of the JSDoc against the sources. Part of scripts/check-jsdoc.mjs.

import { dirname } from 'node:path';
import ts from 'typescript';

/** What examples use without declaring it, beside all that the package exports. */
const GIVEN = {
  socket: "import('node:net').Socket",
  sockets: "readonly import('node:net').Socket[]",
  server: "import('node:net').Server",
  udpSocket: "import('node:dgram').Socket",
  response: "import('node:http').ServerResponse",
};

/**
 * Returns the errors of the compiler. Each example is a module of its own. `exported`: the names of the functions, classes
 * and constants of the package, with the files of their entry points. `program`: the sources.
 */
export function compileExamples(examples, exported, program, host) {
  const folder = dirname(exported[0][1]);
  const types = [
    ...exported.map(([name, file]) => [
      name,
      `typeof import('${file.replace(/\.ts$/, '')}').${name}`,
    ]),
    ...Object.entries(GIVEN),
  ];
  const globals = types.map(([name, type]) => `const ${name}: ${type};`).join('\n');
  const files = new Map([
    [`${folder}/jsdoc-examples.d.ts`, `export {};\ndeclare global {\n${globals}\n}\n`],
    ...examples.map(({ code }, index) => [`${folder}/jsdoc-${index}.mts`, `export {};\n${code}\n`]),
  ]);
  const compiled = ts.createProgram({
    rootNames: [...files.keys()],
    options: { ...program.getCompilerOptions(), noUnusedLocals: false },
    host: withFiles(files, program, host),
  });
  return examples.flatMap(({ node, name }, index) => {
    const file = compiled.getSourceFile(`${folder}/jsdoc-${index}.mts`);
    const errors = [
      ...compiled.getSyntacticDiagnostics(file),
      ...compiled.getSemanticDiagnostics(file),
    ];
    return errors.map(({ messageText }) => {
      const text = ts.flattenDiagnosticMessageText(messageText, ' ');
      return { node, name, problem: `the @example does not compile: ${text}` };
    });
  });
}

/** A compiler host that also has these files, which are not on the disk. It parses no file of the program again. */
function withFiles(files, program, host) {
  return {
    ...host,
    fileExists: (name) => files.has(name) || host.fileExists(name),
    readFile: (name) => files.get(name) ?? host.readFile(name),
    getSourceFile: (name, languageVersion, ...rest) => {
      const text = files.get(name);
      return text === undefined
        ? (program.getSourceFile(name) ?? host.getSourceFile(name, languageVersion, ...rest))
        : ts.createSourceFile(name, text, languageVersion);
    },
  };
}
