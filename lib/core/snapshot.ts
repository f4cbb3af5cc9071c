// Whether Node builds a startup snapshot, which cannot contain an addon.

/** Loading node:v8 takes 0.6 ms, so a flag must suggest it. */
export function buildsSnapshot(): boolean {
  if (!process.execArgv.some((flag) => /snapshot|sea/.test(flag))) return false;
  const { startupSnapshot } = require('node:v8') as typeof import('node:v8');
  return Boolean(startupSnapshot.isBuildingSnapshot());
}
