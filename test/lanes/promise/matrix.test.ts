// Peers that are lost: every socket fails within the timeout, in every state and after every fault.
//
// PROMISE_FULL=1 runs every case instead of a sample. PROMISE_SEED=n chooses another sample. PROMISE_TRACE=file keeps
// what the kernel reported: trace.mjs.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { writeTable } from '../../support/docs';
import { replay } from '../simulator/replay';
import {
  isFull,
  needsPrograms,
  type Programs,
  preparePrograms,
  seed,
  withoutPrograms,
} from './programs';

interface Cell {
  readonly timeout: number;
  readonly rtt: number;
  readonly state: string;
  readonly fault: string;
  readonly congestion: string;
  readonly way: string;
  readonly slowStartAfterIdle: number;
}

interface Result extends Cell {
  readonly isRight: boolean;
  readonly why: string;
  readonly code?: string | null;
  /** When the program was told, in ms after the peer fell silent, and when it must have been at the latest. */
  readonly after?: number;
  readonly allowed?: number;
}

interface Report {
  readonly results: Result[];
  readonly lateness: { readonly pauses: number; readonly longest: number; readonly sum: number };
  readonly seconds: number;
  readonly cpuSeconds: number;
}

/** This many cases run at the same time in one program. */
const AT_A_TIME = 600;
/** Longer than a program takes: a window closed for 180 s, then 60 s and the time that a late case is watched. */
const LONGEST = 900_000;

/** How often a case that could not be judged is run again. */
const AGAIN = 2;
const isExcused = ({ why }: Result) => why === 'excused';

const congestions = () => {
  const file = '/proc/sys/net/ipv4/tcp_available_congestion_control';
  return readFileSync(file, 'latin1')
    .trim()
    .split(' ')
    .filter((name) => name === 'cubic' || name === 'bbr');
};

function chunksOf<Item>(items: readonly Item[], size: number): Item[][] {
  const count = Math.ceil(items.length / size);
  // Dealt, so that each has some of everything.
  return Array.from({ length: count }, (_, chunk) =>
    items.filter((_, index) => index % count === chunk),
  );
}

const describeCell = ({ timeout, rtt, state, fault, congestion, way }: Cell) =>
  `T ${timeout / 1_000} s, RTT ${rtt} ms, ${state}, ${fault}, ${congestion}, ${way}`;

const shown = (milliseconds: number | undefined) =>
  milliseconds === undefined ? '-' : `${(milliseconds / 1_000).toFixed(2)} s`;

const describeResult = (result: Result) =>
  `${describeCell(result)}: ${result.why}, ${result.code ?? 'no code'} (told ${shown(result.after)}, allowed ${shown(result.allowed)})`;

const countBy = (results: readonly Result[], name: keyof Cell) => {
  const counts = new Map<unknown, { all: number; red: number }>();
  for (const result of results) {
    const count = counts.get(result[name]) ?? { all: 0, red: 0 };
    counts.set(result[name], { all: count.all + 1, red: count.red + (result.isRight ? 0 : 1) });
  }
  return [...counts].map(([value, { all, red }]) => `${value}: ${all - red} of ${all}`).join('; ');
};

/**
 * For each state: how long before or after the timeout the first and the last case was told. Prints the table, and returns
 * its rows.
 */
function tableOf(results: readonly Result[], states: readonly string[]): string[][] {
  const rangeOf = (found: readonly Result[]) => {
    const told = found.flatMap(({ after, timeout }) =>
      after === undefined ? [] : after - timeout,
    );
    return told.length === 0
      ? 'never'
      : `${shown(Math.min(...told))} .. ${shown(Math.max(...told))}`;
  };
  const row = (...cells: readonly (string | number)[]) =>
    console.log(cells.map((cell, column) => `${cell}`.padEnd(WIDTHS[column] as number)).join(' '));
  row('told minus T, earliest .. latest', 'black hole', 'other faults', 'cases', 'red');
  return states.map((state) => {
    const found = results.filter((result) => result.state === state);
    const [hole, others] = [true, false].map((isHole) =>
      rangeOf(found.filter(({ fault }) => (fault === 'black hole') === isHole)),
    );
    const red = found.filter(({ isRight }) => !isRight).length;
    row(state, hole as string, others as string, found.length, red);
    return [state, hole as string, others as string, `${found.length}`, `${red}`];
  });
}
const WIDTHS = [48, 22, 22, 5, 4];

