import { sha256 } from "@noble/hashes/sha2.js"
import { hex, utf8 } from "../bytes.ts"
import type { Checkpoint } from "../tlog/checkpoint.ts"

/** Which deliveries a sample takes: those whose digest under the seed is smallest, so that anyone with the seed draws the same. */

/**
 * @param deliveries  indexes of entries `delivered`.
 * @param count  at most so many are drawn; all of them where there are no more.
 * @returns ascending. Every set of that size is as likely as any other (SHA-256 of `seed LF index`).
 */
export function drawn(deliveries: readonly number[], count: number, seed: string): readonly number[] {
  return deliveries
    .map(index => ({ index, digest: hex(sha256(utf8(`${seed}\n${index}`))) }))
    .sort((a, b) => (a.digest < b.digest ? -1 : 1))
    .slice(0, count)
    .map(({ index }) => index)
    .sort((a, b) => a - b)
}

/** The seed that nobody chose: the checkpoint's own root, which was signed before the sample was asked for. */
export function seedOf({ size, root }: Pick<Checkpoint, "size" | "root">): string {
  return hex(sha256(utf8(`sallyport-sample/1\n${size}\n${hex(root)}`)))
}
