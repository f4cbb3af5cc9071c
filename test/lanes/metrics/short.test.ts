// Short connections: each has only its last sample, and the sum of their bytes is what the kernel counts for the namespace.

import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { needsNamespace, runInNamespace } from '../../support/namespace';

interface Counts {
  readonly created: number;
  readonly sent: number;
  readonly received: number;
  readonly retransmitted: number;
  readonly unsent: number;
  readonly failed: number;
}

interface Report {
  readonly started: number;
  readonly client: Counts;
  /** Those of the client, as OpenTelemetry's SDK has sent them. */
  readonly exported: Counts;
  readonly accepted: Counts;
  readonly kernel: Readonly<Record<'octets' | 'packets' | 'opened' | 'retransmitted', number>>;
  readonly expected: { readonly request: number; readonly response: number };
}

beforeEach(needsNamespace);

const MOST = 100_000;
const TIME = 120_000;

test('100 000 short connections count completely', async () => {
  const path = join(__dirname, 'short.mjs');
  const report = await runInNamespace<Report>(path, [`${MOST}`, `${TIME}`], 2 * TIME);
  const { started, client, exported, accepted, kernel, expected } = report;
  console.log(`${started} connections; segments sent again: ${kernel.retransmitted}`);
  expect(started).toBeGreaterThan(10_000);
  expect([client.created, accepted.created]).toEqual([started, started]);
  expect([client.failed, accepted.failed]).toEqual([0, 0]);
  expect(exported).toEqual(client);
  expect(client.sent - client.retransmitted + client.unsent).toBe(expected.request);
  expect(accepted.sent - accepted.retransmitted + accepted.unsent).toBe(expected.response);
  expect(client.received).toBe(expected.response);
  expect(accepted.received).toBe(expected.request);
  // Each connection has two SYNs with 4 bytes of options.
  const payload = kernel.octets - 40 * kernel.packets - 8 * kernel.opened;
  const measured = client.sent + client.unsent + accepted.sent + accepted.unsent;
  expect(Math.abs(payload - measured) / payload).toBeLessThan(0.001);
  if (kernel.retransmitted === 0) expect(measured).toBe(payload);
});
