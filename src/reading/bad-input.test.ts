import fc from "fast-check"
import { beforeAll, describe, expect, test } from "vitest"
import {
  base64Of,
  formOf,
  imported,
  jpegOf,
  jsonOf,
  now_ms,
  onlyRead,
  strict,
  streamOf,
  xmlOf,
} from "../../test/readers.ts"
import { Fault } from "../fault.ts"
import { readerKinds } from "../seal/read.ts"
import type { ImportOptions, Wire } from "./imported.ts"
import { importEvents } from "./import.ts"
import { shotsOf } from "./event.ts"
import { packContents } from "../seal/contents.ts"
import type { ReaderKind } from "../seal/read.ts"

/** What a broken, careless or hostile reader sends: the reason of each refusal is its own, and the rest is kept and flagged. */

let scene: Uint8Array
let plateCrop: Uint8Array
beforeAll(async () => {
  scene = await jpegOf(640, 480)
  plateCrop = await jpegOf(120, 30)
})

function refusal(kind: ReaderKind, wire: Wire, options: Partial<ImportOptions> = {}): Fault {
  try {
    importEvents(kind, wire, { ...strict, ...options })
  } catch (error) {
    if (error instanceof Fault) {
      expect(error.message).not.toContain("SP7X042")
      return error
    }
    throw error
  }
  throw new Error("it was taken in")
}

const refused = (code: string, why: string) =>
  expect.objectContaining({ code, message: expect.stringContaining(why) as string }) as Fault

const group = (changes: object = {}) => ({
  data_type: "alpr_group",
  epoch_start: now_ms,
  best_plate_number: "SP7X042",
  best_uuid: "u",
  ...changes,
})

const verkada = (changes: object = {}) => ({
  webhook_type: "lpr",
  data: {
    camera_id: "c",
    detected: now_ms,
    license_plate_number: "SP7X042",
    ...changes,
  },
})

const withPicture = (bytes: Uint8Array) =>
  formOf(
    { name: "json", type: "application/json", bytes: JSON.stringify(verkada()) },
    { name: "image", filename: "a.jpg", type: "image/jpeg", bytes },
  )

const alert = (inside: string, before = "") =>
  `<?xml version="1.0" encoding="UTF-8"?>${before}<EventNotificationAlert><dateTime>2026-03-04T06:06:07+01:00</dateTime><eventType>ANPR</eventType>${inside}</EventNotificationAlert>`

