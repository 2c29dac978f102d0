import { equal, textOf, utf8 } from "../bytes.ts"

/** Headers of a plain tar. Source: POSIX.1-2017, pax, "ustar Interchange Format". */

export const block_bytes = 512

/** Two empty blocks. */
export const end_bytes = 2 * block_bytes

/** The header of a file: mode 0644, owner 0, time 0. One name and size have one header. */
export function ustarHeader(name: string, size_bytes: number): Uint8Array {
  const header = new Uint8Array(block_bytes)
  const put = (at: number, text: string) => header.set(utf8(text), at)
  put(0, name)
  put(100, octal(0o644, 6))
  for (const owner of [108, 116]) put(owner, octal(0, 6))
  put(124, octal(size_bytes, 11))
  put(136, octal(0, 11))
  put(156, "0")
  put(257, "ustar\u000000")
  for (const device of [329, 337]) put(device, octal(0, 6))
  // The sum is of the header with spaces in its own place.
  const sum = header.reduce((all, byte) => all + byte, 8 * 32)
  put(148, octal(sum, 6))
  return header
}

/** Zeros up to the next block. */
export function padding(size_bytes: number): number {
  return (block_bytes - (size_bytes % block_bytes)) % block_bytes
}

/** What a header says of its member, and whether it is `ustarHeader` of that, byte for byte. */
export function readHeader(header: Uint8Array): {
  readonly name: string
  readonly size_bytes: number
  /** Of a file; else of a link, a folder, a device or an extension. */
  readonly isFile: boolean
  readonly isOurs: boolean
} {
  const end = header.indexOf(0)
  const name = textOf(header.subarray(0, end < 0 || end > 100 ? 100 : end)) ?? ""
  const digits = textOf(header.subarray(124, 135)) ?? ""
  const size_bytes = /^[0-7]{11}$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN
  const isFile = header[156] === 48
  const isOurs =
    isFile && Number.isSafeInteger(size_bytes) && name !== "" && equal(header, ustarHeader(name, size_bytes))
  return { name, size_bytes, isFile, isOurs }
}

/** Digits and a space, as tar has numbers. */
function octal(value: number, digits: number): string {
  return `${value.toString(8).padStart(digits, "0")} `
}
