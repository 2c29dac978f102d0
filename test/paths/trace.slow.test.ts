import { spawnSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import sharp from "sharp"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { closeTrace, type TraceReport } from "../../src/custody/close-trace.ts"
import { release } from "../../src/custody/release.ts"
import { openTrace, takeFile, traceOf } from "../../src/custody/trace.ts"
import { drawCapture } from "../../src/drawing/capture.ts"
import { fsck } from "../../src/log/fsck.ts"
import { names } from "../../src/log/state.ts"
import { markCommitment } from "../../src/mark/keys.ts"
import { sha256Hex } from "../../src/vault/vault.ts"
import { verifyEd25519 } from "../../src/ed25519.ts"
import { attacks, pixelsOf } from "../attacks.ts"
import { takeInDrawn } from "../drawn.ts"
import { callerOf, codeOf, grantOf, openTestPort, releaseCaller, type Role, type TestPort } from "../port.ts"

/** Found files, from the release to the verdict: real captures, real children, the whole house. */

const hasPython = spawnSync("python3", ["--version"]).status === 0
const judge = fileURLToPath(new URL("../../examples/verify_trace.py", import.meta.url))

let port: TestPort
/** Captures of drawn vehicles; the last one is released to nobody. */
let captures: readonly string[]
let originals: readonly Uint8Array[]
/** Copies by who received them, in the order of captures. */
const copies = { engineer: [] as Uint8Array[], colleague: [] as Uint8Array[] }

beforeAll(async () => {
  port = await openTestPort()
  const drawn = await takeInDrawn(port, { seed: "traced", hour: 11, count: 5 })
  captures = drawn.captures
  originals = drawn.pictures
  for (const role of ["engineer", "colleague"] as const) {
    const holder = port.people[role].person
    const grant = await grantOf(port, { terms: { holder, images: 10 }, requester: "engineer" })
    for (const capture of captures.slice(0, role === "engineer" ? 4 : 2)) {
      const caller = await releaseCaller(port, { grant, capture, role })
      copies[role].push((await release(port.house, caller)).bytes)
    }
  }
}, 300_000)
afterAll(() => port.close())

async function leak(copy: Uint8Array, attack: string): Promise<Uint8Array> {
  return attacks[attack]!(await pixelsOf(sharp(copy)), attack)
}

async function traced(files: readonly Uint8Array[], role: Role = "privacy"): Promise<TraceReport> {
  const statement = { files: files.map(sha256Hex) }
  const caller = await callerOf(port.house, port.people[role], { path: "/v1/traces", statement })
  const { trace } = await openTrace(port.house, caller)
  for (const file of files) await takeFile(port.house, trace, file)
  return closeTrace(port.house, trace)
}

const whose = (report: TraceReport) => report.files.map(({ people }) => people.map(({ person }) => person))

describe("a found file", () => {
  test("leads back to the one whose copy it is, of two who have the same picture; by its bytes, or by its mark", async () => {
    const found = [
      copies.engineer[0]!,
      await leak(copies.colleague[0]!, "JPEG 50"),
      await leak(copies.engineer[1]!, "combined"),
      await leak(copies.engineer[2]!, "mirror"),
      await leak(copies.engineer[3]!, "WebP 60"),
      await leak(copies.colleague[1]!, "photographed"),
    ]
    const report = await traced(found)
    const [engineer, colleague] = [port.people.engineer.person, port.people.colleague.person]
    expect(whose(report)).toEqual([[engineer], [colleague], [engineer], [engineer], [engineer], [colleague]])
    expect(report.files.map(({ capture }) => capture)).toEqual([0, 0, 1, 2, 3, 1].map(i => captures[i]))
    expect(report.files.map(({ people }) => people[0]!.by)).toEqual([
      "digest",
      "mark",
      "mark",
      "mark",
      "mark",
      "mark",
    ])
    expect(report.files[3]!.is_mirrored).toBe(true)
    expect(report.files.every(each => !each.is_negative)).toBe(true)
    for (const { people, said } of report.files) {
      expect(people[0]!.log10_bound).toBeLessThanOrEqual(-9)
      expect(said).toMatch(/made for/)
      expect(said).not.toMatch(/leaked/)
    }
  })

  test("whose light was made dark leads back to him by its negative, also mirrored and as a small JPEG", async () => {
    const negative = async (copy: Uint8Array) =>
      sharp(await sharp(copy).negate({ alpha: false }).png().toBuffer())
    const [first, second, third] = await Promise.all(copies.engineer.map(negative))
    const found = await Promise.all([
      first!.png().toBuffer(),
      second!.flop().jpeg({ quality: 60 }).toBuffer(),
      third!.resize(720).jpeg({ quality: 75 }).toBuffer(),
    ])
    const report = await traced(found)
    const { person } = port.people.engineer
    expect(whose(report)).toEqual([[person], [person], [person]])
    expect(report.files.map(({ capture }) => capture)).toEqual(captures.slice(0, 3))
    expect(report.files.map(each => [each.is_negative, each.is_mirrored])).toEqual([
      [true, false],
      [true, true],
      [true, false],
    ])
  })

  test("of a picture that nobody received, or that was never here, is nobody's", async () => {
    const stranger = (await drawCapture({ seed: "a stranger", lane: 2, hour: 15, index: 3 })).picture
    const report = await traced([await leak(originals[4]!, "JPEG 50"), stranger])
    expect(report.files.map(({ verdict }) => verdict)).toEqual(["nobody", "nobody"])
    expect(report.files[0]!.said).toMatch(/no copy was ever released/)
  })

  test("of the original itself, which carries no mark, accuses nobody of those who have copies", async () => {
    const report = await traced([originals[0]!])
    expect(whose(report)).toEqual([[]])
    expect(report.files[0]!.holders).toBe(2)
  })

  test("that two made of their copies together names at least one of them, and nobody else", async () => {
    const [a, b] = [await pixelsOf(sharp(copies.engineer[0]!)), await pixelsOf(sharp(copies.colleague[0]!))]
    const mean = { ...a, rgb: a.rgb.map((value, i) => (value + b.rgb[i]!) >> 1) }
    const report = await traced([await attacks["JPEG 50"]!(mean, "mean")])
    const named = whose(report)[0]!
    expect(named.length).toBeGreaterThan(0)
    expect([port.people.engineer.person, port.people.colleague.person]).toEqual(expect.arrayContaining(named))
  })

  test("the verdict stands in the log, rests on a codeword that was committed to before the copy left, and replays", async () => {
    const report = await traced([await leak(copies.engineer[0]!, "JPEG 30")])
    const [file] = report.files
    const [accused] = file!.people
    const held = await traceOf(port.house, report.trace)
    expect(held.verdicts![0]!.people[0]!.person).toBe(accused!.person)
    const row = (await port.house.ledger.capture(file!.capture!))!
    expect(accused!.proof!.mark_sha256).toBe(
      markCommitment(port.house.keys.root.markKeys(row.bodySha256, accused!.person)),
    )
    expect(accused!.receipt).toContain("c2sp.org/tlog-proof@v1")
    const found = await fsck(port.house.ledger, { origin: port.house.log.origin, verify: verifyEd25519 })
    expect(found.problems).toEqual([])
  })

  test.skipIf(!hasPython)(
    "a stranger judges the report again, and not one that was bent (skipped: no python3 here)",
    async () => {
      const report = await traced([
        await leak(copies.engineer[2]!, "AVIF 30"),
        await leak(copies.engineer[0]!, "mirror, JPEG 50"),
      ])
      expect(whose(report)).toEqual([[port.people.engineer.person], [port.people.engineer.person]])
      const folder = await mkdtemp(join(tmpdir(), "sallyport-judged-"))
      const judgedAgain = async (of: TraceReport) => {
        await writeFile(join(folder, "report.json"), JSON.stringify(of))
        return spawnSync("python3", [judge, join(folder, "report.json")], { encoding: "utf8" })
      }
      const again = await judgedAgain(report)
      expect([again.status, again.stdout.match(/^OK +.*by chance at most 10\^-/gm)?.length]).toEqual([0, 2])
      const bent = structuredClone(report) as {
        files: { people: { proof: { evidence: string } }[] }[]
      } & TraceReport
      const evidence = Buffer.from(bent.files[0]!.people[0]!.proof.evidence, "base64")
      bent.files[0]!.people[0]!.proof.evidence = evidence
        .fill(0, 0, Math.floor(0.98 * evidence.length))
        .toString("base64")
      expect(await judgedAgain(bent)).toMatchObject({
        status: 7,
        stdout: expect.stringContaining("WRONG") as string,
      })
      const other = structuredClone(report) as {
        files: { people: { proof: { codeword_key: string } }[] }[]
      } & TraceReport
      other.files[1]!.people[0]!.proof.codeword_key = Buffer.alloc(32, 7).toString("base64")
      expect((await judgedAgain(other)).stdout).toContain("WRONG")
      await rm(folder, { recursive: true })
    },
  )

  test("tried again costs: the bound counts every run on the same file", async () => {
    const file = copies.engineer[3]!
    const bounds = [await traced([file]), await traced([file])].map(each => each.tried)
    expect(bounds.map(({ runs }) => runs)).toEqual([1, 2])
    expect(bounds[1]!.log10).toBeGreaterThan(bounds[0]!.log10)
  })
})

describe("bad input", () => {
  const noise = () =>
    sharp({
      create: {
        width: 300,
        height: 200,
        channels: 3,
        background: "#456",
        noise: { type: "gaussian", mean: 128, sigma: 30 },
      },
    })

  test("broken, tiny, huge, animated, 16-bit, CMYK and transparent files get an answer each, and no name", async () => {
    const frames = await sharp({
      create: { width: 200, height: 400, channels: 3, background: "#135" },
      pageHeight: 200,
    } as never)
      .gif()
      .toBuffer()
      .catch(() => Buffer.from("GIF89a broken"))
    const wide = sharp({
      create: { width: 16_000, height: 8000, channels: 3, background: "#000" },
    }).greyscale()
    const files = {
      broken: randomBytes(2000),
      empty: new Uint8Array(),
      tiny: await sharp({ create: { width: 3, height: 300, channels: 3, background: "#fff" } })
        .png()
        .toBuffer(),
      huge: await wide.png({ compressionLevel: 1 }).toBuffer(),
      animated: frames,
      deep: await noise().toColourspace("rgb16").png().toBuffer(),
      cmyk: await noise().toColourspace("cmyk").jpeg().toBuffer(),
      transparent: await noise().ensureAlpha(0.5).png().toBuffer(),
      flat: await sharp({ create: { width: 400, height: 300, channels: 3, background: "#808080" } })
        .png()
        .toBuffer(),
    }
    const report = await traced(Object.values(files).map(each => new Uint8Array(each)))
    const verdicts = Object.fromEntries(Object.keys(files).map((name, i) => [name, report.files[i]!.verdict]))
    expect(verdicts).toMatchObject({
      ...{ broken: "unreadable", empty: "unreadable", tiny: "unreadable", huge: "unreadable" },
      ...{ deep: "nobody", cmyk: "nobody", transparent: "nobody", flat: "nobody" },
    })
    expect(whose(report).flat()).toEqual([])
  })

  test("deep and CMYK copies, and an animation's first page, are traced as others are", async () => {
    const copy = sharp(copies.engineer[0]!)
    const files = [
      await copy.clone().toColourspace("rgb16").png().toBuffer(),
      await copy.clone().toColourspace("cmyk").jpeg({ quality: 90 }).toBuffer(),
      await copy.clone().ensureAlpha().gif().toBuffer(),
    ]
    const report = await traced(files.map(each => new Uint8Array(each)))
    expect(whose(report)).toEqual(files.map(() => [port.people.engineer.person]))
  })

  test("files that the trace does not name are refused, one that is missing holds it up, and it closes once", async () => {
    const file = copies.engineer[0]!
    const statement = { files: [sha256Hex(file)] }
    const caller = await callerOf(port.house, port.people.privacy, { path: "/v1/traces", statement })
    const { trace } = await openTrace(port.house, caller)
    expect(await codeOf(takeFile(port.house, trace, copies.engineer[1]!))).toBe("INVALID")
    expect(await codeOf(closeTrace(port.house, trace))).toBe("CONFLICT")
    await takeFile(port.house, trace, file)
    expect(await codeOf(closeTrace(port.house, trace))).toBe("done")
    expect(await codeOf(closeTrace(port.house, trace))).toBe("NOT_FOUND")
    expect(await codeOf(takeFile(port.house, trace, file))).toBe("NOT_FOUND")
  })

  test("a vendor's person opens no trace; that he asked is in the log", async () => {
    const before = await port.house.ledger.counter(names.total("refused"))
    const statement = { files: ["0".repeat(64)] }
    const caller = await callerOf(port.house, port.people.engineer, { path: "/v1/traces", statement })
    expect(await codeOf(openTrace(port.house, caller))).toBe("OFFICE")
    expect(await port.house.ledger.counter(names.total("refused"))).toBe(before + 1)
  })
})

describe("the inner door", () => {
  test("opens no sketch without a trace, and none for one that is closed", async () => {
    const report = await traced([copies.engineer[0]!])
    const receipt = await port.house.log.receiptAt(report.opened_entry)
    expect(await codeOf(port.house.vault.openSketches(receipt))).toBe("RECEIPT_DECISION")
    const permit = report.files[0]!.people[0]!.permit
    expect(await codeOf(port.house.vault.openSketches(await port.house.log.receiptAt(permit)))).toBe(
      "RECEIPT_DECISION",
    )
  })
})
