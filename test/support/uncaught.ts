// Errors that nobody catches, in place of the end of the test's process.

/** Without a listener of the second, Node takes what it is for an uncaught exception. */
const EVENTS = ['uncaughtException', 'unhandledRejection'] as const;

/**
 * Errors and rejections that are uncaught until `use` is through go into the list that it is given, and nowhere
 * else.
 */
export async function withUncaught(use: (thrown: unknown[]) => Promise<void>): Promise<void> {
  const thrown: unknown[] = [];
  const taken = EVENTS.map((event) => {
    const listeners = process.rawListeners(event) as (() => void)[];
    process.removeAllListeners(event);
    return { event, listeners };
  });
  process.on('uncaughtException', (error) => thrown.push(error));
  try {
    await use(thrown);
  } finally {
    for (const { event, listeners } of taken) {
      process.removeAllListeners(event);
      for (const listener of listeners) process.on(event, listener);
    }
  }
}
