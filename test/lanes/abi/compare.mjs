// Compares the tables of a system with what the sources say. It only reads, so that it can run again on tables in which a
// fault was planted.

import { CAME_WITH } from './tables.mjs';

/**
 * Asks each source once about all that the tables of its system have. Returns what each says: values by expression, and
 * structures by the first of their names.
 */
export function answersOf(tables, sources) {
  return sources
    .filter(({ system }) => system === tables.system)
    .map((source) => ({
      source,
      values: source.values([...new Set(tables.entries.map(({ expression }) => expression))]),
      structures: new Map(
        tables.structures.map(({ names, members }) => [
          names[0],
          names.map((name) => source.structure(name, [...members.keys()])).filter(Boolean),
        ]),
      ),
    }));
}

/** The place of a member in the first version of the structure that has it. */
function placeIn(versions, member) {
  return versions.find(({ members }) => members.has(member))?.members.get(member);
}

const endOf = ({ bit, bits }) => Math.ceil((bit + bits) / 8);

/**
 * How long the structure is, in bytes, where a source has the member: to the end of the member, if nothing else is known.
 */
function lengthOf(system, answers, member, place) {
  const companion = CAME_WITH[system]?.[member];
  if (companion === undefined) return endOf(place);
  for (const { structures } of answers) {
    const found = placeIn([...structures.values()][0], companion);
    if (found !== undefined) return endOf(found);
  }
  return undefined;
}

const describe = ({ bit, bits }) =>
  `byte ${bit >> 3}${bit % 8 ? ` bit ${bit % 8}` : ''}${bits === undefined ? '' : `, ${bits} bits`}`;

/**
 * Returns `differences`, one line each, by what differs; `unverified`, the names that no source has; and `count`, how many
 * comparisons were made.
 */
export function compare(tables, answers) {
  const { system } = tables;
  const differences = new Map();
  const unverified = new Set();
  let count = 0;
  const differ = (label, ours, theirs, { label: source }) => {
    const lines = differences.get(label) ?? [];
    differences.set(label, [
      ...lines,
      `${system}: ${label}: ours is ${ours}, ${theirs} in ${source}`,
    ]);
  };

  for (const { label, expression, value } of tables.entries) {
    let known = false;
    for (const { source, values } of answers) {
      const theirs = values.get(expression);
      if (theirs === undefined) continue;
      known = true;
      if (value === undefined) continue;
      count++;
      if (theirs !== value) differ(label, value, theirs, source);
    }
    if (!known) unverified.add(label);
  }

  for (const { names, members, part } of tables.structures) {
    for (const [member, place] of members) {
      const label = `${names[0]}.${member}`;
      let known;
      for (const { source, structures } of answers) {
        const theirs = placeIn(structures.get(names[0]), member);
        if (theirs === undefined) continue;
        known ??= theirs;
        count++;
        const fits = part ? place.bits <= theirs.bits : place.bits === theirs.bits;
        if (place.bit !== theirs.bit || !fits) {
          differ(label, describe(place), describe(theirs), source);
        }
      }
      if (known === undefined) {
        unverified.add(label);
        continue;
      }
      if (place.length === undefined) continue;
      count++;
      const length = lengthOf(system, answers, member, known);
      if (length !== place.length) {
        differ(`length of ${label}`, place.length, length, { label: 'the sources' });
      }
    }
  }
  return { differences, unverified, count };
}

/** The names that a source has in the families of our tables, and the tables do not have. */
export function missing(tables, answers, families) {
  const found = new Map();
  for (const { source, structures } of answers) {
    for (const name of source.names()) {
      if (families.test(name) && !tables.names.has(name)) found.set(name, source.label);
    }
    const [{ names, members }] = tables.structures;
    for (const version of structures.get(names[0])) {
      for (const member of version.members.keys()) {
        if (!members.has(member)) found.set(`${names[0]}.${member}`, source.label);
      }
    }
  }
  return found;
}
