import { base64, fromBase64, textOf, utf8 } from "../bytes.ts"
import { canonical } from "../canonical.ts"
import type { FaultCode } from "../fault.ts"
import type { Checkpoint } from "../tlog/checkpoint.ts"
import { leafHash } from "../tlog/hash.ts"
import { checkInclusion } from "../tlog/proof.ts"
import { formatProof, parseProof } from "../tlog/receipt.ts"
import { parseEntry, type Entry } from "./kinds.ts"

/** An entry with the proof that it is in a tree. */
export interface Proved {
  readonly index: number
  /** The entry's canonical JSON. */
  readonly bytes: Uint8Array
  readonly proof: readonly Uint8Array[]
}

/** A receipt taken apart and proved: the entries are in the tree of the checkpoint, which its signers signed. */
export interface Receipt {
  readonly checkpoint: Checkpoint
  readonly index: number
  readonly entry: Entry
  /** The permit behind a `delivered` entry. */
  readonly permit: { readonly index: number; readonly entry: Entry } | null
}

export type Opened =
  | { readonly kind: "ok"; readonly receipt: Receipt }
  | { readonly kind: "refuse"; readonly code: FaultCode; readonly why: string }

/**
 * A receipt is a `.tlog-proof` file (c2sp.org/tlog-proof) of one entry; its `extra` line carries the entry's bytes and,
 * for a `delivered` entry, the permit with a proof of its own under the same checkpoint. The extra line needs no
 * signature: what it holds is hashed into the tree.
 */
export function formatReceipt(main: Proved, permit: Proved | null, checkpoint: string): string {
  const extra = { entry: textOf(main.bytes), ...(permit === null ? {} : { permit: permitExtra(permit) }) }
  return formatProof({ extra: utf8(canonical(extra)), index: main.index, proof: main.proof, checkpoint })
}

/**
 * Checks in this order: the file's form, the checkpoint's signatures, the entry's inclusion, the permit's inclusion.
 * @param judgeCheckpoint  the checkpoint if the signatures that the caller asks for are there, else what is missing.
 */
export function openReceipt(text: string, judgeCheckpoint: (note: string) => Checkpoint | FaultCode): Opened {
  const parts = parseProof(text)
  const extra = parts?.extra === null || parts === null ? null : parseExtra(parts.extra)
  if (parts === null || extra === null)
    return refuse("RECEIPT_FORMAT", "the file is not a tlog-proof with its entries")
  const checkpoint = judgeCheckpoint(parts.checkpoint)
  if (typeof checkpoint === "string")
    return refuse(checkpoint, "the checkpoint lacks a signature that is asked for")
  const { index, proof } = parts
  if (!isIncluded({ index, bytes: extra.bytes, proof }, checkpoint)) {
    return refuse("RECEIPT_INCLUSION", `entry ${index} is not in the tree of size ${checkpoint.size}`)
  }
  if (extra.permit !== null && !isIncluded(extra.permit, checkpoint)) {
    return refuse(
      "RECEIPT_INCLUSION",
      `permit ${extra.permit.index} is not in the tree of size ${checkpoint.size}`,
    )
  }
  const entry = parseEntry(extra.bytes)
  const permit = extra.permit === null ? null : parseEntry(extra.permit.bytes)
  if (entry === null || (extra.permit !== null && permit === null)) {
    return refuse("RECEIPT_FORMAT", "the tree's entry is of no kind that this version knows")
  }
  const behind =
    extra.permit === null || permit === null ? null : { index: extra.permit.index, entry: permit }
  return { kind: "ok", receipt: { checkpoint, index, entry, permit: behind } }
}

function refuse(code: FaultCode, why: string): Opened {
  return { kind: "refuse", code, why }
}

function isIncluded({ index, bytes, proof }: Proved, { size, root }: Checkpoint): boolean {
  return checkInclusion({ index, size, leaf: leafHash(bytes), root, proof })
}

function permitExtra({ index, bytes, proof }: Proved) {
  return { entry: textOf(bytes), index, proof: proof.map(base64) }
}

function parseExtra(
  bytes: Uint8Array,
): { readonly bytes: Uint8Array; readonly permit: Proved | null } | null {
  const text = textOf(bytes)
  const value = text === null ? null : parseObject(text)
  if (value === null || typeof value.entry !== "string" || canonical(value) !== text) return null
  if (Object.keys(value).some(key => key !== "entry" && key !== "permit")) return null
  if (value.permit === undefined) return { bytes: utf8(value.entry), permit: null }
  const permit = parsePermit(value.permit)
  return permit === null ? null : { bytes: utf8(value.entry), permit }
}

function parsePermit(value: unknown): Proved | null {
  if (typeof value !== "object" || value === null) return null
  const { entry, index, proof, ...rest } = value as Record<string, unknown>
  if (typeof entry !== "string" || !Number.isSafeInteger(index) || (index as number) < 0) return null
  if (!Array.isArray(proof) || proof.length > 64 || Object.keys(rest).length > 0) return null
  const hashes = proof.map(hash => (typeof hash === "string" ? fromBase64(hash) : null))
  if (!hashes.every(hash => hash?.length === 32)) return null
  return { index: index as number, bytes: utf8(entry), proof: hashes as Uint8Array[] }
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null
  } catch {
    return null
  }
}
