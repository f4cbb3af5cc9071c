// npm run check:abi: compares every constant and every place of a structure with Debian's headers of kernels and mingw, and
// with the bindings of Go and Rust. It fails
// - for a difference, with both values;
// - for a name that no source has and known.mjs does not list, and the other way round;
// - for a name of the headers that the tables have not, and known.mjs does not leave out;
// - if a fault that it plants in a copy of the tables is not found.

import { answersOf, compare, missing } from './compare.mjs';
import { FAMILIES, LEFT_OUT, UNVERIFIED } from './known.mjs';
import { plantedFaults } from './planted-faults.mjs';
import { buildHeaders, prepare } from './sources.mjs';
import { SYSTEMS, tablesOf } from './tables.mjs';

const started = Date.now();
const failures = [];

/** The names of the headers that no table has, without those that are left out for a reason. */
function unknownNames(tables, answers) {
  const isLeftOut = (name) =>
    LEFT_OUT[tables.system].some(([known]) =>
      typeof known === 'string' ? known === name : known.test(name),
    );
  return [...missing(tables, answers, FAMILIES)].filter(([name]) => !isLeftOut(name));
}

const { sources, packages } = prepare();
const built = buildHeaders();
console.log(packages.map(([name, version]) => `${name} ${version}`).join('\n'));

for (const system of SYSTEMS) {
  const tables = tablesOf(system, built[system]);
  const answers = answersOf(tables, sources);
  const { differences, unverified, count } = compare(tables, answers);
  failures.push(...[...differences.values()].flat());

  const listed = new Set(UNVERIFIED[system]);
  for (const name of unverified) {
    if (!listed.has(name)) {
      failures.push(
        `${system}: no source has ${name}: check it, and list it in test/lanes/abi/known.mjs`,
      );
    }
  }
  for (const name of listed) {
    if (!unverified.has(name)) {
      failures.push(
        `${system}: a source has ${name} now, or no table does: remove it from test/lanes/abi/known.mjs`,
      );
    }
  }
  if (tables.names.size === 0) failures.push(`${system}: the addon has no constants`);
  for (const [name, label] of unknownNames(tables, answers)) {
    failures.push(
      `${system}: ${label} has ${name}: add it to the tables, or leave it out in test/lanes/abi/known.mjs`,
    );
  }

  const { found, missed } = plantedFaults(tables, answers);
  failures.push(...missed.map((fault) => `${system}: the planted fault was not found: ${fault}`));
  console.log(
    `${system}: ${count} comparisons, ${differences.size} differences, ${found} planted faults found; ` +
      `no source has ${unverified.size} names${unverified.size === 0 ? '' : `: ${[...unverified].join(', ')}`}`,
  );
}

for (const failure of failures) console.error(`check:abi: ${failure}`);
console.log(`${failures.length} failures in ${Math.round((Date.now() - started) / 1000)} s`);
process.exitCode = failures.length === 0 ? 0 : 1;
