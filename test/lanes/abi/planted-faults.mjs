// Plants a fault in each constant, each place and each length of the tables, one after the other and in a copy. Each must
// be found, except where no source has the name.

import { compare } from './compare.mjs';

/** The tables with another entry or member. */
function withEntry(tables, index, entry) {
  return { ...tables, entries: tables.entries.with(index, entry) };
}

function withMember(tables, structure, member, place) {
  const members = new Map(structure.members).set(member, place);
  const structures = tables.structures.map((each) =>
    each === structure ? { ...structure, members } : each,
  );
  return { ...tables, structures };
}

/** Every fault as what it is, the label under which it must be found, and the tables that have it. */
function* faults(tables) {
  for (const [index, entry] of tables.entries.entries()) {
    if (entry.value === undefined) continue;
    const { label, value } = entry;
    yield [`${label} + 1`, label, label, withEntry(tables, index, { ...entry, value: value + 1n })];
  }
  for (const structure of tables.structures) {
    for (const [member, place] of structure.members) {
      const label = `${structure.names[0]}.${member}`;
      const faulty = (other) => withMember(tables, structure, member, { ...place, ...other });
      yield [`the place of ${label} + 1`, label, label, faulty({ bit: place.bit + 8 })];
      if (place.length === undefined) continue;
      yield [`the width of ${label} + 1`, label, label, faulty({ bits: place.bits + 1 })];
      const length = `length of ${label}`;
      yield [`the ${length} + 1`, length, label, faulty({ length: place.length + 1 })];
      yield [`the ${length} - 1`, length, label, faulty({ length: place.length - 1 })];
    }
  }
}

/** Returns how many planted faults were found, and which were missed. */
export function plantedFaults(tables, answers) {
  const { differences: before, unverified } = compare(tables, answers);
  let found = 0;
  const missed = [];
  for (const [fault, label, name, faulty] of faults(tables)) {
    if (unverified.has(name) || before.has(label)) continue;
    const { differences } = compare(faulty, answers);
    if (differences.has(label)) found++;
    else missed.push(fault);
  }
  const { system } = tables;
  if (found === 0) missed.push(`all of ${system}`);
  return { found, missed };
}
