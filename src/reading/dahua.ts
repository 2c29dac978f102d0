import { Fault } from "../fault.ts"
import type { Role } from "../seal/read.ts"
import { cornersAt, four, type Raw } from "./boxes.ts"
import type { HealthEvent } from "./imported.ts"
import {
  foundTogether,
  healthOf,
  maxEvents,
  nothingFound,
  toldWord,
  type Desk,
  type Found,
} from "./importer.ts"
import type { Json } from "./json.ts"
import { idOf, readOf, type Passage } from "./passage.ts"
import { plateTextAt } from "./plate.ts"
import { orArrival, timeAt, timeOfFace, type KnownTime } from "./time.ts"
import { Told } from "./told.ts"
import type { NamedFile } from "./wire.ts"

const healthWords: Readonly<Record<string, HealthEvent["kind"]>> = {
  videoblind: "tamper",
  videounfocus: "tamper",
  scenechange: "tamper",
  videoloss: "stream_lost",
  chassisintruded: "enclosure_opened",
  storagefailure: "storage",
  storagelowspace: "storage",
  storagenotexist: "storage",
  netabort: "trouble",
  ipconflict: "trouble",
}

/** Boxes count to this on either side of the frame, whatever its size. */
const whole = 8_192

/**
 * Dahua's cameras, three ways: RPC2's `client.notifyEventStream` (JSON with an `eventList`), the snapshot stream's parts
 * (lines `Events[0].TrafficCar.PlateNumber=…`, then the pictures), and the event stream's `Code=…;action=…;data={…}`.
 * An event about traffic is a passage, with an empty text for a plate that was not read. `UTC` is the camera's clock face
 * counted as if it were UTC, so only `RealUTC` is a time; without it the lane's zone says what the face means. Confidence
 * is 0 to 255. Source: an event of a real camera over RPC2; the two streams from programs of customers.
 */
export function importDahua(document: Json, desk: Desk): Found {
  const told = new Told(document)
  const lists = ["/params/eventList", "/Events", "/events"]
  const places = lists.flatMap(list => told.itemsUpTo(list, maxEvents))
  const events = places.length > 0 ? places : told.look("/Code") === null ? [] : [""]
  if (events.length === 0)
    throw new Fault("READER_EVENT", "the event has no list of events and no Code; nothing was sealed", {
      next: "let the camera send TrafficJunction over RPC2, or its snapshot stream",
    })
  if (events.length > 1 && desk.files.length > 0)
    throw new Fault(
      "READER_EVENT",
      "several events came with pictures that none of them names; nothing was sealed",
      {
        next: "let the camera send each event with its own pictures",
      },
    )
  return foundTogether(events.map(at => eventOf(told.within(at), desk)))
}

function eventOf(event: Told, desk: Desk): Found {
  const code = event.word("/Code", "/EventBaseInfo/Code")
  const data = event.look("/Data") === null ? event : event.within("/Data")
  const isPassage = data.look("/TrafficCar") !== null || code?.startsWith("Traffic") === true
  if (isPassage) return { ...nothingFound, reads: [passageOf(event, data, desk)] }
  const kind = healthOf(healthWords, code ?? "")
  if (kind === null)
    return { ...nothingFound, passedOver: ["dahua: an event that is no passage of a vehicle"] }
  const at = timeOf(data, { ...desk, options: { ...desk.options, badClock: "arrival" } }).captured_at
  return { ...nothingFound, health: [{ source: "dahua", kind, at, told: toldWord(code) }] }
}

function passageOf(event: Told, data: Told, desk: Desk): ReturnType<typeof readOf> {
  const machine = data.id("/TrafficCar/MachineName", "/MachineName")
  const group = data.id("/GroupID", "/TrafficCar/GroupID")
  const index = data.look("/IndexInGroup") ?? data.look("/TrafficCar/IndexInGroup")
  const speed = data.number("/Speed") ?? data.number("/TrafficCar/Speed")
  const found: Passage = {
    source: "dahua",
    time: timeOf(data, desk),
    event_id: idOf(machine, group, data.id("/EventID"), typeof index === "object" ? null : String(index)),
    crossing_id: idOf(machine, group),
    camera: machine,
    lane: data.word("/Lane", "/TrafficCar/Lane"),
    plate: plateTextAt(data, "/TrafficCar/PlateNumber", "/Object/Text", "/NonMotor/Plate/Text"),
    confidence: data.share("/Object/Confidence", 255),
    region: data.word("/TrafficCar/Country", "/CommInfo/Country"),
    plateBox: boxAt(data, ["/Object/BoundingBox", "/TrafficCar/BoundingBox", "/NonMotor/Plate/BoundingBox"]),
    vehicleBox: boxAt(data, ["/Vehicle/BoundingBox", "/TrafficCar/VehicleBoundingBox"]),
    scale: { counts: whole, frame: null },
    vehicle: {
      make: data.word("/TrafficCar/VehicleSign", "/Vehicle/Text"),
      colour: data.word("/TrafficCar/VehicleColor"),
      type: data.word("/Vehicle/Category", "/TrafficCar/Category"),
    },
    direction: data.word("/TrafficCar/DrivingDirection/0", "/JunctionDirection"),
    speed: speed === null || speed < 0 ? null : { value: speed, unit: "km/h" },
    mounted: desk.files.map(file => desk.album.mount(roleOf(file), file.bytes)),
  }
  return readOf(found, () => event.rest())
}

function timeOf(data: Told, { options }: Desk): KnownTime {
  const ms = milliseconds(data)
  if (data.look("/RealUTC") !== null) {
    const known = timeAt(data, [["/RealUTC", "s"]], options)
    if (known.clock === "arrival") return known
    return { ...known, captured_at: new Date(Date.parse(known.captured_at) + ms).toISOString() }
  }
  const face_s = data.number("/UTC") ?? data.number("/TrafficCar/UTC")
  if (face_s === null) return timeAt(data, [["/LocaleTime", "text"]], options)
  try {
    return timeOfFace(face_s * 1_000 + ms, options)
  } catch (error) {
    return orArrival(error, options)
  }
}

function milliseconds(data: Told): number {
  const ms = data.number("/UTCMS") ?? 0
  return ms >= 0 && ms < 1_000 ? Math.floor(ms) : 0
}

function boxAt(data: Told, places: readonly string[]): Raw | null {
  for (const at of places) {
    const raw = data.items(at).length === 4 ? cornersAt(data, four(at)) : null
    if (raw !== null) return raw
  }
  return null
}

function roleOf({ name, filename }: NamedFile): Role {
  const named = `${name} ${filename}`.toLowerCase()
  if (/plate|cutout/.test(named)) return "plate"
  return named.includes("vehicle") ? "vehicle" : "scene"
}
