import { maxBoxes, type Box, type Findings } from "../picture/level.ts"
import type { Look } from "../reading/look-shape.ts"
import type { LookJob } from "../reading/look.ts"
import type { PlateRegion } from "../reading/plate-syntax.ts"
import type { ReaderEvent } from "../seal/contents.ts"
import type { ReadState } from "../vault/findings.ts"

/** How this vault's own finders look. */
export interface FinderSettings {
  /** Whose plates the built-in reader expects. */
  readonly region: PlateRegion
  /** Path of the operator's face model, or `null` for the one that is installed. */
  readonly faceModel: string | null
  /** Captures that may wait for their examination before lanes are asked to wait. */
  readonly mostWaiting: number
}

/** What is asked of a picture with this event. A reader that is not trusted claims nothing that could show. */
export function lookJob(
  {
    picture,
    event,
    isTrusted,
  }: { readonly picture: Uint8Array; readonly event: ReaderEvent; readonly isTrusted: boolean },
  { region, faceModel }: FinderSettings,
): LookJob {
  return {
    picture,
    region,
    claims: isTrusted ? event.plates.map(plate => plate.box) : [],
    // The camera's own reader knows its plates better than ours; where it read none, ours may.
    readsAgreed: toldTexts(event).length === 0,
    faces: { ownModel: faceModel },
    sketches: true,
  }
}

/** The text of one plate, as it is sealed beside the capture. */
export interface Text {
  readonly by: "reader" | "built-in"
  /** As told. */
  readonly text: string
  /** Upper case, letters and digits alone. */
  readonly normalized: string
  /** 0 to 1. */
  readonly confidence: number | null
  /** The built-in reader's `read`, and whatever a reader tells. */
  readonly isSure: boolean
  readonly candidates: readonly { readonly text: string; readonly confidence: number | null }[]
}

/** What is known of the plates' texts, and how. */
export function textsOf(event: ReaderEvent, look: Look | null): { read: ReadState; texts: readonly Text[] } {
  const told = toldTexts(event)
  const own = look?.plate ?? null
  const [best, ...others] = own?.candidates ?? []
  const seen: readonly Text[] =
    own === null || own.state === "unread" || best === undefined
      ? []
      : [
          {
            by: "built-in",
            text: best.text,
            normalized: best.text,
            confidence: best.confidence,
            isSure: own.state === "read",
            candidates: others,
          },
        ]
  return { read: told.length > 0 ? "told" : (own?.state ?? "unread"), texts: [...told, ...seen] }
}

function toldTexts(event: ReaderEvent): Text[] {
  if (event.v === 2)
    return event.reads.flatMap(({ plate }) => {
      if (plate === null) return []
      const { text, normalized, confidence, candidates } = plate
      return [{ by: "reader", text, normalized, confidence, isSure: true, candidates }]
    })
  return event.plates
    .filter(({ text }) => text !== "")
    .map(({ text }) => {
      const normalized = text.toUpperCase().replace(/[^\p{L}\p{N}]/gu, "")
      return { by: "reader", text, normalized, confidence: null, isSure: true, candidates: [] }
    })
}

/**
 * What counts as found: claims as far as our finder agrees, or else the plate that it saw by itself; the faces that it
 * saw. What a reader claims beyond hides what it covers. A child that a picture took over can answer what it likes: of a
 * claim never more than the claim counts.
 */
export function findingsOf(event: ReaderEvent, { claims }: LookJob, look: Look): Findings {
  const agreed = look.agreed.flatMap((box, i) => {
    const claim = claims[i]
    return box !== null && claim !== undefined && isWithin(box, claim) ? [box] : []
  })
  const { width_px, height_px, plate } = look
  const own = plate === null || plate.state === "unread" ? null : plate.box
  return {
    width_px,
    height_px,
    plates: [...agreed, ...(own === null || agreed.some(box => touches(box, own)) ? [] : [own])],
    faces: look.faces?.map(({ box }) => box) ?? null,
    doubted: {
      plates: event.plates.map(each => each.box).slice(0, maxBoxes),
      faces: event.faces.slice(0, maxBoxes),
    },
  }
}

/** From this score on a guess is hardly ever anything else. */
const surelyFace = 0.6

/** Whether a reader calls a plate where our own finder surely sees a face: a mistake now and then, and a way to get faces. */
export function claimsFace(event: ReaderEvent, look: Look): boolean {
  const faces = (look.faces ?? []).filter(({ score }) => score >= surelyFace)
  return event.plates.some(plate => faces.some(face => touches(plate.box, face.box)))
}

function isWithin(box: Box, around: Box): boolean {
  return (
    box.x_px >= around.x_px &&
    box.y_px >= around.y_px &&
    box.x_px + box.width_px <= around.x_px + around.width_px &&
    box.y_px + box.height_px <= around.y_px + around.height_px
  )
}

export function touches(a: Box, b: Box): boolean {
  return (
    a.x_px < b.x_px + b.width_px &&
    b.x_px < a.x_px + a.width_px &&
    a.y_px < b.y_px + b.height_px &&
    b.y_px < a.y_px + a.height_px
  )
}