describe("pictures", () => {
  const announced = `<ANPR><licensePlate>SP7X042</licensePlate><pictureInfoList>
    <pictureInfo><fileName>licensePlatePicture.jpg</fileName><type>licensePlatePicture</type></pictureInfo>
    <pictureInfo><fileName>detectionPicture.jpg</fileName><type>detectionPicture</type></pictureInfo></pictureInfoList></ANPR>`
  const hikvision = (...pictures: readonly (readonly [string, Uint8Array])[]) =>
    formOf(
      { name: "anpr.xml", type: "text/xml", bytes: alert(announced) },
      ...pictures.map(([name, bytes]) => ({ name, filename: `${name}.jpg`, type: "image/jpeg", bytes })),
    )

  test("one that the event names and does not bring is flagged, and the read is kept", () => {
    const read = onlyRead("hikvision", hikvision(["detectionPicture", scene]))
    expect(read.doubts).toContain("picture-missing")
    expect(read.pictures).toHaveLength(1)
    expect(onlyRead("hikvision", xmlOf(alert(announced))).pictures).toEqual([])
  })
  test("exchanged ones are put right and flagged: a scene never passes for a plate's crop", () => {
    const right = imported(
      "hikvision",
      hikvision(["licensePlatePicture", plateCrop], ["detectionPicture", scene]),
    )
    const wrong = imported(
      "hikvision",
      hikvision(["licensePlatePicture", scene], ["detectionPicture", plateCrop]),
    )
    const roles = ({ shots }: typeof right) =>
      Object.fromEntries(shots.map(shot => [shot.event.role, shot.picture.length]))
    expect(roles(wrong)).toEqual(roles(right))
    expect(right.reads[0]?.doubts).toEqual([])
    expect(wrong.reads[0]?.doubts).toEqual(["pictures-exchanged"])
  })
  test.each([
    ["of no bytes", () => new Uint8Array(0), "has no bytes"],
    ["cut in its middle", () => scene.subarray(0, scene.length >> 1), "ends early"],
    ["cut by its last two bytes", () => scene.subarray(0, scene.length - 2), "ends early"],
    ["cut before its first scan", () => scene.subarray(0, 40), "ends early"],
    [
      "with its bytes swapped two by two",
      () =>
        new Uint8Array(
          Buffer.from(scene)
            .subarray(0, scene.length & ~1)
            .swap16(),
        ),
      "is neither JPEG nor PNG",
    ],
    ["that is a page of HTML", () => Buffer.from("<html>not found</html>"), "is neither JPEG nor PNG"],
    ["of zeros", () => new Uint8Array(4096), "is neither JPEG nor PNG"],
    [
      "whose segments are broken",
      () => scene.map((byte, i) => (i === 2 ? 0xff : i >= 4 && i < 6 ? 1 : byte)),
      "is broken",
    ],
  ])("one %s is refused, and left out where the lane wants that", (_, bytes, why) => {
    expect(refusal("verkada", withPicture(bytes()))).toEqual(refused("READER_PICTURE", why))
    const read = onlyRead("verkada", withPicture(bytes()), { badPicture: "leave-out" })
    expect(read.plate?.text).toBe("SP7X042")
    expect(read.doubts).toContain("picture-left-out")
  })
  test("padding after the end is no truncation", () => {
    expect(
      onlyRead("verkada", withPicture(Buffer.concat([scene, new Uint8Array(64)]))).pictures,
    ).toHaveLength(1)
  })
  test.each([["...base64 jpeg data..."], ["SP7X042!"], ["A"], ["data:image/jpeg;base64,"]])(
    "base64 garbage is refused: %s",
    text => {
      expect(refusal("openalpr", jsonOf(group({ vehicle_crop_jpeg: text })))).toEqual(
        refused("READER_PICTURE", "is not base64"),
      )
    },
  )
  test("base64 of what is no picture is refused", () => {
    expect(refusal("openalpr", jsonOf(group({ vehicle_crop_jpeg: "c2FsbHlwb3J0" })))).toEqual(
      refused("READER_PICTURE", "neither JPEG nor PNG"),
    )
  })
  test("base64 in lines, without padding or with a data: prefix is a picture", () => {
    const text = base64Of(scene)
    for (const each of [
      text.replace(/(.{76})/g, "$1\r\n"),
      text.replace(/=+$/, ""),
      `data:image/jpeg;base64,${text}`,
    ])
      expect(onlyRead("openalpr", jsonOf(group({ vehicle_crop_jpeg: each }))).pictures).toHaveLength(1)
  })
  test("a body that is only a picture holds no event", () => {
    expect(refusal("frigate", { contentType: "image/jpeg", body: scene })).toEqual(
      refused("READER_EVENT", "no event"),
    )
  })
})

describe("XML", () => {
  const bomb = `<!DOCTYPE a [${["b", "c", "d", "e"].map((name, i) => `<!ENTITY ${name} "${(i === 0 ? "SP7X042" : `&${"bcde"[i - 1]};`).repeat(10)}">`).join("")}]>`
  test.each([
    ["an entity bomb", alert("<ANPR><licensePlate>&e;</licensePlate></ANPR>", bomb), "document type"],
    [
      "an external entity",
      alert(
        "<ANPR><licensePlate>&x;</licensePlate></ANPR>",
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
      ),
      "document type",
    ],
    [
      "an external document type",
      alert("", '<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd">'),
      "document type",
    ],
    ["a document type in small letters", alert("", "<!doctype a>"), "document type"],
    [
      "an entity that was never declared",
      alert("<ANPR><licensePlate>&x;</licensePlate></ANPR>"),
      "not well-formed",
    ],
    ["tags that do not match", alert("<ANPR></NPR>"), "not well-formed"],
    ["a cut document", alert("<ANPR/>").slice(0, -10), "not well-formed"],
    ["a million characters", alert(" ".repeat(1 << 20)), "a million characters"],
    ["another encoding", alert("").replace("UTF-8", "GB2312"), "another encoding"],
    ["10,001 elements", alert("<a/>".repeat(10_001)), "10,000 elements"],
    ["10,000 levels", alert("<a>".repeat(10_000) + "</a>".repeat(10_000)), "deeper than 32"],
  ])("%s is refused", (_, xml, why) => {
    expect(refusal("hikvision", xmlOf(xml))).toEqual(refused("READER_EVENT", why))
  })
  test("XML's own five entities and characters by number are text", () => {
    const read = onlyRead(
      "hikvision",
      xmlOf(alert("<channelName>&lt;&#65;&amp;&#x42;&gt;</channelName><ANPR/>")),
    )
    expect(read.camera).toBe("<A&B>")
  })
})

