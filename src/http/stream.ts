import { PassThrough } from "node:stream"
import { Type } from "typebox"
import { chainKeys, recordOf, type Caller } from "../custody/caller.ts"
import type { House } from "../custody/house.ts"
import { assert, Fault } from "../fault.ts"
import type { EntryRow } from "../ledger/ledger.ts"
import { parseEntry, type Entry, type EntryOf, type Kind } from "../log/kinds.ts"
import { signalName } from "../log/state.ts"
import { allow } from "./door.ts"
import type { Metrics } from "./metrics.ts"
import { callerOf, type Route } from "./route.ts"

/** Kinds whose entries can change an alert. */
const changing: ReadonlySet<string> = new Set<Kind>([
  ...(["alert.raised", "alert.acknowledged", "alert.closed", "admitted", "refused"] as const),
  ...(["permit", "message.abandoned"] as const),
])

/** Permits are many, and alerts only where the watch merely observes: most need no parsing. */
const suspected = '"verdict":"s'

function canChange({ kind, bytes }: EntryRow): boolean {
  return changing.has(kind) && (kind !== "permit" || Buffer.from(bytes).includes(suspected))
}

const mostListeners = 32
const every_ms = 500
const heartbeat_ms = 15_000
/** How far back a listener who comes again is told what he missed; beyond it he is told to list anew. */
const mostMissed = 100_000
const page = 1024
/** What a slow listener may have waiting before he is let go; he comes again with the last id that he saw. */
const mostWaiting_bytes = 262_144

/** Alerts as they change, as server-sent events: the id is the entry's index, the data the alert as it stands. */
export function streamRoutes(house: House, metrics?: Metrics): Route[] {
  let listeners = 0
  return [
    {
      method: "GET",
      url: "/v1/alerts/stream",
      summary:
        "Alerts as they change (text/event-stream), from Last-Event-ID on; follow=no ends once it has caught up",
      access: "signed",
      query: { follow: Type.Optional(Type.String({ pattern: "^(yes|no)$" })) },
      answer: async (request, reply) => {
        const caller = callerOf(request)
        await allow(house, caller, "list captures")
        if (listeners >= mostListeners) throw new Fault("BUSY", `${mostListeners} listen already`)
        const from = await startOf(house, request.headers["last-event-id"])
        const { follow = "yes" } = request.query as { follow?: string }
        const stream = new Listener(house, { caller, ...from })
        listeners += 1
        metrics?.listening(listeners)
        stream.out.once("close", () => {
          listeners -= 1
          metrics?.listening(listeners)
        })
        void stream.run(follow === "yes")
        void reply.header("content-type", "text/event-stream").header("cache-control", "no-store")
        void reply.header("x-accel-buffering", "no")
        return reply.send(stream.out)
      },
    },
  ]
}

interface Start {
  /** Index of the first entry that is told of. */
  readonly from: number
  /** Whether so much was missed that the list must be read anew. */
  readonly isTooOld: boolean
}

async function startOf(house: House, last: unknown): Promise<Start> {
  const { size } = await house.log.head()
  if (last === undefined) return { from: size, isTooOld: false }
  if (typeof last !== "string" || !/^[0-9]{1,15}$/.test(last))
    throw new Fault("INVALID", "Last-Event-ID is the id of an event of this stream")
  const from = Math.min(Number(last) + 1, size)
  return size - from > mostMissed ? { from: size, isTooOld: true } : { from, isTooOld: false }
}

/** One who listens. */
class Listener {
  readonly out = new PassThrough()
  readonly #house: House
  readonly #caller: Caller
  readonly #isTooOld: boolean
  #next: number
  #spoke_ms = Date.now()
  #isGone = false

  constructor(house: House, { caller, from, isTooOld }: Start & { readonly caller: Caller }) {
    this.#house = house
    this.#caller = caller
    this.#next = from
    this.#isTooOld = isTooOld
    this.out.once("close", () => (this.#isGone = true))
    this.out.on("error", () => (this.#isGone = true))
  }

  /** Until the listener goes, or may no more listen. */
  async run(follows: boolean): Promise<void> {
    try {
      this.#say(this.#isTooOld ? "event: resync\ndata: {}\n\n" : ": alerts\n\n")
      await this.#catchUp()
      while (follows && !this.#isGone) {
        await new Promise(resolve => setTimeout(resolve, every_ms).unref())
        await this.#catchUp()
        if (Date.now() - this.#spoke_ms < heartbeat_ms) continue
        // Who was suspended meanwhile hears no more.
        await allow(this.#house, this.#caller, "list captures")
        this.#say(": still here\n\n")
      }
    } catch {
      // What broke is no alert's fault: the listener comes again with the last id that he saw.
    }
    this.out.end()
  }

  async #catchUp(): Promise<void> {
    const { size } = await this.#house.log.head()
    while (this.#next < size && !this.#isGone) {
      const rows = await this.#house.log.entries(this.#next, Math.min(size, this.#next + page))
      for (const row of rows) {
        const entry = canChange(row) ? parseEntry(row.bytes) : null
        if (entry !== null) await this.#tell(entry, row.index)
      }
      this.#next += rows.length
      assert(rows.length > 0, "entries below the head are there")
    }
  }

  async #tell(entry: Entry, index: number): Promise<void> {
    for (const alert of await changedBy(this.#house, entry))
      this.#say(`id: ${index}\nevent: alert\ndata: ${JSON.stringify(alert)}\n\n`)
  }

  #say(text: string): void {
    this.#spoke_ms = Date.now()
    this.out.write(text)
    if (this.out.writableLength > mostWaiting_bytes) this.out.destroy()
  }
}

/** The alerts that an entry may have changed, as they stand now. */
async function changedBy(house: House, entry: Entry): Promise<readonly object[]> {
  const newest = async (about: string, what: Parameters<typeof signalName>[1]) =>
    (await recordOf(house, "signal", signalName(about, what))) ?? []
  switch (entry.kind) {
    case "alert.raised":
      return (await Promise.all(entry.signals.map(({ what }) => newest(entry.reader, what)))).flat()
    case "alert.acknowledged":
    case "alert.closed":
      return [(await recordOf(house, "alert", entry.alert)) ?? []].flat()
    case "admitted":
      return entry.gap === 0 ? [] : [await newest(entry.reader, "gap")].flat()
    case "refused":
      if (entry.code === "CAPTURE_SEQUENCE" && entry.reader !== null)
        return [await newest(entry.reader, "device_replayed")].flat()
      return suspicions(house, entry.watch, entry.person)
    case "permit":
      return suspicions(house, entry.watch, entry.by?.person ?? null)
    case "message.abandoned":
      return [await newest(entry.destination, "message_abandoned")].flat()
    default:
      return []
  }
}

/** The alert about whom the watch asked or suspended. */
async function suspicions(
  house: House,
  watch: EntryOf<"permit">["watch"],
  person: string | null,
): Promise<readonly object[]> {
  if (watch === undefined || watch.verdict === "pass" || person === null) return []
  const what = watch.verdict === "step-up" ? "watch_asked" : "watch_suspended"
  const organization = (await recordOf(house, "person", person))?.organization ?? ""
  const about =
    watch.about === "organization" ? ((await chainKeys(house, organization)).at(-1)?.id ?? "") : person
  return [(await recordOf(house, "signal", signalName(about, what))) ?? []].flat()
}
