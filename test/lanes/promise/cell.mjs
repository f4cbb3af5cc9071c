// A connection under test: its flows on the path, its socket, and how it ended.

import { addressOf } from './hosts.mjs';

export class Cell {
  socket;
  plan;
  calledAt;
  /** When the program was told that the connection has ended, and with which code. */
  told = null;
  code = null;
  /** When the stream ended as if it were complete. */
  endedAt = null;
  #trace;

  /** `values`: at least `timeout` and `way`; also what a report names. */
  constructor(values, flows, link = 0, trace = undefined) {
    Object.assign(this, values);
    this.flows = flows;
    this.flow = flows[0];
    this.link = link;
    this.address = addressOf(this.flow, link);
    this.#trace = trace;
  }

  /** Records when the socket fails, and how. */
  watch(socket) {
    this.socket = socket;
    socket.on('error', ({ code }) => {
      this.told ??= performance.now();
      this.code ??= code;
    });
    socket.on('end', () => {
      this.endedAt ??= performance.now();
    });
    socket.on('close', () => {
      this.told ??= performance.now();
    });
  }

  /** Begins to record what the kernel reports. */
  trace() {
    this.#trace?.watch(this, this.socket);
  }
}
