import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import sharp from "sharp"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { keepPlan, readPlan, writePlan, type PlanFile } from "../../src/cli/canary-file.ts"
import { canaryPictures } from "../../src/cli/canary-pictures.ts"
import { plant } from "../../src/cli/canary-planter.ts"
import { acknowledgeNotice } from "../../src/custody/alerts.ts"
import { admit } from "../../src/custody/admit.ts"
import { isCanary, touches, withCanaries } from "../../src/custody/canaries.ts"
import { canaries } from "../../src/custody/canary-list.ts"
import { planCanaries, type CanaryPlan } from "../../src/custody/canary-plan.ts"
import { recordOf } from "../../src/custody/caller.ts"
import { abandon, isTaken } from "../../src/custody/destinations.ts"
import { closeTrace, type FileReport } from "../../src/custody/close-trace.ts"
import { planDraw } from "../../src/custody/draw.ts"
import { examine } from "../../src/custody/examine.ts"
import { permit } from "../../src/custody/opening.ts"
import { preview } from "../../src/custody/preview.ts"
import { release } from "../../src/custody/release.ts"
import { openTrace, takeFile } from "../../src/custody/trace.ts"
import { drawCapture } from "../../src/drawing/capture.ts"
import { verifyEd25519 } from "../../src/ed25519.ts"
import { openServer } from "../../src/http/server.ts"
import { newId } from "../../src/ids.ts"
import { recipientOn } from "../../src/lane/recipients.ts"
import { sealPicture, type Shot } from "../../src/lane/seal.ts"
import type { HeldMessage } from "../../src/ledger/ledger.ts"
import { fsck } from "../../src/log/fsck.ts"
import { parseEntry, type Entry } from "../../src/log/kinds.ts"
import { sha256Hex } from "../../src/vault/vault.ts"
import { attacks, pixelsOf } from "../attacks.ts"
import { addDestination, organizationOf } from "../destinations.ts"
import { enrollReader, startAgent } from "../lane-agent.ts"
import { callerOf, codeOf, grantOf, openTestPort, releaseCaller, type Role, type TestPort } from "../port.ts"
import { until } from "../receivers.ts"

/** Canaries from the plan to the touch: real stores, a real log, pictures of the drawn port's own generator. */

let port: TestPort
let folder: string
/** Ordinary captures, drawn as the port's are, and canaries among them. */
const captures: string[] = []
const planted: string[] = []
const pictures = new Map<string, Uint8Array>()
/** Of messages to the agency, and to the vendor, who cannot take those of canaries. */
let agency: string
let vendor: string

beforeAll(async () => {
  port = await openTestPort()
  folder = await mkdtemp(join(tmpdir(), "sallyport-canaries-"))
  const events = ["canary.touched", "refused.scope"] as const
  agency = await addDestination(port, { name: "soc", kind: "file", address: "soc.ndjson", events })
  const organization = await organizationOf(port, "prime")
  const prime = { name: "prime", kind: "file", address: "prime.ndjson", organization } as const
  expect(await codeOf(addDestination(port, { ...prime, events }))).not.toBe("done")
  vendor = await addDestination(port, { ...prime, events: ["refused.scope"] })
  for (let i = 0; i < 4; i += 1) captures.push(await takeDrawn(i))
  planted.push(...(await plantAll(4)))
  for (let i = 4; i < 6; i += 1) captures.push(await takeDrawn(i))
}, 120_000)
afterAll(async () => {
  expect(await problemsOf()).toEqual([])
  await port.close()
  await rm(folder, { recursive: true, force: true })
})

async function problemsOf() {
  const { house } = port
  return (await fsck(house.ledger, { origin: house.log.origin, verify: verifyEd25519 })).problems
}

