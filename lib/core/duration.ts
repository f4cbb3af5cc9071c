// Durations as people write them, in arguments of the command line and in environment variables.

const UNIT_LENGTHS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Parses `10s`, `500ms`, `1.5m`, `2h` or `1d` into milliseconds. The unit is required. */
export function parseDuration(text: string): number | undefined {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|min|h|d)$/.exec(text) ?? [];
  if (amount === undefined || unit === undefined) return undefined;
  return Number(amount) * (UNIT_LENGTHS[unit] as number);
}
