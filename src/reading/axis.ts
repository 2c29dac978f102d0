import { Fault } from "../fault.ts"
import type { Role } from "../seal/read.ts"
import type { Mounted } from "./album.ts"
import { four, sidesAt } from "./boxes.ts"
import { nothingFound, type Desk, type Found } from "./importer.ts"
import type { Json } from "./json.ts"
import { idOf, readOf } from "./passage.ts"
import { plateTextAt } from "./plate.ts"
import { timeAt } from "./time.ts"
import { Told } from "./told.ts"

/**
 * Axis cameras with the FF-LPR application: JSON in which numbers are texts. The plate comes four times; the first that is
 * not transliterated counts, and the ASCII form stays among the other fields where it differs. `capture_timestamp` is in
 * milliseconds since 1970, `datetime` the camera's clock face without a zone. Pictures stay on the camera unless parts of a
 * form bring them (`…lp_…` the plate, `…roi_…` the scene). Source: an event of a real camera.
 */
export function importAxis(document: Json, desk: Desk): Found {
  const told = new Told(document)
  const isRead = ["/plateUTF8", "/plateText", "/plateASCII", "/carID"].some(at => told.look(at) !== null)
  if (!isRead)
    throw new Fault("READER_EVENT", "the event has no field of an FF-LPR read; nothing was sealed", {
      next: "let the camera push its LPR events as JSON",
    })
  const serial = told.id("/camera_info/SerialNumber", "/sensorProviderID")
  const counter = told.id("/packetCounter")
  const times = [
    ["/capture_timestamp", "ms"],
    ["/capture_ts", "ns"],
    ["/datetime", "text"],
  ] as const
  const read = readOf(
    {
      source: "axis",
      time: timeAt(told, times, desk.options),
      event_id: idOf(serial, counter),
      crossing_id: idOf(serial, told.id("/carID")),
      camera: serial,
      lane: told.word("/roiID"),
      plate: plateTextAt(told, "/plateUTF8", "/plateUnicode", "/plateText", "/plateASCII"),
      confidence: told.share("/plateConfidence", 1),
      region: told.word("/plateCountry"),
      plateBox: sidesAt(told, four("/plateCoordinates")),
      direction: told.word("/carMoveDirection"),
      mounted: mountedOf(told, desk),
    },
    () => told.rest(),
  )
  return { ...nothingFound, reads: [read] }
}

function mountedOf(told: Told, { album, files }: Desk): Mounted[] {
  if (files.length > 0) return files.map(file => album.mount(roleOf(file.filename), file.bytes))
  return told.items("/imagesURI").length > 0 ? ["picture-missing"] : []
}

function roleOf(filename: string): Role {
  return /lp[_.]/i.test(filename) ? "plate" : "scene"
}
