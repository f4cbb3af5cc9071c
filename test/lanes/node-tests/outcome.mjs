// Runs one of Node's tests in a process, and judges it: with tuneSockets() it must end as it does without.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const PRELOAD = fileURLToPath(new URL('preload.cjs', import.meta.url));
/** How long a test may run. */
const PATIENCE = 60_000;
/** How often a test runs with tuneSockets() before it counts as failed: some are flaky on a busy machine. */
const ATTEMPTS = 3;
/** How much of the output of a failed test is shown. */
const SHOWN = 2_000;

/** The environment of a process whose sockets are tuned. */
export function tuned(plant) {
  const path = PRELOAD.replaceAll('\\', '\\\\').replaceAll('"', '\\"');
  const env = { NODE_OPTIONS: `--require "${path}"` };
  return plant === undefined ? env : { ...env, NODE_TESTS_PLANT: plant };
}

/** The options of Node in the comments of a test, as Node's tools/test.py reads them. */
function flagsOf(path) {
  const text = readFileSync(path, 'utf8');
  return [...text.matchAll(/\/\/\s+Flags:(.*)/g)].flatMap(([, flags]) => flags.trim().split(/\s+/));
}

export class Runner {
  /** `node` is the program, `folder` has Node's test/, `scratch` is for the files of tests. */
  constructor({ node, folder, scratch }) {
    this.node = node;
    this.folder = folder;
    this.scratch = scratch;
  }

  /**
   * Runs a test; `slot` gives it ports and a folder of its own. Resolves to `kind` ('passed', 'skipped', 'failed'), its
   * `reason`, its output and the seconds that it took.
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
    let isLate = false;
    const end = () => {
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        // All have ended.
      }
    };
    const timer = setTimeout(() => {
      isLate = true;
      end();
    }, patience);
    const closed = once(child, 'close');
    const [status, signal] = await once(child, 'exit');
    clearTimeout(timer);
    end();
    // A process that left the group may hold the output open.
    await Promise.race([closed, delay(1_000, undefined, { ref: false })]);
    const seconds = (performance.now() - start) / 1_000;
    if (isLate) return { kind: 'failed', reason: `runs for ${patience / 1_000} s`, output, seconds };
    if (status !== 0) {
      return { kind: 'failed', reason: `ends with ${signal ?? status}`, output, seconds };
    }
    const skip = /^1\.\.0 # Skipped: (.*)$/m.exec(output);
    if (skip !== null) return { kind: 'skipped', reason: skip[1], output, seconds };
    return { kind: 'passed', output, seconds };
  }

  /**
   * Compares with a run without tuneSockets(), after a first run with it that did not pass. Resolves to the verdict and
   * the reason.
   */
  async judge(test, first, { plant, patience, attempts = ATTEMPTS, slot } = {}) {
    const plain = await this.run(test, { slot });
    if (first.kind === 'skipped' && plain.kind === 'skipped') {
      return { verdict: 'skipped', reason: first.reason };
    }
    if (plain.kind === 'failed') {
      return { verdict: 'skipped', reason: `without tuneSockets() it ${plain.reason}, too` };
    }
    for (let attempt = 2, last = first; ; attempt++) {
      if (attempt > attempts) {
        const reason = `${last.kind} (${last.reason}), and ${plain.kind} without tuneSockets()`;
        return { verdict: 'failed', reason, output: last.output.slice(-SHOWN) };
      }
      last = await this.run(test, { env: tuned(plant), patience, slot });
      if (last.kind === plain.kind) return { verdict: last.kind, reason: `at attempt ${attempt}` };
    }
  }
}
