import type { FaultCode } from "../fault.ts"
import type { Extent, Level } from "../grant/level.ts"
import { formatOf, pictureLimits } from "./format.ts"
import type { Findings } from "./level.ts"
import type { Copy, Description, Marking } from "./pixels.ts"

/** What a decoder child is asked: messages of `serialization: "advanced"`, one at a time. */
export type Job =
  | { readonly ask: "describe"; readonly picture: Uint8Array }
  | {
      readonly ask: "keepRegions"
      readonly picture: Uint8Array
      readonly extent: Extent
      readonly findings: Findings | null
      readonly marking: Marking | null
    }

/** What it answers. `ready` once, before the first job. */
export type Reply =
  | { readonly kind: "ready" }
  | { readonly kind: "done"; readonly value: unknown }
  | { readonly kind: "refused"; readonly code: FaultCode; readonly detail: string }

/** The refusals that a child may speak of; everything else that goes wrong in it is ours. */
const refusals: readonly FaultCode[] = ["PICTURE", "PICTURE_SIZE", "INVALID", "MODEL"]

/** The reply of this message, or `null`: a child that a picture took over may send anything. */
export function replyOf(message: unknown): Reply | null {
  if (typeof message !== "object" || message === null || !("kind" in message)) return null
  const { kind } = message
  if (kind === "ready") return { kind }
  if (kind === "done" && "value" in message) return { kind, value: message.value }
  if (kind !== "refused" || !("code" in message) || !("detail" in message)) return null
  const code = refusals.find(known => known === message.code)
  if (code === undefined || typeof message.detail !== "string") return null
  return { kind, code, detail: message.detail.slice(0, 200) }
}

/** The description of this value, or `null`. */
export function descriptionOf(value: unknown, picture: Uint8Array): Description | null {
  if (typeof value !== "object" || value === null) return null
  const { width_px, height_px, format } = value as Partial<Description>
  if (!isSide(width_px) || !isSide(height_px)) return null
  return format !== undefined && format === formatOf(picture) ? { width_px, height_px, format } : null
}

/** The copy of this value, or `null`. That it shows only what `level` keeps is the child's word. */
export function copyOf(value: unknown, level: Level): Copy | null {
  if (typeof value !== "object" || value === null) return null
  const { bytes, mediaType, width_px, height_px, mark } = value as Partial<Copy>
  if (!isSide(width_px) || !isSide(height_px) || !(bytes instanceof Uint8Array)) return null
  if (mediaType !== (level === "L4" ? "image/jpeg" : "image/png")) return null
  if (`image/${formatOf(bytes)}` !== mediaType || !isStrength(mark)) return null
  return { bytes, mediaType, width_px, height_px, mark }
}

function isStrength(value: unknown): value is Copy["mark"] {
  if (value === null) return true
  if (typeof value !== "object") return false
  const { marked_px, psnr_db } = value as Partial<NonNullable<Copy["mark"]>>
  return Number.isSafeInteger(marked_px) && Number(marked_px) > 0 && Number.isSafeInteger(psnr_db)
}

function isSide(side_px: unknown): side_px is number {
  return Number.isInteger(side_px) && Number(side_px) > 0 && Number(side_px) <= pictureLimits.side_px
}