describe('a peer that is lost', async () => {
  const { cellsOf } = await import(join(__dirname, 'matrix.mjs'));
  const matrix: Cell[] = cellsOf({ seed, isFull, congestions: congestions() });
  const states = [...new Set(matrix.map(({ state }) => state))];

  beforeEach(needsPrograms);

  let programs: Programs;
  const results: Result[] = [];
  beforeAll(async () => {
    if (withoutPrograms !== undefined) return;
    programs = preparePrograms();
    const started = performance.now();
    let cpuSeconds = 0;
    const run = async (cells: readonly Cell[], slowStartAfterIdle: number, isAgain: boolean) => {
      const request = { slowStartAfterIdle, cells, isAgain };
      const report = await programs.run<Report>('cells.mjs', request, LONGEST);
      cpuSeconds += report.cpuSeconds;
      const { pauses, longest, sum } = report.lateness;
      console.log(
        `${cells.length} cases in ${report.seconds.toFixed(0)} s; the machine paused the program ${pauses} times, at most ${longest} ms, ${sum} ms in all`,
      );
      return report.results;
    };
    // The setting applies to all connections of a host.
    const runOver = async (slowStartAfterIdle: number) => {
      const own = matrix.filter((cell) => cell.slowStartAfterIdle === slowStartAfterIdle);
      for (const cells of chunksOf(own, AT_A_TIME)) {
        let found = await run(cells, slowStartAfterIdle, false);
        // What could not be judged, since the machine was too busy, is run again, with few cases and strictly.
        for (let round = 0; round < AGAIN && found.some(isExcused); round++) {
          const again = await run(
            cells.filter((_, index) => isExcused(found[index] as Result)),
            slowStartAfterIdle,
            true,
          );
          found = found.map((result) => (isExcused(result) ? (again.shift() as Result) : result));
        }
        results.push(...found);
      }
    };
    await Promise.all([runOver(1), runOver(0)]);
    const seconds = (performance.now() - started) / 1_000;
    console.log(
      `${results.length} cases, seed ${seed}, in ${seconds.toFixed(0)} s, ${((100 * cpuSeconds) / seconds).toFixed(0)} % of a core`,
    );
  });
  afterAll(() => programs?.remove());

  test('every case of the matrix was run', async () => {
    expect(results).toHaveLength(matrix.length);
    const head = ['state', 'black hole', 'other faults', 'cases', 'too late'];
    await writeTable('docs/dead-peers.md', 'promise', head, tableOf(results, states));
    for (const name of ['fault', 'timeout', 'rtt', 'congestion', 'way'] as const) {
      console.log(`in time, by ${name}: ${countBy(results, name)}`);
    }
    const excused = results.filter(isExcused);
    console.log(`${excused.length} not judged, because the machine gave the program no time`);
    for (const result of excused) console.log(`not judged: ${describeResult(result)}`);
    const ends = results.filter(({ why }) => why === 'end for a reset').length;
    console.log(`${ends} resets came together with data: Node before 24 reports the end instead`);
    const red = results.filter(({ isRight }) => !isRight);
    console.log(`${results.length - red.length} right, ${red.length} red`);
    for (const result of red) console.log(`red: ${describeResult(result)}`);
    // Otherwise the lane would prove nothing.
    expect(excused.length).toBeLessThan(results.length / 50);
  });

  test('the rule gives the same verdicts again on what the kernel reported', () => {
    const trace = readFileSync(programs.traceFile, 'utf8');
    const replayed = replay(trace);
    const whole = replayed.filter(({ isCut }) => !isCut);
    console.log(
      `${replayed.length} connections were established: ${whole.length} are judged again; before the end of ${replayed.length - whole.length}, the machine paused the recorder`,
    );
    expect(whole.length).toBeGreaterThan(results.length / 2);
    expect(replayed.length - whole.length).toBeLessThan(results.length / 50);
    const wrong = whole.filter(({ agrees }) => !agrees);
    for (const { name } of wrong) {
      const lines = trace.split('\n').filter((line) => line.includes(`"c":"${name}"`));
      console.log([lines[0], ...lines.slice(-12)].join('\n'));
    }
    expect(wrong).toEqual([]);
  });

  test('BBR is among the congestion controls', ({ skip }) => {
    const count = matrix.filter(({ congestion }) => congestion === 'bbr').length;
    skip(count === 0, 'this kernel has no BBR: all cases run with CUBIC');
    expect(count).toBeGreaterThan(matrix.length / 3);
  });

  test('this kernel can make every fault', ({ skip }) => {
    const skipped = results.filter(({ why }) => why === 'skipped');
    const faults = [...new Set(skipped.map(({ fault }) => fault))].join(', ');
    skip(skipped.length > 0, `${skipped.length} cases: this kernel cannot make ${faults}`);
    expect(results.length).toBeGreaterThan(0);
  });

  describe('every program is told in time', () => {
    test.each(states)('%s', (state) => {
      const red = results.filter((result) => result.state === state && !result.isRight);
      expect(red.map(describeResult)).toEqual([]);
    });
  });
});
