import { gzipSync } from "node:zlib"
import { Type } from "typebox"
import type { House } from "../custody/house.ts"
import type { Caller } from "../custody/caller.ts"
import { destroyOpening, noteReading, readOpenings } from "../custody/openings.ts"
import { hex } from "../bytes.ts"
import { verifyEd25519 } from "../ed25519.ts"
import { Fault } from "../fault.ts"
import { fsck } from "../log/fsck.ts"
import { kinds, parseEntry } from "../log/kinds.ts"
import { oneOf, statements } from "../log/shapes.ts"
import { names } from "../log/state.ts"
import { formatBundle, parseTilePath, tileWidth, type TileAt } from "../tlog/tile.ts"
import type { EntryRow } from "../ledger/ledger.ts"
import { openText } from "../vault/keys.ts"
import { authenticate, allow, type Door } from "./door.ts"
import type { Standing } from "./server.ts"
import { callerOf, parameter, type Route } from "./route.ts"

const immutable = "public, max-age=31536000, immutable"
const hash_bytes = 32

/** The log for strangers, after c2sp.org/tlog-tiles, and for those who may read entries with their openings. */
export function logRoutes(
  door: Door,
  options: { readonly openBundles: boolean; readonly standing: Standing },
): Route[] {
  const { house } = door
  return [
    ...publicRoutes(door, options.openBundles),
    ...entryRoutes(house),
    ...healthRoutes(house, options.standing),
  ]
}

const hour_ms = 3_600_000
const readersHeld = 4096

/** A mirror reads bundles by the thousand: one entry says so for each person and hour. */
function onceAnHour(house: House): (caller: Caller) => Promise<void> {
  const noted = new Map<string, number>()
  return async caller => {
    const { person } = caller.person
    const hour = Math.floor(house.log.clock() / hour_ms)
    if (noted.get(person) === hour) return
    await noteReading(house, caller, "bundles")
    if (noted.size >= readersHeld) noted.clear()
    noted.set(person, hour)
  }
}

function publicRoutes(door: Door, openBundles: boolean): Route[] {
  const { house } = door
  const noteBundles = onceAnHour(house)
  return [
    note("/log/checkpoint", {
      summary: "The newest cosigned checkpoint (c2sp.org/tlog-checkpoint); without witnesses the newest",
      read: () => house.log.published(),
    }),
    note("/log/head", {
      summary: "The newest signed checkpoint, whether or not the witnesses have seen it",
      read: () => house.log.checkpoint(),
    }),
    {
      method: "GET",
      url: "/log/policy",
      summary: "A policy file with this log's key (c2sp.org/tlog-policy): to be pinned, not trusted",
      access: "public",
      answer: async (_, reply) => {
        void reply.type("text/plain; charset=utf-8")
        return Promise.resolve(
          `# Compare the keys with what their owners gave you, then keep this file.\n${house.log.policy}`,
        )
      },
    },
    {
      method: "GET",
      url: "/log/tile/*",
      summary: "Hash tiles and entry bundles (c2sp.org/tlog-tiles)",
      access: "public",
      answer: async (request, reply) => {
        const named = parseTilePath(`tile/${parameter(request, "*")}`)
        if (named === null) throw new Fault("NOT_FOUND", "not the path of a tile")
        if (named.kind === "entries" && !openBundles) {
          const caller = await authenticate(door, request, false)
          await allow(house, caller, "read log")
          await noteBundles(caller)
        }
        const bytes =
          named.kind === "hashes" ? await tileBytes(house, named.tile) : await bundleBytes(house, named.tile)
        void reply.type("application/octet-stream").header("access-control-allow-origin", "*")
        if (named.kind === "hashes") return reply.header("cache-control", immutable).send(bytes)
        // Entries compress well, hashes not at all; what needed sign-in is not for shared caches.
        void reply.header("vary", "accept-encoding")
        void reply.header("cache-control", openBundles ? immutable : immutable.replace("public", "private"))
        const takesGzip = /\bgzip\b/.test(String(request.headers["accept-encoding"] ?? ""))
        return takesGzip ? reply.header("content-encoding", "gzip").send(gzipSync(bytes)) : bytes
      },
    },
  ]
}

/** A signed note, fresh each time. */
function note(url: string, of: { readonly summary: string; readonly read: () => Promise<string> }): Route {
  return {
    method: "GET",
    url,
    summary: of.summary,
    access: "public",
    answer: (_, reply) => {
      void reply.type("text/plain; charset=utf-8").headers({
        "cache-control": "no-cache",
        "access-control-allow-origin": "*",
      })
      return of.read()
    },
  }
}

async function tileBytes(house: House, { level, index, width }: TileAt): Promise<Buffer> {
  const tile = await house.ledger.tile(level, index)
  if (tile === null || tile.hashes.length < width * hash_bytes)
    throw new Fault("NOT_FOUND", "the log has no such tile yet")
  return Buffer.from(tile.hashes.subarray(0, width * hash_bytes))
}

