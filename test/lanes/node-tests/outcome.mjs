// Runs one of Node's tests in a process, and judges it: with this package it must end as it does without, or as listed.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { listedDifference } from './differences.mjs';
import { environmentOf } from './modes.mjs';

/** How long a test may run, in seconds. */
const PATIENCE = 60;
/** How often a test runs with this package before it counts as failed: some are flaky on a busy machine. */
const ATTEMPTS = 3;
/** A test that takes so many seconds runs without this package too. It must not take much longer with it. */
const LONG = 3;
const LATER = 2;
/** The options of Node in the first comments of a test. */
function flagsOf(path) {
  const text = readFileSync(path, 'utf8');
  return [...text.matchAll(/^\/\/ Flags:(.*)$/gm)].flatMap(([, flags]) =>
    flags.trim().split(/\s+/),
  );
}

/** The line of the output of a failed test that has its error. */
function errorIn(output) {
  const lines = output.split('\n').map((line) => line.trim());
  return lines.find((line) => /^\w*(Error|Mismatched)\b/.test(line)) ?? lines.findLast(Boolean);
}

export class Runner {
  /** Outcomes without this package, by the test. */
  #plain = new Map();

  /**
   * `node` is the program, `folder` has Node's test/, `scratch` is for the files of tests. `calls` is a file for the calls
   * that a preload counts.
   */
  constructor({ node, folder, scratch }) {
    this.node = node;
    this.folder = folder;
    this.scratch = scratch;
    this.calls = join(scratch, 'calls');
  }

  /**
   * Runs a test; `slot` gives it a folder of its own. Resolves to its `kind` ('passed', 'skipped', 'failed'), `reason`,
   * `output` and `seconds`.
   */
  async run(test, { env = {}, patience = PATIENCE, slot = 0 } = {}) {
    const path = join(this.folder, 'test', test);
    const home = join(this.scratch, `${slot}`);
    mkdirSync(home, { recursive: true });
    const start = performance.now();
    const child = spawn(this.node, [...flagsOf(path), path], {
      cwd: this.folder,
      // A group of its own, so that its children end with it.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH,
        HOME: home,
        NODE_TEST_DIR: home,
        TEST_THREAD_ID: `${slot}`,
        TEST_SERIAL_ID: `${slot}`,
        ...env,
      },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
      });
    }
    const end = () => {
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        // All have ended.
      }
    };
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      end();
    }, patience * 1_000);
    const closed = once(child, 'close');
    const [status, signal] = await once(child, 'exit');
    const seconds = (performance.now() - start) / 1_000;
    clearTimeout(timer);
    end();
    // A process that left the group may hold the output open.
    await Promise.race([closed, delay(1_000, undefined, { ref: false })]);
    const skip = /^1\.\.0 # Skipped: (.*)$/m.exec(output);
    const result = { output, seconds };
    if (isLate) return { ...result, kind: 'failed', reason: `still runs after ${patience} s` };
    if (status !== 0) {
      const reason = `ends with ${signal ?? status}: ${errorIn(output)}`;
      return { ...result, kind: 'failed', reason };
    }
    if (skip !== null) return { ...result, kind: 'skipped', reason: skip[1] };
    return { ...result, kind: 'passed', reason: `${seconds.toFixed(1)} s` };
  }

  /** Runs a test in a mode. Its `verdict` is 'passed' if no further run is needed. */
  async first(mode, test, { plant, ...options } = {}) {
    const env = environmentOf(mode, { plant, calls: this.calls });
    const outcome = await this.run(test, { env, ...options });
    const isGood = outcome.kind === 'passed' && outcome.seconds < LONG;
    const isListed = listedDifference(mode, test) !== undefined;
    return { test, ...outcome, verdict: isGood && !isListed ? 'passed' : undefined };
  }

  /**
   * Compares a first run with one without this package, and repeats it if they differ. Resolves to the first run with its
   * `verdict`, and the reason.
   */
  async judge(mode, first, { plant, patience, attempts = ATTEMPTS, slot } = {}) {
    const { test } = first;
    if (!this.#plain.has(test)) this.#plain.set(test, await this.run(test, { slot }));
    const plain = this.#plain.get(test);
    const listed = plant === undefined ? listedDifference(mode, test) : undefined;
    if (listed !== undefined) return judgeListed(listed, first, plain);
    for (let attempt = 1, last = first; ; attempt++) {
      if (plain.kind === 'failed') {
        if (last.kind === 'passed') return { ...first, verdict: 'passed', reason: last.reason };
        return { ...first, ...failsWithout(plain) };
      }
      if (last.kind === plain.kind && last.seconds < plain.seconds + LATER) {
        return { ...first, verdict: last.kind, reason: last.reason, attempt };
      }
      if (attempt === attempts) {
        const reason = `${last.kind} with ${mode.title}: ${last.reason}; ${plain.kind} without: ${plain.reason}`;
        return { ...first, verdict: 'failed', reason };
      }
      const env = environmentOf(mode, { plant });
      last = await this.run(test, { env, patience, slot });
      // Some tests take long at times, also without tuneSockets(): test-http-set-timeout-server.js 0.4 or 6.4 s.
      const again = await this.run(test, { slot });
      if (again.kind === plain.kind) plain.seconds = Math.max(plain.seconds, again.seconds);
    }
  }
}

function failsWithout(plain) {
  return { verdict: 'skipped', reason: `fails without this package, too: ${plain.reason}` };
}

/** The test must fail, and with the listed error. */
function judgeListed({ error, why }, first, plain) {
  if (plain.kind !== 'passed') return { ...first, ...failsWithout(plain) };
  if (first.kind === 'failed' && error.test(first.output)) {
    return { ...first, verdict: 'different', reason: why };
  }
  const reason = `listed in differences.mjs with ${error}, and is ${first.kind}: ${first.reason}`;
  return { ...first, verdict: 'failed', reason };
}
