// Collects uncaught errors, which would otherwise end the process of the test.

/** Without a listener for the second event, Node raises the first for an unhandled rejection. */
const EVENTS = ['uncaughtException', 'unhandledRejection'] as const;

/** Adds errors that are uncaught while `use` runs only to the list that it gets. */
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
