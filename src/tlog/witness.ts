import { base64, equal, fromBase64, textOf } from "../bytes.ts"
import { assert } from "../fault.ts"
import { parseForeignCheckpoint, parseSize, type Checkpoint } from "./checkpoint.ts"
import { emptyRoot, hashSize } from "./hash.ts"
import { openNote, parseNote, type NoteVerifier } from "./note.ts"
import { checkConsistency } from "./proof.ts"

/** What a log and a witness say to each other. Source: c2sp.org/tlog-witness. */

/** The body of `add-checkpoint`. */
export interface AddCheckpoint {
  /** The size that the log believes the witness cosigned last; 0 for none. */
  readonly oldSize: number
  /** From the tree of that size to the checkpoint's; at most 63 hashes. */
  readonly proof: readonly Uint8Array[]
  /** The signed checkpoint, verbatim. */
  readonly checkpoint: string
}

/** Media type of the size in the body of a 409. */
export const sizeType = "text/x.tlog.size"
/** A proof of 63 hashes and a note with 100 signatures fit well within. */
export const maxRequest_bytes = 65_536

const maxProof = 63

export function formatAddCheckpoint({ oldSize, proof, checkpoint }: AddCheckpoint): string {
  assert(Number.isSafeInteger(oldSize) && oldSize >= 0, "an old size is a size")
  assert(proof.length <= maxProof, "a consistency proof has at most 63 hashes")
  return `old ${oldSize}\n${proof.map(hash => `${base64(hash)}\n`).join("")}\n${checkpoint}`
}

/** The parts of a body, or `null`. The checkpoint is not looked at. */
export function parseAddCheckpoint(body: Uint8Array): AddCheckpoint | null {
  const text = body.length > maxRequest_bytes ? null : textOf(body)
  const at = text?.indexOf("\n\n") ?? -1
  if (text === null || at < 0) return null
  const [first = "", ...lines] = text.slice(0, at).split("\n")
  const oldSize = first.startsWith("old ") ? parseSize(first.slice("old ".length)) : null
  const proof = lines.map(fromBase64)
  if (oldSize === null || proof.length > maxProof || !proof.every(hash => hash?.length === hashSize))
    return null
  return { oldSize, proof: proof as Uint8Array[], checkpoint: text.slice(at + 2) }
}

/** The body of a 409: the size that the witness cosigned last. */
export function formatLastSize(size: number): string {
  return `${size}\n`
}

/** @returns the size, or `null` unless the body is exactly one line of digits. */
export function parseLastSize(body: string): number | null {
  return body.endsWith("\n") ? parseSize(body.slice(0, -1)) : null
}

/** The checkpoint that a witness cosigned last, of one origin. */
export interface Cosigned {
  readonly size: number
  readonly root: Uint8Array
}

export type WitnessAnswer =
  | { readonly status: 200; readonly checkpoint: Checkpoint; readonly text: string }
  | { readonly status: 409; readonly lastSize: number; readonly why: string }
  | { readonly status: 400 | 403 | 404 | 422; readonly why: string }

/** The origin that a request is about, or `null` where its checkpoint is none. */
export function originAsked({ checkpoint }: AddCheckpoint): string | null {
  const note = parseNote(checkpoint)
  return (note && parseForeignCheckpoint(note.text)?.checkpoint.origin) ?? null
}

/**
 * What a witness answers. Pure: the caller holds the origin's lock, and stores the checkpoint durably before it says 200.
 * @param known  the verifiers of the keys trusted for the origin; empty for an origin that is not known.
 * @param last   what was cosigned last for it; `null` for nothing.
 */
export function judgeAddCheckpoint(
  request: AddCheckpoint,
  known: readonly NoteVerifier[],
  last: Cosigned | null,
): WitnessAnswer {
  const note = parseNote(request.checkpoint)
  const checkpoint = (note && parseForeignCheckpoint(note.text)?.checkpoint) ?? null
  if (note === null || checkpoint === null) return { status: 400, why: "the checkpoint is malformed" }
  if (known.length === 0) return { status: 404, why: "the origin is not known here" }
  const opened = openNote(request.checkpoint, known)
  if (opened.kind === "refuse" && opened.reason !== "signature" && opened.reason !== "unsigned")
    return { status: 400, why: "the signed note is malformed" }
  if (opened.kind === "refuse")
    return { status: 403, why: "no signature of a key trusted for this origin holds" }
  return judgeGrowth(request, { ...checkpoint, text: note.text }, last)
}

function judgeGrowth(
  { oldSize, proof }: AddCheckpoint,
  { origin, size, root, text }: Checkpoint & { readonly text: string },
  last: Cosigned | null,
): WitnessAnswer {
  if (oldSize > size) return { status: 400, why: "the old size is over the checkpoint's" }
  const lastSize = last?.size ?? 0
  if (oldSize !== lastSize) return { status: 409, lastSize, why: `size ${lastSize} was cosigned last` }
  if (size === 0 && !equal(root, emptyRoot())) return { status: 422, why: "the empty tree has another root" }
  if (oldSize === 0 && proof.length > 0) return { status: 422, why: "nothing is proved from the empty tree" }
  const isGrowth =
    oldSize === 0 ||
    (last !== null && checkConsistency({ oldSize, newSize: size, oldRoot: last.root, newRoot: root, proof }))
  if (!isGrowth)
    return {
      status: 422,
      why: `the tree of size ${size} does not extend the tree of size ${oldSize} that was cosigned`,
    }
  return { status: 200, checkpoint: { origin, size, root }, text }
}
