import { base64, hex, utf8 } from "../bytes.ts"
import { canonical } from "../canonical.ts"
import { Fault } from "../fault.ts"
import type { ScopeResult } from "../incident/scope.ts"
import { parseEntry } from "../log/kinds.ts"
import { hashesOf, provedBundles, readTileAt, type LogSource, type ReadHead } from "../log/reading.ts"
import { hashSize, leafHash } from "../tlog/hash.ts"
import { proveConsistency } from "../tlog/proof.ts"
import { entriesPath, formatBundle, growTiles, tilePath, tileWidth } from "../tlog/tile.ts"
import type { Member } from "./archive.ts"
import { planName } from "./estimate-check.ts"
import { Concerned } from "./concerned.ts"
import { fileOf, manifestName, type Manifest } from "./manifest.ts"
import { ProvingTiles, type Unproved } from "./proof-tiles.ts"
import { entriesName, entryLine, linesEach } from "./proofs.ts"
import { readmeOf } from "./readme.ts"

export interface PackAsk {
  readonly source: LogSource
  /** Its signed head, cosigned as the policy asks. */
  readonly head: ReadHead
  /** The policy file's text, as the vault gives it. */
  readonly policy: string
  readonly result: ScopeResult
  /** Files of the signed statement with `frozen.json`; none before it. */
  readonly statement: readonly Member[]
  /** The plan of the linkage whose estimate the statement states, as canonical JSON; `null` without. */
  readonly plan: Uint8Array | null
  /** Whether every entry goes along. */
  readonly log: "whole" | "none"
}

/**
 * The members of an incident's pack, in order; the same ask gives the same bytes. Reads the log twice.
 * @throws Fault CONFLICT where the checkpoint is older than the scope; TOO_LARGE; LOG_INVALID where the entries do not lead to the root.
 */
export async function* packMembers(ask: PackAsk): AsyncGenerator<Member> {
  const { result, head, statement } = ask
  if (head.size < result.checkpoint.size)
    throw new Fault(
      "CONFLICT",
      `the scope counts ${result.checkpoint.size} entries, and the checkpoint has ${head.size}`,
      {
        next: "the same again, once the witnesses have seen the newest entries",
      },
    )
  const files: Manifest["files"][number][] = []
  for await (const member of contents(ask)) {
    files.push(fileOf(member))
    yield member
  }
  const checkpoint = { origin: head.origin, size: head.size, root: hex(head.root) }
  const manifest: Manifest = {
    ...{ v: 1, format: "sallyport-pack/1", incident: result.incident, log: ask.log, checkpoint, files },
  }
  yield { name: manifestName, bytes: utf8(canonical(manifest)) }

  async function* contents(of: PackAsk): AsyncGenerator<Member> {
    const readme = readmeOf(result, { log: of.log, isStated: statement.length > 0, size: head.size })
    yield { name: "README.txt", bytes: utf8(readme) }
    yield { name: "policy", bytes: utf8(of.policy) }
    yield { name: "log/checkpoint", bytes: utf8(head.note) }
    yield { name: "scope/query.json", bytes: utf8(canonical(result.query)) }
    yield { name: "scope/result.json", bytes: utf8(canonical(result)) }
    if (of.plan !== null) yield { name: planName, bytes: of.plan }
    yield await consistencyMember(of)
    for (const { name, bytes } of statement) yield { name: `statement/${name}`, bytes }
    if (of.log === "whole") {
      yield* entriesMembers(ownEntries(of))
      yield* logMembers(of)
    } else yield* concernedMembers(of)
  }
}

/** That the tree of the scope is the beginning of the signed one. */
async function consistencyMember({ source, result, head }: PackAsk): Promise<Member> {
  const { size, root } = result.checkpoint
  const proof = await proveConsistency(size, head.size, hashesOf(source, head.size))
  const text = canonical({ size, root, proof: proof.map(base64) })
  return { name: "scope/consistency.json", bytes: utf8(text) }
}

interface Row {
  readonly index: number
  readonly bytes: Uint8Array
}

/** Entries as members of so many lines. */
async function* entriesMembers(rows: AsyncIterable<Row>): AsyncGenerator<Member> {
  const lines: string[] = []
  let nth = 0
  const member = () => ({ name: entriesName(nth++), bytes: utf8(lines.splice(0).join("")) })
  for await (const { index, bytes } of rows) {
    lines.push(entryLine(index, bytes))
    if (lines.length === linesEach) yield member()
  }
  if (lines.length > 0) yield member()
}

/** The incident's own entries, which are few. */
async function* ownEntries({ source, result, head }: PackAsk): AsyncGenerator<Row> {
  const concerned = new Concerned(result)
  const own: Row[] = []
  for await (const row of rowsOf(source, head)) {
    if (concerned.takeOwn(row.index, row.entry)) own.push(row)
  }
  yield* own
}

/** Every entry that is concerned, and the tiles that prove them. */
async function* concernedMembers({ source, result, head }: PackAsk): AsyncGenerator<Member> {
  const concerned = new Concerned(result)
  for await (const { index, entry } of rowsOf(source, head)) concerned.take(index, entry)
  const wanted = new Set(concerned.all())
  const read = (path: string) => readTileAt(source, path)
  const tiles = await ProvingTiles.of(read, head)
  if ("path" in tiles) throw unproved(source, tiles)
  const proved = async function* (): AsyncGenerator<Row> {
    for await (const rows of provedBundles(source, head))
      for (const { index, bytes } of rows) {
        if (!wanted.has(index)) continue
        const hash = await tiles.leaf(index)
        if ("path" in hash) throw unproved(source, hash)
        yield { index, bytes }
      }
  }
  yield* entriesMembers(proved())
  for (const path of tiles.used()) {
    const bytes = await read(path)
    if (bytes === null) throw unproved(source, { path, why: "it is gone" })
    yield { name: `log/${path}`, bytes }
  }
}

function unproved({ name }: LogSource, { path, why }: Unproved): Fault {
  return new Fault("LOG_INVALID", `${name}, ${path}: ${why}`)
}

async function* rowsOf(source: LogSource, head: ReadHead) {
  for await (const rows of provedBundles(source, head))
    for (const { index, bytes } of rows) {
      const entry = parseEntry(bytes)
      if (entry !== null) yield { index, bytes, entry }
    }
}

/** Bundles and hash tiles, as a mirror has them. */
async function* logMembers({ source, head }: PackAsk): AsyncGenerator<Member> {
  const tiles = new Map<string, Member>()
  const edge = new Map<number, Uint8Array>()
  for await (const rows of provedBundles(source, head)) {
    const from = rows[0]?.index ?? 0
    const bytes = rows.map(row => row.bytes)
    yield {
      name: `log/${entriesPath(Math.floor(from / tileWidth), rows.length)}`,
      bytes: formatBundle(bytes),
    }
    for (const { level, index, hashes } of growTiles(from, edge, bytes.map(leafHash))) {
      const width = hashes.length / hashSize
      edge.set(level, hashes)
      tiles.set(`${level} ${index}`, { name: `log/${tilePath({ level, index, width })}`, bytes: hashes })
    }
  }
  yield* [...tiles.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}
