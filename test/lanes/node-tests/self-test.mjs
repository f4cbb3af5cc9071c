// Checks of the lane itself: that every process of a test has tuned sockets, and that planted faults turn tests red.

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { tuned } from './outcome.mjs';

const PROBE = fileURLToPath(new URL('probe.cjs', import.meta.url));

/** Each fault of planted-faults.cjs, and a test of Node that finds it. */
const PLANTED = [
  ['keeps the process running', 'parallel/test-net-after-close.js'],
  ['lets the process end late', 'parallel/test-net-after-close.js'],
  ['adds a global', 'parallel/test-net-after-close.js'],
  ['leaves a listener for errors', 'parallel/test-http-agent-keepalive.js'],
  ['leaves a listener for timeouts', 'parallel/test-http-client-timeout-option-listeners.js'],
  ['ends living connections', 'parallel/test-net-settimeout.js'],
];
/** Those tests take less than a second. */
const PATIENCE = 10;

/** The sockets of the probe, by name, for which the kernel has keepalive on; and the other ones. */
function probe(node, plant) {
  const env = { ...process.env, ...tuned(plant) };
  const text = execFileSync(node, [PROBE], { env, encoding: 'utf8' });
  const sockets = Object.entries(JSON.parse(text)).flatMap(([place, sides]) =>
    Object.entries(sides).map(([side, isTuned]) => ({ name: `${side} (${place})`, isTuned })),
  );
  const names = (is) => sockets.filter(({ isTuned }) => isTuned === is).map(({ name }) => name);
  return { tuned: names(true), untuned: names(false) };
}

/** Returns what the lane could not prove, in words. An empty list is good. */
export async function selfTest(runner) {
  const problems = [];
  const { tuned: names, untuned } = probe(runner.node);
  console.log(`tuned: ${names.join(', ')}`);
  if (names.length === 0 || untuned.length > 0) problems.push(`untuned: ${untuned.join(', ')}`);
  const others = probe(runner.node, 'does not tune').tuned;
  if (others.length > 0) problems.push(`tuned without tuneSockets(): ${others.join(', ')}`);
  for (const [plant, test] of PLANTED) {
    const first = await runner.first(test, { plant, patience: PATIENCE });
    const { verdict, reason } =
      first.verdict === undefined ? await runner.judge(first, { attempts: 1 }) : first;
    console.log(`a tuneSockets() that ${plant}: ${test} ${verdict}, ${reason}`);
    if (verdict !== 'failed') problems.push(`${test} does not find a tuneSockets() that ${plant}`);
  }
  return problems;
}
