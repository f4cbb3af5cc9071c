// A terminal that shows lines in place, and is given back as it was: whatever ends the program.

import { writeSync } from 'node:fs';
import { emitKeypressEvents } from 'node:readline';
import { cut, showsUnicode } from './text';

export interface Line {
  readonly text: string;
  readonly style?: keyof typeof STYLES;
}

const STYLES = { heading: '\x1b[7m', alarm: '\x1b[33m' } as const;
const PLAIN = '\x1b[m';
const CLEAR = '\x1b[2J';

// Alternate screen, cursor hidden, and lines that are too long end at the edge: some characters are
// two columns wide, which is the terminal's to know.
const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l';
const LEAVE = `${PLAIN}\x1b[?7h\x1b[?25h\x1b[?1049l`;

/** Ends that come from outside; whoever sent one is to see that it worked. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
/** How long a terminal that takes nothing may keep a program that was told to end. */
const PATIENCE = 1_000;
/** How long stopping takes at most, where it can work. */
const STOPPING = 100;

export interface ScreenEvents {
  /** A key, as node:readline names it: `'down'`, `'pageup'`, `'j'`. */
  key(name: string): void;
  /** The screen has another size, and shows nothing now. */
  resize(): void;
}

interface Key {
  readonly name?: string;
  readonly ctrl?: boolean;
}

/** Whether a screen can be shown: the output is a terminal that knows how to move its cursor. */
export function hasScreen(): boolean {
  return process.stdout.isTTY === true && process.env.TERM !== 'dumb';
}

export class Screen {
  readonly #output = process.stdout;
  readonly #input = process.stdin.isTTY ? process.stdin : null;
  readonly #events: ScreenEvents;
  readonly #unicode = showsUnicode();
  // https://no-color.org
  readonly #styled = !process.env.NO_COLOR;
  readonly #end = new AbortController();
  /** A second request to end: does not wait any longer. */
  readonly #force = new AbortController();
  /** What the terminal shows, line by line, as it was written; `null` where that is not known. */
  #shown: string[] | null = null;
  /** The newest frame, if it could not be written yet. */
  #wanted: readonly Line[] | null = null;
  /** Whether the terminal has not taken yet what was written last. */
  #busy = false;
  #entered = false;
  #signal: NodeJS.Signals | null = null;

