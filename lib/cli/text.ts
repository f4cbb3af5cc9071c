// Words for a terminal of 80 columns, without colours.

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

/** Rows in columns as wide as their widest cell. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
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
