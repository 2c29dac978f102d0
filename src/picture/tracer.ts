import { builtScript } from "../built-script.ts"
import { Fault } from "../fault.ts"
import type { Testimony } from "../mark/testimony.ts"
import type { LeakLook } from "./leak.ts"
import type { Lie } from "./compare.ts"
import type { Guess, Likened } from "./likeness.ts"
import type { Box } from "./level.ts"
import { Pool } from "./pool.ts"

/** A file that somebody found. */
export interface FoundFile {
  readonly file: Uint8Array
  /** Whether its negative is looked at in its place. */
  readonly isNegative: boolean
}

/** What a tracing child is asked. It is given no key and nobody's chips: what it finds is fixed before anyone is judged by it. */
export type TraceJob = FoundFile &
  (
    | { readonly ask: "look" }
    | { readonly ask: "liken"; readonly guesses: readonly Guess[] }
    | ({ readonly ask: "compare" } & Opened)
  )

/** An original that was opened to be compared, and how the file seems to lie on it, in one way or two. */
export interface Opened {
  readonly original: Uint8Array
  readonly plates: readonly Box[]
  readonly guesses: readonly Lie[]
}

/** What a file says of one original. */
export interface Comparison extends Testimony {
  /** Pixels of the file that show something of the original. */
  readonly shown_px: number
  /** How alike both are where they lie on each other, −1 to 1. */
  readonly likeness: number
  readonly isMirrored: boolean
  readonly isNegative: boolean
}

/** Looks at found files, in processes that have nothing to lose. */
export interface Tracer {
  /** @throws Fault PICTURE, PICTURE_SIZE for what cannot be read; BUSY. */
  look(found: FoundFile): Promise<LeakLook>
  /** How alike the file and the likenesses of some originals are; `null` for those that are less so. @throws Fault as `look`. */
  liken(found: FoundFile, guesses: readonly Guess[]): Promise<readonly (Likened | null)[]>
  /** `null` where the file shows nothing of this original. @throws Fault as `look`. */
  compare(found: FoundFile, opened: Opened): Promise<Comparison | null>
  close(): Promise<void>
}

/** Of one child. */
const memory_mb = 3072
const timeout_ms = 120_000

export function openTracer(): Tracer {
  const script = builtScript("trace-child", import.meta.url)
  const pool = new Pool({ processes: 1, timeout_ms, memory_mb, script, givesWay: true })
  return {
    async look(found) {
      const value = (await pool.work({
        ask: "look",
        ...found,
      } satisfies TraceJob)) as Partial<LeakLook> | null
      const { side_px, descriptors, mirrored } = value ?? {}
      if (
        !Number.isInteger(side_px) ||
        !(descriptors instanceof Uint8Array) ||
        !(mirrored instanceof Uint8Array)
      )
        throw misshapen()
      return { side_px: Number(side_px), descriptors, mirrored }
    },
    async liken(found, guesses) {
      const value = await pool.work({ ask: "liken", ...found, guesses } satisfies TraceJob)
      if (!Array.isArray(value) || value.length !== guesses.length || !value.every(isLikened))
        throw misshapen()
      return value
    },
    async compare(found, opened) {
      const value = await pool.work({ ask: "compare", ...found, ...opened } satisfies TraceJob)
      if (value === null) return null
      const { plain, even, quantised, shown_px, likeness, isMirrored } = value as Partial<Comparison>
      if (!isEvidence(plain) || !isEvidence(even) || (quantised !== null && !isEvidence(quantised)))
        throw misshapen()
      const isOne = even.length === plain.length && (quantised ?? plain).length === plain.length
      if (!isOne || !Number.isSafeInteger(shown_px) || !Number.isFinite(likeness)) throw misshapen()
      return {
        ...{ plain, even, quantised },
        shown_px: Number(shown_px),
        likeness: Number(likeness),
        isMirrored: isMirrored === true,
        isNegative: found.isNegative,
      }
    },
    close: () => pool.close(),
  }
}

function isLikened(value: unknown): value is Likened | null {
  if (value === null) return true
  if (typeof value !== "object") return false
  const { likeness, share, lies } = value as Partial<Likened>
  return Number.isFinite(likeness) && Number.isFinite(share) && Array.isArray(lies) && lies.every(isLie)
}

function isLie(value: unknown): value is Lie {
  const { warp, isMirrored } = (value ?? {}) as Partial<Lie>
  return (
    Array.isArray(warp) && warp.length === 8 && warp.every(Number.isFinite) && typeof isMirrored === "boolean"
  )
}

function isEvidence(value: unknown): value is Float32Array {
  return value instanceof Float32Array && value.every(Number.isFinite)
}

function misshapen(): Fault {
  return new Fault("INTERNAL", "the tracing child's answer has the wrong shape")
}
