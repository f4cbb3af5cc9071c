// The tables that this lane writes: docs/kernels.md, and the times of dead peers in docs/dead-peers.md.

import { markdownTable, readBlock, writeBlock } from '../../../scripts/marked-block.mjs';

const list = (names) => (names.length === 0 ? '–' : names.map((name) => `\`${name}\``).join(', '));

/** A duration in seconds, with the precision that is worth reading. */
function seconds(milliseconds) {
  const value = milliseconds / 1_000;
  return value < 1_000 ? `${value.toFixed(1)} s` : `${Math.round(value)} s`;
}

const LIVING = [
  'living peers: hours, answers to heartbeats',
  ({ facts }) => `${facts.living.hours.toFixed(1)}, ${facts.living.answers}`,
];

function kernelsTable(results) {
  const rows = [
    ['Linux', ({ facts }) => facts.kernel],
    ['checks passed, skipped', ({ passed, skipped }) => `${passed}, ${skipped}`],
    [
      'bytes of `TCP_INFO`, members',
      ({ facts }) => `${facts.tcpInfoBytes}, ${facts.tcpInfoMembers}`,
    ],
    ['options that it lacks', ({ facts }) => list(facts.missingOptions)],
    ['settings that it lacks', ({ facts }) => list(facts.missingSettings)],
    ['connecting to a dead address fails after', ({ facts }) => seconds(facts.connecting.measured)],
    ['its SYN packets', ({ facts }) => facts.connecting.packets],
    ...(results.every(({ facts }) => facts.living) ? [LIVING] : []),
    [
      'seconds in the guest, on the wall',
      ({ facts, wallSeconds }) => `${facts.guestSeconds}, ${wallSeconds}`,
    ],
  ];
  return markdownTable([
    ['', ...results.map(({ suite }) => `Debian ${suite}`)],
    ...rows.map(([title, cell]) => [title, ...results.map(cell)]),
  ]);
}

function deadPeersTable(results) {
  const all = results.map(({ facts }) => new Map(facts.deadPeers.map((one) => [one.name, one])));
  const rows = [...all[0].keys()].map((name) => [
    name,
    ...all.map((cases) => {
      const { measured, bound, packets } = cases.get(name);
      return `${seconds(measured)} of ${seconds(bound)}, ${packets}`;
    }),
  ]);
  return markdownTable([
    ['', ...results.map(({ facts }) => facts.kernel.replace(/-.*|\+.*/, ''))],
    ...rows,
  ]);
}

const PLACES = [
  ['docs/kernels.md', 'kernels', kernelsTable],
  ['docs/dead-peers.md', 'kernels', deadPeersTable],
];

/** Throws if a page has no place for its table. */
export function checkPlaces() {
  for (const [page, name] of PLACES) readBlock(page, name);
}

export function writeTables(results) {
  for (const [page, name, table] of PLACES) writeBlock(page, name, table(results));
}
