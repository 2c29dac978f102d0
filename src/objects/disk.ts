import { randomBytes } from "node:crypto"
import { mkdir, readdir, readFile, rm, stat, unlink } from "node:fs/promises"
import { dirname, join } from "node:path"
import { flushFolder, hasCode, linkNew, makeFolder, nullIfAbsent, writeFlushed } from "../durable.ts"
import { failpoint } from "../failpoint.ts"
import { Fault } from "../fault.ts"
import { isObjectName, type ObjectStore } from "./objects.ts"

const maxObject_bytes = 64 * 1024 * 1024

/**
 * Objects as files: written beside, flushed, linked to their name (which fails if it is taken), folder flushed. What a
 * crash leaves beside is removed at the next opening.
 * @param folder  made if it is not there; nothing else may write in it.
 */
export async function openDisk({ folder }: { readonly folder: string }): Promise<ObjectStore> {
  const beside = join(folder, "tmp")
  const objects = join(folder, "objects")
  await rm(beside, { recursive: true, force: true })
  await mkdir(beside, { recursive: true, mode: 0o700 })
  await mkdir(objects, { recursive: true, mode: 0o700 })
  const fileOf = (name: string) => {
    if (!isObjectName(name)) throw new Fault("INVALID", "not the name of an object")
    return join(objects, name)
  }
  return {
    putIfAbsent: async (name, bytes) => {
      const file = fileOf(name)
      const temporary = join(beside, randomBytes(12).toString("hex"))
      try {
        await writeFlushed(temporary, bytes)
        await makeFolder(dirname(file), objects)
        failpoint("objects.before-link")
        const isNew = await linkNew(temporary, file)
        failpoint("objects.after-link")
        await flushFolder(dirname(file))
        return isNew ? "stored" : "exists"
      } catch (cause) {
        throw hasCode(cause, "ENOSPC")
          ? new Fault("STORE_FULL", "the object store's disk is full; nothing was stored", { cause })
          : cause
      } finally {
        await rm(temporary, { force: true })
      }
    },
    get: async name => {
      const file = fileOf(name)
      const found = await stat(file).catch(nullIfAbsent)
      if (found === null) return null
      if (found.size > maxObject_bytes) throw new Fault("TOO_LARGE", "the object is larger than 64 MiB")
      return readFile(file).catch(nullIfAbsent)
    },
    delete: async name => {
      const file = fileOf(name)
      await unlink(file).catch(nullIfAbsent)
      await flushFolder(dirname(file)).catch(nullIfAbsent)
    },
    list: prefix => names(objects, prefix),
  }
}

async function* names(folder: string, prefix: string, within = ""): AsyncGenerator<string> {
  const entries = await readdir(join(folder, within), { withFileTypes: true }).catch(nullIfAbsent)
  const sorted = (entries ?? []).map(entry => ({
    entry,
    path: within === "" ? entry.name : `${within}/${entry.name}`,
  }))
  // A folder sorts as its names do, with the slash that follows it.
  const orderOf = ({ entry, path }: { entry: { isDirectory(): boolean }; path: string }) =>
    entry.isDirectory() ? `${path}/` : path
  sorted.sort((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1))
  for (const { entry, path } of sorted) {
    if (entry.isDirectory()) {
      if (`${path}/`.startsWith(prefix) || prefix.startsWith(`${path}/`)) yield* names(folder, prefix, path)
    } else if (path.startsWith(prefix)) {
      yield path
    }
  }
}
