import { Fault } from "../fault.ts"
import type { Role } from "../seal/read.ts"
import type { Mounted } from "./album.ts"
import { sidesAt, type Raw, type Scale } from "./boxes.ts"
import type { HealthEvent } from "./imported.ts"
import { healthOf, nothingFound, toldWord, type Desk, type Found } from "./importer.ts"
import type { Json } from "./json.ts"
import { readOf } from "./passage.ts"
import { plateTextAt } from "./plate.ts"
import { timeAt } from "./time.ts"
import { Told } from "./told.ts"
import type { NamedFile } from "./wire.ts"

const healthWords: Readonly<Record<string, HealthEvent["kind"]>> = {
  heartbeat: "heartbeat",
  shelteralarm: "tamper",
  tamperdetection: "tamper",
  scenechangedetection: "tamper",
  diskfull: "storage",
  diskerror: "storage",
  diskunformat: "storage",
  nicbroken: "trouble",
  ipconflict: "trouble",
  illaccess: "trouble",
}

/** What a camera writes as the plate of a vehicle that it could not read; a plate of a vehicle is in capitals. */
const unread = new Set(["unknown", "noPlate", "noplate", "none"])

/**
 * Hikvision's ISAPI alarm host: a form with `EventNotificationAlert` as XML and each picture as a part of its own, which
 * `pictureInfo` names. Confidence is per cent; `dateTime` has the camera's own zone, on old firmware none. Whether
 * `plateRect` counts pixels or thousandths of the frame differs by firmware, so the lane says which; numbers over 1,000 are
 * pixels. Source: an event of a real camera; ISAPI's documentation is under a licence.
 */
export function importHikvision(document: Json, desk: Desk): Found {
  const told = new Told(document).within("/EventNotificationAlert")
  const type = told.word("/eventType")
  if (type === null)
    throw new Fault(
      "READER_EVENT",
      "the event is no EventNotificationAlert with an eventType; nothing was sealed",
      {
        next: "let the camera send its ANPR events to the alarm host",
      },
    )
  if (type.toUpperCase() === "ANPR") return { ...nothingFound, reads: [passageOf(told, desk)] }
  return stateOf(told, type, desk)
}

function passageOf(told: Told, desk: Desk): ReturnType<typeof readOf> {
  const anpr = told.within("/ANPR")
  const plate = plateTextAt(anpr, "/licensePlate")
  const country = told.look("/countryAbbreviation") === "NON" ? null : told.word("/countryAbbreviation")
  const pictures = picturesOf(anpr)
  const raw = pictures.map(each => each.box).find(box => box !== null) ?? null
  return readOf(
    {
      source: "hikvision",
      time: timeAt(told, [["/dateTime", "text"]], desk.options),
      event_id: told.id("/UUID"),
      camera: told.id("/channelName", "/channelID"),
      lane: anpr.word("/line"),
      plate: plate === null || unread.has(plate) ? null : plate,
      confidence: anpr.share("/confidenceLevel", 100),
      region: country ?? anpr.word("/country"),
      plateBox: raw,
      scale: scaleOf(told, raw, desk),
      vehicle: {
        make: anpr.word("/vehicleInfo/vehicleLogoRecog"),
        model: anpr.word("/vehicleInfo/vehileModel", "/vehicleInfo/vehicleModel"),
        colour: anpr.word("/vehicleInfo/color"),
        type: anpr.word("/vehicleType"),
      },
      direction: anpr.word("/direction"),
      speed: speedOf(anpr),
      mounted: mountedOf(pictures, desk),
    },
    () => told.rest(),
  )
}

interface Announced {
  readonly filename: string
  readonly role: Role
  readonly box: Raw | null
}

const roleOfType: Readonly<Record<string, Role>> = {
  licensePlatePicture: "plate",
  vehiclePicture: "vehicle",
  detectionPicture: "scene",
}

function picturesOf(anpr: Told): Announced[] {
  const list = "/pictureInfoList/pictureInfo"
  const items = anpr.items(list)
  const places = items.length > 0 ? items : anpr.look(list) === null ? [] : [list]
  return places.slice(0, 16).map(at => {
    const one = anpr.within(at)
    const type = one.word("/type") ?? ""
    return {
      filename: one.id("/fileName") ?? type,
      role: Object.hasOwn(roleOfType, type) ? (roleOfType[type] ?? "vehicle") : "vehicle",
      box: sidesAt(one.within("/plateRect"), ["/X", "/Y", "/width", "/height"]),
    }
  })
}

/**
 * Pictures by the names that the event announces; of others the name says what they show. What no name says, such as a
 * driver's picture, counts as a vehicle's crop: nobody takes the plate's box for a place in it.
 */
function mountedOf(announced: readonly Announced[], { album, files }: Desk): Mounted[] {
  const mounted = announced.map(({ filename, role }) => {
    const file = files.find(each => isNamed(each, filename))
    return file === undefined ? ("picture-missing" as const) : album.mount(role, file.bytes)
  })
  const others = files.filter(file => !announced.some(({ filename }) => isNamed(file, filename)))
  return [...mounted, ...others.map(file => album.mount(roleByName(file), file.bytes))]
}

function isNamed({ name, filename }: NamedFile, announced: string): boolean {
  const bare = (text: string) => text.toLowerCase().replace(/\.(jpe?g|png)$/, "")
  return announced !== "" && (bare(filename) === bare(announced) || bare(name) === bare(announced))
}

function roleByName({ name, filename }: NamedFile): Role {
  const named = `${name} ${filename}`.toLowerCase()
  if (named.includes("licenseplate")) return "plate"
  return named.includes("detection") ? "scene" : "vehicle"
}

function scaleOf(told: Told, raw: Raw | null, { options }: Desk): Scale {
  const size = told.within("/detectionBackgroundImageResolution")
  const [width_px = 0, height_px = 0] = size.numbers(["/width", "/height"]) ?? []
  const frame = width_px > 0 && height_px > 0 ? { width_px, height_px } : null
  const isOver = raw !== null && (raw.x + raw.width > 1_000 || raw.y + raw.height > 1_000)
  if (isOver || options.boxUnit === "pixels") return { counts: "pixels", frame }
  return { counts: options.boxUnit === "thousandths" ? 1_000 : "unknown", frame }
}

function speedOf(anpr: Told): ReturnType<typeof readOf>["speed"] {
  const value = anpr.number("/vehicleInfo/speed")
  return value === null || value < 0 ? null : { value, unit: "unknown" }
}

function stateOf(told: Told, type: string, { options }: Desk): Found {
  const at = timeAt(told, [["/dateTime", "text"]], { ...options, badClock: "arrival" }).captured_at
  // A camera without alarms says so by a video loss that is not active.
  const isRest = type.toLowerCase() === "videoloss" && told.look("/eventState") === "inactive"
  const kind = isRest
    ? "heartbeat"
    : type.toLowerCase() === "videoloss"
      ? "stream_lost"
      : healthOf(healthWords, type)
  if (kind === null)
    return { ...nothingFound, passedOver: ["hikvision: an event that is no passage of a vehicle"] }
  return { ...nothingFound, health: [{ source: "hikvision", kind, at, told: toldWord(type) }] }
}
