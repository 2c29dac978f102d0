import { parseExamination } from "../vault/findings.ts"
import { parseEntry, type EntryOf } from "../log/kinds.ts"
import { Originals } from "../picture/originals.ts"
import { parseSketch, type Sketch } from "../picture/sketch.ts"
import { entryOfKind } from "./copies.ts"
import type { House } from "./house.ts"

/** The sketches of all originals in memory, and up to which entry they were taken in. */
interface Held {
  readonly originals: Originals
  upTo: number
  forget: NodeJS.Timeout
}

const held = new WeakMap<House, Held>()

/** Sketches are likenesses: they do not stay in memory longer than somebody traces. */
const life_ms = 10 * 60_000

const page = 200

/**
 * All originals that were examined, to look a leak up in. The first time reads every sketch, about 5,000 a second; then
 * those that came since.
 * @param receipt  of the trace's opening, without which the vault opens no sketch.
 */
export async function originalsFor(house: House, receipt: string): Promise<Originals> {
  const open = await house.vault.openSketches(receipt)
  const known = held.get(house)
  const upTo = known?.upTo ?? -1
  const originals = known?.originals ?? new Originals()
  let newest = upTo
  for (let before: number | null = null; ;) {
    const rows = await house.ledger.newestEntries({
      ...{ kind: "examined", limit: page },
      ...(before === null ? {} : { before }),
    })
    for (const { index, bytes } of rows) {
      if (index <= upTo) break
      newest = Math.max(newest, index)
      const entry = parseEntry(bytes)
      if (entry?.kind !== "examined") continue
      const sketch = await sketchOf(house, entry, open)
      if (sketch !== null) originals.add(entry.capture, sketch)
    }
    const last = rows.at(-1)
    if (last === undefined || rows.length < page || last.index <= upTo) break
    before = last.index
  }
  if (known !== undefined) clearTimeout(known.forget)
  const forget = setTimeout(() => held.delete(house), life_ms).unref()
  held.set(house, { originals, upTo: newest, forget })
  return originals
}

/** The sketches of some captures, `null` where one is gone. @param receipt  of the trace's opening. */
export async function sketchesOf(
  house: House,
  receipt: string,
  captures: readonly string[],
): Promise<readonly (Sketch | null)[]> {
  const open = await house.vault.openSketches(receipt)
  const sketches: (Sketch | null)[] = []
  for (const capture of captures) {
    const { examined = null } = (await house.ledger.capture(capture)) ?? {}
    const entry = examined === null ? null : await entryOfKind(house, examined, "examined")
    sketches.push(entry === null ? null : await sketchOf(house, entry, open))
  }
  return sketches
}

async function sketchOf(
  house: House,
  { capture, permit, sealed_to }: EntryOf<"examined">,
  open: Awaited<ReturnType<House["vault"]["openSketches"]>>,
) {
  const row = await house.ledger.capture(capture)
  const found = row?.findingsJson == null ? null : parseExamination(row.findingsJson)
  if (found === null || found.sketch_sha256 === null) return null
  const bytes = await open({ capture, permit, sealedTo: sealed_to })
  return bytes === null ? null : parseSketch(bytes)
}
