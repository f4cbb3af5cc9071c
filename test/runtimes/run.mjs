// npm run test:runtimes [-- --write]: the prebuilt addon on every Node that the package supports, on Bun
// and on Deno. The whole suite on each Node; what a runtime without vitest can run, on all of them.
// --write puts what was seen into docs/runtimes.md; without it, that has to be there.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { binary, prebuilt, root, runSuite, stop, versionOf, withProject } from './lane.mjs';
import { inDocs, page, write } from './table.mjs';

const wanted = process.argv.slice(2);
if (wanted.some((argument) => argument !== '--write')) stop('test:runtimes takes --write alone');

const SYSTEM = 'linux-x64';
const nodes = ['20', '22', '24', '26'].map((major) => ['Node', [binary(`node-${major}/bin/node`)]]);
const runtimes = [
  ...nodes,
  ['Bun', [binary('bun/bin/bun')]],
  // All is allowed: native code is, and without --allow-ffi Deno loads none.
  ['Deno', [binary('deno/deno'), 'run', '--allow-all', '--node-modules-dir=manual']],
].map(([name, command]) => {
  const version = versionOf(command[0]);
  return { name, version, title: `${name} ${version}`, command };
});

/** npm test, on this Node and the prebuilt addon: what it said of itself, and whether it passed. */
async function runVitest({ version, command: [node] }) {
  const suite = spawn(node, [join(root, 'node_modules/vitest/vitest.mjs'), 'run'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    // The tests start process.execPath; what a shell script calls `node` is the same one.
    env: { ...process.env, PATH: `${dirname(node)}:${process.env.PATH}`, PREBUILDS_ONLY: '1' },
  });
  const closed = once(suite, 'close');
  let text = '';
  for await (const piece of suite.stdout.setEncoding('utf8')) {
    text += piece;
    process.stdout.write(piece);
  }
  const [status] = await closed;
  // What test/support/setup.ts and reporter.mts say.
  const tested = `testing prebuilds/${SYSTEM}/socket-options.node on Node v${version}, ${SYSTEM}\n`;
  const counts = /^([1-9]\d*) passed, 0 failed, \d+ skipped$/m.exec(text);
  const passed = status === 0 && text.includes(tested) && counts !== null;
  return { passed, summary: counts?.[0] ?? `exit status ${status}` };
}

prebuilt(SYSTEM);
const failed = [];
const totals = [];
for (const one of runtimes.filter(({ name }) => name === 'Node')) {
  const title = `npm test on ${one.title}`;
  console.log(`\n${title}`);
  const { passed, summary } = await runVitest(one);
  totals.push(`${title}: ${summary}`);
  if (!passed) failed.push(title);
}
const columns = withProject(SYSTEM, (folder) =>
  runtimes.map(({ title, command }) => {
    const { passed, outcomes, summary } = runSuite(folder, title, command);
    totals.push(`${title}: ${summary}`);
    if (!passed) failed.push(title);
    return { title, outcomes };
  }),
);

console.log(`\n${totals.join('\n')}`);
if (failed.length > 0) stop(`failed: ${failed.join(', ')}`);
if (wanted.includes('--write')) write(page(columns));
else if (!inDocs(page(columns))) {
  stop('docs/runtimes.md does not say what was seen: npm run test:runtimes -- --write');
}
