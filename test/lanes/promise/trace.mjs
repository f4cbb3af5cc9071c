// Records what the kernel reports of each connection, independent of the product's own looks: JSON lines in the file that
// PROMISE_TRACE names, or that the lane removes at its end. Times are in milliseconds of one clock for each run. Kinds of lines:
//
//   { c, cell }                     a connection and when its timeout was set
//   { c, t, state, probes, ... }    a report: REPORTED, as readTcpInfos() names them
//   { c, fault, lastArrival, told, code }    what happened to it

import { closeSync, openSync, writeSync } from 'node:fs';
import { readTcpInfos, tcpStates } from '../../../dist/index.js';

const REPORTED = [
  'state',
  'timeSinceLastAckReceived',
  'timeSinceLastDataReceived',
  'segmentsSent',
  'segmentsReceived',
  'unackedSegments',
  'unsentBytes',
  'consecutiveTimeouts',
  'probes',
];

/** Looks per timeout. */
const LOOKS = 32;
const TICK = 25;

/** A trace that writes nothing if there is no file. */
export function openTrace(file, run) {
  if (file === undefined) return { watch() {}, end() {} };
  const output = openSync(file, 'a');
  const watched = new Map();
  const write = (line) => writeSync(output, `${JSON.stringify(line)}\n`);

  const look = () => {
    const now = performance.now();
    const due = [...watched.values()].filter((one) => one.due <= now);
    if (due.length === 0) return;
    const sockets = due.map(({ socket }) => socket);
    const columns = readTcpInfos(sockets, REPORTED);
    const t = Math.round(performance.now() * 1_000) / 1_000;
    const lines = due.map((one, row) => {
      one.due = now + one.interval;
      if (columns.errno[row] !== 0) return '';
      const report = REPORTED.map((name) => [name, columns[name][row]]);
      const { state, ...rest } = Object.fromEntries(report);
      return `${JSON.stringify({ c: one.c, t, state: tcpStates[state], ...rest })}\n`;
    });
    writeSync(output, lines.join(''));
  };
  const timer = setInterval(look, TICK);
  process.on('exit', () => {
    clearInterval(timer);
    closeSync(output);
  });

  return {
    watch(cell, socket) {
      const c = `${run}-${cell.flow}`;
      const { timeout, rtt, state, fault, congestion, way, calledAt } = cell;
      write({ c, cell: { timeout, rtt, state, fault, congestion, way, calledAt } });
      watched.set(cell, { c, socket, due: 0, interval: timeout / LOOKS });
    },
    end(cell, { fault, lastArrival, told, code }) {
      const one = watched.get(cell);
      watched.delete(cell);
      if (one !== undefined) write({ c: one.c, fault, lastArrival, told, code });
    },
  };
}
