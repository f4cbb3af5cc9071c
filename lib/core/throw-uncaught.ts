/** Throws an error as an uncaught exception, after the current call has returned. */
export function throwUncaught(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
