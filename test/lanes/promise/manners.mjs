// What the peer does with a connection. Each manner has a port, and a second one for TLS, so that a connection needs no
// first message.

import { setOptions } from '../../../dist/index.js';

const CHUNK = Buffer.alloc(65_536, 'x');
/** Small, so that a little unread data closes the window. */
const SMALL_BUFFER = 32_768;
/** How many bytes a slow reader takes per second. */
const SLOW_RATES = [1_000, 5_000, 10_000, 20_000, 50_000, 200_000, 1_000_000];
const PAUSES_PER_SECOND = 10;

const reads = { serve: (socket) => socket.resume() };

function readSlowly(socket, rate) {
  // Reads from a stream that is paused: it takes from the kernel only what it hands out.
  socket.on('readable', () => {});
  const timer = setInterval(() => {
    socket.read(Math.min(rate / PAUSES_PER_SECOND, socket.readableLength));
  }, 1_000 / PAUSES_PER_SECOND);
  socket.on('close', () => clearInterval(timer));
}

export const MANNERS = {
  reads,
  'never reads': { bufferSize: SMALL_BUFFER, serve: () => {} },
  /** Sends until the window of the other side is closed. */
  floods: {
    serve(socket) {
      const send = () => {
        while (socket.write(CHUNK));
      };
      socket.resume().on('drain', send);
      send();
    },
  },
  greets: {
    serve(socket) {
      socket.resume().write('hello');
    },
  },
  /** Closes its side, and continues to read. */
  ends: {
    serve(socket) {
      socket.resume().end('hello');
    },
  },
  http: { http: 1 },
  http2: { http: 2, bufferSize: SMALL_BUFFER },
  ...Object.fromEntries(
    SLOW_RATES.map((rate) => [
      `reads ${rate} B/s`,
      { bufferSize: SMALL_BUFFER, serve: (socket) => readSlowly(socket, rate) },
    ]),
  ),
};

export const SLOW_READERS = SLOW_RATES.map((rate) => `reads ${rate} B/s`);

const FIRST_PORT = 7_000;
const FIRST_SECURE_PORT = 8_000;

export function portOf(manner, isSecure = false) {
  const index = Object.keys(MANNERS).indexOf(manner);
  if (index < 0) throw new Error(`no manner ${manner}`);
  return (isSecure ? FIRST_SECURE_PORT : FIRST_PORT) + index;
}

/** Sets the receive buffer of the connections that a server will accept. */
export function setBufferSize(server, { bufferSize }) {
  if (bufferSize !== undefined) setOptions(server, { recvBufferSize: bufferSize });
}
