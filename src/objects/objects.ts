/** The port of immutable objects. Two implementations, disk and S3; one contract suite (`objects.contract.ts`). */
export interface ObjectStore {
  /**
   * Stores `bytes` under `name` unless something stands there. Durable when the promise resolves; never half-written.
   * @param name  see `objectName`.
   * @returns `exists` where the name was taken; the stored object is left as it is and not compared.
   * @throws Fault STORE_FULL when there is no room (nothing was stored).
   */
  putIfAbsent(name: string, bytes: Uint8Array): Promise<"stored" | "exists">
  /** The whole object, or `null`. @throws Fault TOO_LARGE above 64 MiB. */
  get(name: string): Promise<Uint8Array | null>
  /** Deletes it; a name that does not exist is no error. Durable. */
  delete(name: string): Promise<void>
  /** The names that start with `prefix`, in ascending order. */
  list(prefix: string): AsyncIterable<string>
}

const part = "[A-Za-z0-9][A-Za-z0-9_.-]{0,127}"
const pattern = new RegExp(`^${part}(?:/${part}){0,7}$`)

/** Whether `name` can name an object: 1 to 8 parts of letters, digits, `_ . -`, none starting with a dot; so never a path out. */
export function isObjectName(name: string): boolean {
  return name.length <= 512 && pattern.test(name)
}
