import { inflateSync } from "node:zlib"
import { createHash, hkdfSync, randomBytes } from "node:crypto"
import * as vectors from "cctv-age"
import { Decrypter, Encrypter } from "age-encryption"
import { beforeAll, describe, expect, test } from "vitest"
import { equal, utf8 } from "../bytes.ts"
import { chacha20 } from "../chacha20.ts"
import { Fault } from "../fault.ts"
import { openBody, sealBody } from "./body.ts"
import { formatCapture, parseCapture, type CaptureHeader } from "./capture.ts"
import { canonical } from "../canonical.ts"
import type { Read } from "./read.ts"
import { packContents, unpackContents, type ReaderEvent } from "./contents.ts"
import { joinAgeFile, parseHeader, splitAgeFile, unwrapHeader, wrapFileKey } from "./header.ts"
import { modeOf, newIdentity, type Mode } from "./recipient.ts"

const random = (size: number) => new Uint8Array(randomBytes(size))
const modes: Mode[] = ["hybrid", "x25519"]

describe("a body opens to what was sealed, and to nothing else", () => {
  const fileKey = random(16)
  for (const size of [0, 1, 65_535, 65_536, 65_537, 3 * 65_536, 200_001]) {
    test(`${size} bytes`, () => {
      const plaintext = random(size)
      const body = sealBody(fileKey, plaintext, { aead: chacha20, nonce: random(16) })
      expect(equal(openBody(fileKey, body, chacha20)!, plaintext)).toBe(true)
      for (const at of new Set([
        0,
        15,
        16,
        20,
        body.length - 17,
        body.length - 1,
        Math.min(body.length - 1, 65_552),
      ])) {
        const bent = body.slice()
        bent[at]! ^= 1
        expect(openBody(fileKey, bent, chacha20)).toBeNull()
      }
      expect(openBody(fileKey, body.subarray(0, -1), chacha20)).toBeNull()
      expect(openBody(fileKey, Buffer.concat([body, Buffer.of(0)]), chacha20)).toBeNull()
      expect(openBody(random(16), body, chacha20)).toBeNull()
    })
  }
  test("a body cut at a chunk, or with an empty last chunk, is none", () => {
    const body = sealBody(fileKey, random(3 * 65_536), { aead: chacha20, nonce: random(16) })
    expect(openBody(fileKey, body.subarray(0, 16 + 2 * 65_552), chacha20)).toBeNull()
    expect(openBody(fileKey, new Uint8Array(3), chacha20)).toBeNull()
  })
})

describe.each(modes)("headers in mode %s", mode => {
  let keys: Awaited<ReturnType<typeof newIdentity>>
  let header: Uint8Array
  const fileKey = random(16)
  beforeAll(async () => {
    keys = await newIdentity(mode)
    header = await wrapFileKey(fileKey, keys.recipient)
  })

  test("what is wrapped unwraps with the identity and with no other", async () => {
    expect(modeOf(keys.recipient)).toBe(mode)
    expect(parseHeader(header)).toEqual({ mode })
    expect(equal((await unwrapHeader(header, keys.identity))!, fileKey)).toBe(true)
    expect(await unwrapHeader(header, (await newIdentity(mode)).identity)).toBeNull()
  })

  test("a header written anew opens the same body", async () => {
    const [epoch, plaintext] = [await newIdentity(mode), random(1000)]
    const body = sealBody(fileKey, plaintext, { aead: chacha20, nonce: random(16) })
    const anew = await wrapFileKey((await unwrapHeader(header, keys.identity))!, epoch.recipient)
    const key = await unwrapHeader(anew, epoch.identity)
    expect(equal(openBody(key!, body, chacha20)!, plaintext)).toBe(true)
  })

  test("no bent byte of a header opens", async () => {
    const step = mode === "hybrid" ? 97 : 5
    for (let at = 0; at < header.length; at += step) {
      const bent = header.map((byte, i) => (i === at ? byte ^ 1 : byte))
      expect(await unwrapHeader(bent, keys.identity)).toBeNull()
    }
  })

  test("the age library opens what we seal", async () => {
    const plaintext = random(70_000)
    const file = joinAgeFile(header, sealBody(fileKey, plaintext, { aead: chacha20, nonce: random(16) }))
    const decrypter = new Decrypter()
    decrypter.addIdentity(keys.identity)
    expect(equal(await decrypter.decrypt(file), plaintext)).toBe(true)
  })

  test("we open what the age library seals", async () => {
    const plaintext = random(70_000)
    const encrypter = new Encrypter()
    encrypter.addRecipient(keys.recipient)
    const parts = splitAgeFile(await encrypter.encrypt(plaintext))!
    expect(parseHeader(parts.header)).toEqual({ mode })
    const key = await unwrapHeader(parts.header, keys.identity)
    expect(equal(openBody(key!, parts.body, chacha20)!, plaintext)).toBe(true)
  })
})

