import { Fault } from "../fault.ts"
import type { HealthEvent } from "./imported.ts"
import { maxVehicles, nothingFound, toldWord, type Desk, type Found } from "./importer.ts"
import type { Json } from "./json.ts"
import { pointsAt, sidesAt, type Scale } from "./boxes.ts"
import { idOf, mountAll, readOf } from "./passage.ts"
import { candidatesAt, plateTextAt } from "./plate.ts"
import { timeAt } from "./time.ts"
import { together, Told } from "./told.ts"

/**
 * Rekor Scout, formerly OpenALPR: JSON with `data_type`. A group is one vehicle over several frames, results are the
 * vehicles of one frame, a heartbeat is the agent's. Times are milliseconds since 1970, confidences per cent, pictures
 * base64. Source: the agent's documentation, "Web Server" (version 2 of each format).
 */
export function importOpenalpr(document: Json, desk: Desk): Found {
  const told = new Told(document)
  const kind = told.text("/data_type", 64)
  switch (kind) {
    case "alpr_group":
      return groupOf(told, told, desk)
    case "alpr_alert":
      return groupOf(told.within("/group"), told, desk)
    case "alpr_results":
      return resultsOf(told, desk)
    case "heartbeat":
      return heartbeatOf(told, desk)
    default:
      throw new Fault(
        "READER_EVENT",
        "the event's data_type is none that is understood; nothing was sealed",
        {
          next: "let the agent send alpr_group, alpr_results or heartbeat",
        },
      )
  }
}

const places = { text: "/plate", confidence: "/confidence", whole: 100 }
const region = ["/x", "/y", "/width", "/height"]

function groupOf(told: Told, whole: Told, desk: Desk): Found {
  const best = told.within("/best_plate")
  const mounted = mountAll(desk.album, [
    ["vehicle", told.look("/vehicle_crop_jpeg")],
    ["plate", best.look("/plate_crop_jpeg")],
  ])
  for (const at of ["/vehicle_crop_jpeg", "/best_plate/plate_crop_jpeg"]) told.use(at)
  const uuid = told.id("/best_uuid")
  const read = readOf(
    {
      source: "openalpr",
      time: timeAt(told, [["/epoch_start", "ms"]], desk.options),
      event_id: uuid,
      crossing_id: uuid,
      camera: told.id("/camera_id"),
      plate: plateTextAt(told, "/best_plate_number", "/best_plate/plate"),
      confidence: told.share("/best_confidence", 100),
      region: told.word("/best_region"),
      candidates: candidatesAt(told, "/candidates", places),
      plateBox: pointsAt(best, "/coordinates"),
      vehicleBox: sidesAt(best.within("/vehicle_region"), region),
      vehicle: {
        make: told.word("/vehicle/make/0/name"),
        model: told.word("/vehicle/make_model/0/name"),
        colour: told.word("/vehicle/color/0/name"),
        type: told.word("/vehicle/body_type/0/name"),
      },
      scale: frameOf(told, "/best_image_width", "/best_image_height"),
      direction: told.word("/travel_direction"),
      mounted,
    },
    () => whole.rest(),
  )
  return { ...nothingFound, reads: [read] }
}

function resultsOf(told: Told, desk: Desk): Found {
  const time = timeAt(told, [["/epoch_time", "ms"]], desk.options)
  const scale = frameOf(told, "/img_width", "/img_height")
  const uuid = told.id("/uuid")
  const camera = told.id("/camera_id")
  const results = told.itemsUpTo("/results", maxVehicles).map(at => ({ at, one: told.within(at) }))
  const drafts = results.map(({ at, one }, i) => {
    const mounted = mountAll(desk.album, [["plate", one.look("/plate_crop_jpeg")]])
    one.use("/plate_crop_jpeg")
    return readOf(
      {
        source: "openalpr",
        time,
        event_id: idOf(uuid, i),
        camera,
        plate: plateTextAt(one, "/plate"),
        confidence: one.share("/confidence", 100),
        region: one.word("/region"),
        candidates: candidatesAt(one, "/candidates", places),
        plateBox: pointsAt(one, "/coordinates"),
        vehicleBox: sidesAt(one.within("/vehicle_region"), region),
        scale,
        mounted,
      },
      () => {
        const rest = one.rest()
        told.use(at)
        return rest
      },
    )
  })
  const shared = told.rest()
  const reads = drafts.map(read => ({ ...read, other: together(read.other, shared) }))
  const passedOver = reads.length === 0 ? ["openalpr: results of a frame without a vehicle"] : []
  return { reads, health: [], passedOver }
}

function frameOf(told: Told, width: string, height: string): Scale {
  const [width_px = 0, height_px = 0] = told.numbers([width, height]) ?? []
  return { counts: "pixels", frame: width_px > 0 && height_px > 0 ? { width_px, height_px } : null }
}

function heartbeatOf(told: Told, desk: Desk): Found {
  const at = timeAt(told, [["/timestamp", "ms"]], { ...desk.options, badClock: "arrival" }).captured_at
  const streams = told.items("/video_streams").map(each => told.within(each))
  const lost = streams.filter(stream => stream.look("/is_streaming") === false)
  const health: HealthEvent[] = [
    { source: "openalpr", kind: "heartbeat", at, told: "heartbeat" },
    ...lost.map(stream => ({
      source: "openalpr" as const,
      kind: "stream_lost" as const,
      at,
      told: toldWord(stream.id("/camera_name", "/camera_id")),
    })),
    ...(told.look("/license_valid") === false
      ? [{ source: "openalpr" as const, kind: "trouble" as const, at, told: "license_invalid" }]
      : []),
  ]
  return { ...nothingFound, health }
}
