import { beforeAll, describe, expect, test } from "vitest"
import {
  base64Of,
  formOf,
  imported,
  jpegOf,
  jsonOf,
  now_ms,
  onlyRead,
  streamOf,
  xmlOf,
} from "../../test/readers.ts"

/** Each reader's events, made up by us in the form that its reader gives them: what goes in, and the one read that comes out. */

let scene: Uint8Array
let crop: Uint8Array
let plateCrop: Uint8Array
beforeAll(async () => {
  scene = await jpegOf(1280, 720)
  crop = await jpegOf(300, 200)
  plateCrop = await jpegOf(120, 30)
})

const at = "2026-03-04T05:06:07.089Z"

describe("OpenALPR", () => {
  const group = () => ({
    data_type: "alpr_group",
    version: 2,
    epoch_start: now_ms,
    camera_id: 12,
    best_uuid: "agent-12-1772600767089",
    best_plate_number: "SP7X042",
    best_confidence: 91.5,
    best_region: "us-sp",
    best_image_width: 1280,
    best_image_height: 720,
    best_plate: {
      plate: "SP7X042",
      plate_crop_jpeg: base64Of(plateCrop),
      coordinates: [
        { x: 610, y: 402 },
        { x: 730, y: 404 },
        { x: 728, y: 434 },
        { x: 608, y: 432 },
      ],
      vehicle_region: { x: 500, y: 300, width: 300, height: 200 },
    },
    candidates: [
      { plate: "SP7X042", confidence: 91.5, matches_template: 0 },
      { plate: "SP7XO42", confidence: 80, matches_template: 0 },
    ],
    vehicle: {
      make: [{ name: "ford", confidence: 40 }],
      make_model: [{ name: "ford_focus", confidence: 20 }],
      color: [{ name: "black", confidence: 60 }],
      body_type: [{ name: "sedan", confidence: 60 }],
    },
    vehicle_crop_jpeg: base64Of(crop),
    travel_direction: 85.5,
    is_parked: false,
  })

  test("a group is one read with its crops, and a vehicle's crop shows the plate moved by its corner", () => {
    const { reads, shots } = imported("openalpr", jsonOf(group()))
    expect(reads).toMatchObject([
      {
        source: "openalpr",
        captured_at: at,
        clock: "stated",
        event_id: "agent-12-1772600767089",
        camera: "12",
        plate: {
          text: "SP7X042",
          normalized: "SP7X042",
          region: "us-sp",
          confidence: 0.915,
          box: { x_px: 608, y_px: 402, width_px: 122, height_px: 32 },
          candidates: [
            { text: "SP7X042", confidence: 0.915 },
            { text: "SP7XO42", confidence: 0.8 },
          ],
        },
        vehicle: { make: "ford", model: "ford_focus", colour: "black", type: "sedan" },
        direction: "85.5",
        doubts: [],
      },
    ])
    expect(reads[0]?.other.fields["/is_parked"]).toBe(false)
    expect(shots.map(({ kind, event }) => [kind, event.role, event.plates[0]?.box])).toEqual([
      ["scene", "vehicle", { x_px: 108, y_px: 102, width_px: 122, height_px: 32 }],
      ["plate", "plate", { x_px: 0, y_px: 0, width_px: 120, height_px: 30 }],
    ])
  })
  test("no picture stays among the other fields", () => {
    const kept = JSON.stringify(onlyRead("openalpr", jsonOf(group())).other)
    expect(kept).not.toContain(base64Of(plateCrop).slice(0, 40))
  })
  test("an alert's group is the same read", () => {
    const alert = { data_type: "alpr_alert", alert_list: "made up", group: group() }
    const read = onlyRead("openalpr", jsonOf(alert))
    expect(read.plate?.text).toBe("SP7X042")
    expect(read.other.fields["/alert_list"]).toBe("made up")
  })
  test("results are one read for each vehicle, each with its own fields and the shared ones", () => {
    const result = (plate: string) => ({
      plate,
      confidence: 90,
      plate_index: 0,
      mine: plate,
      coordinates: [],
    })
    const { reads } = imported(
      "openalpr",
      jsonOf({
        data_type: "alpr_results",
        epoch_time: now_ms,
        uuid: "u",
        camera_id: 1,
        img_width: 1280,
        img_height: 720,
        error: false,
        results: [result("SP7X042"), result("SP7X043")],
      }),
    )
    expect(reads.map(read => [read.event_id, read.plate?.text])).toEqual([
      ["u/0", "SP7X042"],
      ["u/1", "SP7X043"],
    ])
    expect(reads[1]?.other.fields).toMatchObject({ "/results/1/mine": "SP7X043", "/error": false })
    expect(reads[1]?.other.fields).not.toHaveProperty("/results/0/mine")
  })
  test("a heartbeat is health, with streams that are lost, and never with the agent's license", () => {
    const { reads, health } = imported(
      "openalpr",
      jsonOf({
        data_type: "heartbeat",
        timestamp: now_ms,
        license_key: "not-a-real-key",
        license_valid: false,
        video_streams: [
          { camera_name: "lane 3", is_streaming: false },
          { camera_name: "ok", is_streaming: true },
        ],
      }),
    )
    expect(reads).toEqual([])
    expect(health).toEqual([
      { source: "openalpr", kind: "heartbeat", at, told: "heartbeat" },
      { source: "openalpr", kind: "stream_lost", at, told: "lane3" },
      { source: "openalpr", kind: "trouble", at, told: "license_invalid" },
    ])
  })
})

