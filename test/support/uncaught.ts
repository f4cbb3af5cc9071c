// Errors that nobody catches, in place of the end of the test's process.

const EVENT = 'uncaughtException';

/** What is uncaught until `use` is through goes into the list that it is given, and nowhere else. */
export async function withUncaught(use: (thrown: unknown[]) => Promise<void>): Promise<void> {
  const thrown: unknown[] = [];
  const listeners = process.listeners(EVENT);
  process.removeAllListeners(EVENT);
  process.on(EVENT, (error) => thrown.push(error));
  try {
    await use(thrown);
  } finally {
    process.removeAllListeners(EVENT);
    for (const listener of listeners) process.on(EVENT, listener);
  }
}