describe("multipart", () => {
  const text = (i: number) => ({ name: `p${i}`, type: "text/plain", bytes: "x" })
  test("10,000 parts are refused at the seventeenth", () => {
    const wire = formOf(...Array.from({ length: 10_000 }, (_, i) => text(i)))
    expect(refusal("verkada", wire)).toEqual(refused("READER_EVENT", "over 16 parts"))
  })
  test("a part's header of 9 KiB is refused", () => {
    expect(refusal("verkada", formOf({ ...text(1), name: "n".repeat(9_000) }))).toEqual(
      refused("READER_EVENT", "multipart"),
    )
  })
  test("a part over 32 MiB is refused", () => {
    const bytes = new Uint8Array(32 * 1024 * 1024 + 1)
    expect(refusal("verkada", formOf({ name: "image", type: "image/jpeg", bytes }))).toEqual(
      refused("READER_EVENT", "over 32 MiB"),
    )
  })
  test("a body over 64 MiB is refused", () => {
    const body = new Uint8Array(64 * 1024 * 1024 + 1)
    expect(refusal("verkada", { contentType: "application/json", body })).toEqual(
      refused("READER_EVENT", "64 MiB"),
    )
  })
  test("a body that ends early is refused, whatever was whole before", () => {
    const { contentType, body } = withPicture(scene)
    expect(refusal("verkada", { contentType, body: body.subarray(0, body.length - 8) })).toEqual(
      refused("READER_EVENT", "ends early"),
    )
  })
  test("a body without a boundary, or with another one, is refused", () => {
    const { body } = withPicture(scene)
    for (const contentType of ["multipart/form-data", "multipart/form-data; boundary=other"])
      expect(refusal("verkada", { contentType, body }).code).toBe("READER_EVENT")
  })
  test("a form of 65 fields is refused", () => {
    const body = Buffer.from(Array.from({ length: 65 }, (_, i) => `f${i}=x`).join("&"))
    expect(refusal("verkada", { contentType: "application/x-www-form-urlencoded", body })).toEqual(
      refused("READER_EVENT", "over 64 fields"),
    )
  })
  test("plain form fields stay with the read", () => {
    const wire = formOf(
      { name: "json", type: "application/json", bytes: JSON.stringify(verkada()) },
      { name: "gate", type: "text/plain", bytes: "7" },
    )
    expect(onlyRead("verkada", wire).other.fields["/form/gate"]).toBe("7")
  })
  test("several events with pictures in one part are refused: nobody could tell whose they are", () => {
    const wire = streamOf(
      { type: "application/json", bytes: JSON.stringify([verkada(), verkada()]) },
      { type: "image/jpeg", bytes: scene },
    )
    expect(refusal("verkada", wire)).toEqual(refused("READER_EVENT", "none of them names"))
  })
})

describe("times", () => {
  const axis = (datetime: string) => jsonOf({ plateUTF8: "SP7X042", datetime, packetCounter: "1" })
  test("without a zone they are refused, and taken with the lane's", () => {
    expect(refusal("axis", axis("20260304 060607089"))).toEqual(refused("READER_TIME", "has no zone"))
    expect(onlyRead("axis", axis("20260304 060607089"), { zone: "Europe/Zagreb" }).clock).toBe("zone")
  })
  test.each([
    ["in 1970", 1_000, "stands at 1970"],
    ["before 1970", -5, "stands at 1970"],
    ["of zero", 0, "stands at 1970"],
    ["in the far future", now_ms + 2 * 86_400_000, "ahead"],
    ["two years ago", now_ms - 731 * 86_400_000, "behind"],
    ["beyond any calendar", 1e17, "ahead"],
    ["that are a list", [1], "is not a number"],
    ["that are words", "yesterday", "is not a number"],
  ])(
    "%s are refused, or that of arrival where the lane wants that, and what was told is kept",
    (_, epoch_start, why) => {
      expect(refusal("openalpr", jsonOf(group({ epoch_start })))).toEqual(refused("READER_TIME", why))
      const read = onlyRead("openalpr", jsonOf(group({ epoch_start })), { badClock: "arrival" })
      expect(read).toMatchObject({
        clock: "arrival",
        captured_at: new Date(strict.received_ms).toISOString(),
      })
      const told = read.other.fields["/epoch_start"] ?? read.other.fields["/epoch_start/0"]
      expect([epoch_start].flat()).toContain(told)
    },
  )
  test("a missing time is refused", () => {
    expect(refusal("openalpr", jsonOf(group({ epoch_start: null })))).toEqual(
      refused("READER_TIME", "time is"),
    )
  })
  test("100 events in one millisecond are all kept, in their order", () => {
    const all = Array.from({ length: 100 }, (_, i) =>
      verkada({ license_plate_number: `SP7X${i}`, camera_id: `c${i}` }),
    )
    const { reads, shots } = imported("verkada", jsonOf(all))
    expect(reads.map(read => read.plate?.text)).toEqual(all.map((_, i) => `SP7X${i}`))
    expect(shots.map(shot => shot.event_id)).toEqual(all.map((_, i) => `c${i}/${now_ms}`))
    expect(new Set(reads.map(read => read.captured_at)).size).toBe(1)
  })
})

