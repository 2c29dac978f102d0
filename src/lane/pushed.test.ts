import { connect } from "node:net"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { laneParts, type LaneParts } from "../../test/lane-parts.ts"
import { base64Of, jpegOf } from "../../test/readers.ts"
import { armFailpoint } from "../failpoint.ts"
import { Fault } from "../fault.ts"
import { parseCapture } from "../seal/capture.ts"
import { PushedDoor, type PushedOptions } from "./pushed.ts"
import { understandAs, type SourceKind } from "./understand.ts"

let parts: LaneParts
let door: PushedDoor

beforeEach(async () => {
  parts = await laneParts()
  door = await open()
})
afterEach(async () => {
  armFailpoint("")
  await door.close()
  await parts.close()
})

function open(changed: Partial<PushedOptions> = {}): Promise<PushedDoor> {
  const { intake, health, identify } = parts
  const chosen = {
    zone: null,
    badClock: "arrival",
    badPicture: "leave-out",
    boxUnit: null,
    mapping: null,
  } as const
  return PushedDoor.open({
    ...{ host: "127.0.0.1", port: 0, tls: null, from: null, atOnce: 4, most_bytes: 100_000 },
    understand: understandAs({ kind: "picture", health, ...chosen }),
    ...{ identify, intake, health, clock: () => parts.clock.now_ms },
    ...changed,
  })
}

async function reopen(changed: Partial<PushedOptions>): Promise<void> {
  await door.close()
  door = await open(changed)
}

async function push(body: string, type = "image/jpeg") {
  const response = await fetch(door.url, { method: "POST", headers: { "content-type": type }, body })
  const answer = (await response.json()) as { sequences?: number[]; code?: string; detail?: string }
  return { status: response.status, retry: response.headers.get("retry-after"), ...answer }
}

const shot = (name: string, event_ms: number) => ({
  picture: Buffer.from(name),
  kind: "scene" as const,
  event: { v: 1, source: "none", file: null, plates: [], faces: [] } as const,
  capturedAt_ms: event_ms,
  crossing_id: "passage 1",
})

describe("an event", () => {
  test("is answered with 200 when its capture is durable, with its number", async () => {
    expect(await push("one")).toMatchObject({ status: 200, sequences: [1] })
    const { header } = parseCapture(await parts.spool.read(1))
    expect(header).toMatchObject({ sequence: 1, kind: "plate" })
  })

  test("that is pushed again is acknowledged with the same number, and taken once", async () => {
    await push("one")
    expect(await push("one")).toMatchObject({ status: 200, sequences: [1] })
    await parts.restart()
    await reopen({})
    expect(await push("one")).toMatchObject({ status: 200, sequences: [1] })
    expect(parts.spool.numbered).toBe(1)
    expect(parts.health.counters.captures_repeated).toBe(1)
  })

  test("a hundred in one millisecond are a hundred captures, each with its own number", async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => push(`picture ${i}`)))
    expect(answers.every(({ status }) => status === 200)).toBe(true)
    const numbers = answers.map(({ sequences }) => sequences![0]!).sort((a, b) => a - b)
    expect(numbers).toEqual(Array.from({ length: 100 }, (_, i) => i + 1))
  })

  test("with several pictures is acknowledged only with all of them, and they are of one crossing", async () => {
    const understand = () => ({
      shots: [shot("a", parts.clock.now_ms), shot("b", parts.clock.now_ms)],
      health: [],
      passedOver: [],
    })
    await parts.restart({ most_files: 1 })
    await reopen({ understand })
    expect(await push("x")).toMatchObject({ status: 503, code: "STORE_FULL", retry: "30" })
    await parts.spool.settle(1)
    expect(await push("x")).toMatchObject({ status: 200, sequences: [1, 2] })
    expect(parts.spool.numbered).toBe(2)
  })

  test("without a picture is sealed as it is, and counted", async () => {
    const understand = () => ({ shots: [shot("", parts.clock.now_ms)], health: [], passedOver: [] })
    await reopen({ understand })
    expect(await push("x")).toMatchObject({ status: 200, sequences: [1] })
    expect(parts.health.counters.events_without_picture).toBe(1)
  })

  test("of 1970, or of tomorrow, is sealed under the time of its arrival, and counted", async () => {
    for (const [name, time_ms] of [
      ["1970", 0],
      ["tomorrow", parts.clock.now_ms + 86_400_000],
    ] as const) {
      await reopen({ understand: () => ({ shots: [shot(name, time_ms)], health: [], passedOver: [] }) })
      const { sequences } = await push("x")
      const { header } = parseCapture(await parts.spool.read(sequences![0]!))
      expect(header.captured_at).toBe(new Date(parts.clock.now_ms).toISOString())
    }
    expect(parts.health.counters.times_doubted).toBe(2)
  })

  test("that is not understood is refused with its code, and counted; nothing is taken", async () => {
    expect(await push("<x/>", "text/xml")).toMatchObject({ status: 422, code: "READER_EVENT" })
    expect(parts.health.counters.events_refused).toBe(1)
    expect(parts.spool.numbered).toBe(0)
  })

  test("a reader's word about itself is told, but not its heartbeat", async () => {
    const health = [
      { kind: "heartbeat", told: "alive" },
      { kind: "tamper", told: "cover" },
    ]
    await reopen({ understand: () => ({ shots: [], health, passedOver: ["a setting"] }) })
    expect(await push("x")).toMatchObject({ status: 200, sequences: [] })
    expect(parts.events).toEqual([
      expect.objectContaining({ what: "reader_said", detail: { kind: "tamper", word: "cover" } }),
    ])
    expect(parts.health.counters).toMatchObject({ events_of_health: 2, events_passed_over: 1 })
  })
})

