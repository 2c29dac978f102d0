import { Fault } from "../fault.ts"
import type { Mounted } from "./album.ts"
import { cornersAt, sidesAt, type Raw, type Scale } from "./boxes.ts"
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
import type { Mapping } from "./mapping.ts"
import { mountAll, readOf } from "./passage.ts"
import { plateTextAt } from "./plate.ts"
import { timeAt } from "./time.ts"
import { Told } from "./told.ts"

/**
 * Any reader that sends JSON, XML or `name=value`, alone or in a form, by the mapping that the lane was given.
 * @throws Fault CONFIG for a lane without a mapping; READER_EVENT when the list that it names is not there.
 */
export function importGeneric(document: Json, desk: Desk): Found {
  const { mapping } = desk.options
  if (mapping === null)
    throw new Fault("CONFIG", "a generic reader needs a mapping of its fields; nothing was sealed", {
      next: 'docs/readers.md, "Any other reader", shows a mapping',
    })
  const told = new Told(document)
  const { events } = mapping
  if (events === undefined) return eventOf(told, mapping, desk)
  const places = told.itemsUpTo(events, maxEvents)
  if (places.length === 0)
    throw new Fault(
      "READER_EVENT",
      `the event has no list at ${events}, which the mapping names; nothing was sealed`,
    )
  return foundTogether(places.map(at => eventOf(told.within(at), mapping, desk)))
}

function eventOf(told: Told, mapping: Mapping, desk: Desk): Found {
  const { health } = mapping
  const word = health === undefined ? null : told.word(health.at)
  const kind = health === undefined || word === null ? null : healthOf(lowered(health.kinds), word)
  const times = [[mapping.time.at, mapping.time.form]] as const
  if (kind !== null) {
    const at = timeAt(told, times, { ...desk.options, badClock: "arrival" }).captured_at
    return { ...nothingFound, health: [{ source: "generic", kind, at, told: toldWord(word) }] }
  }
  return { ...nothingFound, reads: [passageOf(told, mapping, desk)] }
}

function passageOf(told: Told, mapping: Mapping, desk: Desk): ReturnType<typeof readOf> {
  const word = (at: string | undefined) => (at === undefined ? null : told.word(at))
  const id = (at: string | undefined) => (at === undefined ? null : told.id(at))
  const { confidence, speed } = mapping
  const value = speed === undefined ? null : told.number(speed.at)
  return readOf(
    {
      source: "generic",
      time: timeAt(told, [[mapping.time.at, mapping.time.form]], desk.options),
      event_id: id(mapping.event_id),
      crossing_id: id(mapping.crossing_id),
      camera: id(mapping.camera),
      lane: word(mapping.lane),
      plate: mapping.plate === undefined ? null : plateTextAt(told, mapping.plate),
      confidence: confidence === undefined ? null : told.share(confidence.at, confidence.whole),
      region: word(mapping.region),
      plateBox: boxOf(told, mapping),
      scale: scaleOf(mapping),
      vehicle: {
        make: word(mapping.make),
        model: word(mapping.model),
        colour: word(mapping.colour),
        type: word(mapping.type),
      },
      direction: word(mapping.direction),
      speed: speed === undefined || value === null || value < 0 ? null : { value, unit: speed.unit },
      mounted: mountedOf(told, mapping, desk),
    },
    () => told.rest(),
  )
}

function lowered<T>(kinds: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(kinds).map(([word, kind]) => [word.toLowerCase(), kind]))
}

function boxOf(told: Told, { box }: Mapping): Raw | null {
  if (box === undefined) return null
  return box.form === "sides" ? sidesAt(told, box.at) : cornersAt(told, box.at)
}

function scaleOf({ box }: Mapping): Scale {
  return { counts: box?.whole ?? "pixels", frame: null }
}

function mountedOf(told: Told, { pictures = [] }: Mapping, { album, files }: Desk): Mounted[] {
  return pictures.flatMap((picture): Mounted[] => {
    if ("at" in picture) {
      const text = told.look(picture.at)
      told.use(picture.at)
      return text === null ? ["picture-missing"] : mountAll(album, [[picture.role, text]])
    }
    const file = files.find(({ name, filename }) => name === picture.part || filename === picture.part)
    return file === undefined ? ["picture-missing"] : [album.mount(picture.role, file.bytes)]
  })
}
