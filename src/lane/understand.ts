import { randomBytes } from "node:crypto"
import { Fault } from "../fault.ts"
import { shotsOf } from "../reading/event.ts"
import { importEvents } from "../reading/import.ts"
import type { ImportOptions } from "../reading/imported.ts"
import { readerKinds, type ReaderKind } from "../seal/read.ts"
import type { Health } from "./health.ts"
import type { PushedEvent, Understood } from "./pushed.ts"

/** `picture`: a camera that pushes a bare picture and says nothing of it; the others are readers' brands. */
export type SourceKind = ReaderKind | "picture"

export const sourceKinds: readonly SourceKind[] = ["picture", ...readerKinds]

export interface UnderstandOptions extends Omit<ImportOptions, "received_ms"> {
  readonly kind: SourceKind
  readonly health: Health
}

/**
 * What understands the events of one kind of reader. It counts what was doubted in them.
 * @returns a function that throws Fault READER_EVENT, READER_PICTURE or READER_TIME for what it does not understand.
 */
export function understandAs({
  kind,
  health,
  ...chosen
}: UnderstandOptions): (event: PushedEvent) => Understood {
  if (kind === "picture") return understandPicture
  return ({ contentType, body, received_ms }) => {
    const imported = importEvents(kind, { contentType, body }, { ...chosen, received_ms })
    const { reads } = imported
    health.count("times_doubted", reads.filter(read => read.clock === "arrival").length)
    health.count("pictures_broken", reads.filter(read => read.doubts.includes("picture-left-out")).length)
    // A reader that names neither passage nor message tells of one passage at a time, or of several that stay apart.
    const unnamed = reads.length === 1 ? randomBytes(9).toString("base64") : null
    const shots = shotsOf(imported).map(({ event_id, crossing_id, ...shot }) => ({
      ...shot,
      crossing_id: crossing_id ?? event_id ?? unnamed,
    }))
    return { shots, health: imported.health, passedOver: imported.passedOver }
  }
}

const pictures = ["image/jpeg", "image/png", "image/webp", "image/tiff"]

function understandPicture({ contentType, body, received_ms }: PushedEvent): Understood {
  const type = contentType.split(";")[0]?.trim().toLowerCase() ?? ""
  if (!pictures.includes(type) || body.length === 0)
    throw new Fault("READER_EVENT", `a picture is pushed as ${pictures.join(", ")}`)
  const event = { v: 1, source: "none", file: null, plates: [], faces: [] } as const
  const shot = { picture: body, kind: "plate", event, capturedAt_ms: received_ms, crossing_id: null } as const
  return { shots: [shot], health: [], passedOver: [] }
}