describe("a brand's event", () => {
  const group = (changed: object = {}) => ({
    data_type: "alpr_group",
    version: 2,
    epoch_start: parts.clock.now_ms - 1500,
    camera_id: 12,
    best_uuid: "agent-12-1",
    best_plate_number: "SP7X042",
    best_confidence: 91.5,
    ...changed,
  })

  async function reopenAs(kind: SourceKind): Promise<void> {
    const { health } = parts
    const chosen = {
      zone: null,
      badClock: "arrival",
      badPicture: "leave-out",
      boxUnit: null,
      mapping: null,
    } as const
    await reopen({ understand: understandAs({ kind, health, ...chosen }) })
  }

  test("goes in as its reader sends it: a capture for each picture, of one crossing, at its own time", async () => {
    await reopenAs("openalpr")
    const crops = {
      vehicle_crop_jpeg: base64Of(await jpegOf(300, 200)),
      best_plate: { plate: "SP7X042", plate_crop_jpeg: base64Of(await jpegOf(120, 30)) },
    }
    const body = JSON.stringify(group(crops))
    const { status, sequences = [] } = await push(body, "application/json")
    expect([status, sequences]).toEqual([200, [1, 2]])
    const files = await Promise.all(sequences.map(sequence => parts.spool.read(sequence)))
    const headers = files.map(bytes => parseCapture(bytes).header)
    expect(new Set(headers.map(({ crossing }) => crossing)).size).toBe(1)
    expect(headers[0]!.captured_at).toBe(new Date(parts.clock.now_ms - 1500).toISOString())
    expect(parts.health.readerOffset_ms).toBe(-1500)
    for (const bytes of files) expect(Buffer.from(bytes).includes("SP7X042")).toBe(false)
    expect(await push(body, "application/json")).toMatchObject({ status: 200, sequences: [1, 2] })
  })

  test("with a time that cannot be right is known when it comes again, although it arrives at another time", async () => {
    await reopenAs("openalpr")
    const body = JSON.stringify(group({ epoch_start: 0 }))
    expect(await push(body, "application/json")).toMatchObject({ status: 200, sequences: [1] })
    parts.clock.now_ms += 5000
    expect(await push(body, "application/json")).toMatchObject({ status: 200, sequences: [1] })
    expect(parts.health.counters).toMatchObject({ events_without_picture: 2, captures_repeated: 1 })
    expect(parts.health.counters.times_doubted).toBeGreaterThan(0)
  })

  test("that is none of that brand's is refused by its code, and nothing is sealed", async () => {
    await reopenAs("hikvision")
    const bomb = '<!DOCTYPE a [<!ENTITY b "SP7X042">]><EventNotificationAlert>&b;</EventNotificationAlert>'
    for (const [body, type] of [
      [bomb, "application/xml"],
      [JSON.stringify(group()), "application/json"],
      ["", "multipart/form-data; boundary=x"],
    ] as const)
      expect(await push(body, type)).toMatchObject({ status: 422, code: "READER_EVENT" })
    expect(parts.spool.numbered).toBe(0)
    expect(parts.health.counters.events_refused).toBe(3)
  })
})