/** Takes a shot in as the lane does, in sequence, and has it examined. */
async function put(shot: Shot): Promise<boolean> {
  const { reader, recipients, house } = port
  const days = new Map([...recipients].map(([name, recipient]) => [name.slice("day/".length), recipient]))
  const sealed = await sealPicture(readerOf(), shot, recipientOn(days, shot.capturedAt_ms))
  const { capture } = await admit(house, sealed.numbered((reader.sequence += 1)))
  pictures.set(capture, shot.picture)
  await examine(house, capture, { again: false })
  return true
}

function readerOf() {
  const { port: at, lane, reader, signer } = port.reader
  return { vault: port.house.log.origin, port: at, lane, reader, signer }
}

async function takeDrawn(index: number): Promise<string> {
  const { picture, plate, faces } = await drawCapture({
    seed: "ordinary",
    lane: 1,
    hour: 12,
    index,
    scene: "demo",
  })
  const event = { v: 1, source: "drawn", file: null, plates: [plate], faces } as const
  const capture = newId("cap")
  await put({ picture, event, capturedAt_ms: Date.now() - 100, kind: "plate", capture })
  return capture
}

/** A plan that is due now, whatever its times, and planted. */
async function plantAll(count: number): Promise<string[]> {
  const plan = await planCanaries(port.house, { lane: port.lane, count, over_s: 3600 })
  await dueNow(plan)
  return plan.planned.map(({ capture }) => capture)
}

async function dueNow(plan: CanaryPlan): Promise<void> {
  const file = join(folder, `${newId("req")}.plan`)
  await writePlan(file, plan)
  const due = plan.planned.map(({ at }) => Date.parse(at))
  let turn = 0
  const done = await plant(
    {
      ...{ file, reader: readerOf(), pictures: canaryPictures(undefined), clock: () => due[turn] ?? 0 },
      put: async shot => {
        turn += 1
        return put({ ...shot, capturedAt_ms: Date.now() - 100 })
      },
    },
    "what is due",
  )
  expect(done).toEqual({ planted: plan.planned.length, left_out: 0, next_at: null })
}

const ask = async (of: { grant: string; capture: string; role?: Role }) =>
  codeOf(permit(port.house, await releaseCaller(port, of), "release"))

async function newest<K extends Entry["kind"]>(kind: K): Promise<Extract<Entry, { kind: K }>> {
  const [row] = await port.house.ledger.newestEntries({ kind, limit: 1 })
  return parseEntry(row!.bytes) as Extract<Entry, { kind: K }>
}

const toldTo = async (destination: string, event: string): Promise<HeldMessage[]> =>
  (await port.house.ledger.newestMessages({ destination, limit: 200 })).filter(each => each.event === event)

