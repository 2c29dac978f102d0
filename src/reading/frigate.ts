import { Fault } from "../fault.ts"
import type { Mounted } from "./album.ts"
import { cornersAt, four, type Raw } from "./boxes.ts"
import { nothingFound, type Desk, type Found } from "./importer.ts"
import type { Json } from "./json.ts"
import { idOf, mountAll, readOf, type Passage } from "./passage.ts"
import { plateTextAt } from "./plate.ts"
import { timeAt } from "./time.ts"
import { together, Told } from "./told.ts"

const vehicles = new Set(["car", "truck", "bus", "motorcycle", "bicycle", "vehicle", "license_plate"])

/**
 * Frigate's MQTT messages as a bridge posts them: the topic `frigate/events` (`before` and `after` an update) and the
 * plates of `frigate/tracked_object_update`. One tracked object has many messages: they share `crossing_id`. A plate is a
 * text, a pair `[text, score]` or an object; times are seconds since 1970 with a fraction; boxes are corners in pixels of the
 * stream that detects. An object that is no vehicle counts only with a plate. Source: Frigate's documentation of MQTT.
 */
export function importFrigate(document: Json, desk: Desk): Found {
  const told = new Told(document)
  const type = told.word("/type") ?? ""
  if (told.look("/after") !== null) return eventOf(told, type, desk)
  if (type === "lpr") return updateOf(told, desk)
  if (["face", "description", "classification"].includes(type))
    return { ...nothingFound, passedOver: ["frigate: an update about something else than a plate"] }
  throw new Fault("READER_EVENT", "the event has neither `after` nor the type lpr; nothing was sealed", {
    next: "let the bridge post frigate/events or frigate/tracked_object_update",
  })
}

function eventOf(told: Told, type: string, desk: Desk): Found {
  const after = told.within("/after")
  const plate = plateIn(after, "/recognized_license_plate", "/recognized_license_plate_score")
  const label = after.word("/label")
  const isPassage = plate.plate !== null || (label !== null && vehicles.has(label))
  if (!isPassage || after.look("/false_positive") === true)
    return { ...nothingFound, passedOver: ["frigate: a tracked object that is no vehicle"] }
  const id = after.id("/id")
  const frame = after.look("/frame_time")
  const read = readOf(
    {
      source: "frigate",
      time: timeAt(
        after,
        [
          ["/frame_time", "s"],
          ["/start_time", "s"],
        ],
        desk.options,
      ),
      event_id: idOf(id, type, typeof frame === "number" ? frame : null),
      crossing_id: id,
      camera: after.id("/camera"),
      ...plate,
      plateBox: plateBoxIn(after),
      vehicle: { type: label },
      vehicleBox: cornersAt(after, four("/box")),
      direction: after.word("/velocity_angle"),
      speed: speedOf(after),
      mounted: mountedOf(after, desk),
    },
    // What changed counts after the update; `before` is kept behind it, as far as there is room.
    () => together(after.rest(), restBeside(told)),
  )
  return { ...nothingFound, reads: [read] }
}

function restBeside(told: Told): ReturnType<Told["rest"]> {
  told.use("/after")
  return told.rest()
}

function updateOf(told: Told, desk: Desk): Found {
  const id = told.id("/id")
  const at = told.look("/timestamp")
  const read = readOf(
    {
      source: "frigate",
      time: timeAt(told, [["/timestamp", "s"]], desk.options),
      event_id: idOf(id, "lpr", typeof at === "number" ? at : null),
      crossing_id: id,
      camera: told.id("/camera"),
      ...plateIn(told, "/plate", "/score"),
      plateBox: cornersAt(told, four("/plate_box")),
      mounted: desk.files.map(file => desk.album.mount("scene", file.bytes)),
    },
    () => told.rest(),
  )
  return { ...nothingFound, reads: [read] }
}

/** A plate as a text, as `[text, score]`, or as an object with `plate` or `text` and `score`. */
function plateIn(told: Told, at: string, score: string): Pick<Passage, "plate" | "confidence"> {
  const value = told.look(at)
  if (Array.isArray(value))
    return { plate: plateTextAt(told, `${at}/0`), confidence: told.share(`${at}/1`, 1) }
  if (typeof value !== "object" || value === null)
    return { plate: plateTextAt(told, at), confidence: told.share(score, 1) }
  const plate = plateTextAt(told, `${at}/plate`, `${at}/text`, `${at}/name`)
  return { plate, confidence: told.share(`${at}/score`, 1) ?? told.share(score, 1) }
}

function plateBoxIn(after: Told): Raw | null {
  const attributes = after.items("/current_attributes").slice(0, 32)
  const plate = attributes.find(each => after.look(`${each}/label`) === "license_plate")
  return plate === undefined ? null : cornersAt(after, four(`${plate}/box`))
}

function speedOf(after: Told): ReturnType<typeof readOf>["speed"] {
  const value = after.number("/current_estimated_speed")
  return value === null || value <= 0 ? null : { value, unit: "unknown" }
}

function mountedOf(after: Told, { album, files }: Desk): Mounted[] {
  const thumbnail = after.look("/thumbnail")
  if (typeof thumbnail === "string") after.use("/thumbnail")
  return [
    ...mountAll(album, [["vehicle", thumbnail]]),
    ...files.map(file => album.mount("scene", file.bytes)),
  ]
}
