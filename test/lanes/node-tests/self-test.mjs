// Checks of the lane itself: that a preload is in effect in every process of a test, and that planted faults turn tests red.

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { environmentOf } from './modes.mjs';

const PROBE = fileURLToPath(new URL('probe.cjs', import.meta.url));

/** For each mode faults of planted-faults.cjs, and tests of Node that find them. */
const PLANTED = {
  tuned: [
    ['keeps the process running', 'parallel/test-net-after-close.js'],
    ['lets the process end late', 'parallel/test-net-after-close.js'],
    ['adds a global', 'parallel/test-net-after-close.js'],
    ['leaves a listener for errors', 'parallel/test-http-agent-keepalive.js'],
    ['leaves a listener for timeouts', 'parallel/test-http-client-timeout-option-listeners.js'],
    ['ends living connections', 'parallel/test-net-settimeout.js'],
  ],
  early: [],
  replaced: [
    ['swallows errors', 'parallel/test-net-better-error-messages-port-hostname.js'],
    ['connects in a later turn', 'parallel/test-net-connect-options-port.js'],
    ['listens twice', 'parallel/test-net-server-listen-options.js'],
  ],
};
/** Those tests take less than a second. */
const PATIENCE = 10;

/** Returns the places and effects that the probe reports as on, and those it reports as off. */
function probe(node, mode, plant) {
  const env = { ...process.env, ...environmentOf(mode, { plant }) };
  const text = execFileSync(node, [PROBE], { env, encoding: 'utf8' });
  const found = Object.entries(JSON.parse(text)).flatMap(([place, effects]) =>
    mode.effects.map((effect) => ({ name: `${effect} (${place})`, isOn: effects[effect] })),
  );
  const names = (wanted) => found.filter(({ isOn }) => isOn === wanted).map(({ name }) => name);
  return { on: names(true), off: names(false) };
}

/** Returns what the lane could not prove in a mode, in words. An empty list is good. */
export async function selfTest(runner, mode) {
  const problems = [];
  const { on, off } = probe(runner.node, mode);
  console.log(`${mode.title}: ${on.join(', ')}`);
  if (on.length === 0 || off.length > 0) problems.push(`without effect: ${off.join(', ')}`);
  const others = probe(runner.node, mode, 'does nothing').on;
  if (others.length > 0) problems.push(`in effect without a preload: ${others.join(', ')}`);
  for (const [plant, test] of PLANTED[mode.name]) {
    const first = await runner.first(mode, test, { plant, patience: PATIENCE });
    const { verdict, reason } =
      first.verdict === undefined ? await runner.judge(mode, first, { plant, attempts: 1 }) : first;
    console.log(`a preload that ${plant}: ${test} ${verdict}, ${reason}`);
    if (verdict !== 'failed') problems.push(`${test} does not find a preload that ${plant}`);
  }
  return problems;
}