interface Vector {
  readonly expect: string
  readonly payload: string | undefined
  readonly fileKey: string | undefined
  readonly identity: string | undefined
  readonly file: Uint8Array
}

function parseVector(bytes: Uint8Array): Vector {
  const end = Buffer.from(bytes).indexOf("\n\n")
  const fields = new Map(
    Buffer.from(bytes.subarray(0, end))
      .toString("utf8")
      .split("\n")
      .map(line => line.split(": ") as [string, string]),
  )
  return {
    expect: fields.get("expect") ?? "",
    payload: fields.get("payload"),
    fileKey: fields.get("file key"),
    identity: fields.get("identity"),
    file: fields.has("compressed") ? inflateSync(bytes.subarray(end + 2)) : bytes.subarray(end + 2),
  }
}

/** The CCTV age vectors (C2SP/CCTV, package cctv-age): files with exactly one stanza of our two kinds must open or fail as they say. */
describe("CCTV age vectors", () => {
  const all = Object.entries(vectors).map(([name, bytes]) => ({ name, vector: parseVector(bytes) }))
  const ours = all.filter(({ name }) => /^(x25519|hybrid|stream|stanza|header|hmac|version)/.test(name))
  test("they are all here", () => expect(all.length).toBeGreaterThanOrEqual(100))

  for (const { name, vector } of ours) {
    test(`${name}: ${vector.expect}`, async () => {
      const parts = splitAgeFile(vector.file)
      const form = parts === null ? null : parseHeader(parts.header)
      // Policy: a capture has one stanza, to us; two, an unknown or a greased one are refused at the door.
      const isOneStanza =
        parts !== null && Buffer.from(parts.header).toString("latin1").split("\n-> ").length === 2
      const key =
        form === null || vector.identity === undefined
          ? null
          : await unwrapHeader(parts!.header, vector.identity)
      const plaintext = key === null ? null : openBody(key, parts!.body, chacha20)
      if (vector.expect === "success" && isOneStanza) {
        expect(createHash("sha256").update(plaintext!).digest("hex")).toBe(vector.payload)
      } else {
        expect(plaintext).toBeNull()
      }
    })
  }

  for (const { name, vector } of all.filter(({ name }) => /^(scrypt|armor|empty)/.test(name))) {
    test(`${name}: refused at the door (passphrases, armor and no stanza are not for captures)`, () => {
      const parts = splitAgeFile(vector.file)
      expect(parts === null ? null : parseHeader(parts.header)).toSatisfy(
        (form: unknown) => form === null || name.startsWith("armor"),
      )
    })
  }
})

