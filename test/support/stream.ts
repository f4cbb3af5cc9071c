// A stream that counts its bytes as a net.Socket does, and whose writes wait when they are told to.

import { Duplex } from 'node:stream';

export class CountingStream extends Duplex {
  bytesRead = 0;
  /** What was written, when. */
  readonly sent: { readonly text: string; readonly at: number }[] = [];
  #isHeld = false;
  #waiting: (() => void)[] = [];

  constructor() {
    super({ allowHalfOpen: true });
    this.resume();
  }

  /** With what waits, as a socket has it. */
  get bytesWritten(): number {
    return this.sent.reduce((sum, { text }) => sum + text.length, this.writableLength);
  }

  receive(text: string): void {
    this.bytesRead += text.length;
    this.push(text);
  }

  /** Has writes wait, as on a connection whose send queue is full, until it is let go. */
  hold(): void {
    this.#isHeld = true;
  }

  /** One of the writes that wait is taken. */
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