describe("Plate Recognizer", () => {
  const flat = {
    hook: { event: "recognition", id: "gate-1" },
    data: {
      camera_id: "gate-1",
      filename: "/gate-1/06-06-07.089.jpg",
      timestamp: "2026-03-04T06:06:07.089000+01:00",
      results: [
        {
          plate: "sp7x042",
          score: 0.98,
          box: { xmin: 600, ymin: 400, xmax: 720, ymax: 430 },
          region: { code: "sp", score: 0.7 },
          candidates: [
            { plate: "sp7x042", score: 0.98 },
            { plate: "sp7xo42", score: 0.6 },
          ],
          color: [{ color: "black", score: 0.9 }],
          model_make: [{ make: "Peugeot", model: "207", score: 0.9 }],
          vehicle: { type: "Sedan", score: 0.8, box: { xmin: 500, ymin: 300, xmax: 800, ymax: 500 } },
          direction: 180,
          dscore: 0.7,
        },
      ],
    },
  }
  const nested = {
    data: {
      ...flat.data,
      results: [
        {
          plate: {
            type: "Plate",
            score: 0.9,
            box: { xmin: 600, ymin: 400, xmax: 720, ymax: 430 },
            props: { plate: [{ value: "sp7x042", score: 0.98 }], region: [{ value: "sp", score: 0.5 }] },
          },
          vehicle: {
            type: "Sedan",
            box: { xmin: 500, ymin: 300, xmax: 800, ymax: 500 },
            props: {
              make_model: [{ make: "Peugeot", model: "207", score: 0.9 }],
              color: [{ value: "black", score: 0.9 }],
            },
          },
          direction: 180,
        },
        { plate: null, vehicle: { type: "Van", box: { xmin: 0, ymin: 0, xmax: 90, ymax: 90 }, props: {} } },
      ],
    },
  }
  const sent = (value: unknown) =>
    formOf(
      { name: "json", type: "application/json", bytes: JSON.stringify(value) },
      { name: "upload", filename: "frame.jpg", type: "image/jpeg", bytes: scene },
    )

  test("both flavours are the same read", () => {
    const one = onlyRead("platerecognizer", sent(flat))
    const { reads } = imported("platerecognizer", sent(nested))
    const same = {
      plate: one.plate?.text,
      box: one.plate?.box,
      vehicle: one.vehicle,
      region: one.plate?.region,
    }
    expect(one).toMatchObject({
      captured_at: at,
      clock: "stated",
      event_id: "gate-1//gate-1/06-06-07.089.jpg/0",
      plate: { text: "sp7x042", normalized: "SP7X042", confidence: 0.98 },
      vehicle: { make: "Peugeot", model: "207", colour: "black", type: "Sedan" },
      direction: "180",
    })
    expect({
      plate: reads[0]?.plate?.text,
      box: reads[0]?.plate?.box,
      vehicle: reads[0]?.vehicle,
      region: reads[0]?.plate?.region,
    }).toEqual(same)
  })
  test("a vehicle without a plate is a read too, and one frame is sealed once with all its vehicles", () => {
    const { reads, shots } = imported("platerecognizer", sent(nested))
    expect(reads.map(read => read.plate === null)).toEqual([false, true])
    expect(shots).toHaveLength(1)
    expect(shots[0]?.event.reads).toHaveLength(2)
    expect(shots[0]?.picture).toEqual(new Uint8Array(scene))
  })
  test("a frame in which nothing was found is an unread passage", () => {
    expect(onlyRead("platerecognizer", sent({ data: { ...flat.data, results: [] } })).plate).toBeNull()
  })
  test("a form without a picture comes urlencoded", () => {
    const body = Buffer.from(new URLSearchParams({ json: JSON.stringify(flat) }).toString())
    const read = onlyRead("platerecognizer", { contentType: "application/x-www-form-urlencoded", body })
    expect(read.plate?.text).toBe("sp7x042")
  })
})