describe("what stops the acknowledging", () => {
  test("a full spool is 503 with a time to try again, an alarm that is told, and ends with room", async () => {
    await parts.restart({ most_files: 1 })
    await reopen({})
    await push("one")
    expect(await push("two")).toMatchObject({ status: 503, code: "STORE_FULL", retry: "30" })
    expect(parts.health.alarms.has("spool_full")).toBe(true)
    expect(parts.health.counters).toMatchObject({ refused_full: 1, events_put_off: 1 })
    await parts.spool.settle(1)
    expect(await push("two")).toMatchObject({ status: 200, sequences: [2] })
    expect(parts.events.map(({ what, detail }) => [what, detail.alarm])).toEqual([
      ["alarm_raised", "spool_full"],
      ["alarm_cleared", "spool_full"],
    ])
  })

  test("no day's key left is 503 and an alarm; a new list ends it", async () => {
    parts.clock.now_ms += 60 * 86_400_000
    expect(await push("one")).toMatchObject({ status: 503, code: "RECIPIENTS_OUT", retry: "300" })
    expect(parts.health.alarms.has("recipients_out")).toBe(true)
    parts.lists.text = await parts.signList({ days: 43 })
    await parts.recipients.refresh()
    expect(await push("one")).toMatchObject({ status: 200 })
    expect(parts.health.alarms.size).toBe(0)
  })

  test("a write with an unknown outcome acknowledges nothing any more, until the agent starts anew", async () => {
    armFailpoint("lane.linked:1:fail")
    expect(await push("one")).toMatchObject({ status: 500, code: "INTERNAL" })
    expect(await push("two")).toMatchObject({ status: 500 })
    expect(parts.spool.stopped).not.toBeNull()
    await parts.restart()
    await reopen({})
    expect(await push("one")).toMatchObject({ status: 200, sequences: [1] })
    expect(await push("two")).toMatchObject({ status: 200, sequences: [2] })
  })
})

describe("the door", () => {
  test("takes events of the named addresses only, and only as POST or PUT", async () => {
    expect((await fetch(door.url)).status).toBe(405)
    await reopen({ from: ["192.0.2.1"] })
    expect(await push("one")).toMatchObject({ status: 403, code: "READER_ADDRESS" })
  })

  test("takes no event over its size, whatever the length that it states", async () => {
    expect(await push("x".repeat(100_001))).toMatchObject({ status: 413, code: "TOO_LARGE" })
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(new Uint8Array(60_000))
      },
    })
    const endless = fetch(door.url, { method: "POST", body: stream, duplex: "half" } as RequestInit)
    // It may see the answer, or the connection end under it: both are a no.
    expect(await endless.then(({ status }) => status).catch(() => 413)).toBe(413)
    expect(await push("one")).toMatchObject({ status: 200 })
  })

  test("lets a bounded number in, a bounded number wait, and refuses the rest as busy", async () => {
    let inside = 0
    let most = 0
    const understand = async () => {
      inside += 1
      most = Math.max(most, inside)
      await new Promise(resolve => setTimeout(resolve, 20))
      inside -= 1
      return { shots: [], health: [], passedOver: [] }
    }
    await reopen({ understand, atOnce: 1 })
    const answers = await Promise.all(Array.from({ length: 100 }, () => push("x")))
    const codes = new Set(answers.map(({ status, code }) => `${status} ${code ?? ""}`))
    expect(most).toBe(1)
    expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(32)
    expect([...codes].every(code => code === "200 " || code === "503 BUSY")).toBe(true)
  })

  test("an event that breaks off leaves nothing behind, and the next one is taken", async () => {
    const { port } = new URL(door.url)
    const socket = connect(Number(port), "127.0.0.1")
    socket.write("POST / HTTP/1.1\r\nhost: a\r\ncontent-type: image/jpeg\r\ncontent-length: 1000\r\n\r\nhalf")
    await new Promise(resolve => setTimeout(resolve, 50))
    socket.destroy()
    expect(await push("one")).toMatchObject({ status: 200, sequences: [1] })
  })

  test("an event that breaks off while it waits its turn does not keep the turn", async () => {
    let goOn: () => void = () => undefined
    const held = new Promise<void>(resolve => (goOn = resolve))
    const understand = async () => {
      await held
      return { shots: [], health: [], passedOver: [] }
    }
    await reopen({ understand, atOnce: 1 })
    const first = push("first")
    await new Promise(resolve => setTimeout(resolve, 50))
    const { port } = new URL(door.url)
    const socket = connect(Number(port), "127.0.0.1")
    socket.write("POST / HTTP/1.1\r\nhost: a\r\ncontent-type: image/jpeg\r\ncontent-length: 1000\r\n\r\nhalf")
    await new Promise(resolve => setTimeout(resolve, 50))
    socket.destroy()
    await new Promise(resolve => setTimeout(resolve, 50))
    goOn()
    expect(await first).toMatchObject({ status: 200 })
    expect(await push("third")).toMatchObject({ status: 200 })
  })

  test("no refusal quotes what was pushed", async () => {
    const understand = () => {
      throw new Fault("READER_EVENT", "not understood")
    }
    await reopen({ understand })
    expect(JSON.stringify(await push("SP7X042"))).not.toContain("SP7X042")
  })
})
