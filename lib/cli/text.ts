// Words and columns for people, without colours.

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
};

/** A duration as people write it, in milliseconds: `10s`, `500ms`, `1.5m`, `2h`. Not without a unit. */
export function parseDuration(text: string): number | undefined {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|min|h)$/.exec(text) ?? [];
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
 * Text of others (the name of a process) as a terminal may show it: without control characters, and
 * without what turns the direction of writing. Without `unicode` in ASCII.
 */
export function printable(text: string, unicode: boolean): string {
  return text.replace(unicode ? /[\p{C}\p{Zl}\p{Zp}]/gu : /[^ -~]/gu, '?');
}

/** At most `width` characters; an ellipsis says that there were more. */
export function cut(text: string, width: number, unicode: boolean): string {
  // By characters, so that none is cut in two.
  const characters = text.length > width ? [...text] : [];
  if (characters.length <= width) return text;
  return width < 1 ? '' : `${characters.slice(0, width - 1).join('')}${unicode ? '…' : '~'}`;
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

/** A paragraph broken into lines of at most 80 columns, at spaces. */
export function paragraph(text: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > 80) {
      lines.push(line);
      line = '';
    }
    line += line === '' ? word : ` ${word}`;
  }
  return [...lines, line].join('\n');
}
