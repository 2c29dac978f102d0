import { sha256 } from "@noble/hashes/sha2.js"
import { hex, utf8 } from "../bytes.ts"

/** HMAC-SHA256 under the master key, which stays where it is kept. Gives 32 bytes. */
export type Mac = (text: string) => Uint8Array

/** What one image carries for one holder. Whoever has both can mark and accuse, for this image and this holder alone. */
export interface MarkKeys {
  /** Of the image: draws its biases. 32 bytes. */
  readonly biases: Uint8Array
  /** Of image, holder and epoch: draws the chips. 32 bytes. */
  readonly codeword: Uint8Array
}

/** The mark's own part in names, so that another way to mark has other keys. */
const scheme = "sallyport-mark/v1"

/** Of holders' codewords; another one when the master key was changed. */
export const markEpoch = 1

/**
 * The keys of one image and one holder: the same for every copy of it that he is given, so that he has no second copy to hold
 * against the first.
 * @param image  SHA-256 of the sealed capture's body as its entry `admitted` has it, lowercase hexadecimal.
 * @param holder  id of the person that copies are made for.
 */
export function markKeysOf(mac: Mac, image: string, holder: string): MarkKeys {
  const keyOf = (...parts: readonly string[]) => mac([scheme, ...parts].join("\0"))
  return { biases: keyOf("biases", image), codeword: keyOf("codeword", image, holder, String(markEpoch)) }
}

/**
 * What the permit says of the keys before the copy is made: whoever shows other ones later is refuted by the log. Both
 * keys are bound, since chips are drawn by both. Lowercase hexadecimal SHA-256.
 */
export function markCommitment({ biases, codeword }: MarkKeys): string {
  return hex(sha256(Uint8Array.from([...utf8(`${scheme}\0commitment\0`), ...biases, ...codeword])))
}
