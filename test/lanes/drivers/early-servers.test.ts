// Options that must be set before bind, with the servers of real libraries: by listen(), and by tuneSockets() under unchanged
// libraries. ss(8) shows who listens.

import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { impossible, runExperiment } from './experiment';

interface Report {
  readonly name: string;
  readonly way: string;
  readonly option: 'reusePort' | 'freeBind';
  /** Of each process: 'listening', or the error. */
  readonly outcomes: readonly string[];
  /** As ss(8) counts them. */
  readonly listeners: number;
  /** How many of the processes have answered requests. */
  readonly answered: number;
}

let reports: readonly Report[] = [];

beforeAll(async () => {
  if (impossible !== undefined) return;
  reports = JSON.parse(await runExperiment('early-servers.mjs', []));
});

beforeEach(({ skip }) => skip(impossible !== undefined, impossible));

function reportOf(name: string, way: string, option: Report['option']): Report {
  const found = reports.find(
    (one) => one.name === name && one.way === way && one.option === option,
  );
  expect(found, `${name}, ${way}, ${option}`).toBeDefined();
  return found as Report;
}

const WAYS = [
  ['http', 'listen'],
  ['http', 'tuned'],
  ['ws', 'listen'],
  ['ws', 'tuned'],
  ['@grpc/grpc-js', 'tuned'],
] as const;

test('two processes run the example of docs/drivers.md, and both answer', () => {
  const { outcomes, listeners, answered } = reportOf('http.Server', 'listen', 'reusePort');
  expect({ outcomes, listeners, answered }).toEqual({
    ...{ outcomes: ['listening', 'listening'], listeners: 2, answered: 2 },
  });
});

describe.each(WAYS)('%s, %s', (name, way) => {
  test('reusePort: two processes share a port', () => {
    const { outcomes, listeners, answered } = reportOf(name, way, 'reusePort');
    expect(outcomes).toEqual(['listening', 'listening']);
    expect(listeners).toBe(2);
    if (name === 'http') expect(answered).toBe(2);
  });

  test('freeBind: listens on an address that the machine gets later', () => {
    const { outcomes, listeners, answered } = reportOf(name, way, 'freeBind');
    expect(outcomes).toEqual(['listening']);
    expect(listeners).toBe(1);
    if (name === 'http') expect(answered).toBe(1);
  });
});

describe.each(['http', 'ws', '@grpc/grpc-js'])('%s, without the options', (name) => {
  test('the second process gets EADDRINUSE', () => {
    const { outcomes, listeners } = reportOf(name, 'plain', 'reusePort');
    expect(outcomes).toEqual(['listening', expect.stringContaining('EADDRINUSE')]);
    expect(listeners).toBe(1);
  });

  test('an absent address is EADDRNOTAVAIL', () => {
    const { outcomes, listeners } = reportOf(name, 'plain', 'freeBind');
    expect(outcomes).toEqual([expect.stringContaining('EADDRNOTAVAIL')]);
    expect(listeners).toBe(0);
  });
});
