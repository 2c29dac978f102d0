import { Fault } from "../fault.ts"
import type { Read, ReaderKind } from "../seal/read.ts"
import { Album, arranged } from "./album.ts"
import { importAxis } from "./axis.ts"
import { importDahua } from "./dahua.ts"
import { importFrigate } from "./frigate.ts"
import { importGenetec } from "./genetec.ts"
import { importGeneric } from "./generic.ts"
import { importHikvision } from "./hikvision.ts"
import type { Imported, ImportOptions } from "./imported.ts"
import { foundTogether, maxEvents, type Desk, type Found, type Importer } from "./importer.ts"
import { readLimits } from "./limits.ts"
import { importOpenalpr } from "./openalpr.ts"
import { importPlaterecognizer } from "./platerecognizer.ts"
import { together } from "./told.ts"
import { importVerkada } from "./verkada.ts"
import { openWire, type Message } from "./wire.ts"
import type { Wire } from "./imported.ts"

const importers: Readonly<Record<ReaderKind, Importer>> = {
  openalpr: importOpenalpr,
  platerecognizer: importPlaterecognizer,
  hikvision: importHikvision,
  axis: importAxis,
  dahua: importDahua,
  verkada: importVerkada,
  frigate: importFrigate,
  genetec: importGenetec,
  generic: importGeneric,
}

/**
 * What a reader sent, as reads, pictures and words about its health: all of it, or nothing and why. The same bytes give the
 * same reads whenever they come, but for times that the lane takes from the arrival.
 * @throws Fault READER_EVENT for what is no event of that kind, READER_PICTURE for a broken picture, READER_TIME for a time
 * that cannot be used, CONFIG for a lane whose zone or mapping is wrong. No sentence quotes the event.
 * Cost: linear in the body.
 */
export function importEvents(kind: ReaderKind, wire: Wire, options: ImportOptions): Imported {
  const message = openWire(wire)
  if (message.sections.length === 0)
    throw new Fault("READER_EVENT", "the body holds no event that could be read; nothing was sealed", {
      next: "let the reader send its events as JSON, XML or a form, with the pictures beside them",
    })
  if (message.sections.length > maxEvents)
    throw new Fault("READER_EVENT", "the body holds over 1,024 events; nothing was sealed")
  const album = new Album(options.badPicture)
  const found = foundTogether(
    message.sections.map(({ document, files }) => {
      const desk = { options, album, files }
      return withOtherFiles(importers[kind](document, desk), desk)
    }),
  )
  const reads = found.reads.map(read => withFormFields(read, message.fields))
  return { ...found, reads, pictures: album.pictures }
}

/** A picture that its reader does not usually send goes with the first read; nobody knows where in it the plate would be. */
function withOtherFiles(found: Found, { album, files }: Desk): Found {
  const others = files.filter(({ bytes }) => !album.saw(bytes))
  const [first, ...rest] = found.reads
  if (others.length === 0 || first === undefined) return found
  const { pictures, doubts } = arranged([
    ...first.pictures,
    ...first.doubts,
    ...others.map(({ bytes }) => album.mount("vehicle", bytes)),
  ])
  return { ...found, reads: [{ ...first, pictures, doubts: [...new Set(doubts)] }, ...rest] }
}

/** Plain fields of a form belong to what came with them; their places begin with `/form`. */
function withFormFields(read: Read, fields: Message["fields"]): Read {
  if (fields.length === 0) return read
  const short = fields.filter(([, value]) => value.length <= readLimits.otherText)
  const named = short.map(([name, value]) => [`/form/${name.slice(0, readLimits.word)}`, value] as const)
  const other = together(read.other, {
    fields: Object.fromEntries(named),
    left_out: fields.length - short.length,
  })
  return { ...read, other }
}