const hikvision = (changes: Readonly<Record<string, string>> = {}) => {
  const fields = {
    licensePlate: "SP7X042",
    dateTime: "2026-03-04T06:06:07.089+01:00",
    rect: "<plateRect><X>500</X><Y>500</Y><width>100</width><height>50</height></plateRect>",
    eventType: "ANPR",
    eventState: "active",
    ...changes,
  }
  return `<?xml version="1.0" encoding="UTF-8"?>
<EventNotificationAlert version="2.0" xmlns="http://www.hikvision.com/ver20/XMLSchema">
  <dateTime>${fields.dateTime}</dateTime><eventType>${fields.eventType}</eventType><eventState>${fields.eventState}</eventState>
  <channelName>Lane 1 &amp; 2</channelName>
  <ANPR>
    <licensePlate>${fields.licensePlate}</licensePlate><line>2</line><direction>forward</direction>
    <confidenceLevel>97</confidenceLevel><vehicleType>vehicle</vehicleType>
    <vehicleInfo><color>white</color></vehicleInfo><plateCharBelieve>99,98</plateCharBelieve>
    <pictureInfoList>
      <pictureInfo><fileName>licensePlatePicture.jpg</fileName><type>licensePlatePicture</type></pictureInfo>
      <pictureInfo><fileName>detectionPicture.jpg</fileName><type>detectionPicture</type>${fields.rect}</pictureInfo>
    </pictureInfoList>
  </ANPR>
  <UUID>made-up-uuid</UUID><countryAbbreviation>NON</countryAbbreviation>
</EventNotificationAlert>`
}

describe("Hikvision", () => {
  const part = (bytes: string) => ({ name: "anpr.xml", filename: "anpr.xml", type: "text/xml", bytes })
  const picture = (name: string, bytes: Uint8Array) => ({
    name,
    filename: `${name}.jpg`,
    type: "image/jpeg",
    bytes,
  })
  const sent = (xml = hikvision()) =>
    formOf(part(xml), picture("licensePlatePicture", plateCrop), picture("detectionPicture", scene))

  test("XML and pictures are one read, its box in thousandths where the lane says so", () => {
    const { reads, shots } = imported("hikvision", sent(), { boxUnit: "thousandths" })
    expect(reads).toMatchObject([
      {
        captured_at: at,
        event_id: "made-up-uuid",
        camera: "Lane 1 & 2",
        lane: "2",
        plate: {
          text: "SP7X042",
          confidence: 0.97,
          box: { x_px: 640, y_px: 360, width_px: 128, height_px: 36 },
        },
        vehicle: { colour: "white", type: "vehicle" },
        direction: "forward",
        doubts: [],
        other: { fields: { "/EventNotificationAlert/ANPR/plateCharBelieve": "99,98" } },
      },
    ])
    expect(shots.map(shot => shot.event.role)).toEqual(["plate", "scene"])
  })
  test("a driver's picture, or one without a file name, is no scene and no plate, and is sealed with the others", () => {
    const wire = formOf(
      part(hikvision()),
      { name: "licensePlatePicture.jpg", type: "image/jpeg", bytes: plateCrop },
      { name: "detectionPicture.jpg", type: "image/jpeg", bytes: scene },
      { name: "featurePicture.jpg", type: "image/jpeg", bytes: crop },
    )
    const { shots } = imported("hikvision", wire, { boxUnit: "thousandths" })
    expect(shots.map(({ event }) => [event.role, event.plates.length])).toEqual([
      ["plate", 1],
      ["scene", 1],
      ["vehicle", 0],
    ])
  })
  test("a box whose unit nobody has looked at is left out, unless it can only be pixels", () => {
    expect(onlyRead("hikvision", sent())).toMatchObject({ plate: { box: null }, doubts: ["box-left-out"] })
    const wide = hikvision({
      rect: "<plateRect><X>1100</X><Y>500</Y><width>100</width><height>50</height></plateRect>",
    })
    expect(onlyRead("hikvision", sent(wide)).plate?.box).toEqual({
      x_px: 1100,
      y_px: 500,
      width_px: 100,
      height_px: 50,
    })
  })
  test("`unknown` is an unread vehicle; the same in capitals could be a plate", () => {
    expect(onlyRead("hikvision", sent(hikvision({ licensePlate: "unknown" }))).plate).toBeNull()
    expect(onlyRead("hikvision", sent(hikvision({ licensePlate: "NOPLATE" }))).plate?.text).toBe("NOPLATE")
  })
  test.each([
    ["shelteralarm", "active", "tamper"],
    ["diskfull", "active", "storage"],
    ["videoloss", "active", "stream_lost"],
    ["videoloss", "inactive", "heartbeat"],
  ])("%s, %s, is health: %s", (eventType, eventState, kind) => {
    const { reads, health } = imported("hikvision", xmlOf(hikvision({ eventType, eventState })))
    expect(reads).toEqual([])
    expect(health).toEqual([{ source: "hikvision", kind, at, told: eventType }])
  })
  test("another event is passed over and said", () => {
    expect(imported("hikvision", xmlOf(hikvision({ eventType: "VMD" }))).passedOver).toHaveLength(1)
  })
})