describe("the plan", () => {
  const plan = (over_s: number) => planCanaries(port.house, { lane: port.lane, count: 40, over_s })

  test("is of ids that the vault knows, each at its time, and the first entry commits to the key", async () => {
    const { planned } = await plan(86_400)
    expect(planned.every(({ capture }) => isCanary(port.house, capture))).toBe(true)
    expect(planned.map(({ at }) => at)).toEqual(planned.map(({ at }) => at).sort())
    const [first] = await port.house.ledger.entries(0, 1)
    expect(parseEntry(first!.bytes)).toMatchObject({
      canary_key_sha256: port.house.keys.root.canaries.commitment,
    })
    expect(captures.some(capture => isCanary(port.house, capture))).toBe(false)
    expect(planted.every(capture => isCanary(port.house, capture))).toBe(true)
  })

  test("lies in no hour that a live grant or case covers, pending ones too; half of it beside them", async () => {
    const other = await openTestPort()
    try {
      const { house, lane } = other
      const plan = (over_s: number) => planCanaries(house, { lane, count: 40, over_s })
      expect((await plan(86_400)).planned.every(({ beside }) => beside === null)).toBe(true)
      const last = new Date(Date.now() + 9 * 86_400_000).toISOString().slice(0, 10)
      const dates = { first: "2020-01-01", last }
      const morning = await grantOf(other, { terms: { hours: { from: 6, until: 12 }, dates } })
      const { planned } = await plan(4 * 86_400)
      const clocks = planned.map(({ hour }) => Number(hour.slice(11, 13)))
      expect(clocks.filter(clock => clock >= 6 && clock < 12)).toEqual([])
      const beside = planned.filter(each => each.beside === morning)
      expect(beside.length).toBeGreaterThanOrEqual(20)
      expect(new Set(beside.map(({ hour }) => hour.slice(11, 13)))).toEqual(new Set(["05", "12"]))
      // Not approved yet, and open: what is planned now must not lie in it later.
      await grantOf(other, {
        terms: { hours: { from: 0, until: 24 }, dates },
        by: [],
      })
      expect(await codeOf(plan(86_400))).toBe("CONFLICT")
    } finally {
      await other.close()
    }
  })

  test("is a secret file of its lane, whose canaries come at their time or not at all, each once", async () => {
    const made = await planCanaries(port.house, { lane: port.lane, count: 2, over_s: 3600 })
    const file = join(folder, "secret.plan")
    await writePlan(file, made)
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect(await codeOf(writePlan(file, made))).toBe("CONFLICT")
    const taken: Shot[] = []
    const planting = {
      ...{ file, reader: readerOf(), pictures: canaryPictures(undefined) },
      put: async (shot: Shot) => Promise.resolve(taken.push(shot) > 0),
    }
    const [first, second] = made.planned.map(({ at }) => Date.parse(at))
    const at = (clock_ms: number) => plant({ ...planting, clock: () => clock_ms }, "what is due")
    expect(await at(first! - 1)).toEqual({ planted: 0, left_out: 0, next_at: made.planned[0]!.at })
    expect(
      await codeOf(
        plant({ ...planting, reader: { ...readerOf(), lane: newId("lan") }, clock: () => 0 }, "wait"),
      ),
    ).toBe("INVALID")
    // A crash between the striking and the sending loses it; it never comes with another picture.
    const broken = { ...planting, put: () => Promise.reject(new Error("crash")), clock: () => first! }
    await expect(plant(broken, "what is due")).rejects.toThrow("crash")
    expect((await readPlan(file)).planned).toHaveLength(1)
    expect(await at(second! + 61_000)).toEqual({ planted: 0, left_out: 1, next_at: null })
    expect(taken).toEqual([])
    await keepPlan(file, { ...(JSON.parse(await readFile(file, "utf8")) as PlanFile), extra: 1 } as never)
    expect(await codeOf(readPlan(file))).toBe("CONFIG")
  })

  test("a folder's pictures show one canary each", async () => {
    const { picture } = await drawCapture({ seed: "staged", lane: 1, hour: 12, index: 1 })
    const staged = join(folder, "staged")
    await mkdir(staged)
    await writeFile(join(staged, "a.jpg"), picture)
    const made = await planCanaries(port.house, { lane: port.lane, count: 2, over_s: 60 })
    const file = join(folder, "staged.plan")
    await writePlan(file, made)
    const taken: Shot[] = []
    const planting = {
      ...{ file, reader: readerOf(), pictures: canaryPictures(staged) },
      put: async (shot: Shot) => Promise.resolve(taken.push(shot) > 0),
      clock: () => Date.parse(made.planned[1]!.at),
    }
    expect(await codeOf(plant(planting, "what is due"))).toBe("NOT_FOUND")
    expect(taken.map(shot => sha256Hex(shot.picture))).toEqual([sha256Hex(picture)])
    expect((await readPlan(file)).used).toEqual(["a.jpg"])
  })
})

