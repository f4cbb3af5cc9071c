// One version of TypeScript: compiles every cell and prints the results as JSON. The arguments are the folder of the compiler
// and the folder with a project for each version of @types/node; `sample` compiles one cell only. One process compiles all cells,
// because files are parsed once.

import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { consumersOf, MODES, NODE_TYPES, optionsOf, problemsOf, SAMPLE } from './cells.mjs';

const [compiler, folder, sample] = process.argv.slice(2);
const require = createRequire(import.meta.url);
const { version } = require(join(compiler, 'package.json'));
const major = Number(version.split('.')[0]);

/** The parsed declarations, for all programs. */
const parsed = new Map();
const results = { version, compiled: 0, files: 0, skipped: [], failed: [] };
for (const nodeTypes of NODE_TYPES) {
  const project = join(folder, nodeTypes ?? 'none');
  const least = leastVersionFor(project);
  if (compareVersions(version, least) < 0) {
    results.skipped.push(`${nodeTypes}: it needs TypeScript ${least}`);
    continue;
  }
  for (const mode of MODES) {
    if (major > (mode.until ?? major)) {
      results.skipped.push(`${mode.name}: TypeScript ${major} does not have it`);
      continue;
    }
    const files = consumersOf(nodeTypes).map((name) => join(project, `${name}.${mode.extension}`));
    // Whether the types themselves are checked does not depend on the mode.
    for (const skipLibCheck of mode.name === SAMPLE.mode ? [false, true] : [false]) {
      const cell = { nodeTypes, mode, skipLibCheck };
      if (sample && !isSample(cell)) continue;
      const compile = major >= 7 ? compileByProgram : compileByApi;
      const diagnostics = compile({ project, files, options: optionsOf(cell, major) });
      results.compiled++;
      results.files += files.length;
      const title = `${mode.name}, ${nodeTypes ?? 'no @types/node'}, skipLibCheck ${skipLibCheck}`;
      for (const problem of problemsOf(cell, diagnostics))
        results.failed.push(`${title}: ${problem}`);
    }
  }
}
process.stdout.write(JSON.stringify(results));

/** Returns the least version of TypeScript for the @types/node of a project, as its manifest has it. */
function leastVersionFor(project) {
  const manifest = join(project, 'node_modules/@types/node/package.json');
  return existsSync(manifest) ? require(manifest).typeScriptVersion : '0.0';
}

function compareVersions(a, b) {
  return a.localeCompare(b, 'en', { numeric: true });
}

function isSample({ nodeTypes, mode, skipLibCheck }) {
  return mode.name === SAMPLE.mode && nodeTypes === SAMPLE.nodeTypes && !skipLibCheck;
}

/** Returns the diagnostics of the consumers and of the package's types, and not those of @types/node and TypeScript. */
function compileByApi({ project, files, options }) {
  const ts = require(compiler);
  const { options: converted, errors } = ts.convertCompilerOptionsFromJson(options, project);
  const host = cachingHost(ts, converted);
  host.getCurrentDirectory = () => project;
  const program = ts.createProgram(files, converted, host);
  const own = program.getSourceFiles().filter(({ fileName }) => isOwn(project, fileName));
  const diagnostics = [
    ...errors,
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
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [tsc, '--pretty', 'false', '-p', config],
    {
      cwd: project,
      encoding: 'utf8',
    },
  );
  const lines = stdout.matchAll(/^(?:([^\s(][^(\n]*)\(\d+,\d+\): )?error TS(\d+): (.*)$/gm);
  const diagnostics = [...lines].map(([, file = '', code, message]) => ({
    file,
    code: Number(code),
    message,
  }));
  if (status !== 0 && diagnostics.length === 0) throw new Error(stdout + stderr);
  return diagnostics.filter(({ file }) => file === '' || isOwn(project, join(project, file)));
}

/** Whether a file is a consumer, or belongs to the package. */
function isOwn(project, file) {
  const [first, second] = relative(project, file).split('/');
  return first === 'node_modules' ? second === 'socket-options' : first !== '..';
}

/** A host that parses each declaration file once. Modules and scripts are parsed in different ways. */
function cachingHost(ts, options) {
  const host = ts.createCompilerHost(options);
  const parse = host.getSourceFile;
  host.getSourceFile = (name, how, ...rest) => {
    if (!name.endsWith('.d.ts')) return parse.call(host, name, how, ...rest);
    const key = `${name} ${how.impliedNodeFormat}`;
    if (!parsed.has(key)) parsed.set(key, parse.call(host, name, how, ...rest));
    return parsed.get(key);
  };
  return host;
}
