// The programs of examples/ that use a driver, on real servers that fall silent. They run in a project of their own, as
// users copy them. ss(8) shows what the kernel does for their sockets.

import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { impossible, runExperiment } from './experiment';

interface Result {
  readonly name: string;
  /** What it printed while the server answered. */
  readonly answered: string | null;
  /** The lines of ss(8). */
  readonly sockets: string;
  /** What it printed when the server was silent, and how many seconds after. */
  readonly failed: { readonly line: string; readonly seconds: number } | null;
  /** Everything that it printed since then. */
  readonly output: string;
}

const NAMES = ['pg', 'ioredis', 'undici', 'grpc', 'mqtt-client'];

let report: { readonly results: readonly Result[]; readonly broker: string };

beforeAll(async () => {
  if (impossible !== undefined) return;
  report = JSON.parse(await runExperiment('examples-stage.mjs', []));
});

beforeEach(({ skip }) => skip(impossible !== undefined, impossible));

describe.each(NAMES)('%s.mjs', (name) => {
  const result = () => report.results.find((one) => one.name === name) as Result;

  test('prints what its server answers', () => {
    expect(result()).toMatchObject({ answered: expect.any(String) });
  });

  test('has a connection that the kernel probes after 4 s of silence', () => {
    const lines = result().sockets.split('\n');
    expect(lines).toHaveLength(1);
    // ss(8) prints 3.664 s as "3.664ms".
    expect(lines[0]).toMatch(/timer:\(keepalive,([0-3]\.\d+ms|[0-4]sec|\d{1,3}ms),0\)/);
  });

  test('reports within 20 s that its server vanished', () => {
    const { failed, output } = result();
    expect({ failed, output }).toMatchObject({
      failed: { line: expect.stringMatching(/othing came from the peer for [\d.]+ s/) },
    });
    expect(failed?.seconds).toBeGreaterThan(15);
    // Late timers, and half a second until a busy machine has printed it.
    expect(failed?.seconds).toBeLessThan(20.75);
  });
});

test('mqtt-broker.mjs: a client of mqtt that comes back replaces its old connection', () => {
  expect(report.broker).toMatch(/device-2: has a newer connection\ndevice-2: closed\n/);
});
