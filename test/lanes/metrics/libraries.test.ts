// pg, undici, ws and grpc-js are measured by peer, without a change of the program.

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { seriesOf } from '../../support/metrics-text';
import { postgresql } from '../../support/postgresql';

let series: ReadonlyMap<string, number>;

beforeAll(() => {
  const path = join(__dirname, 'libraries.mjs');
  const programs = [postgresql('postgres'), postgresql('initdb')];
  const output = execFileSync(process.execPath, [path, ...programs], { timeout: 120_000 });
  series = seriesOf(output.toString());
});

test.each(['pg', 'undici', 'ws', 'grpc-js'])('%s: one connection, with all its bytes', (peer) => {
  const count = (name: string) => series.get(`${name}{peer="${peer}"}`) ?? NaN;
  expect(count('tcp_connections_created_total')).toBe(1);
  expect(count('tcp_samples_failed_total')).toBe(0);
  // 20 bodies of 10 000 bytes in both directions, and what the protocol adds.
  for (const name of ['tcp_sent_bytes_total', 'tcp_received_bytes_total']) {
    expect(count(name)).toBeGreaterThan(200_000);
    expect(count(name)).toBeLessThan(220_000);
  }
});