describe("a canary and an ordinary capture are the same, field for field", () => {
  /** What a value is like: its type, or the pattern of an id, number or time. */
  const shapeOf = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(shapeOf)
    if (value !== null && typeof value === "object")
      return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, shapeOf(each)]))
    if (typeof value !== "string") return typeof value
    return value
      .replace(/[0-9A-HJKMNP-TV-Z]{26}/g, "ULID")
      .replace(/\b[0-9a-f]{64}\b/g, "HEX")
      .replace(/[A-Za-z0-9+/_-]{22,}={0,2}/g, "BASE64")
      .replace(/\d+/g, "0")
  }

  test("in the rows of the ledger, the entries of the log, and the sealed file's header", async () => {
    const { ledger } = port.house
    const shapes = async (capture: string) => {
      const row = (await ledger.capture(capture))!
      const entries = await Promise.all(
        [row.admitted, row.examined!].map(async index => {
          const [found] = await ledger.entries(index, index + 1)
          return shapeOf(parseEntry(found!.bytes))
        }),
      )
      const { findingsJson, headerJson, ageHeader, ...rest } = row
      const found = shapeOf(JSON.parse(findingsJson!)) as Record<string, unknown>
      return {
        ...{ entries, header: shapeOf(JSON.parse(headerJson)), findings: Object.keys(found).sort() },
        ...{ row: shapeOf({ ...rest, headerSignature: "" }), ageHeader_bytes: ageHeader.length },
      }
    }
    const ordinary = await Promise.all(captures.map(shapes))
    for (const capture of planted) {
      const like = await shapes(capture)
      // One of the drawn people may be hidden from the face finder, in any capture.
      expect(ordinary.map(each => JSON.stringify(each.entries))).toContain(JSON.stringify(like.entries))
      expect(like.header).toEqual(ordinary[0]!.header)
      expect(like.row).toEqual(ordinary[0]!.row)
      expect(like.findings).toEqual(ordinary[0]!.findings)
      expect(like.ageHeader_bytes).toBe(ordinary[0]!.ageHeader_bytes)
    }
  })

  test("in their numbers: in sequence, without a gap", async () => {
    const rows = await port.house.ledger.captures({ limit: 100 })
    const all = [...rows].sort((a, b) => a.sequence - b.sequence)
    expect(all.map(({ sequence }) => sequence)).toEqual(all.map((_, i) => i + 1))
    for (const { admitted } of all) {
      const [row] = await port.house.ledger.entries(admitted, admitted + 1)
      expect(parseEntry(row!.bytes)).toMatchObject({ gap: 0 })
    }
  })

  test("in bytes: sizes of as many drawn pictures overlap, so that none is told by its size", async () => {
    const sizes = async (drawn: (i: number) => Promise<{ readonly picture: Uint8Array }>) =>
      Promise.all(Array.from({ length: 24 }, async (_, i) => (await drawn(i)).picture.length))
    const draw = canaryPictures(undefined)
    const plan = { lane_name: "Lane 1" } as PlanFile
    const canary = await sizes(() => draw(plan, 12))
    const ordinary = await sizes(index =>
      drawCapture({ seed: "sizes", lane: 1, hour: 12, index, scene: "demo" }),
    )
    // Mann-Whitney: how often a canary is the larger of two; σ = √(49/(12·24·24)) = 0.084 under equal sizes.
    const wins = canary.flatMap(a => ordinary.map(b => (a > b ? 1 : a === b ? 0.5 : 0)))
    const share = wins.reduce<number>((sum, each) => sum + each, 0) / wins.length
    expect(Math.abs(share - 0.5)).toBeLessThan(6 * 0.084)
  })

  test("in a refusal: entry, evidence, standing, notice and answer", async () => {
    const other = { engineer: planted[0]!, colleague: captures[0]! } as const
    const seen = new Map<Role, unknown>()
    const evidence: { readonly off_hours: boolean; readonly person_micronats: number }[] = []
    for (const [role, capture] of Object.entries(other) as [Role, string][]) {
      const { person } = port.people[role]
      const hours = { from: 0, until: 24 }
      const dates = { first: "2020-01-01", last: "2020-01-02" }
      const grant = await grantOf(port, { terms: { holder: person, hours, dates }, requester: "prime" })
      const caller = await releaseCaller(port, { grant, capture, role })
      const error = await permit(port.house, caller, "release").catch((fault: unknown) => fault)
      const entry = await newest("refused")
      const watched = await recordOf(port.house, "watch", person)
      const { message, extras } = error as { message: string; extras: object }
      const { off_hours, person_micronats } = entry.watch!
      seen.set(role, { shape: shapeOf({ entry, watched: { ...watched, state: "" }, message, extras }) })
      evidence.push({ off_hours, person_micronats })
      expect(entry).toMatchObject({ code: "GRANT_DATES", watch: { verdict: "pass", scope: "outside" } })
    }
    expect(seen.get("engineer")).toEqual(seen.get("colleague"))
    const [first, second] = evidence
    expect(first!.person_micronats).toBeGreaterThan(0)
    // Six o'clock may have struck between the two.
    if (first!.off_hours === second!.off_hours) expect(first).toEqual(second)
  })
})

