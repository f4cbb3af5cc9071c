// Opens the file of an addon, and recognises the addon of this package.

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

/** Whether this is the addon of this package, and not another module for Node. */
export function isOurAddon(found: unknown): boolean {
  const { constants, setOptions } = Object(found);
  return typeof constants === 'function' && typeof setOptions === 'function';
}
