// npm run test:types: compiles programs that use the package against its packed types, with several versions of TypeScript and of
// @types/node, in every module mode, with and without skipLibCheck. First it plants a fault in a copy and must find it.

import { execFileSync, spawn } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installed } from '../../support/cache.cjs';
import { pack } from '../../support/pack.cjs';
import { MODES, NODE_TYPES } from './cells.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const modules = installed('types', here);
const compilers = readdirSync(modules).filter((name) => name.startsWith('typescript-'));

/** A fault for the end of the types: TypeScript before 5.7 does not have this type. */
const PLANTED = 'export declare const planted: Int32Array<ArrayBuffer>;';
const FINDS = { 'typescript-5.0': true, 'typescript-6.0': false };

const folder = mkdtempSync(join(tmpdir(), 'socket-options-types-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const { tarball } = pack(folder);
execFileSync('tar', ['-xf', tarball, '-C', folder]);

const start = performance.now();
const planted = makeProjects('planted', PLANTED);
for (const { name, failed } of await compileAll(Object.keys(FINDS), planted, 'sample')) {
  if (failed.length > 0 !== FINDS[name])
    stop(`${name}: the planted fault: ${failed.join() || 'none'}`);
}
console.log('the planted fault was found');

const results = await compileAll(compilers, makeProjects('projects'));
let failures = 0;
for (const { version, compiled, files, skipped, failed } of results) {
  console.log(
    `\nTypeScript ${version}: ${compiled} programs of ${files} files, ${failed.length} problems`,
  );
  for (const line of failed) console.log(`  FAILED: ${line}`);
  for (const line of new Set(skipped)) console.log(`  skipped: ${line}`);
  failures += failed.length;
}
const compiled = results.reduce((sum, one) => sum + one.compiled, 0);
const skipped = results.reduce((sum, one) => sum + one.skipped.length, 0);
const seconds = Math.round((performance.now() - start) / 1_000);
console.log(`\n${compiled} compiled, ${failures} problems, ${skipped} skipped, in ${seconds} s`);
if (failures > 0 || compiled === 0) stop('failed');

/** Makes a project for each version of @types/node. `planted` is added to the types of the package. */
function makeProjects(name, planted = '') {
  const projects = join(folder, name);
  rmSync(projects, { recursive: true, force: true });
  for (const nodeTypes of NODE_TYPES) {
    const project = join(projects, nodeTypes ?? 'none');
    const home = join(project, 'node_modules/socket-options');
    mkdirSync(home, { recursive: true });
    cpSync(join(folder, 'package/package.json'), join(home, 'package.json'));
    cpSync(join(folder, 'package/dist'), join(home, 'dist'), { recursive: true });
    appendFileSync(join(home, 'dist/index.d.ts'), planted);
    if (nodeTypes !== null) {
      mkdirSync(join(project, 'node_modules/@types'));
      symlinkSync(join(modules, nodeTypes), join(project, 'node_modules/@types/node'));
    }
    for (const consumer of readdirSync(join(here, 'consumers'))) {
      const text = readFileSync(join(here, 'consumers', consumer), 'utf8');
      for (const extension of new Set(MODES.map((mode) => mode.extension))) {
        writeFileSync(join(project, consumer.replace(/ts$/, extension)), text);
      }
    }
  }
  return projects;
}

/** Runs compilers, two at a time. */
async function compileAll(names, projects, ...args) {
  const waiting = [...names];
  const done = [];
  const work = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      done.push({ name, ...(await compile(name, projects, args)) });
    }
  };
  await Promise.all([work(), work()]);
  return done.sort((a, b) => names.indexOf(a.name) - names.indexOf(b.name));
}

async function compile(name, projects, more) {
  const args = [join(here, 'compile.mjs'), join(modules, name), projects, ...more];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  for await (const piece of child.stdout.setEncoding('utf8')) text += piece;
  if (text === '') stop(`${name} printed nothing`);
  return JSON.parse(text);
}

function stop(reason) {
  console.error(reason);
  process.exit(1);
}