describe("who asks for one", () => {
  test("is told to the agency at once, and to no vendor; the entry says nothing of it, and the row of no entry", async () => {
    const [message, ...others] = await toldTo(agency, "canary.touched")
    expect(others).toEqual([])
    const { person } = port.people.engineer
    expect(JSON.parse(message!.body)).toMatchObject({
      type: "canary.touched",
      data: { person, act: "release", outcome: "GRANT_DATES", scope: "outside" },
    })
    expect(message).toMatchObject({ entry: null, state: "waiting" })
    expect(message!.body).not.toContain("cap_")
    expect(await toldTo(vendor, "canary.touched")).toEqual([])
    // Both refusals are told as such, to both.
    expect(await toldTo(agency, "refused.scope")).toHaveLength(2)
    expect(await toldTo(vendor, "refused.scope")).toHaveLength(2)
  })

  test("stands in the list of touches, read from the log alone, until a person saw it", async () => {
    const found = await touches(port.house, { limit: 10 })
    expect(found).toMatchObject({
      before: null,
      touches: [{ person: port.people.engineer.person, canaries: [planted[0]], is_acknowledged: false }],
    })
    const { entry } = found.touches[0]!
    const statement = { outcome: "escalated", note_commitment: null }
    const acknowledge = async (at: number) =>
      acknowledgeNotice(
        port.house,
        await callerOf(port.house, port.people.privacy, {
          path: `/v1/notices/${at}/acknowledgement`,
          statement,
        }),
        at,
      )
    await acknowledge(entry)
    expect((await touches(port.house, { limit: 10 })).touches[0]!.is_acknowledged).toBe(true)
    expect(await codeOf(acknowledge(entry))).toBe("CONFLICT")
    const [message] = await toldTo(agency, "canary.touched")
    expect(await isTaken(port.house, message!)).toBe(true)
    // An ordinary refusal that nobody waits for can be acknowledged too, and what is no opening cannot.
    const grant = await grantOf(port, { terms: { dates: { first: "2020-01-01", last: "2020-01-02" } } })
    expect(await ask({ grant, capture: captures[1]! })).toBe("GRANT_DATES")
    const [row] = await port.house.ledger.newestEntries({ kind: "refused", limit: 1 })
    expect(await codeOf(acknowledge(row!.index))).toBe("done")
    expect(await codeOf(acknowledge(0))).toBe("NOT_FOUND")
    expect(await codeOf(acknowledge(10_000_000))).toBe("NOT_FOUND")
  })

  test("is not suspended, nor even asked, for one touch", async () => {
    const { person } = port.people.engineer
    expect((await recordOf(port.house, "person", person))!.suspended).toBe(false)
    const grant = await grantOf(port, { terms: { images: 2 } })
    expect(await ask({ grant, capture: captures[2]! })).toBe("done")
  })

  test("an honest draw by number gets every other capture and no canary, and the preview counts none", async () => {
    const grant = await grantOf(port, {
      terms: { holder: port.people.colleague.person, images: 50, releases: 60 },
      requester: "colleague",
    })
    const statement = { grant, count: 40, captures: null }
    const caller = await callerOf(port.house, port.people.colleague, { path: "/v1/draws", statement })
    const plan = await planDraw(port.house, caller, "honest")
    expect([...plan.captures].sort()).toEqual([...captures].sort())
    expect(plan.short).toBe(40 - captures.length)
    const held = (await recordOf(port.house, "grant", grant))!
    expect(await preview(port.house, held)).toMatchObject({ selected: captures.length })
    const listed = await canaries(port.house, { limit: 10 })
    expect(listed.looked).toBe(captures.length + planted.length)
    expect(listed.canaries.map(({ id }) => id)).toEqual([...planted].sort())
    // A grant of later that covers it: it is retired there.
    expect(listed.canaries[0]!.covered_by).toContain(grant)
  })

  test("a list that names one is a touch, whether the draw is refused or the image released", async () => {
    const before = (await toldTo(agency, "canary.touched")).length
    const strangers = await grantOf(port, {
      terms: { holder: port.people.colleague.person },
      requester: "prime",
    })
    const statement = { grant: strangers, count: null, captures: [captures[0]!, planted[1]!] }
    const caller = await callerOf(port.house, port.people.engineer, { path: "/v1/draws", statement })
    expect(await codeOf(planDraw(port.house, caller, "named"))).toBe("GRANT_HOLDER")
    const grant = await grantOf(port, { terms: { images: 2 } })
    expect(await ask({ grant, capture: planted[1]! })).toBe("done")
    const found = (await touches(port.house, { limit: 2 })).touches
    expect(found).toMatchObject([
      { act: "release", outcome: "permitted", scope: "within", canaries: [planted[1]] },
      { act: "draw", outcome: "GRANT_HOLDER", scope: null, canaries: [planted[1]] },
    ])
    expect(await toldTo(agency, "canary.touched")).toHaveLength(before + 2)
  })

  test("the list of touches goes on where it ended", async () => {
    const all = (await touches(port.house, { limit: 50 })).touches
    expect(all).toHaveLength(3)
    const first = await touches(port.house, { limit: 2 })
    expect(first.before).toBe(all[1]!.entry)
    const rest = await touches(port.house, { limit: 2, before: first.before! })
    expect([...first.touches, ...rest.touches]).toEqual(all)
    expect(rest.before).toBeNull()
  })
})

