// Makes the table of docs/drivers.md from the measured times.

import { readFileSync } from 'node:fs';
import { markdownTable, writeBlock } from '../../../scripts/marked-block.mjs';

/** Why the request of a driver waits for the next connection. */
const RETRIES = JSON.parse(readFileSync(new URL('retries.json', import.meta.url), 'utf8'));

/** When the driver noticed, by an event or by its request. */
export function knownAt({ told, request }) {
  const times = [...told, ...(request === null ? [] : [request])].map(({ at }) => at);
  return times.length === 0 ? null : Math.min(...times);
}

/** When the kernel closed the connection, and when the driver reported it if that was later. */
function figure(one, watched) {
  const spell = (at) => (at === null ? `> ${watched} s` : `${at.toFixed(1)} s`);
  const closed = spell(one.closed);
  const known = spell(knownAt(one));
  // Not every client reports that an idle connection failed.
  if (one.state === 'idle' && knownAt(one) === null) return closed;
  const apart = Math.abs((one.closed ?? watched) - (knownAt(one) ?? watched)) > 0.25;
  return apart ? `${closed}, told: ${known}` : closed;
}

function toldBy({ cases }, watched) {
  const idle = cases.find(({ state }) => state === 'idle').told.map(({ by }) => `\`${by}\``);
  const late = cases.find(({ state }) => state === 'late');
  const request = late.request === null ? `still pending after ${watched} s` : 'fails';
  const code = late.request === null ? '' : ` (\`${late.request.code}\`)`;
  return [idle.join(', ') || 'nothing', `${request}${code}`];
}

function matrix({ drivers, watched }) {
  const names = [...new Set(drivers.map(({ name }) => name))];
  const states = drivers[0].cases.map(({ state }) => state);
  const lines = names.map((name) => {
    const of = (mode) => drivers.find((one) => one.name === name && one.mode === mode);
    const [tuned, untuned] = [of('tuned'), of('untuned')];
    const cells = states.map((_, index) => {
      const figures = [tuned, untuned].map(({ cases }) => figure(cases[index], watched));
      return figures.join(' / ');
    });
    return [name, tuned.version ?? 'Node', ...cells, ...toldBy(tuned, watched)];
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

const spellTime = (one, watched) => (one === null ? `> ${watched} s` : `${one.at.toFixed(1)} s`);

/** When a new client's first attempt at an address that does not answer ended, and what became of its request. */
function deadMatrix({ drivers, watched }) {
  const names = [...new Set(drivers.map(({ name }) => name))];
  const lines = names.map((name) => {
    const of = (mode) => drivers.find((one) => one.name === name && one.mode === mode).dead;
    const [tuned, untuned] = [of('tuned'), of('untuned')];
    const attempts = [tuned, untuned].map(({ attempt }) => spellTime(attempt, watched));
    const { request } = tuned;
    const outcome =
      request === null
        ? `still pending after ${watched} s: the driver ${RETRIES[name]}`
        : `fails after ${spellTime(request, watched)} (\`${request.code}\`)`;
    return [name, attempts.join(' / '), outcome];
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
