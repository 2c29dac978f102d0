import { link, mkdir, open } from "node:fs/promises"
import { dirname } from "node:path"

/** What a file system does that survives a crash. None of it is atomic alone; the callers' order makes it so. */

/** Writes a new file and flushes its bytes; its name is not durable before its folder is flushed. Fails where a file stands. */
export async function writeFlushed(file: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(file, "wx", 0o600)
  try {
    await handle.writeFile(bytes)
    await handle.datasync()
  } finally {
    await handle.close()
  }
}

/** Makes the folder and flushes each new one's parent, so that the path itself survives a crash. @param top  stands already. */
export async function makeFolder(folder: string, top: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 })
  if (first === undefined) return
  for (let each = folder; each.length >= top.length; each = dirname(each)) await flushFolder(each)
}

/** Gives a file a second name. @returns whether the name was free. */
export async function linkNew(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if (hasCode(error, "EEXIST")) return false
    throw error
  }
}

/** Makes the names in a folder durable: links, renames and removals that happened before. */
export async function flushFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r")
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

export function nullIfAbsent(error: unknown): null {
  if (hasCode(error, "ENOENT")) return null
  throw error
}

/** Whether the error is the operating system's of that name, such as `ENOSPC`. */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code
}
