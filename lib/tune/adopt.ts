// Tunes the sockets that were open before tuneSockets() was called: those of Node, and by descriptor those of native code.

import { fstatSync, readdirSync } from 'node:fs';
import type { Socket } from 'node:net';
import { listConnections } from '../connections/list';
import { builtins } from '../core/builtins';
import type { TcpHandle } from '../core/socket';
import { descriptorOfHandle, tcpHandleOf } from '../core/socket';
import {
  boundConnecting,
  connectingSocketOf,
  isConnecting,
} from '../dead-peer/supervision/connecting';
import { getOption } from '../options/options';
import { getSystemDefaults } from '../system-defaults/system-defaults';
import { boundsBy, tuneBy } from './apply-tunings';
import type { Tuner } from './tuner';

/** Tunes every open socket by one tuning. */
export function adoptOpenSockets(tuner: Tuner): void {
  const owned = new Set<number>();
  for (const socket of referencedSockets()) {
    if (isConnecting(socket)) {
      for (const bound of boundsBy([tuner])) {
        boundConnecting(connectingSocketOf(socket), bound, false);
      }
    }
    const handle = tcpHandleOf(socket);
    if (handle === undefined) continue;
    owned.add(descriptorOfHandle(handle));
    if (!socket.connecting && tuner.wantsToAdopt(handle)) adopt(tuner, socket, handle);
  }
  if (process.platform !== 'linux' || !tuner.adoptsDescriptors) return;
  try {
    adoptDescriptors(tuner, owned);
  } catch (error) {
    // The table of connections, or /proc, cannot be read.
    tuner.report(error, undefined, 'client');
  }
}

/** Tunes a connected socket that was open before. */
export function adopt(tuner: Tuner, socket: Socket, handle: TcpHandle): void {
  const isAccepted = (socket as { server?: unknown }).server instanceof builtins.net.Server;
  tuneBy([tuner], { socket, handle, side: isAccepted ? 'server' : 'client', isFresh: false });
}

/** The sockets of this thread that keep it running. */
function referencedSockets(): Socket[] {
  // Without a public name: docs/decisions/0012-tune-sockets-patches-emit.md.
  const { _getActiveHandles } = process as { _getActiveHandles?: () => unknown[] };
  const handles = _getActiveHandles?.call(process) ?? [];
  return handles.filter((handle) => handle instanceof builtins.net.Socket);
}

/** Tunes the connections of this process that no socket of this thread has, by their descriptors. */
function adoptDescriptors(tuner: Tuner, owned: ReadonlySet<number>): void {
  const connections = listConnections({ ownProcess: true });
  const listening = new Set<number>();
  const localPorts = new Map<number, number>();
  for (const { state, localPort, inode } of connections) {
    if (state === 'LISTEN') listening.add(localPort);
    else if (inode) localPorts.set(inode, localPort);
  }
  const initialDelay = getSystemDefaults().keepAliveInitialDelay.value;
  for (const [fd, inode] of socketDescriptors()) {
    const localPort = localPorts.get(inode);
    if (localPort === undefined || owned.has(fd)) continue;
    // Native code, or another thread, has chosen its keepalive times.
    if (initialDelayOf(fd) !== initialDelay) continue;
    tuner.tuneDescriptor(fd, listening.has(localPort) ? 'server' : 'client');
  }
}

/** Returns `undefined` for a descriptor that was closed meanwhile. */
function initialDelayOf(fd: number): number | undefined {
  try {
    return getOption(fd, 'keepAliveInitialDelay');
  } catch {
    return undefined;
  }
}

/** The descriptors and inodes of the sockets of this process. */
function* socketDescriptors(): Generator<[fd: number, inode: number]> {
  for (const name of readdirSync('/proc/self/fd')) {
    try {
      const status = fstatSync(Number(name));
      if (status.isSocket()) yield [Number(name), status.ino];
    } catch {
      // Closed meanwhile, as the descriptor that has read the directory.
    }
  }
}
