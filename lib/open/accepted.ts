// Keeps what listen() has chosen on the sockets that the server accepts. They inherit it from the listening socket, but then
// Node sets the options of its own server object on them.

import { type Server, Socket } from 'node:net';
import type { OpeningOptions } from '../catalogue/catalogue';
import { tcpHandleOf } from '../core/socket';
import { KEEP_ALIVE, keepAliveNames } from '../options/keepalive-options';
import { setEach } from '../options/options';
import { protectChosen } from '../options/protect-keepalive';
import { noteChosen } from './early-handle';

type OnConnection = (socket: unknown) => void;

const listeners = new WeakMap<Server, OnConnection>();

/**
 * Notes the options of a server, and sets `noDelay` and keepalive among them on each accepted socket: http servers switch
 * `noDelay` on by themselves. `undefined` forgets them.
 * @param hasTimeout A dead-peer timeout was chosen, which has its own keepalive.
 */
export function keepOnAccepted(
  server: Server,
  options: OpeningOptions | undefined,
  hasTimeout = false,
): void {
  noteChosen(server, options);
  const before = listeners.get(server);
  if (before !== undefined) server.off('connection', before);
  listeners.delete(server);
  const { noDelay } = options ?? {};
  const names = hasTimeout ? [] : keepAliveNames(options);
  if (noDelay === undefined && names.length === 0) return;
  const chosen = { noDelay, ...Object.fromEntries(names.map((name) => [name, options?.[name]])) };
  const onConnection: OnConnection = (socket) => {
    // A program can pass any stream to a server.
    const handle = socket instanceof Socket ? tcpHandleOf(socket) : undefined;
    if (handle === undefined) return;
    try {
      setEach(socket as Socket, chosen);
    } catch {
      // The connection was reset meanwhile: the socket emits the error itself.
    }
    protectChosen(socket as Socket, handle, hasTimeout ? KEEP_ALIVE : names);
  };
  listeners.set(server, onConnection);
  server.prependListener('connection', onConnection);
}
