// Opens a file that is an addon.

import { resolve, toNamespacedPath } from 'node:path';

/**
 * Returns the exports of an addon. `require()` takes longer, is not in ES modules, and makes bundlers warn of a path that they
 * cannot follow.
 */
export function openAddon(path: string): unknown {
  const target = { exports: {} };
  process.dlopen(target, toNamespacedPath(resolve(path)));
  return target.exports;
}
