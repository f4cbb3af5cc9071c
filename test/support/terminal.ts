// Real terminals: tmux, which has a screen, and a bare pseudo-terminal, which records the output.

import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { TestContext } from 'vitest';

const run = promisify(execFile);

/** Why a program does not run here; `undefined` if it does. */
function without(program: string, argument: string): string | undefined {
  try {
    execFileSync(program, [argument], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return `${program} does not run here: ${String((error as Error).message).trim()}`;
  }
}

const withoutTmux = without('tmux', '-V');
const withoutPython = without('python3', '--version');

type Skips = Pick<TestContext, 'skip'>;
/** Skips a test, with the reason, if its terminal is missing. */
export const needsTmux = ({ skip }: Skips) => skip(withoutTmux !== undefined, withoutTmux);
export const needsPty = ({ skip }: Skips) => skip(withoutPython !== undefined, withoutPython);

/**
 * A fixed environment for the terminal. tmux runs commands with SHELL; without it, it would use the shell of the
 * user's account, which may be nologin(8).
 */
const ENV = { LC_ALL: 'C.UTF-8', NO_COLOR: '', SHELL: '/bin/sh', TERM: 'xterm' };

const fixture = join(__dirname, '../fixtures/connections.cjs');
/** The command line with made-up connections. */
export const faked = (scenario: string, ...args: string[]) => [
  process.execPath,
  fixture,
  scenario,
  'connections',
  ...args,
];

export interface Modes {
  readonly alternateScreen: boolean;
  readonly cursor: boolean;
  readonly wrap: boolean;
  /** The terminal's settings, as stty(1) saves them. */
  readonly stty: string;
}

/** Quotes a word for the shell. */
const quoted = (word: string) =>
  /^[\w=./:-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

/** A shell in its own tmux. */
export class Tmux {
  readonly #directory = mkdtempSync(join(tmpdir(), 'socket-options-'));
  #saved = 0;

  static async start(columns: number, rows: number): Promise<Tmux> {
    const tmux = new Tmux();
    const shell = `PS1='prompt$ ' exec bash --norc --noprofile`;
    const size = ['-x', String(columns), '-y', String(rows)];
    await tmux.#run('-f', '/dev/null', 'new-session', '-d', ...size, shell);
    await tmux.until(/^prompt\$ $/m);
    return tmux;
  }

  async #run(...args: string[]): Promise<string> {
    const env = { ...process.env, ...ENV, TMUX_TMPDIR: this.#directory };
    const { stdout } = await run('tmux', ['-u', ...args], { env });
    return stdout;
  }

  /** Presses keys, with their names in tmux(1): `'q'`, `'C-c'`, `'Down'`. */
  async press(...keys: string[]): Promise<void> {
    await this.#run('send-keys', ...keys);
  }

  /** Runs a command in the shell. */
  async enter(command: readonly string[]): Promise<void> {
    await this.#enterLine(command.map(quoted).join(' '));
  }

  async #enterLine(line: string): Promise<void> {
    await this.#run('send-keys', '-l', line);
    await this.press('Enter');
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#run('resize-window', '-x', String(columns), '-y', String(rows));
  }

  /** The text on the terminal. */
  async screen(): Promise<string> {
    return this.#run('capture-pane', '-p', '-N');
  }

  /** The text with its colours. */
  async styled(): Promise<string> {
    return this.#run('capture-pane', '-p', '-e');
  }

  /** Waits until the screen matches, and returns it; throws after 5 seconds. */
  async until(expected: RegExp | ((screen: string) => boolean)): Promise<string> {
    const holds = (screen: string) =>
      expected instanceof RegExp ? expected.test(screen) : expected(screen);
    for (let tries = 0; tries < 100; tries++) {
      const screen = await this.screen();
      if (holds(screen)) return screen;
      await sleep(50);
    }
    throw new Error(`the terminal never showed ${expected}, but:\n${await this.screen()}`);
  }

  /** The process id of the program that runs in the shell. */
  async child(): Promise<number> {
    const shell = (await this.#run('display-message', '-p', '#{pane_pid}')).trim();
    return Number(readFileSync(`/proc/${shell}/task/${shell}/children`, 'utf8'));
  }

  /** The modes of the terminal while the shell shows its prompt. */
  async modes(): Promise<Modes> {
    const path = join(this.#directory, String(this.#saved++));
    await this.#enterLine(`stty -g >${path}; echo saved-$?`);
    await this.until(/^saved-0$/m);
    return { ...(await this.screenModes()), stty: readFileSync(path, 'utf8') };
  }

  async screenModes(): Promise<Omit<Modes, 'stty'>> {
    const flags = await this.#run(
      'display-message',
      '-p',
      '#{alternate_on} #{cursor_flag} #{wrap_flag}',
    );
    const [alternateScreen, cursor, wrap] = flags.split(' ').map((flag) => Number(flag) === 1);
    return { alternateScreen, cursor, wrap } as Omit<Modes, 'stty'>;
  }

  async end(): Promise<void> {
    await this.#run('kill-server').catch(() => {});
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

type Step =
  | readonly ['until' | 'type' | 'signal' | 'rss', string]
  | readonly ['read' | 'sleep', number]
  | readonly ['size', number, number]
  | readonly ['hangup']
  | readonly ['end', number, 'unread'?];

export interface Played {
  readonly output: string;
  /** The exit code; negative: the signal that ended the program; `null`: it did not end. */
  readonly status: number | null;
  /** Whether the terminal has the same settings as before. */
  readonly modesRestored: boolean;
  readonly rss: Readonly<Record<string, number>>;
  /** The texts that `until` did not find in time. */
  readonly timedOut: readonly string[];
}

/** Runs a program in a bare terminal and plays steps; test/fixtures/terminal.py describes them. */
export async function play(
  command: readonly string[],
  steps: readonly Step[],
  { columns = 80, rows = 24, env = {}, stdin = true } = {},
): Promise<Played> {
  const task = { command, columns, rows, stdin, steps, env: { ...ENV, ...env } };
  const script = join(__dirname, '../fixtures/terminal.py');
  const { stdout } = await run('python3', [script, JSON.stringify(task)], {
    timeout: 30_000,
    maxBuffer: 2 ** 26,
  });
  return JSON.parse(stdout) as Played;
}
