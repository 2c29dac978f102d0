import { base64, hex, utf8 } from "../bytes.ts"
import { canonical } from "../canonical.ts"
import { Fault } from "../fault.ts"
import type { ScopeResult } from "../incident/scope.ts"
import { parseEntry } from "../log/kinds.ts"
import { hashesOf, provedBundles, type LogSource, type ReadHead } from "../log/reading.ts"
import { leafHash } from "../tlog/hash.ts"
import { proveConsistency, proveInclusion } from "../tlog/proof.ts"
import { entriesPath, formatBundle, growTiles, tilePath, tileWidth } from "../tlog/tile.ts"
import type { Member } from "./archive.ts"
import { planName } from "./estimate-check.ts"
import { Concerned } from "./concerned.ts"
import { fileOf, manifestName, type Manifest } from "./manifest.ts"
import { proofLine } from "./proofs.ts"
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

/** Entries with a proof each are at most so many: beyond it the log itself is smaller. */
const mostProved = 200_000

/**
 * The members of an incident's pack, in order; the same ask gives the same bytes. Reads the log twice.
 * @throws Fault CONFLICT where the checkpoint is older than the scope; TOO_LARGE; LOG_INVALID where the entries do not lead to the root.
 */
export async function* packMembers(ask: PackAsk): AsyncGenerator<Member> {
  const { result, head, source, statement } = ask
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
    const cached = remembering(source)
    yield await consistencyMember(cached, of)
    for (const { name, bytes } of statement) yield { name: `statement/${name}`, bytes }
    yield await entriesMember(cached, of)
    if (of.log === "whole") yield* logMembers(of)
  }
}

/** That the tree of the scope is the beginning of the signed one. */
async function consistencyMember(source: LogSource, { result, head }: PackAsk): Promise<Member> {
  const { size, root } = result.checkpoint
  const proof = await proveConsistency(size, head.size, hashesOf(source, head.size))
  const text = canonical({ size, root, proof: proof.map(base64) })
  return { name: "scope/consistency.json", bytes: utf8(text) }
}

async function entriesMember(source: LogSource, { result, head, log }: PackAsk): Promise<Member> {
  const concerned = new Concerned(result)
  for await (const rows of provedBundles(source, head))
    for (const { index, bytes } of rows) {
      const entry = parseEntry(bytes)
      if (entry !== null) concerned.take(index, entry)
    }
  const wanted = new Set(log === "whole" ? concerned.own : concerned.all())
  if (wanted.size > mostProved)
    throw new Fault(
      "TOO_LARGE",
      `${wanted.size} entries are concerned; with a proof each a pack takes ${mostProved}`,
      {
        next: "the pack with the whole log",
      },
    )
  const hashes = hashesOf(source, head.size)
  const lines: Uint8Array[] = []
  for await (const rows of provedBundles(source, head))
    for (const { index, bytes } of rows)
      if (wanted.has(index))
        lines.push(utf8(proofLine(index, bytes, await proveInclusion(index, head.size, hashes))))
  return { name: "entries.ndjson", bytes: Buffer.concat(lines) }
}

/** Bundles and hash tiles, as a mirror has them. */
async function* logMembers({ source, head }: PackAsk): AsyncGenerator<Member> {
  const leaves: Uint8Array[] = []
  for await (const rows of provedBundles(source, head)) {
    const at = Math.floor((rows[0]?.index ?? 0) / tileWidth)
    const bytes = rows.map(row => row.bytes)
    leaves.push(...bytes.map(leafHash))
    yield { name: `log/${entriesPath(at, rows.length)}`, bytes: formatBundle(bytes) }
  }
  for (const { level, index, hashes } of growTiles(0, new Map(), leaves))
    yield { name: `log/${tilePath({ level, index, width: hashes.length / 32 })}`, bytes: hashes }
}

/** Reads each tile once; a proof for every one of many entries asks for the same ones. */
function remembering(source: LogSource): LogSource {
  const held = new Map<string, Promise<Uint8Array | null>>()
  return {
    name: source.name,
    read: path => {
      const isHashes = path.startsWith("tile/") && !path.startsWith("tile/entries/")
      if (!isHashes) return source.read(path)
      const known = held.get(path) ?? source.read(path)
      held.set(path, known)
      return known
    },
  }
}
