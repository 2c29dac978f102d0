import { Fault } from "../fault.ts"
import type { ImportOptions } from "./imported.ts"
import { nothingFound, type Desk, type Found } from "./importer.ts"
import type { Json } from "./json.ts"
import { mountAll, readOf } from "./passage.ts"
import { plateTextAt } from "./plate.ts"
import { orArrival, timeOfText, type KnownTime } from "./time.ts"
import { Told } from "./told.ts"

/**
 * Genetec AutoVu as its HTTP export posts reads: JSON with `DateUtc` (day/month/year) and `TimeUtc`, texts for numbers,
 * confidence per cent, `ContextImage` in base64 and `Attributes` with spaces in their names. From documentation, no real
 * sample: the fields are those that a published bridge takes.
 */
export function importGenetec(document: Json, desk: Desk): Found {
  const told = new Told(document)
  if (told.look("/DateUtc") === null && told.look("/Plate") === null)
    throw new Fault("READER_EVENT", "the event has neither Plate nor DateUtc; nothing was sealed", {
      next: "let AutoVu's HTTP export send its JSON form",
    })
  const mounted = mountAll(desk.album, [
    ["scene", told.look("/ContextImage")],
    ["plate", told.look("/PlateImage")],
  ])
  for (const at of ["/ContextImage", "/PlateImage"]) told.use(at)
  const read = readOf(
    {
      source: "genetec",
      time: timeOf(told, desk.options),
      camera: told.id("/CameraName"),
      plate: plateTextAt(told, "/Plate"),
      confidence: told.share("/ConfidenceScore", 100),
      region: told.word("/State"),
      vehicle: {
        make: told.word("/Attributes/Vehicle Make"),
        model: told.word("/Attributes/Vehicle Model"),
        colour: told.word("/Attributes/Vehicle Color"),
        type: told.word("/Attributes/Vehicle Type"),
      },
      direction: told.word("/Attributes/Relative Motion"),
      mounted,
    },
    () => told.rest(),
  )
  return { ...nothingFound, reads: [read] }
}

function timeOf(told: Told, options: ImportOptions): KnownTime {
  const date = told.look("/DateUtc")
  const time = told.look("/TimeUtc")
  const [, day = "", month = "", year = ""] =
    typeof date === "string" ? (/^(\d\d?)\/(\d\d?)\/(\d{4})$/.exec(date) ?? []) : []
  const iso = year === "" ? String(date) : `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}`
  try {
    const known = timeOfText(date === null || time === null ? null : `${iso} ${String(time)}Z`, options)
    for (const at of ["/DateUtc", "/TimeUtc"]) told.use(at)
    return known
  } catch (error) {
    return orArrival(error, options)
  }
}