async function bundleBytes(house: House, { index, width }: TileAt): Promise<Buffer> {
  const rows = await house.ledger.entries(index * tileWidth, index * tileWidth + width)
  if (rows.length < width) throw new Fault("NOT_FOUND", "the log has no such bundle yet")
  return Buffer.from(formatBundle(rows.map(row => row.bytes)))
}

function entryRoutes(house: House): Route[] {
  return [
    {
      method: "GET",
      url: "/v1/log/entries",
      summary: "The newest entries",
      access: "signed",
      query: {
        kind: Type.Optional(oneOf(Object.keys(kinds))),
        before: Type.Optional(Type.String({ pattern: "^[0-9]{1,15}$" })),
        limit: Type.Optional(Type.String({ pattern: "^[0-9]{1,3}$" })),
      },
      answer: async request => {
        await allow(house, callerOf(request), "read log")
        await noteReading(house, callerOf(request), "entries")
        const { kind, before, limit } = request.query as { kind?: string; before?: string; limit?: string }
        const most = Math.min(200, Number(limit ?? 50))
        const rows = await house.ledger.newestEntries({
          limit: most,
          ...(kind === undefined ? {} : { kind }),
          ...(before === undefined ? {} : { before: Number(before) }),
        })
        return { object: "list", data: rows.map(shown), has_more: rows.length === most, next_cursor: null }
      },
    },
    {
      method: "GET",
      url: "/v1/log/entries/:index",
      summary: "One entry with the texts behind its commitments; that they were read is an entry too",
      access: "signed",
      answer: async request => {
        await allow(house, callerOf(request), "read log")
        const text = parameter(request, "index")
        const index = /^[0-9]{1,15}$/.test(text) ? Number(text) : -1
        const [row] = index < 0 ? [] : await house.ledger.entries(index, index + 1)
        if (row === undefined) throw new Fault("NOT_FOUND", "there is no such entry")
        return {
          ...shown(row),
          openings: await readOpenings(house, callerOf(request), index),
          proof: await house.log.receiptAt(index),
        }
      },
    },
    {
      method: "POST",
      url: "/v1/openings/destruction",
      summary: "Destroy the text behind one commitment of an entry; every proof stays",
      access: "signed",
      status: 201,
      body: statements.destruction,
      answer: async request => {
        const { index } = await destroyOpening(house, callerOf(request))
        return { entry: index }
      },
    },
    checking(house),
  ]
}

function checking(house: House): Route {
  let isChecking = false
  return {
    method: "GET",
    url: "/v1/log/fsck",
    summary: "Compute the ledger anew from the log and compare",
    access: "signed",
    answer: async request => {
      await allow(house, callerOf(request), "read log")
      await noteReading(house, callerOf(request), "check")
      if (isChecking) throw new Fault("BUSY", "a check is under way")
      isChecking = true
      try {
        const { size, root, problems, counted } = await fsck(house.ledger, {
          origin: house.log.origin,
          verify: verifyEd25519,
          openText: (field, sealed) => openText(house.keys.root, field, sealed),
        })
        return { size, root: hex(root), problems, counted }
      } finally {
        isChecking = false
      }
    },
  }
}

function shown({ index, bytes }: EntryRow) {
  return { index, entry: parseEntry(bytes) }
}

/** `null` where no quorum is asked for. */
async function witnessStatus(house: House) {
  const { witnesses } = house.log
  if (witnesses === null) return null
  const { newest } = witnesses
  return {
    size: newest?.size ?? null,
    cosigned_at: newest === null ? null : new Date(newest.at_ms).toISOString(),
    refusal: witnesses.refusal(await house.ledger.counter(names.opened)),
    strict: witnesses.strict,
    each: witnesses.presence(),
  }
}

function healthRoutes(house: House, standing: Standing): Route[] {
  const status = async () => {
    const head = await house.log.head()
    const stopped = house.vault.gate.stopped
    return {
      origin: house.log.origin,
      vkey: house.log.vkey,
      mode: house.keys.mode,
      ledger: house.ledger.engine,
      size: head.size,
      root: hex(head.root),
      newest_at: head.time_ms === 0 ? null : new Date(head.time_ms).toISOString(),
      vault: stopped === null ? "open" : "stopped",
      why: stopped,
      differences: standing.differences.length,
      witnesses: await witnessStatus(house),
    }
  }
  return [
    {
      method: "GET",
      url: "/v1/log/status",
      summary: "The log's head and whether anything is stopped",
      access: "public",
      answer: status,
    },
    {
      method: "GET",
      url: "/healthz",
      summary: "Whether the server answers",
      access: "public",
      answer: () => Promise.resolve({ ok: true }),
    },
    {
      method: "GET",
      url: "/readyz",
      summary: "Whether images can be released",
      access: "public",
      answer: async () => {
        const { vault, differences, witnesses } = await status()
        if (vault !== "open") throw new Fault("VAULT_STOPPED", "the vault is stopped; nothing is released")
        if (differences > 0)
          throw new Fault("LEDGER_DIFFERS", "the ledger differs from the log; nothing is released")
        if (witnesses !== null && witnesses.refusal !== null)
          throw new Fault("LOG_UNWITNESSED", witnesses.refusal)
        return { ready: true }
      },
    },
  ]
}
