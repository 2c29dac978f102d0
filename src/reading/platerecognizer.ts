import type { Candidate } from "../seal/read.ts"
import { cornersAt } from "./boxes.ts"
import { Fault } from "../fault.ts"
import { maxVehicles, nothingFound, type Desk, type Found } from "./importer.ts"
import type { Json } from "./json.ts"
import { idOf, readOf, type Passage } from "./passage.ts"
import { candidatesAt, plateTextAt } from "./plate.ts"
import { timeAt } from "./time.ts"
import { together, Told } from "./told.ts"

const corners = ["/xmin", "/ymin", "/xmax", "/ymax"]

/**
 * Plate Recognizer Stream's webhook: a form with the field `json` and the frame as `upload`, or JSON alone. Of its two
 * flavours one puts the plate into the result, the other (vehicles wanted) nests it under `plate.props` and tells vehicles
 * without a plate too. Plates come in lower case; scores are 0 to 1. Source: its guide, "Stream results", and payloads that
 * customers show.
 */
export function importPlaterecognizer(document: Json, desk: Desk): Found {
  const told = new Told(document)
  const at = Array.isArray(told.look("/data/results")) ? "/data" : ""
  if (!Array.isArray(told.look(`${at}/results`)))
    throw new Fault("READER_EVENT", "the event has no list of results; nothing was sealed", {
      next: "let Stream send its recognition webhook",
    })
  const data = told.within(at)
  const shared: Pick<Passage, "source" | "time" | "camera" | "mounted"> = {
    source: "platerecognizer",
    time: timeAt(data, [["/timestamp", "text"]], desk.options),
    camera: data.id("/camera_id"),
    mounted: desk.files.map(file => desk.album.mount("scene", file.bytes)),
  }
  const filename = data.id("/filename")
  const reads = data.itemsUpTo("/results", maxVehicles).map((result, i) => {
    const one = data.within(result)
    const read = readOf(
      { ...shared, event_id: idOf(shared.camera ?? null, filename, i), ...resultOf(one) },
      () => one.rest(),
    )
    data.use(result)
    return read
  })
  const seen =
    reads.length > 0
      ? reads
      : [readOf({ ...shared, event_id: idOf(shared.camera ?? null, filename, 0) }, () => new Told({}).rest())]
  const rest = told.rest()
  return { ...nothingFound, reads: seen.map(read => ({ ...read, other: together(read.other, rest) })) }
}

function resultOf(one: Told): Partial<Passage> {
  const isNested =
    one.look("/plate/props") !== null || one.look("/vehicle/props") !== null || one.look("/plate") === null
  return isNested ? nestedOf(one) : flatOf(one)
}

function flatOf(one: Told): Partial<Passage> {
  return {
    plate: plateTextAt(one, "/plate"),
    confidence: one.share("/score", 1),
    region: one.word("/region/code"),
    candidates: candidatesAt(one, "/candidates", { text: "/plate", confidence: "/score", whole: 1 }),
    plateBox: cornersAt(one.within("/box"), corners),
    vehicleBox: cornersAt(one.within("/vehicle/box"), corners),
    vehicle: {
      make: one.word("/model_make/0/make"),
      model: one.word("/model_make/0/model"),
      colour: one.word("/color/0/color"),
      type: one.word("/vehicle/type"),
    },
    direction: one.word("/direction"),
  }
}

function nestedOf(one: Told): Partial<Passage> {
  const readings: Candidate[] = candidatesAt(one, "/plate/props/plate", {
    text: "/value",
    confidence: "/score",
    whole: 1,
  })
  return {
    plate: plateTextAt(one, "/plate/props/plate/0/value"),
    confidence: readings[0]?.confidence ?? null,
    region: one.word("/plate/props/region/0/value"),
    candidates: readings,
    plateBox: cornersAt(one.within("/plate/box"), corners),
    vehicleBox: cornersAt(one.within("/vehicle/box"), corners),
    vehicle: {
      make: one.word("/vehicle/props/make_model/0/make"),
      model: one.word("/vehicle/props/make_model/0/model"),
      colour: one.word("/vehicle/props/color/0/value"),
      type: one.word("/vehicle/type"),
    },
    direction: one.word("/direction"),
  }
}
