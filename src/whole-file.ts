import { mkdir, open, rename } from "node:fs/promises"
import { dirname } from "node:path"

/** Writes a file that is there whole or not at all, also after a crash; its folder is made. @param mode  of a new file. */
export async function writeWhole(file: string, data: string | Uint8Array, mode = 0o666): Promise<void> {
  await mkdir(dirname(file), { recursive: true, ...(mode === 0o600 ? { mode: 0o700 } : {}) })
  const handle = await open(`${file}.tmp`, "w", mode)
  try {
    await handle.writeFile(data)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(`${file}.tmp`, file)
}
