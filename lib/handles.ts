// From the handle objects of Node to their sockets where Node does not tell a descriptor: on Windows.
// native/handles.cc watches which of libuv's handles follow ref() and unref() of an object.

import { binding } from './binding';

/** What is called on a handle. Whoever has the object may have replaced any of it. */
export interface NodeHandle {
  readonly ref?: unknown;
  readonly unref?: unknown;
  readonly getsockname?: unknown;
}

/** Of an object without a socket: a pipe, a stream over another one, a closed or a forged handle. */
export const NO_SOCKET = -1;

/**
 * By handle, and never by number: a handle keeps its socket for life, while the number of a closed
 * socket is given to the next one.
 */
const found = new WeakMap<NodeHandle, number>();

/** The socket behind `handle`, or `NO_SOCKET`. */
export function socketBehind(handle: NodeHandle): number {
  const socket = found.get(handle);
  if (socket === undefined) return search([handle])[0] ?? NO_SOCKET;
  return isOpen(handle) ? socket : NO_SOCKET;
}

/**
 * Finds the sockets behind many handles in one search, and remembers them: what it costs depends on
 * the handles that the event loop has, and hardly on how many of them are looked for.
 */
export function findSocketsBehind(handles: readonly NodeHandle[]): void {
  const unknown = handles.filter((handle) => !found.has(handle));
  if (unknown.length > 1) search(unknown);
}

/** From close() on, a handle does not answer this any more. */
function isOpen(handle: NodeHandle): boolean {
  const { getsockname } = handle;
  return typeof getsockname === 'function' && getsockname.call(handle, {}) === 0;
}

/**
 * For each bit of an object's index, and then for its opposite, every object is unref-ed where the
 * bit is set and ref-ed where it is not: a pattern of its own, for a hundred objects in fourteen
 * steps. What the handles were before is put back by the addon.
 */
function search(handles: readonly NodeHandle[]): Float64Array {
  const sockets = new Float64Array(handles.length).fill(NO_SOCKET);
  const { beginSearch, sampleHandles, endSearch } = binding();
  if (!beginSearch()) return sockets;
  try {
    const bits = Math.max(1, Math.ceil(Math.log2(handles.length)));
    for (let step = 0; step < 2 * bits; step++) {
      if (step > 0) sampleHandles();
      const bit = 1 << (bits - 1 - (step >> 1));
      const opposite = step & 1 ? bit : 0;
      for (let i = 0; i < handles.length; i++) {
        const handle = handles[i] as NodeHandle;
        const method = (i ^ opposite) & bit ? handle.unref : handle.ref;
        if (typeof method === 'function') method.call(handle);
      }
    }
  } catch {
    // Not Node's own methods, then, and nothing to rely on.
    endSearch(sockets);
    return sockets.fill(NO_SOCKET);
  }
  endSearch(sockets);
  for (const [i, socket] of sockets.entries()) {
    if (socket >= 0) found.set(handles[i] as NodeHandle, socket);
  }
  return sockets;
}