describe("boxes", () => {
  const corners = (changes: object) =>
    jsonOf({
      data: {
        camera_id: "c",
        timestamp: "2026-03-04T06:06:07+01:00",
        results: [{ plate: "sp7x042", box: { xmin: 10, ymin: 20, xmax: 110, ymax: 45, ...changes } }],
      },
    })
  const whole = { x_px: 10, y_px: 20, width_px: 100, height_px: 25 }
  test("numeric strings are numbers", () => {
    expect(onlyRead("platerecognizer", corners({ xmin: "10", ymax: " 45.0 " })).plate?.box).toEqual(whole)
  })
  test.each([["left"], ["10px"], ["0x10"], [""], [null], [true], [[10]], [{ a: 1 }]])(
    "garbage is refused: %j",
    xmin => {
      expect(refusal("platerecognizer", corners({ xmin }))).toEqual(
        refused("READER_EVENT", "/box/xmin is not a number"),
      )
    },
  )
  test("over the picture's edge they are cut and flagged; outside or inside out they are left out and flagged", () => {
    const mapping = {
      time: { at: "/t", form: "ms" as const },
      plate: "/p",
      box: { at: ["/b/0", "/b/1", "/b/2", "/b/3"], form: "corners" as const, whole: 1 },
      pictures: [{ role: "scene" as const, part: "image" }],
    }
    const sent = (b: readonly number[]) =>
      onlyRead(
        "generic",
        formOf(
          { name: "json", type: "application/json", bytes: JSON.stringify({ t: now_ms, p: "SP7X042", b }) },
          { name: "image", type: "image/jpeg", bytes: scene },
        ),
        { mapping },
      )
    expect(sent([-0.1, 0.5, 0.5, 1.5])).toMatchObject({
      plate: { box: { x_px: 0, y_px: 240, width_px: 320, height_px: 240 } },
      doubts: ["box-clipped"],
    })
    for (const crop of [
      [1.1, 0.1, 1.2, 0.2],
      [0.5, 0.5, 0.4, 0.4],
      [-2, -2, -1, -1],
      [1e300, 0, 1e301, 1],
    ])
      expect(sent(crop)).toMatchObject({ plate: { box: null }, doubts: ["box-left-out"] })
  })
})

describe("plates", () => {
  const sent = (plate: unknown) => jsonOf(verkada({ license_plate_number: plate }))
  test.each([
    ["Cyrillic", "А 123 ВС 77", "А123ВС77", ["plate-script"]],
    ["Arabic", "١٢٣ أ ب", "١٢٣أب", ["plate-script"]],
    ["Chinese with Latin", "鄂A·06654", "鄂A06654", ["plate-script", "plate-mixed"]],
    ["Latin with one Cyrillic letter", "SР7X042", "SР7X042", ["plate-script", "plate-mixed"]],
    ["German", "mü-x 42", "MÜX42", []],
    ["Latin in small letters", "sp-7x.042", "SP7X042", []],
  ])("%s is kept as told and never transliterated", (_, text, normalized, doubts) => {
    const read = onlyRead("verkada", sent(text))
    expect(read.plate).toMatchObject({ text, normalized })
    expect(read.doubts.filter(doubt => doubt.startsWith("plate"))).toEqual(doubts)
  })
  test.each([[""], [null], ["---"], [" "]])("%j is an unread vehicle", text => {
    expect(onlyRead("verkada", sent(text)).plate).toBeNull()
  })
  test.each([
    ["of 33 characters", "S".repeat(33), "over 32 characters"],
    ["of a million characters", "S".repeat(1_000_000), "over 32 characters"],
    ["that is a list", ["SP7X042"], "is not a text"],
    ["that is true", true, "is not a text"],
  ])("one %s is refused", (_, plate, why) => {
    expect(refusal("verkada", sent(plate))).toEqual(refused("READER_EVENT", why))
  })
})

