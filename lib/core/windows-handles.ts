// Finds the sockets of Node's handle objects on Windows, where Node does not report descriptors. native/handles.cc
// watches which of libuv's handles follow ref() and unref() of an object: docs/decisions/0004-windows-handle-search.md.

import { binding } from './addon';

/** The methods that are called on a handle. The program may have replaced any of them. */
export interface NodeHandle {
  readonly ref?: unknown;
  readonly unref?: unknown;
  readonly hasRef?: unknown;
  readonly getsockname?: unknown;
}

/**
 * Whether to search for descriptors, which Node does not report on Windows. Never on Bun, whose process panics when a
 * function of libuv is called: docs/decisions/0010-no-libuv-on-posix.md. The variable lets tests run the search on
 * other systems.
 */
export const isForced = process.env.SOCKET_OPTIONS_SEARCH === '1';
export const searches = (isForced || process.platform === 'win32') && !process.versions.bun;

/** For an object without a socket: a pipe, a stream over another stream, a closed or a forged handle. */
const NO_SOCKET = -1;

/**
 * The found sockets, by handle. A handle keeps its socket until it is closed, but Windows gives the number of a closed
 * socket to another one.
 */
const found = new WeakMap<NodeHandle, number>();

/** Returns the socket of `handle`, or `NO_SOCKET`. */
export function socketBehind(handle: NodeHandle): number {
  const socket = found.get(handle);
  if (socket === undefined) return search([handle])[0] ?? NO_SOCKET;
  return isOpen(handle) ? socket : NO_SOCKET;
}

/**
 * Returns the sockets of many handles. Those that are not known yet are found in one search: 130 ms for 10 000 handles.
 */
export function socketsBehind<Wanted extends NodeHandle>(
  handles: readonly Wanted[],
): Map<Wanted, number> {
  const unknown = handles.filter((handle) => !found.has(handle));
  const sockets = unknown.length > 1 ? search(unknown) : new Float64Array(0);
  const all = new Map<Wanted, number>();
  for (const [i, socket] of sockets.entries()) {
    if (socket >= 0) all.set(unknown[i] as Wanted, socket);
  }
  for (const handle of handles) if (!all.has(handle)) all.set(handle, socketBehind(handle));
  return all;
}

/** A closed handle does not answer getsockname(). */
function isOpen(handle: NodeHandle): boolean {
  const { getsockname } = handle;
  return typeof getsockname === 'function' && getsockname.call(handle, {}) === 0;
}

/**
 * Gives each object a pattern of its own: one step for each bit of its index and one for the opposite bit. A step
 * calls unref() on the objects whose bit is set, and ref() on the others. A hundred objects take fourteen steps. The
 * addon restores the state of TCP and UDP handles.
 */
function search(handles: readonly NodeHandle[]): Float64Array {
  const sockets = new Float64Array(handles.length).fill(NO_SOCKET);
  const { beginSearch, sampleHandles, endSearch } = binding();
  const before = handles.map(refState);
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
    // These are not Node's own methods: nothing is certain about the handles.
    endSearch(sockets);
    for (const [i, handle] of handles.entries()) restore(handle, before[i]);
    return sockets.fill(NO_SOCKET);
  }
  endSearch(sockets);
  for (const [i, socket] of sockets.entries()) {
    if (socket >= 0) found.set(handles[i] as NodeHandle, socket);
    else restore(handles[i] as NodeHandle, before[i]);
  }
  return sockets;
}

/** Whether the handle keeps the process running; `undefined`: it does not say. */
function refState(handle: NodeHandle): unknown {
  try {
    return typeof handle.hasRef === 'function' ? handle.hasRef() : undefined;
  } catch {
    return undefined;
  }
}

/** Gives a handle that is no socket, as that of a pipe or of a child process, the state that it had. */
function restore(handle: NodeHandle, state: unknown): void {
  const method = state === true ? handle.ref : state === false ? handle.unref : undefined;
  try {
    if (typeof method === 'function') method.call(handle);
  } catch {
    // It is not Node's own method.
  }
}
