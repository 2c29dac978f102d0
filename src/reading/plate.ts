import { Fault } from "../fault.ts"
import type { Candidate, Doubt, ReadPlate } from "../seal/read.ts"
import { readLimits } from "./limits.ts"
import type { Told } from "./told.ts"

/**
 * A plate as it is compared: upper case, letters and digits only. Letters stay of the script that the reader told: a
 * Cyrillic plate and a Latin one that look alike are two plates, and which it is only people can say.
 */
export function normalizedPlate(text: string): string {
  return text
    .normalize("NFC")
    .replace(/[^\p{L}\p{M}\p{N}]/gu, "")
    .toUpperCase()
}

/** Whether a plate's letters are of another script than Latin, or of several. Digits are of every script. */
export function scriptDoubts(text: string): Doubt[] {
  const letters = Array.from(text.matchAll(/\p{L}|\p{Nd}/gu), ([letter]) => letter).filter(
    letter => !/[0-9]/.test(letter),
  )
  const latin = letters.filter(letter => /\p{Script=Latin}/u.test(letter))
  if (latin.length === letters.length) return []
  return latin.length === 0 ? ["plate-script"] : ["plate-script", "plate-mixed"]
}

/**
 * The plate at a place.
 * @returns `null` for a vehicle that was not read: nothing, an empty text, or no letter or digit in it.
 * @throws Fault READER_EVENT for a plate over 32 characters, or that is no text.
 */
export function plateTextAt(told: Told, ...places: readonly string[]): string | null {
  for (const at of places) {
    const value = told.look(at)
    if (value === null || value === "") continue
    if (typeof value !== "string" && typeof value !== "number") throw refused("is not a text")
    const text = told.text(at, readLimits.plate)
    if (text === null) throw refused("is over 32 characters")
    if (normalizedPlate(text) !== "") return text
  }
  return null
}

/** A plate from its parts, those missing as `null`. */
export function plateOf(
  text: string | null,
  parts: Partial<Omit<ReadPlate, "text" | "normalized">>,
): ReadPlate | null {
  if (text === null) return null
  const { region = null, confidence = null, box = null, candidates = [] } = parts
  return { text, normalized: normalizedPlate(text), region, confidence, box, candidates }
}

/**
 * At most ten candidates of a list, those that are no plates passed over.
 * @param at  of the list; `text` and `confidence` are places below each of its items, confidence a share of `whole`.
 */
export function candidatesAt(
  told: Told,
  at: string,
  { text, confidence, whole }: { readonly text: string; readonly confidence: string; readonly whole: number },
): Candidate[] {
  const items = told.items(at).slice(0, readLimits.candidates)
  return items.flatMap(item => {
    const plate = told.text(item + text, readLimits.plate)
    return plate === null ? [] : [{ text: plate, confidence: told.share(item + confidence, whole) }]
  })
}

function refused(why: string): Fault {
  return new Fault("READER_EVENT", `the event's plate ${why}; nothing was sealed`, {
    next: "check that the lane is set to the kind of reader that sends to it",
  })
}
