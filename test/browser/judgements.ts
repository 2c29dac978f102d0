import { base64, fromBase64, utf8 } from "../../src/bytes.ts"
import type { VerifyEd25519 } from "../../src/ed25519.ts"
import { openReceipt } from "../../src/log/receipt.ts"
import { leafHash } from "../../src/tlog/hash.ts"
import { noteVerifier, openNote } from "../../src/tlog/note.ts"
import { judge, parsePolicy } from "../../src/tlog/policy.ts"
import { checkConsistency, checkInclusion } from "../../src/tlog/proof.ts"
import { parseBundle, parseTilePath } from "../../src/tlog/tile.ts"
import { emptyFrontier, grow, rootOf } from "../../src/tlog/tree.ts"
import { judgeAddCheckpoint, parseAddCheckpoint } from "../../src/tlog/witness.ts"

/** What is judged, in Node and in the browser alike. */
export interface Questions {
  readonly notes: readonly { readonly note: string; readonly vkeys: readonly string[] }[]
  readonly policies: readonly { readonly policy: string; readonly note: string }[]
  readonly inclusions: readonly {
    readonly index: number
    readonly size: number
    readonly leaf: string
    readonly root: string
    readonly proof: readonly string[]
  }[]
  readonly consistencies: readonly {
    readonly oldSize: number
    readonly newSize: number
    readonly oldRoot: string
    readonly newRoot: string
    readonly proof: readonly string[]
  }[]
  readonly bundles: readonly string[]
  readonly paths: readonly string[]
  readonly requests: readonly {
    readonly body: string
    readonly vkeys: readonly string[]
    readonly last: string | null
  }[]
  readonly receipts: readonly { readonly receipt: string; readonly policy: string }[]
}

const bytes = (text: string) => fromBase64(text) ?? new Uint8Array()

/** Every answer as plain data. */
export function judgements(questions: Questions, verify: VerifyEd25519): unknown[] {
  const verifiersOf = (vkeys: readonly string[]) =>
    vkeys.map(vkey => noteVerifier(vkey, verify)).filter(verifier => verifier !== null)
  const judged = (policy: string, note: string) => {
    const parsed = parsePolicy(policy)
    return parsed.kind === "ok" ? judge(parsed.policy, note, verify) : parsed
  }
  return plain([
    questions.notes.map(({ note, vkeys }) => openNote(note, verifiersOf(vkeys))),
    questions.policies.map(({ policy, note }) => judged(policy, note)),
    questions.inclusions.map(claim =>
      checkInclusion({
        ...claim,
        leaf: bytes(claim.leaf),
        root: bytes(claim.root),
        proof: claim.proof.map(bytes),
      }),
    ),
    questions.consistencies.map(claim =>
      checkConsistency({
        ...claim,
        oldRoot: bytes(claim.oldRoot),
        newRoot: bytes(claim.newRoot),
        proof: claim.proof.map(bytes),
      }),
    ),
    questions.bundles.map(bundle => {
      const entries = parseBundle(bytes(bundle))
      return entries && base64(rootOf(grow(emptyFrontier, entries.map(leafHash))))
    }),
    questions.paths.map(parseTilePath),
    questions.requests.map(({ body, vkeys, last }) => {
      const request = parseAddCheckpoint(utf8(body))
      const held =
        last === null ? null : { size: Number(last.split(" ")[0]), root: bytes(last.split(" ")[1] ?? "") }
      return request && judgeAddCheckpoint(request, verifiersOf(vkeys), held)
    }),
    questions.receipts.map(({ receipt, policy }) =>
      openReceipt(receipt, note => {
        const verdict = judged(policy, note)
        return verdict.kind === "ok" && "checkpoint" in verdict ? verdict.checkpoint : "RECEIPT_CHECKPOINT"
      }),
    ),
  ])
}

function plain(value: unknown[]): unknown[] {
  const text = JSON.stringify(value, (_, each: unknown) => (each instanceof Uint8Array ? base64(each) : each))
  return JSON.parse(text) as unknown[]
}