  constructor(events: ScreenEvents) {
    this.#events = events;
    // A blocking write into a terminal that does not read would stop this program, its keys and signals too.
    this.#block(false);
    process.on('exit', this.#exit);
    for (const signal of SIGNALS) process.on(signal, this.#killed);
    process.on('SIGCONT', this.#continued);
    this.#output.on('resize', this.#resized);
    this.#output.on('error', this.#hungUp);
    if (this.#input) {
      emitKeypressEvents(this.#input);
      this.#input.on('keypress', this.#pressed);
      this.#input.on('error', this.#hungUp);
      this.#input.on('end', this.#hungUp);
    }
    this.#enter();
  }

  /** Aborted when the screen is to end: by a key, by a signal, or with the terminal. */
  get ended(): AbortSignal {
    return this.#end.signal;
  }

  /** Whether it hears keys. */
  get hasKeys(): boolean {
    return this.#input !== null;
  }

  get columns(): number {
    // 0 where nobody has told the terminal its size.
    return this.#output.columns || 80;
  }

  get rows(): number {
    return this.#output.rows || 24;
  }

  /**
   * Shows lines; those that are too many or too long for the screen are cut. While the terminal has not
   * taken the frame before, a frame waits, and a newer one takes its place.
   */
  show(lines: readonly Line[]): void {
    this.#wanted = lines;
    this.#draw();
  }

  /** Gives the terminal back. A signal that ended the screen ends the program here. */
  async close(): Promise<void> {
    this.#end.abort();
    if (this.#signal) setTimeout(() => this.#force.abort(), PATIENCE).unref();
    await this.#leave();
    this.#block(true);
    for (const signal of SIGNALS) process.off(signal, this.#killed);
    process.off('SIGCONT', this.#continued);
    this.#output.off('resize', this.#resized);
    this.#input?.off('keypress', this.#pressed);
    this.#input?.pause();
    if (this.#signal) process.kill(process.pid, this.#signal);
    // What the terminal has not taken would keep the process.
    if (this.#force.signal.aborted) process.exit();
    process.off('exit', this.#exit);
  }

  #draw(): void {
    const lines = this.#wanted;
    if (lines === null || this.#busy || !this.#entered) return;
    this.#wanted = null;
    const { columns, rows } = this;
    let changes = this.#shown === null ? CLEAR : '';
    const shown = this.#shown ?? [];
    this.#shown = shown;
    for (let row = 0; row < rows; row++) {
      const line = lines[row];
      const written = line === undefined ? '' : this.#render(line, columns);
      if (written === (shown[row] ?? '')) continue;
      shown[row] = written;
      // Erased first: behind a full line the cursor stands on its last character.
      changes += `\x1b[${row + 1};1H\x1b[2K${written}`;
    }
    if (changes === '') return;
    this.#busy = true;
    this.#output.write(changes, () => {
      this.#busy = false;
      this.#draw();
    });
  }

  #render({ text, style }: Line, columns: number): string {
    const shown = cut(text, columns, this.#unicode);
    return style && this.#styled ? `${STYLES[style]}${shown}${PLAIN}` : shown;
  }

  #enter(): void {
    this.#entered = true;
    this.#shown = null;
    this.#input?.setRawMode(true).resume();
    this.#output.write(ENTER);
  }

  /** Resolves when the terminal has taken it, or nobody wants to wait for that any more. */
  async #leave(): Promise<void> {
    if (!this.#entered) return;
    this.#entered = false;
    await new Promise<void>((resolve) => {
      this.#force.signal.addEventListener('abort', () => resolve(), { once: true });
      this.#output.write(LEAVE, () => resolve());
    });
    this.#input?.setRawMode(false);
  }

  #block(blocking: boolean): void {
    // Node has no public name for this. Where it is missing, a slow terminal slows the program.
    const { _handle } = this.#output as { _handle?: { setBlocking?(blocking: boolean): unknown } };
    _handle?.setBlocking?.(blocking);
  }

  readonly #resized = (): void => {
    this.#shown = null;
    if (this.#entered) this.#events.resize();
  };

  readonly #pressed = (text: string | undefined, { name, ctrl }: Key): void => {
    if (ctrl && name === 'z' && process.platform !== 'win32') void this.#suspend();
    else if (name === 'q' || (ctrl && name === 'c')) this.#quit();
    else if (!ctrl && this.#entered) this.#events.key(name ?? text ?? '');
  };

  readonly #quit = (): void => {
    if (this.#end.signal.aborted) this.#force.abort();
    this.#end.abort();
  };

  readonly #killed = (signal: NodeJS.Signals): void => {
    this.#signal = signal;
    this.#quit();
  };

  /**
   * The terminal is gone, and its signal on the way. To end by the signal is also what saves Node from a
   * failed assertion: at an orderly end it would restore the terminal's modes.
   */
  readonly #hungUp = (): void => this.#killed('SIGHUP');

  /** As the terminal itself would: every process of the job stops, and the shell takes over. */
  async #suspend(): Promise<void> {
    if (!this.#entered) return;
    await this.#leave();
    process.kill(0, 'SIGTSTP');
    // A job that no shell waits for does not stop.
    setTimeout(() => this.#resume(), STOPPING);
  }

  #resume(): void {
    if (this.#entered || this.#end.signal.aborted) return;
    this.#enter();
    this.#events.resize();
  }

  readonly #continued = async (): Promise<void> => {
    // Stopped from outside, the terminal has been somebody else's meanwhile.
    await this.#leave();
    this.#resume();
  };

  /** The last resort: an exception, or an exit from elsewhere. Node itself ends raw mode then. */
  readonly #exit = (): void => {
    if (!this.#entered) return;
    try {
      writeSync(this.#output.fd, LEAVE);
    } catch {
      // The terminal is gone, or takes nothing: there is no way left to tell it.
    }
  };
}
