// Words and columns for people, without colours, and JSON for programs: all text that the command line
// writes can be shown on a terminal as it is.

const UNITS = [
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const;

/** A duration for people: `2 h 11 min 15 s`, `1.5 s`, `200 ms`. */
export function duration(milliseconds: number): string {
  if (milliseconds < 1_000) return `${milliseconds} ms`;
  const words: string[] = [];
  let rest = milliseconds;
  for (const [unit, length] of UNITS) {
    // The smallest unit takes what is left, fractions too.
    const amount = unit === 's' ? rest / length : Math.floor(rest / length);
    if (amount > 0) words.push(`${Math.round(amount * 1_000) / 1_000} ${unit}`);
    rest -= Math.floor(amount) * length;
  }
  return words.join(' ');
}

const LENGTHS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** A duration as people write it, in milliseconds: `10s`, `500ms`, `1.5m`, `2h`, `1d`. The unit is required. */
export function parseDuration(text: string): number | undefined {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|min|h|d)$/.exec(text) ?? [];
  if (amount === undefined || unit === undefined) return undefined;
  return Number(amount) * (LENGTHS[unit] as number);
}

/** An age, or a time to come, in one unit and rounded down: `0.4 s`, `12 s`, `2 min`, `3 h`, `9 d`. */
export function roughly(milliseconds: number): string {
  const seconds = milliseconds / 1_000;
  if (seconds < 10) return `${(Math.floor(seconds * 10) / 10).toFixed(1)} s`;
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 48 * 3_600) return `${Math.floor(seconds / 3_600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** A round-trip time in three digits: `0.04 ms`, `12.3 ms`, `153 ms`. */
export function latency(milliseconds: number): string {
  const digits = milliseconds < 9.995 ? 2 : milliseconds < 99.95 ? 1 : 0;
  return `${milliseconds.toFixed(digits)} ms`;
}

/** A number of bytes: `512 B`, `1.2 kB`, `34 MB`. */
export function size(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  let amount = bytes;
  let unit = '';
  for (unit of ['kB', 'MB', 'GB', 'TB', 'PB']) {
    amount /= 1_000;
    if (amount < 999.5) break;
  }
  return `${amount < 9.95 ? amount.toFixed(1) : amount.toFixed(0)} ${unit}`;
}

/** `1 probe`, `2 probes`. */
export function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`;
}

/**
 * What must not reach a terminal or a log as it is: control characters and format characters (which turn
 * the direction of writing), line separators, unpaired surrogates, and all that has no width.
 */
const UNSAFE = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/**
 * Text from elsewhere (an argument, the name of a process, the message of an error) in one line that a
 * terminal can show: what is unsafe is written as `\x1b` or `\u{202e}`. Without `unicode`, in ASCII.
 */
export function printable(text: string, unicode: boolean = showsUnicode()): string {
  // The typographic apostrophe of our own messages needs no escape.
  return unicode
    ? text.replace(UNSAFE, escaped)
    : text.replaceAll('\u2019', "'").replace(/[^ -~]/gu, escaped);
}

function escaped(character: string): string {
  const hex = (character.codePointAt(0) as number).toString(16);
  return hex.length <= 2 ? `\\x${hex.padStart(2, '0')}` : `\\u{${hex}}`;
}

/** JSON in ASCII, so that a terminal can show it too. */
export function json(value: unknown, indent?: number): string {
  return JSON.stringify(value, undefined, indent).replace(
    /[^\n -~]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** At most `width` characters; an ellipsis says that there were more. */
export function cut(text: string, width: number, unicode: boolean): string {
  // By characters, so that none is cut in two.
  const characters = text.length > width ? [...text] : [];
  if (characters.length <= width) return text;
  return width < 1 ? '' : `${characters.slice(0, width - 1).join('')}${unicode ? '…' : '~'}`;
}

/** The same, but what is missing is in the middle: the end of an address is its port. */
export function cutMiddle(text: string, width: number, unicode: boolean): string {
  if (text.length <= width) return text;
  const end = Math.floor((width - 1) / 2);
  return `${cut(text, width - end, unicode)}${text.slice(text.length - end)}`;
}

/** Whether the terminal shows more than ASCII, as far as its locale tells. */
export function showsUnicode(
  env: NodeJS.ProcessEnv = process.env,
  platform: string = process.platform,
): boolean {
  // A console of Windows is written to in Unicode, whatever its code page is.
  if (platform === 'win32') return true;
  return /utf-?8/i.test(env.LC_ALL || env.LC_CTYPE || env.LANG || '');
}

/** Rows in columns as wide as their widest cell, and as `minimum` says. */
export function table(
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

/** Columns for sentences: 80, or fewer on a narrow terminal. */
export function textWidth(): number {
  return Math.min(process.stdout.columns || 80, 80);
}

/** A paragraph broken into lines of at most `width` columns, at spaces. */
export function paragraph(text: string, width: number = textWidth()): string {
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
