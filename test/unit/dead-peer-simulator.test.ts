// The rule of supervision against a model of TCP, and against recordings of this kernel. `npm run test:simulator` runs more.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isTooOften, runBatch } from '../lanes/simulator/batch';
import { replay } from '../lanes/simulator/replay';

describe('the simulator', () => {
  const summary = runBatch(1, 10_000);

  test('breaks the promise in no history', () => {
    expect(summary.broken).toEqual([]);
    expect(summary.histories).toBe(10_000);
  });

  test('ends no more living peers on lossy paths than stated', () => {
    const cells = Object.values(summary.losses);
    expect(cells.length).toBeGreaterThan(20);
    expect(cells.filter(isTooOften)).toEqual([]);
  });

  test('reaches each verdict', () => {
    expect(summary.verdicts).toMatchObject({
      'dead: dead': expect.any(Number),
      'dead: closed': expect.any(Number),
      'living: alive': expect.any(Number),
      'outage: dead': expect.any(Number),
      'outage: alive': expect.any(Number),
    });
  });
});

describe('recordings of Linux 6.18', () => {
  const recording = readFileSync(
    join(__dirname, '../fixtures/supervised-connections.jsonl'),
    'utf8',
  );

  test('replay to the verdicts that were recorded', () => {
    const replayed = replay(recording);

    expect(replayed.filter(({ agrees }) => !agrees)).toEqual([]);
    expect(replayed.filter(({ replayed }) => replayed === 'dead')).toHaveLength(6);
    expect(replayed.filter(({ replayed }) => replayed === 'alive')).toHaveLength(6);
  });

  test('disagree if the peers had answered', () => {
    const answered = recording.replaceAll(
      /"timeSinceLastAckReceived":\d+/g,
      '"timeSinceLastAckReceived":0',
    );

    expect(replay(answered).filter(({ agrees }) => !agrees)).toHaveLength(6);
  });

  test('disagree if living peers had not answered', () => {
    const silent = recording.replaceAll(/"told":[\d.]+,"code":"ETIMEDOUT"/g, '"told":null');

    expect(replay(silent).filter(({ agrees }) => !agrees).length).toBeGreaterThan(0);
  });

  test('say nothing of a verdict for which the machine paused the recorder', () => {
    const dead = replay(recording).filter(({ replayed }) => replayed === 'dead');
    expect(dead.every(({ isCut }) => !isCut)).toBe(true);

    const cut = replay(withoutLastReports(recording, 6));
    expect(cut.filter(({ isCut }) => isCut).map(({ name }) => name)).toEqual(
      dead.map(({ name }) => name),
    );
  });
});

/** A recording whose recorder stopped earlier: `count` reports are missing at the end of each connection. */
function withoutLastReports(recording: string, count: number): string {
  const lines = recording.trim().split('\n');
  const left = new Map<string, number>();
  const kept = lines.toReversed().filter((line) => {
    const { c, t } = JSON.parse(line) as { c: string; t?: number };
    if (t === undefined) return true;
    const dropped = left.get(c) ?? 0;
    left.set(c, dropped + 1);
    return dropped >= count;
  });
  return kept.toReversed().join('\n');
}