describe("Axis", () => {
  const event = {
    packetCounter: "7",
    capture_timestamp: String(now_ms),
    datetime: "20260304 060607089",
    plateText: "SP7X042",
    plateUTF8: "SP7X042",
    plateASCII: "SP7X042",
    plateCountry: "SPX",
    plateConfidence: "0.75",
    carID: "31",
    carState: "new",
    carMoveDirection: "in",
    plateCoordinates: ["610", "402", "120", "30"],
    imagesURI: ["/local/a_lp_1.jpg"],
    camera_info: { SerialNumber: "MADEUP01" },
  }
  test("texts are numbers, and pictures that stayed on the camera are missing", () => {
    expect(onlyRead("axis", jsonOf(event))).toMatchObject({
      captured_at: at,
      event_id: "MADEUP01/7",
      crossing_id: "MADEUP01/31",
      plate: {
        text: "SP7X042",
        region: "SPX",
        confidence: 0.75,
        box: { x_px: 610, y_px: 402, width_px: 120, height_px: 30 },
      },
      direction: "in",
      doubts: ["picture-missing"],
      other: { fields: { "/carState": "new", "/datetime": "20260304 060607089" } },
    })
  })
  test("without an epoch its clock face needs the lane's zone", () => {
    const { capture_timestamp: _, ...faced } = event
    expect(onlyRead("axis", jsonOf(faced), { zone: "Europe/Zagreb" })).toMatchObject({
      captured_at: at,
      clock: "zone",
    })
  })
  test("a form brings the pictures, by their names", () => {
    const wire = formOf(
      { name: "event", type: "application/json", bytes: JSON.stringify(event) },
      { name: "a", filename: "1_lp_SP7X042_2.jpg", type: "image/jpeg", bytes: plateCrop },
      { name: "b", filename: "1_roi_SP7X042_2.jpg", type: "image/jpeg", bytes: scene },
    )
    const read = onlyRead("axis", wire)
    expect(read.pictures.map(each => each.role)).toEqual(["plate", "scene"])
    expect(read.doubts).toEqual([])
  })
})

