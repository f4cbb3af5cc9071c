// A stream that counts its bytes as a net.Socket does, and can hold its writes back.

import { Duplex } from 'node:stream';

export class CountingStream extends Duplex {
  bytesRead = 0;
  /** The writes, with their times. */
  readonly sent: { readonly text: string; readonly at: number }[] = [];
  #isHeld = false;
  #waiting: (() => void)[] = [];

  constructor() {
    super({ allowHalfOpen: true });
    this.resume();
  }

  /** Includes waiting writes, as in a socket. */
  get bytesWritten(): number {
    return this.sent.reduce((sum, { text }) => sum + text.length, this.writableLength);
  }

  receive(text: string): void {
    this.bytesRead += text.length;
    this.push(text);
  }

  /** Makes writes wait until they are released, as on a connection whose send queue is full. */
  hold(): void {
    this.#isHeld = true;
  }

  /** Completes one of the waiting writes. */
  letOneGo(): void {
    this.#waiting.shift()?.();
  }

  letGo(): void {
    this.#isHeld = false;
    for (const write of this.#waiting.splice(0)) write();
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    const text = chunk.toString();
    const write = () => {
      this.sent.push({ text, at: performance.now() });
      done();
    };
    if (this.#isHeld) this.#waiting.push(write);
    else write();
  }
}
