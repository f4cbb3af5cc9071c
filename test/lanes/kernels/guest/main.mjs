// What the guest runs. Prints a line for each check, `measured: JSON` for what the lane writes into tables, then the counts.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { checks, facts } from './checks.mjs';
import {
  firstVerdict,
  livingPeer,
  measureConnecting,
  measureDeadPeers,
  startPeers,
} from './dead-peers.mjs';
import { liveForADay } from './living.mjs';

const counts = { passed: 0, failed: 0 };

async function run(name, check) {
  try {
    const result = await check();
    counts.passed++;
    console.log(`passed: ${name}`);
    return result;
  } catch (error) {
    counts.failed++;
    console.log(`FAILED: ${name}: ${error?.stack ?? error}`);
    return undefined;
  }
}

/**
 * No measured time is above the bound, and none below 80 % of it, unless the bound is loose. The wire carries the probes of the plan, and the reset that
 * ends the connection.
 */
function judge({ name, code, measured, bound, isLoose, probes, packets }) {
  assert.equal(code, 'ETIMEDOUT', name);
  assert.ok(measured <= bound, `${name}: ${measured} ms, and the bound is ${bound} ms`);
  assert.ok(
    isLoose || measured >= 0.8 * bound,
    `${name}: ${measured} ms, and the bound is ${bound} ms`,
  );
  if (probes !== undefined) assert.equal(packets, probes + 1, `${name}: packets`);
}

/** The suite of the lane of other runtimes, in a process of its own. */
function runSuite() {
  const { status, stdout } = spawnSync(process.execPath, ['--jitless', 'suite/main.mjs'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      ...{ SUITE_LIBC: 'glibc', SUITE_COMMAND: JSON.stringify([process.execPath, '--jitless']) },
      ...{ SUITE_REPORT: '/tmp/report.json', SUITE_PATIENCE: '600000' },
    },
  });
  console.log(stdout);
  assert.equal(status, 0);
}

for (const [name, check] of Object.entries(checks)) await run(name, check);
await run('the suite of other runtimes', runSuite);

startPeers();
// The first verdict of a process loads code, which takes an emulator long.
await run('the first verdict', firstVerdict);
const endOfDay = process.env.WITHOUT_DAY
  ? undefined
  : await run('living peers: begun', () => liveForADay(livingPeer()));
facts.deadPeers = (await run('peers that vanish: measured', measureDeadPeers)) ?? [];
for (const result of facts.deadPeers) await run(`bounds: ${result.name}`, () => judge(result));
facts.connecting = await run('connecting to a dead address', measureConnecting);
if (endOfDay) facts.living = await run('living peers: none was ended in a day', endOfDay);
facts.guestSeconds = Math.round(performance.now() / 1_000);
console.log(`measured: ${JSON.stringify(facts)}`);
console.log(`${counts.passed} passed, ${counts.failed} failed, 0 skipped`);
process.exit(counts.failed === 0 ? 0 : 1);
