// Amounts as text, in messages for people.

/** An age or a remaining time, in one unit and rounded down: `0.4 s`, `73 s`, `119 min`, `3 h`, `9 d`. */
export function formatAge(milliseconds: number): string {
  const seconds = milliseconds / 1_000;
  if (seconds < 10) return `${(Math.floor(seconds * 10) / 10).toFixed(1)} s`;
  if (seconds < 120) return `${Math.floor(seconds)} s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 48 * 3_600) return `${Math.floor(seconds / 3_600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** A number of bytes: `512 B`, `1.2 kB`, `34 MB`. */
export function formatBytes(bytes: number): string {
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
export function plural(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`;
}
