import { mkdir, open } from "node:fs/promises"
import { join } from "node:path"
import { ocsfOf } from "./ocsf.ts"
import { failed, reasonOf, taken, type Way } from "./parcel.ts"

/** OCSF events as lines of a file, on the disk when they count as taken. It is opened anew each time: who renames it gets a new one. */
export const file: Way = {
  batch: 200,
  atOnce: 1,
  send: async (messages, { settings, address }) => {
    const lines = messages.map(each => `${ocsfOf(each, settings)}\n`).join("")
    try {
      await mkdir(settings.folder, { recursive: true, mode: 0o700 })
      await append(join(settings.folder, address), lines)
      return taken
    } catch (error) {
      return failed(reasonOf(error))
    }
  },
}

async function append(path: string, lines: string): Promise<void> {
  const handle = await open(path, "a+", 0o600)
  try {
    const { size } = await handle.stat()
    const last = Buffer.alloc(1)
    if (size > 0) await handle.read(last, 0, 1, size - 1)
    // A line that a crash left half-written stays by itself.
    const isTorn = size > 0 && last.toString() !== "\n"
    await handle.appendFile(isTorn ? `\n${lines}` : lines)
    await handle.sync()
  } finally {
    await handle.close()
  }
}