describe("Dahua", () => {
  const data = {
    EventID: 5,
    GroupID: 77,
    IndexInGroup: 1,
    Lane: 2,
    RealUTC: Math.floor(now_ms / 1000),
    UTC: Math.floor(now_ms / 1000) + 3_600,
    UTCMS: 89,
    Speed: 31,
    Object: { Text: "SP7X042", Confidence: 204, BoundingBox: [4096, 4096, 4864, 4480] },
    Vehicle: { Category: "Bus", BoundingBox: [2048, 2048, 6144, 6144] },
    TrafficCar: {
      MachineName: "MADEUP02",
      PlateNumber: "SP7X042",
      VehicleColor: "Blue",
      DrivingDirection: ["Leave", "a"],
    },
  }
  const rpc2 = (...all: object[]) =>
    jsonOf({
      method: "client.notifyEventStream",
      session: "not-a-real-session",
      params: { SID: 1, eventList: all.map(Data => ({ Action: "Pulse", Code: "TrafficJunction", Data })) },
    })

  test("RPC2: only RealUTC is a time; UTC is the camera's clock face", () => {
    expect(onlyRead("dahua", rpc2(data))).toMatchObject({
      captured_at: at,
      clock: "stated",
      event_id: "MADEUP02/77/5/1",
      crossing_id: "MADEUP02/77",
      lane: "2",
      plate: { text: "SP7X042", confidence: 0.8, box: null },
      vehicle: { colour: "Blue", type: "Bus" },
      direction: "Leave",
      speed: { value: 31, unit: "km/h" },
      doubts: ["box-left-out"],
    })
    const { RealUTC: _, ...faced } = data
    expect(onlyRead("dahua", rpc2(faced), { zone: "+01:00" })).toMatchObject({
      captured_at: at,
      clock: "zone",
    })
    expect(() => imported("dahua", rpc2(faced))).toThrow(expect.objectContaining({ code: "READER_TIME" }))
  })
  test("an empty text is an unread vehicle, and an empty box none", () => {
    const unread = {
      ...data,
      Object: { Text: "", BoundingBox: [0, 0, 0, 0] },
      TrafficCar: { MachineName: "M" },
    }
    expect(onlyRead("dahua", rpc2(unread))).toMatchObject({ plate: null, camera: "M" })
  })
  test("the snapshot stream: lines, then the pictures, boxes in 8,192ths of them", () => {
    const lines = [
      "Events[0].EventBaseInfo.Code=TrafficJunction",
      "Events[0].EventBaseInfo.Action=Pulse",
      `Events[0].UTC=${data.UTC}`,
      "Events[0].UTCMS=89",
      "Events[0].GroupID=77",
      "Events[0].EventID=5",
      "Events[0].TrafficCar.PlateNumber=SP7X042",
      "Events[0].TrafficCar.MachineName=MADEUP02",
      ...[4096, 4096, 4864, 4480].map((side, i) => `Events[0].Object.BoundingBox[${i}]=${side}`),
    ]
    const wire = streamOf(
      { type: "text/plain", bytes: lines.join("\r\n") },
      { type: "image/jpeg", bytes: scene },
    )
    const { reads, shots } = imported("dahua", wire, { zone: "Europe/Zagreb" })
    expect(reads).toMatchObject([
      {
        captured_at: at,
        clock: "zone",
        plate: { text: "SP7X042", box: { x_px: 640, y_px: 360, width_px: 120, height_px: 34 } },
      },
    ])
    expect(shots[0]?.event.plates).toHaveLength(1)
  })
  test("the event stream: one line with JSON at its end", () => {
    const line = `Code=TrafficJunction;action=Pulse;index=0;data=${JSON.stringify(data)}`
    expect(onlyRead("dahua", streamOf({ type: "text/plain", bytes: line })).plate?.text).toBe("SP7X042")
  })
  test("of several events in one stream each has the pictures that follow it", () => {
    const line = (Text: string, EventID: number) =>
      `Code=TrafficJunction;action=Pulse;index=0;data=${JSON.stringify({ ...data, EventID, Object: { Text }, TrafficCar: { MachineName: "M" } })}`
    const wire = streamOf(
      { type: "text/plain", bytes: line("SP7X042", 1) },
      { type: "image/jpeg", bytes: scene },
      { type: "text/plain", bytes: line("SP7X043", 2) },
      { type: "image/jpeg", bytes: crop },
    )
    const { shots } = imported("dahua", wire)
    expect(shots.map(shot => [shot.event.reads[0]?.plate?.text, shot.picture.length])).toEqual([
      ["SP7X042", scene.length],
      ["SP7X043", crop.length],
    ])
  })
  test("of several events in one document nobody can say whose the pictures are", () => {
    const wire = streamOf(
      { type: "application/json", bytes: rpc2(data, { ...data, EventID: 6 }).body },
      { type: "image/jpeg", bytes: scene },
    )
    expect(() => imported("dahua", wire)).toThrow(expect.objectContaining({ code: "READER_EVENT" }))
    expect(imported("dahua", rpc2(data, { ...data, EventID: 6 })).reads).toHaveLength(2)
  })
  test("a covered lens and an opened case are health", () => {
    for (const [Code, kind] of [
      ["VideoBlind", "tamper"],
      ["ChassisIntruded", "enclosure_opened"],
    ]) {
      const { health } = imported("dahua", jsonOf({ Code, Action: "Start", Data: { RealUTC: data.RealUTC } }))
      expect(health).toMatchObject([{ kind, told: Code }])
    }
  })
  test("a session's token is not kept", () => {
    expect(JSON.stringify(onlyRead("dahua", rpc2(data)))).not.toContain("not-a-real-session")
  })
})

