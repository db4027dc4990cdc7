/** How many leave before the table is made anew. */
const RENEW_AFTER = 256;

/**
 * A map that thousands of short-lived entries pass through.
 *
 * A plain Map that outlives its entries keeps dead ones reachable: each table it outgrows points to the next, and one
 * in old space drags all later ones there, with what their entries hold. This one starts a new chain now and then.
 */
export class PassingMap<Key, Value> {
  #entries: Map<Key, Value> | undefined;
  #left = 0;

  get size(): number {
    return this.#entries?.size ?? 0;
  }

  has(key: Key): boolean {
    return this.#entries?.has(key) ?? false;
  }

  get(key: Key): Value | undefined {
    return this.#entries?.get(key);
  }

  set(key: Key, value: Value): void {
    this.#entries ??= new Map();
    this.#entries.set(key, value);
  }

  delete(key: Key): void {
    if (!this.#entries?.delete(key)) return;
    if (this.#entries.size === 0) {
      this.#entries = undefined;
      this.#left = 0;
    } else if (++this.#left >= RENEW_AFTER) {
      this.#entries = new Map(this.#entries);
      this.#left = 0;
    }
  }

  values(): Iterable<Value> {
    return this.#entries?.values() ?? [];
  }
}
