// How long the slices of the event loop are that a part of the package takes.

/** Measures each callback of `setImmediate` and `setTimeout`. Supervision and metrics use no other. */
export function sliceRecorder() {
  let slices = [];
  const record =
    (callback) =>
    (...args) => {
      const start = performance.now();
      callback(...args);
      slices.push(performance.now() - start);
    };
  const { setImmediate: immediate, setTimeout: timer } = globalThis;
  globalThis.setImmediate = (callback, ...args) => immediate(record(callback), ...args);
  globalThis.setTimeout = (callback, ...args) => timer(record(callback), ...args);
  return {
    clear() {
      slices = [];
    },
    report: (seconds) => {
      const sorted = [...slices].sort((a, b) => a - b);
      const at = (share) =>
        sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
      const sum = sorted.reduce((total, took) => total + took, 0);
      return { p99Ms: at(0.99), longestMs: at(1), sliceMsPerSecond: sum / seconds };
    },
  };
}
