import { Fault } from "../fault.ts"
import type { HealthEvent } from "./imported.ts"
import { healthOf, nothingFound, toldWord, type Desk, type Found } from "./importer.ts"
import type { Json } from "./json.ts"
import { idOf, readOf } from "./passage.ts"
import { plateTextAt } from "./plate.ts"
import { timeAt } from "./time.ts"
import { Told } from "./told.ts"

const healthWords: Readonly<Record<string, HealthEvent["kind"]>> = {
  tamper: "tamper",
  camera_offline: "stream_lost",
  camera_online: "heartbeat",
}

/**
 * Verkada's webhook: JSON, the read under `data`. `detected` is in milliseconds since 1970, `created` in seconds;
 * `webhook_id` names the subscription, not the event. The picture is a link, which a lane never follows. `crop` is four shares
 * of the frame, of the plate or of the vehicle: that is not said, so it is kept and never taken for a plate's box. Source: its
 * API reference.
 */
export function importVerkada(document: Json, desk: Desk): Found {
  const told = new Told(document)
  const data = told.within("/data")
  const times = [
    ["/detected", "ms"],
    ["/created", "s"],
  ] as const
  const type = told.word("/webhook_type")
  if (type === "notification") return noticeOf(told, desk)
  if (type !== "lpr")
    throw new Fault(
      "READER_EVENT",
      "the event's webhook_type is neither lpr nor notification; nothing was sealed",
      {
        next: "subscribe the webhook to LPR events",
      },
    )
  const camera = data.id("/camera_id")
  const read = readOf(
    {
      source: "verkada",
      event_id: idOf(camera, data.look("/detected") as string | number | null),
      time: timeAt(data, times, desk.options),
      camera,
      plate: plateTextAt(data, "/license_plate_number"),
      confidence: data.share("/confidence", 1),
      region: data.word("/license_plate_state"),
      mounted:
        desk.files.length > 0
          ? desk.files.map(file => desk.album.mount("scene", file.bytes))
          : data.look("/image_url") === null
            ? []
            : ["picture-missing"],
    },
    () => told.rest(),
  )
  return { ...nothingFound, reads: [read] }
}

function noticeOf(told: Told, { options }: Desk): Found {
  const word = told.word("/data/notification_type") ?? ""
  const kind = healthOf(healthWords, word)
  if (kind === null)
    return { ...nothingFound, passedOver: ["verkada: a notification about neither vehicle nor reader"] }
  const at = timeAt(told, [["/data/created", "s"]], { ...options, badClock: "arrival" }).captured_at
  return { ...nothingFound, health: [{ source: "verkada", kind, at, told: toldWord(word) }] }
}