describe("what was told beside the log", () => {
  test("is written with the entry, once; the check and a restart find nothing wrong and write nothing again", async () => {
    const before = await toldTo(agency, "canary.touched")
    expect(await problemsOf()).toEqual([])
    await port.reopen()
    expect(port.opened.fsck.problems).toEqual([])
    expect((await toldTo(agency, "canary.touched")).map(({ id }) => id)).toEqual(before.map(({ id }) => id))
    expect(new Set(before.map(({ id }) => id)).size).toBe(before.length)
  })

  test("given up after three days, it is no entry either", async () => {
    const { size } = await port.house.log.head()
    const told = await toldTo(agency, "canary.touched")
    const taken = await Promise.all(told.map(message => isTaken(port.house, message)))
    // One was acknowledged above.
    expect(taken.filter(Boolean)).toHaveLength(1)
    await abandon(port.house, told[taken.indexOf(false)]!)
    expect((await port.house.log.head()).size).toBe(size)
  })

  test("no entry of the log names it, nor a canary as one", async () => {
    const { size } = await port.house.log.head()
    const rows = await port.house.log.entries(0, size)
    const said = rows.map(({ bytes }) => parseEntry(bytes)!).filter(({ kind }) => kind !== "motion.proposed")
    const named = JSON.stringify(said).match(/canary\w*/g)
    expect(new Set(named)).toEqual(new Set(["canary_key_sha256"]))
  })
})

