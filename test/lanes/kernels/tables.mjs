// The tables that this lane writes: docs/kernels.md, and the times of dead peers in docs/dead-peers.md.

import { markdownTable, writeBlock } from '../../../scripts/marked-block.mjs';

const list = (names) => (names.length === 0 ? '–' : names.map((name) => `\`${name}\``).join(', '));

/** A duration in seconds, with the precision that is worth reading. */
function seconds(milliseconds) {
  const value = milliseconds / 1_000;
  return value < 1_000 ? `${value.toFixed(1)} s` : `${Math.round(value)} s`;
}

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
    [
      'living peers: hours, answers to heartbeats',
      ({ facts }) => `${facts.living.hours.toFixed(1)}, ${facts.living.answers}`,
    ],
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

export function writeTables(results) {
  writeBlock('docs/kernels.md', 'kernels', kernelsTable(results));
  writeBlock('docs/dead-peers.md', 'kernels', deadPeersTable(results));
}
