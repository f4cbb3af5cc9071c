// The ways in which this package takes part in a test of Node, and the tests that run in each.

import { fileURLToPath } from 'node:url';

/** Tests in which sockets connect, listen or are bound. */
const OPENING = /^test-(net|https?-agent|tls-connect|cluster|http2-connect)[-.].*m?js$/;

export const MODES = [
  {
    name: 'tuned',
    title: 'tuneSockets()',
    tests: /^test-(net|tls|https?|http2|cluster)[-.].*m?js$/,
    /** What the probe must find. */
    effects: ['client keepalive', 'accepted keepalive'],
    calls: [],
  },
  {
    name: 'early',
    title: 'tuneSockets() before the first packet',
    tests: OPENING,
    effects: ['client synRetries', 'listener freeBind'],
    calls: [],
  },
  {
    name: 'replaced',
    title: 'connect(), listen() and bind()',
    tests: /^test-(net|dgram|https?-agent|tls-connect|cluster|http2-connect)[-.].*m?js$/,
    effects: ['client synRetries', 'listener freeBind', 'datagram freeBind'],
    /** Functions of Node that must have been called in the run. */
    calls: ['connect', 'tls.connect', 'listen', 'bind'],
  },
];

/** The environment of a process in a mode. A line for each call goes to the file `calls`; `plant` adds a fault. */
export function environmentOf({ name }, { plant, calls } = {}) {
  const file = fileURLToPath(new URL(`preload-${name}.cjs`, import.meta.url));
  const path = file.replaceAll('\\', '\\\\').replaceAll('"', '\\"');
  const env = { NODE_OPTIONS: `--require "${path}"` };
  if (plant !== undefined) env.NODE_TESTS_PLANT = plant;
  if (calls !== undefined) env.NODE_TESTS_CALLS = calls;
  return env;
}
