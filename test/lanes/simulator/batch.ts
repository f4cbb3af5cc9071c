// Runs many histories and adds up what they show. run.mjs bundles this file with the rule, and with faulty variants of it.

import { check, type Finding } from './checks';
import { drawHistory } from './histories';
import type { History, Outcome } from './history';
import { simulate } from './simulate';

/** Histories on a path with losses that have the same plan. */
export interface LossCell {
  readonly name: string;
  histories: number;
  hours: number;
  ended: number;
  /** How many the plan allows, by its chances; Infinity: it allows all. */
  stated: number;
}

interface Found extends Finding {
  readonly seed: number;
  readonly what: string;
}

export interface Summary {
  histories: number;
  readonly verdicts: Record<string, number>;
  /** What broke the promise. */
  readonly broken: Found[];
  /** The histories that came closest to breaking it, the closest first. */
  readonly closest: Record<string, Found[]>;
  readonly losses: Record<string, LossCell>;
}

/** How many of the closest histories are kept. */
const KEPT = 5;
const HOUR = 3_600_000;

/** Runs the histories of `count` seeds from `first` on. Stops after `mostBroken` broken promises. */
export function runBatch(first: number, count: number, mostBroken = 100): Summary {
  const summary: Summary = { histories: 0, verdicts: {}, broken: [], closest: {}, losses: {} };
  for (let seed = first; seed < first + count; seed++) {
    runOne(summary, seed);
    if (summary.broken.length >= mostBroken) break;
  }
  return summary;
}

function runOne(summary: Summary, seed: number): void {
  const drawn = drawHistory(seed);
  const { scene, history } = drawn;
  const outcome = simulate(history);
  const what = `${scene}, ${history.program.kind}, T ${history.timeout}`;
  summary.histories++;
  const verdict = `${scene}: ${outcome.verdict}`;
  summary.verdicts[verdict] = (summary.verdicts[verdict] ?? 0) + 1;
  for (const finding of check(drawn, outcome)) {
    const found = { ...finding, seed, what };
    if (finding.excess > 0) summary.broken.push(found);
    else keepClosest(summary, { ...found, excess: finding.excess / history.timeout });
  }
  const isPlain = history.callAt === 0 && history.blockedTo === Infinity && history.hasTimeoutMax;
  if (scene === 'living' && isPlain) {
    const excess = outcome.longestSilence - 1;
    keepClosest(summary, { promise: 'spares the living', excess, seed, what });
  }
  if (scene === 'lossy') countLoss(summary, history, outcome);
}

function keepClosest({ closest }: Summary, found: Found): void {
  closest[found.promise] ??= [];
  const kept = closest[found.promise] as Found[];
  const last = kept[KEPT - 1];
  if (last !== undefined && last.excess >= found.excess) return;
  kept.push(found);
  kept.sort((one, other) => other.excess - one.excess);
  kept.length = Math.min(kept.length, KEPT);
}

function countLoss(
  { losses }: Summary,
  { timeout, loss, program }: History,
  { at, verdict, plan }: Outcome,
): void {
  const name = `T ${timeout / 1_000} s, loss ${100 * loss} %, ${program.kind}`;
  losses[name] ??= { name, histories: 0, hours: 0, ended: 0, stated: 0 };
  const cell = losses[name];
  const hours = at / HOUR;
  cell.histories++;
  cell.hours += hours;
  if (verdict !== 'alive') cell.ended++;
  const stated = program.kind === 'idle' ? plan.falseAlarmsPerHour : plan.falseAlarmsPerHourWriting;
  cell.stated -= Math.log1p(-(stated as number)) * hours;
}

/** Whether more living peers were ended than the stated chance explains: four standard deviations. */
export function isTooOften({ ended, stated }: LossCell): boolean {
  return ended > stated + 4 * Math.sqrt(stated) + 4;
}
