// Shows lines in place on a terminal, and restores the terminal however the program ends.

import { writeSync } from 'node:fs';
import { emitKeypressEvents } from 'node:readline';
import { isColourAllowed, PLAIN, type Style, styled } from './style';
import { supportsUnicode, truncate } from './text';

export interface Line {
  readonly text: string;
  readonly style?: Style;
}

const CLEAR = '\x1b[2J';

// Alternate screen, hidden cursor, and no automatic wrap: some characters are two columns wide, and only
// the terminal knows which, so a line may be longer than the screen. Pasted text comes in brackets: it is no keys.
const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[?2004h';
const LEAVE = `${PLAIN}\x1b[?2004l\x1b[?7h\x1b[?25h\x1b[?1049l`;

/** Signals that end the screen. The program then ends by the same signal, as the sender expects. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
/** How long a terminal that does not read may delay the end after a signal, in ms. */
const EXIT_TIMEOUT = 1_000;
/** SIGTSTP stops the process within this time, in ms, or not at all. */
const SUSPEND_TIMEOUT = 100;

export interface ScreenEvents {
  /**
   * A key was pressed; node:readline names it: `'down'`, `'pageup'`, `'j'`. `text` is what it types. Returns whether it
   * means something; `q` quits otherwise.
   */
  key(name: string, text: string): boolean;
  /** A text was pasted. */
  paste(text: string): void;
  /** The size of the screen changed, or its content was lost: it must be drawn again. */
  resize(): void;
}

interface Key {
  readonly name?: string;
  readonly ctrl?: boolean;
}

/** Whether the output is a terminal that can move its cursor. */
export function canShowScreen(): boolean {
  return process.stdout.isTTY === true && process.env.TERM !== 'dumb';
}

export class Screen {
  readonly #output = process.stdout;
  readonly #input = process.stdin.isTTY ? process.stdin : null;
  readonly #events: ScreenEvents;
  readonly #unicode = supportsUnicode();
  readonly #isColoured = isColourAllowed();
  readonly #end = new AbortController();
  /** Aborted by a second request to end: the terminal is no longer waited for. */
  readonly #force = new AbortController();
  /** The lines that the terminal shows, with their styles; `null`: not known. */
  #shown: string[] | null = null;
  /** The newest frame, if it was not written yet. */
  #pending: readonly Line[] | null = null;
  /** Whether the last write is still waiting for the terminal. */
  #isWriting = false;
  /** Whether the terminal shows the alternate screen. */
  #isOpen = false;
  /** The text that is being pasted; `null`: none. */
  #pasted: string | null = null;
  #signal: NodeJS.Signals | null = null;

  constructor(events: ScreenEvents) {
    this.#events = events;
    // A blocking write to a terminal that does not read would also block keys and signals.
    this.#setBlocking(false);
    process.on('exit', this.#onExit);
    for (const signal of SIGNALS) process.on(signal, this.#onSignal);
    process.on('SIGCONT', this.#onContinue);
    this.#output.on('resize', this.#onResize);
    this.#output.on('error', this.#onHangUp);
    if (this.#input) {
      emitKeypressEvents(this.#input);
      this.#input.on('keypress', this.#onKeypress);
      this.#input.on('error', this.#onHangUp);
      this.#input.on('end', this.#onHangUp);
    }
    this.#enter();
  }

  /** Aborted when a key, a signal or a lost terminal ends the screen. */
  get ended(): AbortSignal {
    return this.#end.signal;
  }

  get columns(): number {
    // 0 if the terminal does not know its size.
    return this.#output.columns || 80;
  }

  get rows(): number {
    return this.#output.rows || 24;
  }

  /**
   * Shows lines; what does not fit on the screen is cut off. While the terminal is busy with the frame
   * before, only the newest frame waits.
   */
  show(lines: readonly Line[]): void {
    this.#pending = lines;
    this.#draw();
  }

  /** Restores the terminal. If a signal ended the screen, it ends the program here. */
  async close(): Promise<void> {
    this.#end.abort();
    if (this.#signal) setTimeout(() => this.#force.abort(), EXIT_TIMEOUT).unref();
    await this.#leave();
    this.#setBlocking(true);
    for (const signal of SIGNALS) process.off(signal, this.#onSignal);
    process.off('SIGCONT', this.#onContinue);
    this.#output.off('resize', this.#onResize);
    this.#input?.off('keypress', this.#onKeypress);
    this.#input?.pause();
    if (this.#signal) process.kill(process.pid, this.#signal);
    // Output that the terminal does not read would keep the process running.
    if (this.#force.signal.aborted) process.exit();
    process.off('exit', this.#onExit);
  }

  #draw(): void {
    const lines = this.#pending;
    if (lines === null || this.#isWriting || !this.#isOpen) return;
    this.#pending = null;
    const { columns, rows } = this;
    let changes = this.#shown === null ? CLEAR : '';
    const shown = this.#shown ?? [];
    this.#shown = shown;
    for (let row = 0; row < rows; row++) {
      const line = lines[row];
      const written = line === undefined ? '' : this.#render(line, columns);
      if (written === (shown[row] ?? '')) continue;
      shown[row] = written;
      // The line is erased first: after a full line, the cursor is still on its last character.
      changes += `\x1b[${row + 1};1H\x1b[2K${written}`;
    }
    if (changes === '') return;
    this.#isWriting = true;
    this.#output.write(changes, () => {
      this.#isWriting = false;
      this.#draw();
    });
  }

  #render({ text, style }: Line, columns: number): string {
    return styled(truncate(text, columns, this.#unicode), style ?? null, this.#isColoured);
  }

  #enter(): void {
    this.#isOpen = true;
    this.#pasted = null;
    this.#shown = null;
    this.#input?.setRawMode(true).resume();
    this.#output.write(ENTER);
  }

  /** Resolves when the terminal has read the codes, or when a second request to end does not wait. */
  async #leave(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await new Promise<void>((resolve) => {
      this.#force.signal.addEventListener('abort', () => resolve(), { once: true });
      this.#output.write(LEAVE, () => resolve());
    });
    this.#input?.setRawMode(false);
  }

  #setBlocking(blocking: boolean): void {
    // Node has no public API for this. Without it, a slow terminal only slows down the program.
    const { _handle } = this.#output as { _handle?: { setBlocking?(blocking: boolean): unknown } };
    _handle?.setBlocking?.(blocking);
  }

  readonly #onResize = (): void => {
    this.#shown = null;
    if (this.#isOpen) this.#events.resize();
  };

  readonly #onKeypress = (text: string | undefined, { name, ctrl }: Key): void => {
    if (ctrl && name === 'z' && process.platform !== 'win32') void this.#suspend();
    else if (ctrl && name === 'c') this.#quit();
    else if (name === 'paste-start') this.#pasted = '';
    else if (name === 'paste-end') this.#endPaste();
    else if (this.#pasted !== null) this.#pasted += text ?? '';
    else if (ctrl || !this.#isOpen) return;
    else if (!this.#events.key(name ?? '', text ?? '') && name === 'q') this.#quit();
  };

  #endPaste(): void {
    const text = this.#pasted ?? '';
    this.#pasted = null;
    if (this.#isOpen) this.#events.paste(text);
  }

  readonly #quit = (): void => {
    if (this.#end.signal.aborted) this.#force.abort();
    this.#end.abort();
  };

  readonly #onSignal = (signal: NodeJS.Signals): void => {
    this.#signal = signal;
    this.#quit();
  };

  /**
   * The terminal is gone; its SIGHUP follows. The program must end by the signal: at an orderly exit, Node
   * restores the modes of the terminal, and aborts because it is gone.
   */
  readonly #onHangUp = (): void => this.#onSignal('SIGHUP');

  /** Stops every process of the job, as the terminal itself does on Ctrl-Z; the shell takes over. */
  async #suspend(): Promise<void> {
    if (!this.#isOpen) return;
    await this.#leave();
    process.kill(0, 'SIGTSTP');
    // Without a shell that could continue it, the job does not stop (an orphaned process group).
    setTimeout(() => this.#resume(), SUSPEND_TIMEOUT);
  }

  #resume(): void {
    if (this.#isOpen || this.#end.signal.aborted) return;
    this.#enter();
    this.#events.resize();
  }

  readonly #onContinue = async (): Promise<void> => {
    // After SIGSTOP, other programs may have used the terminal: set it up again.
    await this.#leave();
    this.#resume();
  };

  /** The last resort, at an exception or process.exit(). Node itself ends raw mode. */
  readonly #onExit = (): void => {
    if (!this.#isOpen) return;
    try {
      writeSync(this.#output.fd, LEAVE);
    } catch {
      // The terminal is gone or does not read: it cannot be restored.
    }
  };
}