describe("Verkada", () => {
  const event = {
    webhook_type: "lpr",
    webhook_id: "w",
    data: {
      camera_id: "c",
      created: Math.floor(now_ms / 1000),
      detected: now_ms,
      license_plate_number: "SP7X042",
      license_plate_state: "us-sp",
      confidence: 0.96,
      crop: [0.25, 0.5, 0.5, 0.75],
      image_url: "https://example.invalid/a.jpg",
    },
  }
  test("the picture is a link, which is kept and not followed; a crop of nobody knows what is no plate's box", () => {
    expect(onlyRead("verkada", jsonOf(event))).toMatchObject({
      captured_at: at,
      event_id: `c/${now_ms}`,
      plate: { text: "SP7X042", region: "us-sp", confidence: 0.96, box: null },
      doubts: ["picture-missing"],
      other: { fields: { "/data/image_url": "https://example.invalid/a.jpg", "/data/crop/0": 0.25 } },
    })
  })
  test("with the picture beside it the box is still not known", () => {
    const wire = formOf(
      { name: "json", type: "application/json", bytes: JSON.stringify(event) },
      { name: "image", filename: "a.jpg", type: "image/jpeg", bytes: scene },
    )
    expect(onlyRead("verkada", wire)).toMatchObject({
      plate: { box: null },
      pictures: [{ role: "scene" }],
      doubts: [],
    })
  })
  test("a tampered camera is health", () => {
    const notice = {
      webhook_type: "notification",
      data: { notification_type: "tamper", created: Math.floor(now_ms / 1000) },
    }
    expect(imported("verkada", jsonOf(notice)).health).toMatchObject([{ kind: "tamper", told: "tamper" }])
  })
})

describe("Frigate", () => {
  const after = {
    id: "1772600767.089-made",
    camera: "gate",
    frame_time: now_ms / 1000,
    label: "car",
    box: [500, 300, 800, 500],
    current_estimated_speed: 14.3,
    velocity_angle: 180,
    current_attributes: [{ label: "license_plate", box: [600, 400, 720, 430], score: 0.9 }],
  }
  const event = (plate: unknown, changes = {}) =>
    jsonOf({
      type: "update",
      before: { id: after.id, label: "car", score: 0.5 },
      after: { ...after, recognized_license_plate: plate, recognized_license_plate_score: 0.93, ...changes },
    })

  test.each([
    ["a text", "SP7X042", 0.93],
    ["a pair", ["SP7X042", 0.5], 0.5],
    ["an object", { plate: "SP7X042", score: 0.5 }, 0.5],
    ["an object with text", { text: "SP7X042" }, 0.93],
  ])("a plate as %s is the same read", (_, plate, confidence) => {
    expect(onlyRead("frigate", event(plate))).toMatchObject({
      captured_at: at,
      event_id: `${after.id}/update/${now_ms / 1000}`,
      crossing_id: after.id,
      camera: "gate",
      plate: { text: "SP7X042", confidence, box: { x_px: 600, y_px: 400, width_px: 120, height_px: 30 } },
      vehicle: { type: "car", box: { x_px: 500, y_px: 300, width_px: 300, height_px: 200 } },
      speed: { value: 14.3, unit: "unknown" },
      other: { fields: { "/before/score": 0.5 } },
    })
  })
  test("a vehicle without a plate is a read; a person without one is passed over, with one it counts", () => {
    expect(onlyRead("frigate", event(null)).plate).toBeNull()
    expect(imported("frigate", event(null, { label: "person" }))).toMatchObject({
      reads: [],
      passedOver: [expect.any(String)],
    })
    expect(onlyRead("frigate", event("SP7X042", { label: "person" })).plate?.text).toBe("SP7X042")
  })
  test("an update of a plate belongs to the crossing of its object", () => {
    const update = {
      type: "lpr",
      id: after.id,
      name: "made up",
      plate: "SP7X042",
      score: 0.95,
      camera: "gate",
      timestamp: now_ms / 1000,
      plate_box: [600, 400, 720, 430],
    }
    expect(onlyRead("frigate", jsonOf(update))).toMatchObject({
      crossing_id: after.id,
      plate: {
        text: "SP7X042",
        confidence: 0.95,
        box: { x_px: 600, y_px: 400, width_px: 120, height_px: 30 },
      },
      other: { fields: { "/name": "made up" } },
    })
    expect(imported("frigate", jsonOf({ type: "face", id: "a" })).passedOver).toHaveLength(1)
  })
})

