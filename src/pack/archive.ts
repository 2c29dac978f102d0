import { createHash } from "node:crypto"
import { Fault } from "../fault.ts"
import { block_bytes, end_bytes, padding, readHeader, ustarHeader } from "./ustar.ts"

/** The pack's container: a plain tar whose bytes follow from its members, so that a stray byte anywhere is found. */

export interface Member {
  readonly name: string
  readonly bytes: Uint8Array
}

/** A member as it lies in an archive; its bytes are read when they are asked for. */
export interface Stored {
  readonly name: string
  readonly size_bytes: number
  readonly sha256: string
  read(): Promise<Uint8Array>
}

/** A file, or bytes, of which any part can be read. A read beyond the end gives what there is. */
export interface Parts {
  readonly size_bytes: number
  read(at: number, length: number): Promise<Uint8Array>
}

/** A larger log travels beside the pack. */
export const most_bytes = 8_589_934_592
/** One member is read into memory: a bundle of 256 of the largest entries has 16 MiB. */
const largest_bytes = 67_108_864
const mostMembers = 100_000

/** Writes members one after the other; each is taken before the next is asked for. @throws Fault TOO_LARGE */
export async function* archived(
  members: AsyncIterable<Member> | Iterable<Member>,
): AsyncGenerator<Uint8Array> {
  let [size, count] = [end_bytes, 0]
  for await (const { name, bytes } of members) {
    size += block_bytes + bytes.length + padding(bytes.length)
    count += 1
    if (bytes.length > largest_bytes || size > most_bytes || count > mostMembers)
      throw new Fault("TOO_LARGE", `a pack has at most 100,000 members of 64 MiB and 8 GiB in all: ${name}`)
    yield ustarHeader(name, bytes.length)
    yield bytes
    yield new Uint8Array(padding(bytes.length))
  }
  yield new Uint8Array(end_bytes)
}

/**
 * The members of an archive, in order, each hashed; nothing is unpacked, and one member at a time is in memory.
 * @throws Fault PACK for what is no archive, was cut short, or has a member twice, of a strange name or kind, or a byte beside
 * what these members make; TOO_LARGE.
 */
export async function unarchived(file: Parts): Promise<readonly Stored[]> {
  if (file.size_bytes > most_bytes) throw new Fault("TOO_LARGE", "the pack is larger than 8 GiB")
  const members = new Map<string, Stored>()
  let at = 0
  for (;;) {
    const header = await file.read(at, block_bytes)
    if (at === 0) notCompressed(header)
    if (isZero(header)) break
    const { name, size_bytes } = checked(header, members)
    const from = at + block_bytes
    const whole = size_bytes + padding(size_bytes)
    const bytes = await file.read(from, whole)
    if (bytes.length < whole) throw broken(`it was cut short in ${name}`)
    if (whole > size_bytes && !isZero(bytes.subarray(size_bytes)))
      throw broken(`the padding of ${name} was changed`)
    const sha256 = createHash("sha256").update(bytes.subarray(0, size_bytes)).digest("hex")
    members.set(name, { name, size_bytes, sha256, read: () => file.read(from, size_bytes) })
    at = from + whole
  }
  const end = await file.read(at, end_bytes)
  if (end.length < end_bytes || !isZero(end)) throw broken("it was cut short: its end is missing")
  if (at + end_bytes !== file.size_bytes) throw broken("it has bytes behind its end")
  if (members.size === 0) throw new Fault("PACK", "the archive is empty")
  return [...members.values()]
}

/** The header's name and size, held against limits before a byte of the member is read. */
function checked(header: Uint8Array, before: ReadonlyMap<string, Stored>) {
  if (header.length < block_bytes) throw broken("it was cut short: its end is missing")
  const { name, size_bytes, isFile, isOurs } = readHeader(header)
  const shown = JSON.stringify(name.slice(0, 80))
  if (!isFile && isName(name))
    throw broken(`${shown} is no file: a link, a folder or a device, which no pack has`)
  if (!isName(name)) throw broken(`it has a name that no pack has: ${shown}`)
  if (before.has(name)) throw broken(`it has ${shown} twice`)
  if (!isOurs) throw broken(`the header of ${shown} was changed, or is not one of a pack`)
  if (size_bytes > largest_bytes) throw new Fault("TOO_LARGE", `${shown} is larger than 64 MiB`)
  if (before.size >= mostMembers) throw new Fault("TOO_LARGE", "the pack has more than 100,000 members")
  return { name, size_bytes }
}

/** A compressed file is refused as what it is; it is never unpacked, so it cannot grow. */
function notCompressed(header: Uint8Array): void {
  const [a, b] = header
  const isGzip = a === 0x1f && b === 0x8b
  const isZip = a === 0x50 && b === 0x4b
  const isZstd = a === 0x28 && b === 0xb5
  if (isGzip || isZip || isZstd)
    throw new Fault("PACK", "the archive is compressed, and a pack is a plain tar", {
      next: "the file as it was made",
    })
}

function broken(why: string): Fault {
  return new Fault("PACK", `not a pack's archive: ${why}`)
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.length > 0 ? bytes.every(byte => byte === 0) : false
}

/** Never a path out of a folder that it is unpacked into. */
function isName(name: string): boolean {
  return name.length <= 100 && /^[A-Za-z0-9][A-Za-z0-9._-]*(\/[A-Za-z0-9][A-Za-z0-9._-]*){0,7}$/.test(name)
}
