// How long the slices of the event loop are that a part of the package takes.

import { setTimeout as sleep } from 'node:timers/promises';
import { collect } from './namespace.mjs';
import { cpuMsSince } from './timing.mjs';

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
    /**
     * CPU time of this process in milliseconds per second, and the slices, during so many milliseconds. Needs the flags QUIET.
     */
    async measure(milliseconds) {
      await collect();
      slices = [];
      const start = process.cpuUsage();
      const began = performance.now();
      await sleep(milliseconds);
      const seconds = (performance.now() - began) / 1_000;
      const sorted = [...slices].sort((a, b) => a - b);
      const at = (share) =>
        sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
      const sum = sorted.reduce((total, took) => total + took, 0);
      return {
        msPerSecond: cpuMsSince(start) / seconds,
        ...{ p99Ms: at(0.99), longestMs: at(1), sliceMsPerSecond: sum / seconds },
      };
    },
  };
}