describe("Genetec", () => {
  const event = (changes = {}) => ({
    CameraName: "Lane 4",
    DateUtc: "04/03/2026",
    TimeUtc: "05:06:07",
    Plate: "SP7X042",
    State: "SP",
    ConfidenceScore: "88",
    ContextImage: base64Of(scene),
    Attributes: {
      "Vehicle Make": "Ford",
      "Vehicle Color": "Blue",
      "Relative Motion": "Closer",
      "Confidence Score": "70",
    },
    ...changes,
  })
  test("day before month, in UTC; attributes have spaces in their names", () => {
    expect(onlyRead("genetec", jsonOf(event()))).toMatchObject({
      captured_at: "2026-03-04T05:06:07.000Z",
      clock: "stated",
      camera: "Lane 4",
      plate: { text: "SP7X042", region: "SP", confidence: 0.88 },
      vehicle: { make: "Ford", colour: "Blue" },
      direction: "Closer",
      pictures: [{ role: "scene", width_px: 1280, height_px: 720 }],
      other: { fields: { "/Attributes/Confidence Score": "70" } },
    })
  })
})

describe("any other reader, by a mapping", () => {
  const mapping = {
    events: "/passages",
    time: { at: "/when", form: "text" as const },
    event_id: "/id",
    plate: "/lp/text",
    confidence: { at: "/lp/sure", whole: 100 },
    box: { at: ["/lp/x", "/lp/y", "/lp/w", "/lp/h"], form: "sides" as const, whole: null },
    speed: { at: "/v", unit: "mph" as const },
    pictures: [
      { role: "scene" as const, at: "/img" },
      { role: "plate" as const, part: "crop" },
    ],
    health: { at: "/state", kinds: { Door: "enclosure_opened" as const } },
  }
  const passage = () => ({
    id: 9,
    when: "2026-03-04 06:06:07.089+0100",
    lp: { text: "SP 7X-042", sure: 50, x: 600, y: 400, w: 120, h: 30, font: "x" },
    v: "20",
    img: base64Of(scene),
  })
  const sent = (value: object) =>
    formOf(
      { name: "event", type: "application/json", bytes: JSON.stringify(value) },
      { name: "crop", filename: "c.jpg", type: "image/jpeg", bytes: plateCrop },
    )
  test("its fields are found by place, pictures as base64 or as parts", () => {
    expect(onlyRead("generic", sent({ passages: [passage()] }), { mapping })).toMatchObject({
      captured_at: at,
      event_id: "9",
      plate: {
        text: "SP 7X-042",
        normalized: "SP7X042",
        confidence: 0.5,
        box: { x_px: 600, y_px: 400, width_px: 120, height_px: 30 },
      },
      speed: { value: 20, unit: "mph" },
      pictures: [{ role: "scene" }, { role: "plate" }],
      other: { fields: { "/passages/0/lp/font": "x" } },
    })
  })
  test("a word of its own about the reader is health", () => {
    const { health, reads } = imported(
      "generic",
      jsonOf({ passages: [{ state: "door", when: passage().when }] }),
      { mapping },
    )
    expect(reads).toEqual([])
    expect(health).toEqual([{ source: "generic", kind: "enclosure_opened", at, told: "door" }])
  })
  test("XML is mapped like JSON", () => {
    const read = onlyRead("generic", xmlOf(`<a><t>${now_ms}</t><p>SP7X042</p></a>`), {
      mapping: { time: { at: "/a/t", form: "ms" }, plate: "/a/p" },
    })
    expect(read.plate?.text).toBe("SP7X042")
  })
  test("a lane without a mapping is told so", () => {
    expect(() => imported("generic", jsonOf({}))).toThrow(expect.objectContaining({ code: "CONFIG" }))
  })
})
