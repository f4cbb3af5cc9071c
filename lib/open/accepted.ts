// Keeps what listen() has chosen on the sockets that the server accepts. They inherit it from the listening socket, but then
// Node sets the options of its own server object on them.

import type { Server } from 'node:net';
import type { OpeningOptions } from '../catalogue/catalogue';
import { builtins } from '../core/builtins';
import { tcpHandleOf } from '../core/socket';
import { keepAliveNames } from '../options/keepalive-options';
import { setEach } from '../options/options';
import { noteChosen } from './early-handle';
import { protectChosen, protectTimeout } from './protect-chosen';

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
  if (noDelay === undefined && names.length === 0 && !hasTimeout) return;
  const chosen = Object.fromEntries(names.map((name) => [name, options?.[name]]));
  const onConnection: OnConnection = (socket) => {
    // A program can pass any stream to a server.
    if (!(socket instanceof builtins.net.Socket)) return;
    const handle = tcpHandleOf(socket);
    if (handle === undefined) return;
    // By Node's call: a later one of the program is compared with it.
    if (noDelay !== undefined) socket.setNoDelay(noDelay);
    try {
      setEach(socket, chosen);
    } catch {
      // The connection was reset meanwhile: the socket emits the error itself.
    }
    if (hasTimeout) protectTimeout(socket, handle);
    else protectChosen(socket, handle, names);
  };
  listeners.set(server, onConnection);
  server.prependListener('connection', onConnection);
}
