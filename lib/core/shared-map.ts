// What all copies of this package in a thread know of an object of Node. There may be several: a library has one of its own, a
// bundle contains one, `--require` loads one. The bundles of the other entry points contain copies of some files, too.

/**
 * As a WeakMap, but its values are properties of the objects, which every copy sees. Copies may be of different versions: what a
 * name means must not change.
 */
export class SharedMap<Key extends object, Value> {
  readonly #symbol: symbol;

  constructor(name: string) {
    this.#symbol = Symbol.for(`socket-options:${name}`);
  }

  get(key: Key): Value | undefined {
    return (key as Record<symbol, Value>)[this.#symbol];
  }

  set(key: Key, value: Value): void {
    (key as Record<symbol, Value>)[this.#symbol] = value;
  }

  /** The property stays, because V8 makes objects slow that lose one. */
  delete(key: Key): void {
    if (this.get(key) !== undefined) (key as Record<symbol, unknown>)[this.#symbol] = undefined;
  }
}
