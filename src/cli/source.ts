import { readFile, stat } from "node:fs/promises"
import { join } from "node:path"
import { cappedBytes } from "../capped.ts"
import { Fault } from "../fault.ts"
import type { LogSource } from "../log/reading.ts"
import type { Client } from "./client.ts"
import type { Context } from "./context.ts"
import { writeWhole } from "../whole-file.ts"

/** A bundle of 256 entries of the largest size, with their lengths. */
const most_bytes = 256 * 65_537

/** Where a log is read from: `--from` a folder of tiles or another server, else the server itself. */
export async function sourceOf(context: Context, from: string | undefined): Promise<LogSource> {
  if (from === undefined) return serverSource(context.client, context.globals.server)
  if (/^https?:\/\//.test(from)) return urlSource(from.replace(/\/$/, ""))
  const held = await stat(from).catch(() => null)
  if (held?.isDirectory() !== true)
    throw new Fault("NOT_FOUND", `${from} is neither a URL nor a folder of tiles`, {
      next: "sallyport log mirror DIR makes one",
    })
  return folderSource(from)
}

/** The vault's server; requests are signed where there is a key, so entries that need sign-in can be read. */
function serverSource(client: Client, server: string): LogSource {
  return {
    name: server,
    read: async path => {
      try {
        const response = await client.send({ method: "GET", path: `/log/${path}` })
        return await cappedBytes(response, most_bytes)
      } catch (error) {
        if (error instanceof Fault && error.code === "NOT_FOUND") return null
        if (error instanceof Fault && error.code === "SIGNATURE_MISSING")
          throw new Fault("SIGNATURE_MISSING", "this log's entries need sign-in", {
            next: "--key FILE of one who may read the log, or --hashes for the tree alone",
          })
        throw error
      }
    },
  }
}

/** Any log that is served as c2sp.org/tlog-tiles says, at its prefix. */
function urlSource(prefix: string): LogSource {
  return {
    name: prefix,
    read: async path => {
      const url = `${prefix}/${path}`
      const response = await fetch(url, { signal: AbortSignal.timeout(60_000) }).catch((cause: unknown) => {
        throw new Fault("NO_SERVER", `nothing answers at ${prefix}`, { cause })
      })
      if (response.status === 404) return null
      if (!response.ok) throw new Fault("NO_SERVER", `${url} answered ${response.status}`)
      return cappedBytes(response, most_bytes)
    },
  }
}

export function folderSource(folder: string): LogSource {
  return {
    name: folder,
    read: async path => {
      const bytes = await readFile(join(folder, path)).catch(() => null)
      return bytes === null ? null : new Uint8Array(bytes)
    },
  }
}

/** Reads through to `source` and keeps what it reads in a folder. A whole tile that is there already is not asked for again. */
export function mirrored(source: LogSource, folder: string): LogSource & { readonly kept: () => number } {
  const held = folderSource(folder)
  let kept = 0
  return {
    name: source.name,
    kept: () => kept,
    read: async path => {
      const isTile = path.startsWith("tile/")
      const already = isTile ? await held.read(path) : null
      if (already !== null) return already
      const bytes = await source.read(path)
      if (bytes === null || !isTile) return bytes
      await writeWhole(join(folder, path), bytes)
      kept += 1
      return bytes
    },
  }
}