describe("JSON", () => {
  const raw = (text: string): Wire => ({ contentType: "application/json", body: Buffer.from(text) })
  test.each([
    ["nested 100,000 deep", `${"[".repeat(100_000)}${"]".repeat(100_000)}`, "deeper than 32"],
    ["of 50,001 values", JSON.stringify(Array(50_001).fill(0)), "50,000 values"],
    ["of three million brackets", `[${"{},".repeat(1 << 20)}{}]`, "50,000 values"],
    [
      "of 65 vehicles in one frame",
      JSON.stringify({ data_type: "alpr_results", epoch_time: now_ms, results: Array(65).fill({}) }),
      "over 64",
    ],
    ["cut", '{"data_type":"alpr_group","best_plate_number":"SP7X042"', "is not JSON"],
    ["empty", "", "no event"],
    ["a word", "Heartbeat", "no event"],
    ["of another reader", JSON.stringify(verkada()), "data_type"],
  ])("%s is refused", (_, text, why) => {
    expect(refusal("openalpr", raw(text))).toEqual(refused("READER_EVENT", why))
  })
  test("bytes that are no UTF-8 are refused", () => {
    expect(
      refusal("openalpr", { contentType: "application/json", body: Buffer.from([0x7b, 0xff, 0x7d]) }),
    ).toEqual(refused("READER_EVENT", "UTF-8"))
  })
  test("names of a prototype are names like any other", () => {
    const text = JSON.stringify(verkada()).replace(
      '"webhook_type"',
      '"__proto__":{"plate":"x","toString":1},"constructor":{"prototype":2},"webhook_type"',
    )
    const { fields } = onlyRead("verkada", raw(text)).other
    expect(fields).toMatchObject({
      "/__proto__/plate": "x",
      "/__proto__/toString": 1,
      "/constructor/prototype": 2,
    })
    expect(({} as Record<string, unknown>).plate).toBeUndefined()
    expect(refusal("hikvision", xmlOf("<__proto__><eventType>ANPR</eventType></__proto__>")).code).toBe(
      "READER_EVENT",
    )
    expect(refusal("dahua", raw("__proto__.Code=TrafficJunction\nconstructor.x=1")).code).toBe("READER_EVENT")
  })
  test("a million characters in an unknown field, or 5,000 of them, are counted and left out", () => {
    const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`f${i}`, i]))
    const { fields, left_out } = onlyRead(
      "verkada",
      jsonOf({ ...verkada(), long: "x".repeat(1_000_000), many }),
    ).other
    expect(fields).not.toHaveProperty("/long")
    expect(fields["/many/f0"]).toBe(0)
    expect(Object.keys(fields).length + left_out).toBe(5_001)
  })
  test("numbers beyond a double, lone surrogates and control characters do not stop an event", () => {
    const text = JSON.stringify({ ...verkada(), a: "\u0000\ud800", b: "@" }).replace('"@"', "1e999")
    const { other } = onlyRead("verkada", raw(text))
    expect(other.fields).not.toHaveProperty("/b")
    expect(other.left_out).toBe(1)
  })
  test("names of secrets are left out", () => {
    const { other } = onlyRead("verkada", jsonOf({ ...verkada(), Password: "p", deep: { api_key: "k" } }))
    expect(JSON.stringify(other)).not.toMatch(/"p"|"k"/)
    expect(other.left_out).toBe(2)
  })
})

