import { createHash } from "node:crypto"
import { canonical } from "../canonical.ts"
import { concat, textOf, utf8 } from "../bytes.ts"
import type { VerifyEd25519 } from "../ed25519.ts"
import type { ParsedCapture } from "../seal/capture.ts"
import type { Checkpoint } from "../tlog/checkpoint.ts"
import { leafHash } from "../tlog/hash.ts"
import { judge } from "../tlog/policy.ts"
import { checkInclusion } from "../tlog/proof.ts"
import { parseProof, type TlogProof } from "../tlog/receipt.ts"

/** Which check of an admission proof failed. */
export type AdmissionRefusal = "form" | "checkpoint" | "vault" | "inclusion" | "entry"

export interface AdmissionClaim {
  /** The text of the `.tlog-proof` that the vault answered with. */
  readonly proof: string
  readonly capture: ParsedCapture
  /** Verification keys of the vault's log, pinned in the reader's key file or a policy. */
  readonly logs: readonly string[]
  readonly verify: VerifyEd25519
}

/**
 * Whether the vault's log holds the entry `admitted` of exactly this capture: only then a lane may drop its copy. Witnesses
 * are not asked for: a fresh proof is under the checkpoint of its own batch, which they see only later.
 * @returns `null` when it does, else the first check that failed.
 * Source: c2sp.org/tlog-proof; docs/formats/receipt.md.
 */
export function admissionRefusal(claim: AdmissionClaim): AdmissionRefusal | null {
  const proof = parseProof(claim.proof)
  const entry = proof === null ? null : entryBytes(proof)
  if (proof === null || entry === null) return "form"
  const checkpoint = checkpointOf(claim, proof)
  if (checkpoint === null) return "checkpoint"
  if (checkpoint.origin !== claim.capture.header.vault) return "vault"
  const { size, root } = checkpoint
  const leaf = leafHash(entry)
  if (!checkInclusion({ index: proof.index, size, leaf, root, proof: proof.proof })) return "inclusion"
  return isAdmissionOf(claim.capture, entry) ? null : "entry"
}

function checkpointOf({ logs, verify }: AdmissionClaim, { checkpoint }: TlogProof): Checkpoint | null {
  const policy = {
    logs: logs.map(vkey => ({ vkey, url: null })),
    witnesses: [],
    groups: [],
    quorum: "none",
  }
  const judged = judge(policy, checkpoint, verify)
  return judged.kind === "ok" ? judged.checkpoint : null
}

/** The bytes of the entry that the proof's extra line carries, or `null`. */
function entryBytes({ extra }: TlogProof): Uint8Array | null {
  const value = extra === null ? null : parseObject(textOf(extra))
  return typeof value?.entry === "string" ? utf8(value.entry) : null
}

function isAdmissionOf({ header, headerJson, signature }: ParsedCapture, bytes: Uint8Array): boolean {
  const entry = parseObject(textOf(bytes))
  if (entry === null) return false
  const expected: Record<string, unknown> = {
    v: 1,
    kind: "admitted",
    capture: header.capture,
    port: header.port,
    lane: header.lane,
    reader: header.reader,
    sequence: header.sequence,
    sealed_to: header.sealed_to,
    header_sha256: createHash("sha256")
      .update(concat(utf8(headerJson), signature))
      .digest("hex"),
    body_sha256: header.body_sha256,
    size_bytes: header.size_bytes,
  }
  return Object.entries(expected).every(([name, value]) => entry[name] === value)
}

/** An object in canonical form, as entries and extra lines are; else `null`. */
function parseObject(text: string | null): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text ?? "")
    if (typeof value !== "object" || value === null || Array.isArray(value)) return null
    return canonical(value) === text ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}
