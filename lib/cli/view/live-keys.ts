// What the keys of `connections --watch` mean, and what they have chosen.

import { SORT_KEYS, type SortKey } from './connection-order';

export const HELP_LINES: readonly string[] = [
  'Keys',
  '',
  '  up, down, j, k        move the cursor by a row',
  '  PgUp, PgDn            by a page; Home, End: to the first or last row',
  '  Enter, o              open the connection: its facts, and what happens',
  '  Esc, q                back from it',
  '  /                     filter by text: an address, a state, a problem;',
  '                        Enter keeps it, Esc drops the change',
  '  Esc                   clear the filter',
  '  s                     sort by the next column; S: by the one before',
  '  !                     show only connections with a problem',
  '  p, space              pause, and continue',
  '  Ctrl-Z                suspend until fg',
  '  ?                     this help; any key closes it',
  '  q, Ctrl-C             quit',
];

/** How many rows each key moves the cursor, given the number of rows on a page. */
const MOVES: Readonly<Record<string, (page: number) => number>> = {
  up: () => -1,
  k: () => -1,
  down: () => 1,
  j: () => 1,
  pageup: (page) => -page,
  pagedown: (page) => page,
  home: () => -Infinity,
  end: () => Infinity,
};

/** Rows to move the cursor by; `'open'`: the connection there; `'changed'`: only the choices below. */
export type KeyAction = number | 'open' | 'changed' | undefined;

export class LiveKeys {
  isPaused = false;
  problemsOnly = false;
  showsHelp = false;
  /** Whether keys are letters of the filter. */
  isTyping = false;
  text = '';
  /** The filter before it is edited. */
  #before = '';
  /** `undefined`: problems first, then new connections. */
  sort: SortKey | undefined;

  /** `undefined`: the key means nothing here. */
  press(name: string, text: string, page: number): KeyAction {
    if (this.showsHelp) {
      this.showsHelp = false;
      return 'changed';
    }
    if (this.isTyping) return this.#type(name, text);
    if (Object.hasOwn(MOVES, name)) return MOVES[name]?.(page);
    if (name === 'return' || name === 'enter' || name === 'o') return 'open';
    return this.#choose(name, text) ? 'changed' : undefined;
  }

  /** A pasted text is a part of the filter while that is edited, and means nothing otherwise. */
  paste(text: string): boolean {
    if (!this.isTyping) return false;
    this.text += text.replace(/\p{C}/gu, '');
    return true;
  }

  #type(name: string, text: string): KeyAction {
    if (name === 'return' || name === 'enter') this.isTyping = false;
    else if (name === 'escape') {
      this.isTyping = false;
      this.text = this.#before;
    } else if (name === 'backspace') this.text = [...this.text].slice(0, -1).join('');
    // No control characters, and no sequences of keys that have a name only.
    else if (/^\P{C}$/u.test(text)) this.text += text;
    return 'changed';
  }

  #startTyping(): void {
    this.isTyping = true;
    this.#before = this.text;
  }

  #choose(name: string, text: string): boolean {
    if (name === 'p' || name === 'space') this.isPaused = !this.isPaused;
    else if (name === 's') this.sort = nextSort(this.sort, text === 'S' ? -1 : 1);
    else if (text === '!') this.problemsOnly = !this.problemsOnly;
    else if (text === '?') this.showsHelp = true;
    else if (text === '/') this.#startTyping();
    else if (name === 'escape' && this.text !== '') this.text = '';
    else return false;
    return true;
  }
}

/** The next sort key; after the last one the default again. */
function nextSort(sort: SortKey | undefined, step: 1 | -1): SortKey | undefined {
  const keys: readonly (SortKey | undefined)[] = [undefined, ...SORT_KEYS.slice(1)];
  return keys[(keys.indexOf(sort) + step + keys.length) % keys.length];
}
