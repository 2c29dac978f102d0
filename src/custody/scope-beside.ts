import { concat, utf8 } from "../bytes.ts"
import { Fault } from "../fault.ts"
import type { Ledger } from "../ledger/ledger.ts"
import { nextTurn } from "../next-turn.ts"
import { countedFaces, type Box } from "../picture/level.ts"
import { examinationCommitment, parseExamination } from "../vault/findings.ts"
import { sha256Hex } from "../vault/vault.ts"
import { touches } from "./findings.ts"
import type { Bound } from "./scope-rows.ts"
import type { Beside, BesideRow } from "./scope.ts"

/** What is known of one image beside its entries; each part `null` where nothing is at hand. */
export interface Known {
  readonly crossing: string | null
  readonly captured_ms: number | null
  /** Digests of its plates' texts. */
  readonly digests: readonly string[] | null
  /** Faces that our own finder saw, and that do not overlap: so many people are in it at least. */
  readonly apart: number | null
  readonly headerJson: string | null
  readonly findingsJson: string | null
}

const nothing: Known = {
  ...{ crossing: null, captured_ms: null, digests: null, apart: null, headerJson: null, findingsJson: null },
}

/** Images that are looked at in one turn of the event loop: some 10 ms. */
const atOnce = 64

/** Headers and findings as the ledger has them; nothing of it is believed before it is held against the log. */
export function besideOf(ledger: Ledger): Beside {
  return {
    rows: async captures => {
      const found = new Map<string, BesideRow>()
      for (const [n, id] of captures.entries()) {
        const row = await ledger.capture(id)
        if (row !== null) found.set(id, row)
        if (n % atOnce === 0) await nextTurn()
      }
      return found
    },
  }
}

/**
 * Headers and findings of these captures, each held against the digest that its entry has. What is not at hand stays unknown.
 * @throws Fault LEDGER_DIFFERS for what is there and is not what the log binds: then nothing is counted.
 */
export async function knownOf(
  beside: Beside | null,
  bound: ReadonlyMap<string, Bound>,
  captures: readonly string[],
): Promise<ReadonlyMap<string, Known>> {
  const rows = (await beside?.rows(captures)) ?? new Map<string, BesideRow>()
  const known = new Map<string, Known>()
  for (const [n, id] of captures.entries()) {
    known.set(id, knownIn(id, rows.get(id), bound.get(id)))
    if (n % atOnce === 0) await nextTurn()
  }
  return known
}

function knownIn(id: string, row: BesideRow | undefined, bound: Bound | undefined): Known {
  if (row === undefined || bound === undefined) return nothing
  return { ...nothing, ...headerIn(id, row, bound), ...findingsIn(id, row, bound) }
}

function headerIn(id: string, { headerJson, headerSignature }: BesideRow, bound: Bound): Partial<Known> {
  if (headerJson === null || headerSignature === null) return {}
  if (sha256Hex(concat(utf8(headerJson), headerSignature)) !== bound.header_sha256)
    throw differs(id, "header", "admitted")
  const { crossing, captured_at } = JSON.parse(headerJson) as { crossing: string; captured_at: string }
  return { headerJson, crossing, captured_ms: Date.parse(captured_at) }
}

/** Findings of before the examination that the checkpoint knows are none of it. */
function findingsIn(id: string, { findingsJson }: BesideRow, bound: Bound): Partial<Known> {
  if (findingsJson === null || bound.findings_commitment === null) return {}
  const stored = parseExamination(findingsJson)
  if (stored === null || examinationCommitment(stored) !== bound.findings_commitment)
    throw differs(id, "findings", "examined")
  const { plate_digests: digests, found } = stored
  return { findingsJson, digests, apart: found === null ? null : apartIn(countedFaces(found)) }
}

/** Boxes that touch none of those taken before: one head found twice is one. */
function apartIn(faces: readonly Box[]): number {
  const taken: Box[] = []
  for (const face of faces) if (!taken.some(each => touches(each, face))) taken.push(face)
  return taken.length
}

function differs(id: string, what: string, entry: string): Fault {
  return new Fault("LEDGER_DIFFERS", `the ${what} of ${id} are not what its entry ${entry} binds`, {
    notDone: "No figure was computed: a row of the ledger was changed.",
    next: "sallyport log fsck says which rows differ; restore the ledger from the log or a backup",
  })
}
