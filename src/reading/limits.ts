import type { maxEvent_bytes as sealedMost, maxReads as sealedReads } from "../seal/contents.ts"
import type { readLimits as sealedLimits } from "../seal/read.ts"

/** The limits of `seal/read.ts`, to which importers keep; the compiler holds the two alike, since neither room loads the other. */
export const readLimits = {
  plate: 32,
  id: 128,
  word: 64,
  candidates: 10,
  pictures: 16,
  otherFields: 2_048,
  pointer: 512,
  otherText: 4_096,
} as const satisfies typeof sealedLimits

/** Of an event as canonical JSON. */
export const maxEvent_bytes: typeof sealedMost = 65_536

/** Of one picture. */
export const maxReads: typeof sealedReads = 16