describe("a leaked canary", () => {
  async function reportFor(role: Role, file: Uint8Array): Promise<FileReport> {
    const statement = { files: [sha256Hex(file)] }
    const caller = await callerOf(port.house, port.people[role], { path: "/v1/traces", statement })
    const { trace } = await openTrace(port.house, caller)
    await takeFile(port.house, trace, file)
    return withCanaries(port.house, caller, await closeTrace(port.house, trace)).files[0]!
  }

  /** The first that shows enough to be traced: of the drawn, one in fifty has something like a face over its plate. */
  async function shownOf(grant: string, canaries: readonly string[]) {
    for (const capture of canaries) {
      const delivery = await release(port.house, await releaseCaller(port, { grant, capture }))
      if ((delivery.mark?.marked_px ?? 0) >= 50_000) return delivery
    }
    throw new Error("none of the canaries shows anything")
  }

  test("names its release, by its bytes or its mark, and only those who may know are told that it is one", async () => {
    const grant = await grantOf(port, { terms: { images: 2 } })
    const { capture, bytes } = await shownOf(grant, planted.slice(2))
    const { person } = port.people.engineer
    const known = await reportFor("privacy", bytes)
    expect(known).toMatchObject({ is_canary: true, verdict: "accused", capture })
    expect(known.people[0]).toMatchObject({ person, grant, by: "digest" })
    expect(known.said).toContain("a canary")
    const saved = await attacks["JPEG 50"]!(await pixelsOf(sharp(bytes)), "canary")
    expect(await reportFor("analyst", saved)).toMatchObject({
      ...{ is_canary: true, verdict: "accused", capture },
      people: [{ person, grant, by: "mark" }],
    })
    const other = await reportFor("auditor", bytes)
    expect(other).toMatchObject({ verdict: "accused", capture })
    expect(JSON.stringify(other)).not.toContain("canary")
    expect(JSON.stringify(await newest("trace.closed"))).not.toContain("canary")
  }, 60_000)

  test("that was never released says so: it left otherwise", async () => {
    const report = await reportFor("privacy", pictures.get(planted[0]!)!)
    expect(report).toMatchObject({ is_canary: true, verdict: "nobody", capture: planted[0], holders: 0 })
    expect(report.said).toContain("it left by no release")
    const ordinary = await reportFor("privacy", pictures.get(captures[5]!)!)
    expect(ordinary).toMatchObject({ is_canary: false, capture: captures[5] })
    expect(ordinary.said).not.toContain("canary")
  }, 60_000)
})

describe("an agent with a plan", () => {
  test("takes the canaries in among its pictures, in one sequence", async () => {
    const other = await openTestPort()
    const standing = { differences: [] }
    const server = await openServer(other.house, {
      ...{ host: "127.0.0.1", port: 0, openBundles: false, standing, version: "0" },
    })
    const { reader, keyFile } = await enrollReader(other, "trusted")
    const [key, plan, pictures] = ["agent.key", "agent.plan", "agent-pictures"].map(name =>
      join(folder, name),
    )
    await writeFile(key!, keyFile, { mode: 0o600 })
    await mkdir(pictures!)
    const sent = await drawCapture({ seed: "agent", lane: 1, hour: 12, index: 1 })
    await writeFile(join(pictures!, "first.jpg"), sent.picture)
    const made = await planCanaries(other.house, { lane: other.lane, count: 2, over_s: 5 })
    await writePlan(plan!, made)
    const agent = await startAgent([
      ...["watch", pictures!, "--after", "delete", "--settle", "0", "--spool", join(folder, "spool")],
      ...["--canaries", plan!, "--key", key!, "--server", server.url],
    ])
    try {
      const admitted = async () => other.house.ledger.captures({ limit: 10 })
      await until(async () => (await admitted()).length === 3, "all three")
      const rows = [...(await admitted())].sort((a, b) => a.sequence - b.sequence)
      expect(rows.map(({ sequence }) => sequence)).toEqual([1, 2, 3])
      expect(new Set(rows.map(row => row.reader))).toEqual(new Set([reader]))
      const found = rows.filter(({ id }) => isCanary(other.house, id)).map(({ id }) => id)
      expect(found).toEqual(made.planned.map(({ capture }) => capture))
      expect((await readPlan(plan!)).planned).toEqual([])
      expect(await agent.kill("SIGTERM")).toBe("0")
    } finally {
      await agent.kill("SIGKILL")
      await server.close()
      await other.close()
    }
  }, 90_000)
})