describe("contents: picture and event", () => {
  const event: ReaderEvent = {
    v: 1,
    source: "index",
    file: "a.jpg",
    plates: [{ text: "SP7X042", box: { x_px: 1, y_px: 2, width_px: 30, height_px: 10 } }],
    faces: [],
  }
  const packed = packContents({ picture: utf8("picture"), event })
  test("they come back, the picture first", () => {
    expect(unpackContents(packed)).toEqual({ picture: utf8("picture"), event })
    expect(Buffer.from(packed).toString("latin1").startsWith("picture")).toBe(true)
  })
  test("another length, magic, field or form is refused", () => {
    expect(unpackContents(packed.subarray(0, -1))).toBeNull()
    expect(unpackContents(packed.subarray(1))).toEqual({ picture: utf8("icture"), event })
    for (const at of [packed.length - 1, packed.length - 9, packed.length - 13]) {
      expect(unpackContents(packed.map((byte, i) => (i === at ? byte ^ 1 : byte)))).toBeNull()
    }
    expect(unpackContents(new Uint8Array(5))).toBeNull()
  })
})

describe("contents: what a reader told", () => {
  const read: Read = {
    source: "openalpr",
    captured_at: "2026-03-04T05:06:07.089Z",
    clock: "stated",
    event_id: "agent-1-1772600767089",
    crossing_id: null,
    camera: "12",
    lane: null,
    plate: {
      text: "SP-7X042",
      normalized: "SP7X042",
      region: "us-sp",
      confidence: 0.93,
      box: { x_px: 1, y_px: 2, width_px: 30, height_px: 10 },
      candidates: [{ text: "SP7XO42", confidence: 0.5 }],
    },
    vehicle: { make: "ford", model: null, colour: null, type: "sedan", box: null },
    direction: "85.5",
    speed: { value: 20, unit: "km/h" },
    pictures: [{ role: "scene", index: 0, width_px: 640, height_px: 480, origin: null }],
    doubts: [],
    other: { fields: { "/is_parked": false }, left_out: 0 },
  }
  const event: ReaderEvent = {
    v: 2,
    source: "reader",
    file: null,
    role: "scene",
    plates: [],
    faces: [],
    reads: [read],
  }
  const bent = (change: object) => unpackRaw({ ...event, reads: [{ ...read, ...change }] })
  const unpackRaw = (value: object) => {
    const json = utf8(canonical(value))
    const size = Buffer.alloc(4)
    size.writeUInt32BE(json.length)
    return unpackContents(Buffer.concat([json, size, utf8("SALLYEV1")]))
  }

  test("comes back as it was sealed", () => {
    const packed = packContents({ picture: utf8("picture"), event })
    expect(unpackContents(packed)).toEqual({ picture: utf8("picture"), event })
    expect(bent({})?.event).toEqual(event)
  })
  test.each([
    ["a kind of reader that is not known", { source: "acme" }],
    ["a time in another zone", { captured_at: "2026-03-04T05:06:07.089+01:00" }],
    ["a day that is not", { captured_at: "2026-02-30T05:06:07.089Z" }],
    ["a confidence over 1", { plate: { ...read.plate, confidence: 93 } }],
    ["an empty plate", { plate: { ...read.plate, text: "" } }],
    ["half a pixel", { plate: { ...read.plate, box: { x_px: 0.5, y_px: 2, width_px: 30, height_px: 10 } } }],
    ["a doubt that is not known", { doubts: ["rainy"] }],
    ["a field more", { faces: [] }],
    ["a nested unknown field", { other: { fields: { "/a": {} }, left_out: 0 } }],
    ["a text beyond its limit", { camera: "c".repeat(129) }],
  ])("%s is refused", (_, change) => expect(bent(change)).toBeNull())
  test("no read, or over 16, is refused", () => {
    expect(unpackRaw({ ...event, reads: [] })).toBeNull()
    expect(unpackRaw({ ...event, reads: Array(17).fill(read) })).toBeNull()
    expect(unpackRaw({ ...event, reads: Array(16).fill(read) })).not.toBeNull()
  })
})

