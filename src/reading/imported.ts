import type { Read, ReaderKind } from "../seal/read.ts"
import type { Mapping } from "./mapping.ts"

/** What a lane knows about its reader and the event does not say. Everything is chosen; nothing has a default here. */
export interface ImportOptions {
  /** When the event arrived, in milliseconds since 1970. */
  readonly received_ms: number
  /** The zone of the reader's clock, for times told without one: `Europe/Zagreb`, or `+08:00` for a clock without summer time. */
  readonly zone: string | null
  /** An event without a usable time: refused, or taken in with the time of its arrival. */
  readonly badClock: "refuse" | "arrival"
  /** An event with a broken picture: refused, so that the reader sends it again, or taken in without that picture. */
  readonly badPicture: "refuse" | "leave-out"
  /** What a Hikvision's `plateRect` counts, which differs by firmware; `null` when nobody has looked: then its boxes are left out. */
  readonly boxUnit: "pixels" | "thousandths" | null
  /** Where a `generic` reader's fields lie; `null` for the readers that are known. */
  readonly mapping: Mapping | null
}

/** An event as it came over the wire. */
export interface Wire {
  /** The `Content-Type` header; may be empty. */
  readonly contentType: string
  readonly body: Uint8Array
}

export interface ReaderPicture {
  readonly bytes: Uint8Array
  readonly format: "jpeg" | "png"
  readonly width_px: number
  readonly height_px: number
}

/** What readers tell about themselves. `trouble` is all that has no kind of its own. */
export const healthKinds = [
  "heartbeat",
  "tamper",
  "usb_connected",
  "enclosure_opened",
  "stream_lost",
  "storage",
  "trouble",
] as const

/** A reader's word about itself. It is not sealed and goes to alerts, so it carries nothing but what stands here. */
export interface HealthEvent {
  readonly source: ReaderKind
  readonly kind: (typeof healthKinds)[number]
  /** RFC 3339 UTC, or `null` when the reader's time was missing or not usable. */
  readonly at: string | null
  /** The reader's own word for it: letters, digits and `-_./`, at most 64. */
  readonly told: string
}

export interface Imported {
  /** In the order told. */
  readonly reads: readonly Read[]
  /** Each is named by at least one read. */
  readonly pictures: readonly ReaderPicture[]
  readonly health: readonly HealthEvent[]
  /** Messages that are no passage of a vehicle and no word about the reader, as sentences without their contents. */
  readonly passedOver: readonly string[]
}
