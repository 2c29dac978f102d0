import { readFileSync } from "node:fs"
import { describe, expect, test } from "vitest"
import { hasShared, sharedData } from "../../test/beside.ts"
import { base64Of, formOf, imported, jpegOf, onlyRead, streamOf } from "../../test/readers.ts"
import type { Wire } from "./imported.ts"

/**
 * Events that real readers sent, or their makers print, over the wire as each reader sends them. They lie beside the project
 * and hold no pictures; ours are put where theirs were. Each has its own day, so it arrives a minute after that.
 */

const has = hasShared("reader-events")
const beside = has ? "" : " (skipped: ../shared/data/reader-events is not there)"
const sample = (name: string) => readFileSync(sharedData(`reader-events/${name}`), "utf8")
const json = (text: string): Wire => ({ contentType: "application/json", body: Buffer.from(text) })
const after = (instant: string) => ({ received_ms: Date.parse(instant) + 60_000 })

describe.skipIf(!has)(`samples of real readers${beside}`, () => {
  test("OpenALPR's group", async () => {
    const [crop, plate] = [await jpegOf(630, 630), await jpegOf(220, 120)]
    const text = sample("openalpr-alpr_group.json")
    let count = 0
    const filled = text.replace(
      /"\.\.\.\s?base64[^"]*"/g,
      () => `"${base64Of(count++ === 0 ? crop : plate)}"`,
    )
    expect(count).toBe(2)
    const read = onlyRead("openalpr", json(filled), { received_ms: 1_562_681_184_479 })
    expect(read).toMatchObject({
      captured_at: new Date(1_562_681_121_504).toISOString(),
      clock: "stated",
      camera: "1234",
      plate: {
        normalized: "D2651BF",
        region: "us-mo",
        box: { x_px: 3266, y_px: 187, width_px: 219, height_px: 119 },
      },
      vehicle: { make: "ford", model: "ford_focus", colour: "black", type: "sedan-standard" },
      doubts: [],
    })
    expect(read.pictures.map(each => [each.role, each.origin])).toEqual([
      ["vehicle", { x_px: 3060, y_px: 0 }],
      ["plate", null],
    ])
  })
  test("OpenALPR's results: two vehicles in one frame", async () => {
    const picture = base64Of(await jpegOf(220, 120))
    const filled = sample("openalpr-alpr_results.json").replace(/"\.\.\.\s?base[^"]*"/g, `"${picture}"`)
    const { reads } = imported("openalpr", json(filled), { received_ms: 1_562_681_608_425 + 60_000 })
    expect(reads.map(read => read.plate?.normalized)).toEqual(["D2651BF", "CG3L5Y"])
    expect(reads.map(read => Date.parse(read.captured_at))).toEqual([1_562_681_608_425, 1_562_681_608_425])
  })
  test("OpenALPR's heartbeat", () => {
    const { health, reads } = imported("openalpr", json(sample("openalpr-heartbeat.json")), {
      received_ms: 1_562_681_904_008,
    })
    expect(reads).toEqual([])
    expect(health.map(each => each.kind)).toEqual(["heartbeat"])
  })
  test("Plate Recognizer's webhook, as a form", async () => {
    const wire = formOf(
      { name: "json", type: "application/json", bytes: sample("platerecognizer-stream-webhook.json") },
      { name: "upload", filename: "09-35-04.691903.jpg", type: "image/jpeg", bytes: await jpegOf(960, 540) },
    )
    expect(onlyRead("platerecognizer", wire, after("2025-02-19T08:35:04.691Z"))).toMatchObject({
      captured_at: "2025-02-19T08:35:04.691Z",
      plate: {
        text: "wa88822",
        normalized: "WA88822",
        region: "pl",
        confidence: 0.999,
        box: { x_px: 483, y_px: 325, width_px: 57, height_px: 18 },
      },
      vehicle: { make: "Peugeot", model: "207", colour: "black", type: "Sedan" },
      doubts: [],
    })
  })
  test("Hikvision's alert, as a form with both pictures", async () => {
    const xml = sample("hikvision-anpr-eventnotificationalert.xml")
    const wire = formOf(
      { name: "anpr.xml", filename: "anpr.xml", type: "text/xml", bytes: xml },
      {
        name: "licensePlatePicture.jpg",
        filename: "licensePlatePicture.jpg",
        type: "image/jpeg",
        bytes: await jpegOf(152, 56),
      },
      {
        name: "detectionPicture.jpg",
        filename: "detectionPicture.jpg",
        type: "image/jpeg",
        bytes: await jpegOf(2560, 1568),
      },
    )
    const read = onlyRead("hikvision", wire, { ...after("2024-01-19T03:17:19Z"), boxUnit: "thousandths" })
    expect(read).toMatchObject({
      captured_at: "2024-01-19T03:17:19.000Z",
      clock: "stated",
      camera: "Camera 01",
      lane: "2",
      plate: {
        text: "PECT600",
        confidence: 0.97,
        box: { x_px: 1768, y_px: 622, width_px: 152, height_px: 54 },
      },
      vehicle: { colour: "white" },
      direction: "reverse",
      doubts: [],
    })
    expect(read.pictures.map(each => each.role)).toEqual(["plate", "scene"])
  })
  test("Axis' read", () => {
    expect(
      onlyRead("axis", json(sample("axis-lpr-event.json")), after("2021-06-11T10:05:38Z")),
    ).toMatchObject({
      captured_at: "2021-06-11T10:05:38.252Z",
      event_id: "ACCC8ED3290D/11890300",
      plate: {
        text: "RLE11684",
        region: "POL",
        confidence: 0.719034,
        box: { x_px: 1185, y_px: 532, width_px: 140, height_px: 28 },
      },
      doubts: ["picture-missing"],
    })
  })
  test("Dahua's unread vehicle over RPC2, and with its picture in a stream", async () => {
    const text = sample("dahua-TrafficJunction-rpc2-notifyEventStream.json")
    const when = after("2024-01-30T07:34:55Z")
    const same = { captured_at: "2024-01-30T07:34:55.305Z", clock: "stated", lane: "2", plate: null }
    expect(onlyRead("dahua", json(text), when)).toMatchObject({ ...same, doubts: ["box-left-out"] })
    const wire = streamOf(
      { type: "application/json", bytes: text },
      { type: "image/jpeg", bytes: await jpegOf(1024, 576) },
    )
    expect(onlyRead("dahua", wire, when)).toMatchObject({
      ...same,
      vehicle: { colour: "Blue", box: { x_px: 294, y_px: 5, width_px: 188, height_px: 145 } },
      doubts: [],
    })
  })
  test("Verkada's webhook", () => {
    expect(
      onlyRead("verkada", json(sample("verkada-lpr-webhook.json")), { received_ms: 1_758_302_866_000 }),
    ).toMatchObject({
      plate: { text: "ABCD123", region: "us-ca", box: null },
      doubts: ["picture-missing"],
    })
  })
  test("Frigate's event and its update of a plate", () => {
    const received_ms = 1_607_123_970_000
    const event = onlyRead("frigate", json(sample("frigate-mqtt-events.json")), { received_ms })
    expect(event).toMatchObject({ plate: { text: "ABC12345", confidence: 0.933451 }, camera: "front_door" })
    const update = onlyRead("frigate", json(sample("frigate-mqtt-tracked_object_update-lpr.json")), {
      received_ms,
    })
    expect(update).toMatchObject({ plate: { text: "123ABC", confidence: 0.95 }, camera: "driveway_cam" })
    expect(update.crossing_id).toBe(event.crossing_id)
  })
})