describe("whatever comes", () => {
  const leaf = fc.oneof(
    fc.constantFrom<unknown>(
      now_ms,
      now_ms / 1000,
      -1,
      0,
      0.5,
      101,
      70_000,
      1e300,
      null,
      true,
      "",
      "12",
      [],
      {},
    ),
    fc.constantFrom<unknown>(
      "2026-03-04T06:06:07+01:00",
      "SP7X042",
      ["SP7X042", 2],
      [{ x: 1, y: 2 }],
      [[[[1]]]],
      "c2FsbHk=",
    ),
    fc.string({ maxLength: 200, unit: "binary" }),
    fc.array(fc.double(), { maxLength: 5 }),
  )
  const plain = {
    camera_id: "c",
    plate: "SP7X042",
    score: 0.9,
    box: { xmin: 1, ymin: 2, xmax: 30, ymax: 40 },
  }
  const bases: Readonly<Record<ReaderKind, object>> = {
    openalpr: group({
      best_confidence: 90,
      best_region: "sp",
      candidates: [{ plate: "SP7X042", confidence: 1 }],
      best_plate: {
        coordinates: [
          { x: 1, y: 2 },
          { x: 30, y: 20 },
        ],
        vehicle_region: { x: 0, y: 0, width: 9, height: 9 },
      },
      best_image_width: 640,
      best_image_height: 480,
      vehicle: { color: [{ name: "red" }] },
    }),
    platerecognizer: {
      data: { camera_id: "c", filename: "f", timestamp: "2026-03-04T06:06:07+01:00", results: [plain] },
    },
    hikvision: {
      EventNotificationAlert: {
        eventType: "ANPR",
        dateTime: "2026-03-04T06:06:07+01:00",
        ANPR: {
          licensePlate: "SP7X042",
          confidenceLevel: "9",
          vehicleInfo: { speed: "3" },
          pictureInfoList: {
            pictureInfo: { fileName: "a", type: "b", plateRect: { X: "1", Y: "2", width: "3", height: "4" } },
          },
        },
        detectionBackgroundImageResolution: { width: "640", height: "480" },
      },
    },
    axis: {
      plateUTF8: "SP7X042",
      capture_timestamp: String(now_ms),
      plateConfidence: "0.5",
      plateCoordinates: [1, 2, 3, 4],
      carID: "1",
    },
    dahua: {
      Code: "TrafficJunction",
      Data: {
        RealUTC: now_ms / 1000,
        UTCMS: 3,
        Speed: 3,
        Object: { Text: "SP7X042", Confidence: 3, BoundingBox: [1, 2, 3, 4] },
        TrafficCar: { PlateNumber: "", MachineName: "m" },
      },
    },
    verkada: verkada({ confidence: 0.5, license_plate_state: "sp" }),
    frigate: {
      type: "end",
      after: {
        id: "i",
        label: "car",
        frame_time: now_ms / 1000,
        box: [1, 2, 3, 4],
        recognized_license_plate: "SP7X042",
        recognized_license_plate_score: 0.5,
        current_estimated_speed: 3,
        current_attributes: [{ label: "license_plate", box: [1, 2, 3, 4] }],
      },
    },
    genetec: {
      Plate: "SP7X042",
      DateUtc: "04/03/2026",
      TimeUtc: "05:06:07",
      ConfidenceScore: "3",
      Attributes: { "Vehicle Make": "a" },
    },
    generic: { timestamp: now_ms, ...plain },
  }
  const options: ImportOptions = {
    ...strict,
    badClock: "arrival",
    badPicture: "leave-out",
    boxUnit: "pixels",
    mapping: {
      time: { at: "/timestamp", form: "ms" },
      plate: "/plate",
      confidence: { at: "/score", whole: 1 },
      box: { at: ["/box/xmin", "/box/ymin", "/box/xmax", "/box/ymax"], form: "corners", whole: null },
    },
  }
  test.each(readerKinds.map(kind => [kind]))(
    "%s: an event with any three values changed is refused with a reason, or what is sealed of it is whole",
    kind => {
      const places = placesIn(bases[kind])
      let taken = 0
      fc.assert(
        fc.property(fc.array(fc.tuple(fc.constantFrom(...places), leaf), { maxLength: 3 }), changes => {
          const value = changes.reduce<unknown>(
            (whole, [path, each]) => changed(whole, path, each),
            bases[kind],
          )
          try {
            for (const { picture, event } of shotsOf(importEvents(kind, jsonOf(value), options)))
              packContents({ picture, event })
            taken += 1
          } catch (error) {
            if (!(error instanceof Fault)) throw error
          }
        }),
        { numRuns: 500 },
      )
      expect(taken).toBeGreaterThan(50)
    },
  )
})

function placesIn(value: unknown): string[][] {
  if (typeof value !== "object" || value === null) return [[]]
  return [
    [],
    ...Object.entries(value).flatMap(([name, each]) => placesIn(each).map(path => [name, ...path])),
  ].slice(1)
}

function changed(whole: unknown, [name, ...path]: readonly string[], value: unknown): unknown {
  if (name === undefined) return value
  if (typeof whole !== "object" || whole === null) return whole
  const within = (whole as Record<string, unknown>)[name]
  const next = changed(within, path, value)
  if (Array.isArray(whole)) return whole.map((each: unknown, i) => (i === Number(name) ? next : each))
  return { ...whole, [name]: next }
}
