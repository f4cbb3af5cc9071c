// A real Prometheus scrapes a process with thousands of connections: PromQL gives the numbers of ss(8), and alerts fire and resolve.

import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { needsNamespace, runInNamespace } from '../../support/namespace';

/** WRITE_DOCS=1, with Debian's package chromium, draws the pictures in the docs again. */
const pictures = process.env.WRITE_DOCS ? [join(__dirname, '../../../docs/images')] : [];
const EXAMPLES = join(__dirname, '../../../examples/prometheus');
const hasPrometheus = spawnSync('promtool', ['--version']).status === 0;

beforeEach((context) => {
  context.skip(!hasPrometheus, 'no Prometheus here: apt-get install prometheus');
  needsNamespace(context);
});

type Numbers = Readonly<Record<string, number>>;
interface Report {
  readonly counts: Numbers;
  readonly byPromql: Readonly<Record<string, Numbers>>;
  readonly bySs: Readonly<Record<string, Numbers>>;
  readonly deadPeers: number;
  readonly silence: number;
  readonly scrapes: number;
  readonly slowest: number;
  readonly lint: string;
}

test('the rules of the alerts are valid, and each fires and resolves', () => {
  const promtool = (...args: string[]) =>
    execFileSync('promtool', args, { cwd: EXAMPLES, stdio: 'pipe' }).toString();
  expect(promtool('check', 'rules', 'alerts.yml')).toContain('SUCCESS');
  expect(promtool('test', 'rules', 'alerts.test.yml')).toContain('SUCCESS');
});

test('PromQL gives the numbers that ss gives of 10 000 connections, and alerts fire and resolve', async () => {
  const path = join(__dirname, 'fleet.mjs');
  const report = await runInNamespace<Report>(path, ['10000', ...pictures], 280_000);
  const { counts, byPromql, bySs } = report;
  // Supervision has ended these.
  const { supervised, ...left } = counts;
  const column = (name: string) =>
    Object.fromEntries(Object.entries(bySs).map(([kind, numbers]) => [kind, numbers[name]]));
  expect(byPromql.connections).toMatchObject({ ...left, supervised: 0 });
  expect(byPromql.established).toMatchObject(column('established'));
  expect(byPromql.closeWait).toMatchObject(column('closeWait'));
  expect(byPromql.sent).toMatchObject(column('sent'));
  expect(byPromql.retransmitted?.lossy).toBe(bySs.lossy?.retransmitted);
  expect(byPromql.retransmitted?.lossy).toBeGreaterThan(20);
  expect(byPromql.halfOpen?.dead).toBe(counts.dead);
  expect(byPromql.halfOpen).toMatchObject(column('halfOpen'));
  // All of it waits behind a closed window.
  expect(byPromql.unsent?.slow).toBe(bySs.slow?.queued);
  expect(byPromql.unsent?.slow).toBeGreaterThan(1_000_000);
  expect(byPromql.unread?.talking).toBe(bySs.talking?.received);
  expect(byPromql.unread?.talking).toBe(10_000 * (counts.talking as number));
  expect(byPromql.rtt?.good).toBeGreaterThan((bySs.good?.rtt as number) * 0.9);
  expect(byPromql.rtt?.good).toBeLessThan((bySs.good?.rtt as number) * 1.1);
  expect(report.deadPeers).toBe(supervised);
  // The timeout is 4 s. The verdict comes within it.
  expect(report.silence).toBeGreaterThan(3);
  expect(report.silence).toBeLessThanOrEqual(4.5);
  expect(report.lint).toBe('');
  console.log(`${report.scrapes} scrapes, the slowest took ${report.slowest.toFixed(1)} ms`);
});
