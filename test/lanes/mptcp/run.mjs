// npm run test:mptcp: Multipath TCP over two paths, between two network namespaces. Prints each case, and the counts.
// A word as argument runs the programs whose titles contain it.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { needMptcp } from './hosts.mjs';

/** Longer than any program takes. */
const TIMEOUT = 80_000;

const mptcpize = ['mptcpize', 'run'];
const lostPeers = (timeout, first, way, version) => ({
  title: `lost peers, ${timeout / 1_000} s, first path ${first}, ${way}, ${version}`,
  program: 'dead-peers.mjs',
  args: [`${timeout}`, first, way, version],
  wrapper: way === 'wrapped' ? mptcpize : [],
});

const programs = [
  { title: 'subflows', program: 'subflows.mjs', args: [], wrapper: [] },
  lostPeers(4_000, 'cut 1', 'connect', 'IPv4'),
  lostPeers(8_000, 'cut 2', 'connect', 'IPv6'),
  lostPeers(8_000, 'removed', 'connect', 'IPv4'),
  lostPeers(8_000, 'cut 1', 'wrapped', 'IPv4'),
].filter(({ title }) => title.includes(process.argv[2] ?? ''));

/** Runs a program in new namespaces, and returns its cases. */
function casesOf({ program, args, wrapper }) {
  const path = fileURLToPath(new URL(program, import.meta.url));
  const command = ['--net', '--mount', ...wrapper, process.execPath, path, ...args];
  const options = { timeout: TIMEOUT, killSignal: 'SIGKILL', maxBuffer: 1 << 24 };
  return new Promise((resolve) => {
    execFile('unshare', command, options, (error, stdout, stderr) => {
      try {
        const cases = JSON.parse(stdout);
        if (cases.length === 0) throw new Error('no cases');
        resolve(cases);
      } catch {
        resolve([{ name: program, failed: `${error?.message ?? 'no cases'}\n${stderr}` }]);
      }
    });
  });
}

if (process.getuid?.() !== 0) {
  console.error(
    'test:mptcp: needs root, which makes network namespaces and Multipath TCP endpoints',
  );
  process.exit(1);
}
try {
  needMptcp();
} catch (error) {
  console.error(`test:mptcp: ${error.message}`);
  process.exit(1);
}

const total = { passed: 0, failed: 0, skipped: 0 };
const results = await Promise.all(
  programs.map(async (program) => ({ ...program, cases: await casesOf(program) })),
);
for (const { title, cases } of results) {
  console.log(`\n${title}`);
  for (const { name, failed, skipped } of cases) {
    const outcome = failed !== undefined ? 'failed' : skipped !== undefined ? 'skipped' : 'passed';
    total[outcome]++;
    const reason = failed ?? skipped;
    const label = outcome === 'failed' ? 'FAILED' : outcome;
    console.log(`  ${label}  ${name}${reason === undefined ? '' : `: ${reason}`}`);
  }
}
console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
if (total.failed > 0 || total.passed === 0) process.exitCode = 1;
