// Finds the sockets behind handle objects of Node on Windows, where Node does not expose them. native/handles.cc
// watches which of libuv's handles follow ref() and unref() of an object: docs/decisions/0004-windows-handle-search.md.

import { binding } from './addon';

/** What is called on a handle. Whoever has the object may have replaced any of it. */
export interface NodeHandle {
  readonly ref?: unknown;
  readonly unref?: unknown;
  readonly getsockname?: unknown;
}

/** Of an object without a socket: a pipe, a stream over another one, a closed or a forged handle. */
export const NO_SOCKET = -1;

/** By handle, not by number: the number of a closed socket belongs to the next one. */
const found = new WeakMap<NodeHandle, number>();

/** The socket behind `handle`, or `NO_SOCKET`. */
export function socketBehind(handle: NodeHandle): number {
  const socket = found.get(handle);
  if (socket === undefined) return search([handle])[0] ?? NO_SOCKET;
  return isOpen(handle) ? socket : NO_SOCKET;
}

/** Finds the sockets behind many handles in one search. Its cost depends on all handles of the event loop. */
export function findSocketsBehind(handles: readonly NodeHandle[]): void {
  const unknown = handles.filter((handle) => !found.has(handle));
  if (unknown.length > 1) search(unknown);
}

/** After close(), `getsockname()` of a handle fails. */
function isOpen(handle: NodeHandle): boolean {
  const { getsockname } = handle;
  return typeof getsockname === 'function' && getsockname.call(handle, {}) === 0;
}

/**
 * For each bit of an object's index, and then for its opposite, every object is unref-ed if the bit is set and
 * ref-ed if not: a different pattern for each object. The addon restores the state that the handles had.
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
    // These are not Node's own methods: the pattern proves nothing.
    endSearch(sockets);
    return sockets.fill(NO_SOCKET);
  }
  endSearch(sockets);
  for (const [i, socket] of sockets.entries()) {
    if (socket >= 0) found.set(handles[i] as NodeHandle, socket);
  }
  return sockets;
}
