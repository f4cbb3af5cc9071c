// npm run test:runtimes [-- --write --tests-on=<major>]: the prebuilt addon on every supported Node, on Bun and on Deno. All
// tests run on each Node, or on one; the suite of this lane, which needs no vitest, runs on all runtimes. --write writes the
// results to docs/runtimes.md; without it, the results must already be there.

import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { binary, prebuilt, runSuite, runVitest, stop, versionOf, withProject } from './lane.mjs';
import { inDocs, page, write } from './table.mjs';

const { values: wanted } = parseArgs({
  options: { write: { type: 'boolean' }, 'tests-on': { type: 'string' } },
});
const majors = ['20', '22', '24', '26'];
const tested = wanted['tests-on'] === undefined ? majors : [wanted['tests-on']];
if (!tested.every((major) => majors.includes(major))) stop(`Node ${tested} is not in this lane`);

const SYSTEM = 'linux-x64';
const nodes = majors.map((major) => ['Node', [binary(`node-${major}/bin/node`)]]);
const runtimes = [
  ...nodes,
  ['Bun', [binary('bun/bin/bun')]],
  // All permissions: Deno loads no native code without --allow-ffi.
  ['Deno', [binary('deno/deno'), 'run', '--allow-all', '--node-modules-dir=manual']],
].map(([name, command]) => {
  const version = versionOf(command[0]);
  return { name, version, title: `${name} ${version}`, command };
});

prebuilt(SYSTEM);
const failed = [];
const totals = [];
const isTested = ({ name, version }) => name === 'Node' && tested.includes(version.split('.')[0]);
for (const one of runtimes.filter(isTested)) {
  const title = `npm test on ${one.title}`;
  console.log(`\n${title}`);
  const { passed, summary } = await runVitest(one.command, SYSTEM, one.version, {
    // The tests start process.execPath; `node` in shell scripts must be the same program.
    env: { PATH: `${dirname(one.command[0])}:${process.env.PATH}` },
  });
  totals.push(`${title}: ${summary}`);
  if (!passed) failed.push(title);
}
const columns = await withProject(SYSTEM, (folder) =>
  runtimes.map(({ title, command }) => {
    const { passed, outcomes, summary } = runSuite(folder, title, command);
    totals.push(`${title}: ${summary}`);
    if (!passed) failed.push(title);
    return { title, outcomes };
  }),
);

console.log(`\n${totals.join('\n')}`);
if (failed.length > 0) stop(`failed: ${failed.join(', ')}`);
if (wanted.write) write(page(columns));
else if (!inDocs(page(columns))) {
  stop('docs/runtimes.md does not say what was seen: npm run test:runtimes -- --write');
}
