// What is to be closed when a signal is aborted: one listener for each signal, since Node warns of a leak
// where many heartbeats have the same.

interface Watched {
  readonly closers: Set<() => void>;
  readonly listener: () => void;
}

const watched = new WeakMap<AbortSignal, Watched>();

export function onAbort(signal: AbortSignal, close: () => void): void {
  const known = watched.get(signal);
  if (known !== undefined) {
    known.closers.add(close);
    return;
  }
  const closers = new Set([close]);
  const listener = () => {
    for (const each of closers) each();
  };
  signal.addEventListener('abort', listener);
  watched.set(signal, { closers, listener });
}

export function offAbort(signal: AbortSignal, close: () => void): void {
  const known = watched.get(signal);
  if (!known?.closers.delete(close) || known.closers.size > 0) return;
  signal.removeEventListener('abort', known.listener);
  watched.delete(signal);
}
