// Formats values, columns and JSON. All text that leaves through these functions is safe to show on a
// terminal.

const UNITS = [
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const;

/** A duration for people: `2 h 11 min 15 s`, `1.5 s`, `200 ms`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 1_000) return `${milliseconds} ms`;
  const words: string[] = [];
  let rest = milliseconds;
  for (const [unit, length] of UNITS) {
    // The smallest unit takes the rest, with its fraction.
    const amount = unit === 's' ? rest / length : Math.floor(rest / length);
    if (amount > 0) words.push(`${Math.round(amount * 1_000) / 1_000} ${unit}`);
    rest -= Math.floor(amount) * length;
  }
  return words.join(' ');
}

/** `7.0 s`: always in seconds, with one decimal. */
export const formatSeconds = (milliseconds: number) => `${(milliseconds / 1_000).toFixed(1)} s`;

/** A round-trip time in three digits: `0.04 ms`, `12.3 ms`, `153 ms`. */
export function formatLatency(milliseconds: number): string {
  const digits = milliseconds < 9.995 ? 2 : milliseconds < 99.95 ? 1 : 0;
  return `${milliseconds.toFixed(digits)} ms`;
}

/**
 * Characters that could take over a terminal or forge a line of a log: control and format characters
 * (which change the direction of writing), line separators, unpaired surrogates, and characters
 * without a width.
 */
const UNSAFE = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/**
 * Makes foreign text (an argument, a process name, an error message) safe: in one line, with unsafe
 * characters escaped as `\x1b` or `\u{202e}`. Without `unicode`, the result is ASCII.
 */
export function toPrintable(text: string, unicode: boolean = supportsUnicode()): string {
  // Messages of this package contain a typographic apostrophe: ASCII has one too.
  return unicode
    ? text.replace(UNSAFE, escapeCharacter)
    : text.replaceAll('\u2019', "'").replace(/[^ -~]/gu, escapeCharacter);
}

function escapeCharacter(character: string): string {
  const hex = (character.codePointAt(0) as number).toString(16);
  return hex.length <= 2 ? `\\x${hex.padStart(2, '0')}` : `\\u{${hex}}`;
}

/** JSON in ASCII: it is safe to show on a terminal. */
export function toJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, undefined, indent).replace(
    /[^\n -~]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Cuts a text to `width` characters; the last one is an ellipsis if something is missing. */
export function truncate(text: string, width: number, unicode: boolean): string {
  // By code points, so that no surrogate pair is cut in two.
  const characters = text.length > width ? [...text] : [];
  if (characters.length <= width) return text;
  return width < 1 ? '' : `${characters.slice(0, width - 1).join('')}${unicode ? '…' : '~'}`;
}

/** Cuts out the middle of a text: the end of an address is its port, which must stay. */
export function truncateMiddle(text: string, width: number, unicode: boolean): string {
  if (text.length <= width) return text;
  const end = Math.floor((width - 1) / 2);
  return `${truncate(text, width - end, unicode)}${text.slice(text.length - end)}`;
}

/** Whether the locale promises a terminal that shows more than ASCII. */
export function supportsUnicode(
  env: NodeJS.ProcessEnv = process.env,
  platform: string = process.platform,
): boolean {
  // Node writes to a Windows console in Unicode, whatever its code page is.
  if (platform === 'win32') return true;
  return /utf-?8/i.test(env.LC_ALL || env.LC_CTYPE || env.LANG || '');
}

/** Rows in columns that are as wide as their widest cell, and at least as wide as in `minimum`. */
export function formatTable(
  rows: readonly (readonly string[])[],
  minimum: readonly number[] = [],
): string {
  const widths = [...minimum];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    });
  }
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** The width of sentences: 80 columns, or fewer on a narrow terminal. */
function textWidth(): number {
  return Math.min(process.stdout.columns || 80, 80);
}

/** Breaks a text at spaces into lines of at most `width` columns. */
export function wrap(text: string, width: number = textWidth()): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = '';
    }
    line += line === '' ? word : ` ${word}`;
  }
  return [...lines, line].join('\n');
}
