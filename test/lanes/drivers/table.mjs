// Makes the table of docs/drivers.md from the measured times.

import { readFileSync } from 'node:fs';
import { markdownTable, writeBlock } from '../../../scripts/marked-block.mjs';

/** Why requests of some drivers do not fail with their connection, and the options that bound them. */
const BEHAVIOUR = JSON.parse(readFileSync(new URL('behaviour.json', import.meta.url), 'utf8'));

const MODES = ['tuned', 'untuned'];
const spellTime = (at, watched) => (at === null ? `> ${watched} s` : `${at.toFixed(1)} s`);

/** When the driver noticed, by an event or by its request. */
export function knownAt({ told, request }) {
  const times = [...told, ...(request === null ? [] : [request])].map(({ at }) => at);
  return times.length === 0 ? null : Math.min(...times);
}

/** When the kernel closed the connection, and when the driver reported it if that was later. */
function figure(one, watched) {
  const closed = spellTime(one.closed, watched);
  const known = spellTime(knownAt(one), watched);
  // Not every client reports that an idle connection failed.
  if (one.state === 'idle' && knownAt(one) === null) return closed;
  const apart = Math.abs((one.closed ?? watched) - (knownAt(one) ?? watched)) > 0.25;
  return apart ? `${closed}, told: ${known}` : closed;
}

function toldBy({ cases }) {
  const idle = cases.find(({ state }) => state === 'idle').told.map(({ by }) => `\`${by}\``);
  return idle.join(', ') || 'nothing';
}

/** What became of a request, with tuneSockets() and with the driver's own options too. `begin`: when it was sent. */
function outcome({ tuned, bounded, why, option, begin, watched }) {
  const fails = ({ at, code }) => `fails after ${spellTime(at - begin)} (\`${code}\`)`;
  const pending = `still pending after ${watched - begin} s`;
  const alone = tuned === null ? pending : fails(tuned);
  const texts = [why === undefined ? alone : `${alone}: the driver ${why}`];
  if (bounded && why !== undefined) texts.push(`with \`${option}\` it ${fails(bounded)}`);
  return texts.join('; ');
}

/** The driver's own option that bounds its requests. */
function optionOf(name) {
  const { bound, boundAs = bound } = BEHAVIOUR[name] ?? {};
  return boundAs;
}

function matrix({ drivers, watched }) {
  const names = [...new Set(drivers.map(({ name }) => name))];
  const states = drivers[0].cases.map(({ state }) => state);
  const lines = names.map((name) => {
    const of = (mode) => drivers.find((one) => one.name === name && one.mode === mode);
    const measured = MODES.map(of).filter((one) => one !== undefined);
    const cells = states.map((_, index) => {
      const figures = measured.map(({ cases }) => figure(cases[index], watched));
      return figures.join(' / ');
    });
    const [tuned] = measured;
    const lateOf = (one) => one?.cases.find(({ state }) => state === 'late').request;
    const { pending } = BEHAVIOUR[name] ?? {};
    const request = outcome({
      ...{ tuned: lateOf(tuned), bounded: lateOf(of('bounded')), why: pending },
      ...{ option: optionOf(name), begin: 1, watched },
    });
    return [name, tuned.version ?? 'Node', ...cells, toldBy(tuned), request];
  });
  const heads = {
    idle: 'Idle',
    busy: 'An answer is awaited',
    late: 'Asked 1 s later',
    worst: 'Asked as late as can be',
  };
  return markdownTable([
    ['Driver', 'Version', ...states.map((state) => heads[state]), 'Tells when idle', 'Request'],
    ...lines,
  ]);
}

/** When a new client's first attempt at an address that does not answer ended, and what became of its request. */
function deadMatrix({ drivers, watched }) {
  const names = [...new Set(drivers.map(({ name }) => name))];
  const lines = names.map((name) => {
    const of = (mode) => drivers.find((one) => one.name === name && one.mode === mode)?.dead;
    const measured = MODES.map(of).filter((one) => one !== undefined);
    const attempts = measured.map(({ attempt }) => spellTime(attempt?.at ?? null, watched));
    const { deadAddress } = BEHAVIOUR[name] ?? {};
    const request = outcome({
      ...{ tuned: measured[0].request, bounded: of('bounded')?.request, why: deadAddress },
      ...{ option: optionOf(name), begin: 0, watched },
    });
    return [name, attempts.join(' / '), request];
  });
  return markdownTable([['Driver', 'Tries a dead address for', 'Request'], ...lines]);
}

export function page(report) {
  const { node, kernel, ...servers } = report.versions;
  const kernelVersion = /^\d+\.\d+\.\d+/.exec(kernel)[0];
  const list = Object.entries(servers).map((one) => one.join(' '));
  return `Node ${node}, Linux ${kernelVersion}; ${list.join(', ')}.\n\n${matrix(report)}\n\n${deadMatrix(report)}`;
}

export function write(report) {
  writeBlock('docs/drivers.md', 'drivers', page(report));
}