describe("a capture file", () => {
  const ulid = "01JDXXXXXXXXXXXXXXXXXXXXXX"
  let file: Uint8Array
  let header: CaptureHeader
  let ageFile: Uint8Array
  const sha = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex")
  beforeAll(async () => {
    const fileKey = random(16)
    const ageHeader = await wrapFileKey(fileKey, (await newIdentity("x25519")).recipient)
    const body = sealBody(fileKey, utf8("contents"), { aead: chacha20, nonce: random(16) })
    ageFile = joinAgeFile(ageHeader, body)
    header = {
      v: 1,
      capture: `cap_${ulid}`,
      vault: "sallyport.example/test",
      port: `prt_${ulid}`,
      lane: `lan_${ulid}`,
      reader: `rdr_${ulid}`,
      sequence: 1,
      captured_at: "2026-11-24T10:00:00.000Z",
      kind: "plate",
      crossing: `crs_${ulid}`,
      sealed_to: "day/2026-11-24",
      age_header_sha256: sha(ageHeader),
      body_sha256: sha(body),
      size_bytes: body.length,
    }
    file = formatCapture({ header, signature: new Uint8Array(64), ageFile })
  })
  const codeOf = (bytes: Uint8Array) => {
    try {
      parseCapture(bytes)
      return "parsed"
    } catch (error) {
      return error instanceof Fault ? error.code : String(error)
    }
  }
  const bent = (changed: Record<string, unknown>) =>
    formatCapture({
      header: { ...header, ...changed } as CaptureHeader,
      signature: new Uint8Array(64),
      ageFile,
    })

  test("it reads back", () => expect(parseCapture(file)).toMatchObject({ header, mode: "x25519" }))
  test("cut or changed sealed bytes are SEAL_FORMAT", () => {
    expect(codeOf(file.subarray(0, -1))).toBe("SEAL_FORMAT")
    expect(codeOf(file.map((byte, i) => (i === file.length - 1 ? byte ^ 1 : byte)))).toBe("SEAL_FORMAT")
    expect(codeOf(new Uint8Array())).toBe("SEAL_FORMAT")
    expect(codeOf(utf8("age-encryption.org/v1\n"))).toBe("SEAL_FORMAT")
    expect(codeOf(random(5000))).toBe("SEAL_FORMAT")
  })
  test("over 34 MiB is TOO_LARGE", () =>
    expect(codeOf(new Uint8Array(34 * 1024 * 1024 + 1))).toBe("TOO_LARGE"))
  const wrong: [string, Record<string, unknown>][] = [
    ["a path for an id", { capture: "../../etc/passwd" }],
    ["another kind", { kind: "license" }],
    ["sequence 0", { sequence: 0 }],
    ["a fraction", { sequence: 1.5 }],
    ["a local time", { captured_at: "2026-11-24T10:00:00+01:00" }],
    ["another day", { sealed_to: "day/2026-11-25" }],
    ["an unknown field", { plate: "SP7X042" }],
    ["a text of 1 MB", { vault: "x".repeat(1_000_000) }],
    ["an upper-case digest", { body_sha256: "A".repeat(64) }],
  ]
  for (const [why, changed] of wrong)
    test(`${why} is refused`, () =>
      expect(["CAPTURE_HEADER", "SEAL_FORMAT"]).toContain(codeOf(bent(changed))))
  test("each field is needed", () => {
    for (const name of Object.keys(header)) {
      const { [name as keyof CaptureHeader]: _, ...rest } = header
      const bytes = formatCapture({ header: rest as CaptureHeader, signature: new Uint8Array(64), ageFile })
      expect(codeOf(bytes)).toBe("CAPTURE_HEADER")
    }
  })
})

test("the payload key is HKDF-SHA256 as node:crypto computes it", () => {
  const [fileKey, nonce] = [random(16), random(16)]
  const body = sealBody(fileKey, utf8("x"), { aead: chacha20, nonce })
  const key = new Uint8Array(hkdfSync("sha256", fileKey, nonce, "payload", 32))
  const chunkNonce = new Uint8Array(12)
  chunkNonce[11] = 1
  expect(Buffer.from(chacha20.open(key, chunkNonce, body.subarray(16))!).toString()).toBe("x")
})
