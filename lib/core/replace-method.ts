// Replaces a method of a class that this package does not own, and puts it back.

type Method = (this: unknown, ...args: unknown[]) => unknown;

/** What a replaced method knows. It is not active after it was put back. */
interface Replacement {
  isActive: boolean;
  /** The property before; `undefined`: the method was inherited. It changes when a replacement below this one ends. */
  own: PropertyDescriptor | undefined;
  readonly original: () => Method;
}

/** Marks the functions of this package, also those of its other entry points and of other copies of it. */
const REPLACEMENT = Symbol.for('socket-options:replacement');

/** Replaces a method until the returned function is called. Replacements may end in any order. */
export function replaceMethod(
  prototype: object,
  name: string,
  make: (state: Replacement) => Method,
): () => void {
  removeEnded(prototype, name);
  const inherited = Object.getPrototypeOf(prototype) as Record<string, Method>;
  const state: Replacement = {
    isActive: true,
    own: Object.getOwnPropertyDescriptor(prototype, name),
    original: () => (state.own === undefined ? inherited[name] : state.own.value) as Method,
  };
  const value = Object.defineProperty(make(state), REPLACEMENT, { value: state });
  Object.defineProperty(prototype, name, {
    value,
    ...{ configurable: true, enumerable: true, writable: true },
  });
  return () => {
    state.isActive = false;
    removeEnded(prototype, name);
  };
}

/**
 * Takes out the replacements that have ended, from the top down to the first function that is not of this package: that one still
 * calls what is below it, which stays and only passes calls on.
 */
function removeEnded(prototype: object, name: string): void {
  let above: Replacement | undefined;
  let own = Object.getOwnPropertyDescriptor(prototype, name);
  for (let state = replacementOf(own); state !== undefined; state = replacementOf(own)) {
    own = state.own;
    if (state.isActive) above = state;
    else if (above !== undefined) above.own = own;
    else if (own === undefined) Reflect.deleteProperty(prototype, name);
    else Object.defineProperty(prototype, name, own);
  }
}

function replacementOf(own: PropertyDescriptor | undefined): Replacement | undefined {
  return (own?.value as { [REPLACEMENT]?: Replacement } | undefined)?.[REPLACEMENT];
}
