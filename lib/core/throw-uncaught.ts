/** Makes an error an uncaught exception, as an error of a listener is, after everything else that has to be done now. */
export function throwUncaught(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
