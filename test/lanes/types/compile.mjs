// One version of TypeScript: compiles every cell and prints the results as JSON. The arguments are the folder of the compiler
// and the folder with a project for each version of @types/node; `sample` compiles one cell only. One process compiles all cells,
// because files are parsed once.

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { consumersOf, MODES, NODE_TYPES, optionsOf, problemsOf, SAMPLE } from './cells.mjs';

const [compiler, folder, sample] = process.argv.slice(2);
const require = createRequire(import.meta.url);
const { version } = require(join(compiler, 'package.json'));
const major = Number(version.split('.')[0]);

const results = { version, compiled: 0, files: 0, skipped: [], failed: [] };
for (const nodeTypes of NODE_TYPES) {
  const project = join(folder, nodeTypes ?? 'none');
  for (const mode of MODES) {
    if (major > (mode.until ?? major)) {
      results.skipped.push(`${mode.name}: TypeScript ${major} does not have it`);
      continue;
    }
    const files = consumersOf(nodeTypes).map((name) => join(project, `${name}.${mode.extension}`));
    for (const skipLibCheck of [false, true]) {
      const cell = { nodeTypes, mode, skipLibCheck };
      if (sample && !isSample(cell)) continue;
      const compile = major >= 7 ? compileByProgram : compileByApi;
      const diagnostics = compile({ project, files, options: optionsOf(cell, major), mode });
      results.compiled++;
      results.files += files.length;
      const title = `${mode.name}, ${nodeTypes ?? 'no @types/node'}, skipLibCheck ${skipLibCheck}`;
      for (const problem of problemsOf(cell, diagnostics)) results.failed.push(`${title}: ${problem}`);
    }
  }
}
process.stdout.write(JSON.stringify(results));

function isSample({ nodeTypes, mode, skipLibCheck }) {
  return mode.name === SAMPLE.mode && nodeTypes === SAMPLE.nodeTypes && !skipLibCheck;
}

/** Returns the diagnostics of the consumers and of the package's types, and not those of @types/node and TypeScript. */
function compileByApi({ project, files, options, mode }) {
  const ts = require(compiler);
  const parsed = ts.convertCompilerOptionsFromJson(options, project);
  const host = cachingHost(ts, parsed.options, mode.name);
  host.getCurrentDirectory = () => project;
  const program = ts.createProgram(files, parsed.options, host);
  const own = program.getSourceFiles().filter(({ fileName }) => isOwn(project, fileName));
  const diagnostics = [
    ...parsed.errors,
    ...program.getOptionsDiagnostics(),
    ...program.getGlobalDiagnostics(),
    ...own.flatMap((file) => program.getSyntacticDiagnostics(file)),
    ...own.flatMap((file) => program.getSemanticDiagnostics(file)),
  ];
  return diagnostics.map(({ file, code, messageText }) => ({
    file: file === undefined ? '' : relative(project, file.fileName),
    code,
    message: ts.flattenDiagnosticMessageText(messageText, ' '),
  }));
}

/** A compiler that has no API. */
function compileByProgram({ project, files, options }) {
  const config = join(project, 'tsconfig.json');
  writeFileSync(config, JSON.stringify({ compilerOptions: options, files }));
  const tsc = join(compiler, 'bin/tsc');
  const { stdout, stderr, status } = spawnSync(process.execPath, [tsc, '--pretty', 'false', '-p', config], {
    cwd: project,
    encoding: 'utf8',
  });
  const lines = stdout.matchAll(/^(?:([^\s(][^(\n]*)\(\d+,\d+\): )?error TS(\d+): (.*)$/gm);
  const diagnostics = [...lines].map(([, file = '', code, message]) => ({ file, code: Number(code), message }));
  if (status !== 0 && diagnostics.length === 0) throw new Error(stdout + stderr);
  return diagnostics.filter(({ file }) => file === '' || isOwn(project, join(project, file)));
}

/** Whether a file is a consumer, or belongs to the package. */
function isOwn(project, file) {
  const [first, second] = relative(project, file).split('/');
  return first === 'node_modules' ? second === 'socket-options' : first !== '..';
}

/** The parsed files of each mode: how a file is parsed depends on the mode. */
const caches = new Map();

function cachingHost(ts, options, mode) {
  const host = ts.createCompilerHost(options);
  const parse = host.getSourceFile;
  const cache = caches.get(mode) ?? new Map();
  caches.set(mode, cache);
  host.getSourceFile = (name, ...rest) => {
    if (!cache.has(name)) cache.set(name, parse.call(host, name, ...rest));
    return cache.get(name);
  };
  return host;
}
