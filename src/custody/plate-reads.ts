import { textOf } from "../bytes.ts"
import type { PlateRead } from "../incident/vehicles.ts"
import type { Withdrawn } from "../vault/vault.ts"
import type { Text } from "./findings.ts"
import type { Seen } from "./linkage.ts"

/** The reads of a capture's plates for linking: the reader's own, or where it told none, what the built-in reader was sure of. */
export function readsOf({ event, texts }: Pick<Withdrawn, "event" | "texts">, seen: Seen): PlateRead[] {
  const { port, lane, crossing, at_ms } = seen
  if (at_ms === null) return []
  const at = { port, lane, crossing, at_ms }
  const told =
    event.v === 1
      ? []
      : event.reads.flatMap(({ plate, direction }) => {
          if (plate === null || plate.normalized === "") return []
          return [{ ...at, plate: plate.normalized, region: plate.region, direction: directionOf(direction) }]
        })
  if (told.length > 0) return told
  const known = texts === null ? [] : (JSON.parse(textOf(texts) ?? "[]") as readonly Text[])
  return known
    .filter(({ isSure, normalized }) => isSure && normalized !== "")
    .map(({ normalized }) => ({ ...at, plate: normalized, region: null, direction: null }))
}

/** Words that readers use; degrees and whatever else they tell say nothing without the lane's plan. */
function directionOf(told: string | null): PlateRead["direction"] {
  if (/^(in|inbound|entry|enter|entering|approach|approaching)$/i.test(told ?? "")) return "in"
  return /^(out|outbound|exit|leave|leaving|away|depart|departing)$/i.test(told ?? "") ? "out" : null
}
