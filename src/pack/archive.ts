import { createHash } from "node:crypto"
import { extract, pack, type Extract, type Headers, type Pack } from "tar-stream"
import { Fault } from "../fault.ts"

/** The pack's container: a plain tar whose bytes follow from its members, so that a stray byte anywhere is found. */

export interface Member {
  readonly name: string
  readonly bytes: Uint8Array
}

/** So much is read into memory; a larger log travels beside the pack. */
export const most_bytes = 1_073_741_824
const mostMembers = 100_000

/** Owner, mode and time are the same in every pack. */
function headerOf({ name, bytes }: Member): Headers {
  const nobody = { uid: 0, gid: 0, uname: "", gname: "" }
  return { name, size: bytes.length, mode: 0o644, mtime: new Date(0), type: "file", ...nobody }
}

/** Writes members one after the other; each is taken before the next is asked for. */
export async function* archived(
  members: AsyncIterable<Member> | Iterable<Member>,
): AsyncGenerator<Uint8Array> {
  const tar = pack()
  const written = put(tar, members)
  written.catch((error: unknown) => tar.destroy(error as Error))
  for await (const chunk of tar) yield chunk as Uint8Array
  await written
}

async function put(tar: Pack, members: AsyncIterable<Member> | Iterable<Member>): Promise<void> {
  for await (const member of members)
    await new Promise<void>((resolve, reject) => {
      tar.entry(headerOf(member), Buffer.from(member.bytes), error => (error ? reject(error) : resolve()))
    })
  tar.finalize()
}

/**
 * The members of an archive, in order.
 * @throws Fault PACK for what is no archive, has a member twice or of a strange name, or is not, byte for byte, what these members
 * make; TOO_LARGE beyond 1 GiB.
 */
export async function unarchived(bytes: AsyncIterable<Uint8Array>): Promise<readonly Member[]> {
  const whole = createHash("sha256")
  const members = await membersIn(counted(bytes, whole))
  const again = createHash("sha256")
  for await (const chunk of archived(members)) again.update(chunk)
  if (again.digest("hex") !== whole.digest("hex"))
    throw new Fault(
      "PACK",
      "the archive has bytes beside its members: a header, its padding or its end was changed",
    )
  return members
}

async function* counted(
  bytes: AsyncIterable<Uint8Array>,
  digest: ReturnType<typeof createHash>,
): AsyncGenerator<Uint8Array> {
  let size = 0
  for await (const chunk of bytes) {
    size += chunk.length
    if (size > most_bytes) throw new Fault("TOO_LARGE", "the pack is larger than 1 GiB")
    digest.update(chunk)
    yield chunk
  }
}

async function membersIn(bytes: AsyncIterable<Uint8Array>): Promise<readonly Member[]> {
  const members = new Map<string, Member>()
  const tar = extract()
  const fed = feed(tar, bytes)
  fed.catch((error: unknown) => tar.destroy(error as Error))
  try {
    for await (const entry of tar) {
      const { name, type } = entry.header
      if (type !== "file" || !isName(name) || members.has(name) || members.size >= mostMembers)
        throw new Fault(
          "PACK",
          `the archive has a member that no pack has: ${JSON.stringify(name.slice(0, 80))}`,
        )
      const chunks: Buffer[] = []
      for await (const chunk of entry) chunks.push(chunk as Buffer)
      members.set(name, { name, bytes: new Uint8Array(Buffer.concat(chunks)) })
    }
    await fed
  } catch (error) {
    if (error instanceof Fault) throw error
    throw new Fault("PACK", "not an archive, or one whose headers were changed", { cause: error })
  }
  if (members.size === 0) throw new Fault("PACK", "the archive is empty")
  return [...members.values()]
}

async function feed(tar: Extract, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of bytes) {
    if (tar.write(Buffer.from(chunk))) continue
    await new Promise<void>(resolve => {
      tar.once("drain", resolve)
      tar.once("close", resolve)
    })
  }
  tar.end()
}

/** Never a path out of a folder that it is unpacked into. */
function isName(name: string): boolean {
  return name.length <= 100 && /^[A-Za-z0-9][A-Za-z0-9._-]*(\/[A-Za-z0-9][A-Za-z0-9._-]*){0,7}$/.test(name)
}
