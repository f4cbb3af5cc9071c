// What the guest runs. Prints a line for each check, `measured: JSON` for what the lane writes into tables, then the counts.

import assert from 'node:assert/strict';
import { checks, facts } from './checks.mjs';
import { livingPeer, measureConnecting, measureDeadPeers, startPeers } from './dead-peers.mjs';
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

/** No measured time is above the bound, and none below 80 % of it. */
function judge({ name, code, measured, bound }) {
  assert.equal(code, 'ETIMEDOUT', name);
  assert.ok(measured <= bound, `${name}: ${measured} ms, and the bound is ${bound} ms`);
  assert.ok(measured >= 0.8 * bound, `${name}: ${measured} ms, and the bound is ${bound} ms`);
}

for (const [name, check] of Object.entries(checks)) await run(name, check);
console.log('after checks', performance.now());

startPeers();
const endOfDay = await run('living peers: begun', () => liveForADay(livingPeer()));
const results = await run('peers that vanish: measured', measureDeadPeers);
for (const result of results ?? []) await run(`bounds: ${result.name}`, () => judge(result));
console.log('after matrix', performance.now());
facts.deadPeers = results;
facts.connecting = await run('connecting to a dead address', measureConnecting);
if (endOfDay) facts.living = await run('living peers: none was ended in a day', endOfDay);
facts.guestSeconds = Math.round(performance.now() / 1_000);
console.log(`measured: ${JSON.stringify(facts)}`);
console.log(`${counts.passed} passed, ${counts.failed} failed, 0 skipped`);
process.exit(counts.failed === 0 ? 0 : 1);
