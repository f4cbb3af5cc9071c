// Replaces a method of a class that this package does not own, and puts it back.

type Method = (this: unknown, ...args: unknown[]) => unknown;

/** What a replaced method knows. It is not active after it was put back. */
interface Replacement {
  isActive: boolean;
  readonly original: () => Method;
}

/** Replaces a method until the returned function is called. */
export function replaceMethod(
  prototype: object,
  name: string,
  make: (state: Replacement) => Method,
): () => void {
  const own = Object.getOwnPropertyDescriptor(prototype, name);
  const inherited = Object.getPrototypeOf(prototype) as Record<string, Method>;
  const state: Replacement = {
    isActive: true,
    original: () => (own === undefined ? inherited[name] : own.value) as Method,
  };
  const replaced = make(state);
  Object.defineProperty(prototype, name, {
    value: replaced,
    ...{ configurable: true, enumerable: true, writable: true },
  });
  return () => {
    state.isActive = false;
    // Another function was put over this one and still calls it. It stays, and only passes calls on.
    if ((prototype as Record<string, unknown>)[name] !== replaced) return;
    if (own === undefined) Reflect.deleteProperty(prototype, name);
    else Object.defineProperty(prototype, name, own);
  };
}
