// What a program does with a connection, and how it waits until the kernel has reached a state.

import { setTimeout as sleep } from 'node:timers/promises';
import { getTcpInfo } from '../../../dist/index.js';

const POLL = 50;
export const WRITE = Buffer.alloc(20, 'w');
const BLOCK = Buffer.alloc(65_536, 'b');

export async function until(cell, condition) {
  while (!cell.socket.destroyed && !condition()) await sleep(POLL);
}

export const write = ({ socket }) => void socket.write(WRITE);

/** Writes until the socket is closed. */
export function keepWriting({ socket }, interval) {
  const timer = setInterval(() => {
    if (socket.writable) socket.write(WRITE);
  }, interval);
  socket.once('close', () => clearInterval(timer));
}

/** Uploads 1 to 3 MB and waits until the peer has all of it. */
export async function upload(cell) {
  for (let sent = 0; sent < cell.uploadBytes; sent += BLOCK.length) cell.socket.write(BLOCK);
  const { socket } = cell;
  await until(cell, () => {
    const { unackedSegments, unsentBytes } = getTcpInfo(socket);
    return socket.writableLength === 0 && unackedSegments === 0 && unsentBytes === 0;
  });
}

/** Sends as much as the path takes. */
export function keepUploading({ socket }) {
  const send = () => {
    while (socket.writable && socket.write(BLOCK));
  };
  socket.on('drain', send);
  send();
}

export async function closeWindow(cell) {
  const { socket } = cell;
  for (let sent = 0; sent < 16 * BLOCK.length; sent += BLOCK.length) socket.write(BLOCK);
  await until(cell, () => getTcpInfo(socket).sendWindow === 0);
}

/** Waits until the peer's data has filled our buffers and nothing more arrives. */
export async function fillBuffers(cell) {
  const { socket, rtt } = cell;
  let received = -1;
  let changedAt = performance.now();
  await until(cell, () => {
    const { bytesReceived } = getTcpInfo(socket);
    if (bytesReceived !== received) changedAt = performance.now();
    received = bytesReceived;
    return received > 0 && performance.now() - changedAt > 500 + 2 * rtt;
  });
}

export const untilState = (state) => (cell) =>
  until(cell, () => getTcpInfo(cell.socket).state === state);
