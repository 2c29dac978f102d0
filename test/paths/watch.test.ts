import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { acknowledge } from "../../src/custody/alerts.ts"
import { lastDays } from "../../src/custody/alert-days.ts"
import { recordOf, type Caller } from "../../src/custody/caller.ts"
import { proposeMotion } from "../../src/custody/motions.ts"
import { permit } from "../../src/custody/opening.ts"
import { suspend } from "../../src/custody/register.ts"
import { isStanding, release } from "../../src/custody/release.ts"
import { watchedPeople, watchedPerson } from "../../src/custody/suspicion.ts"
import { answerWatch } from "../../src/custody/watching.ts"
import { canonical } from "../../src/canonical.ts"
import { utf8 } from "../../src/bytes.ts"
import { verifyEd25519 } from "../../src/ed25519.ts"
import { Fault } from "../../src/fault.ts"
import { newId } from "../../src/ids.ts"
import type { EntryRow } from "../../src/ledger/ledger.ts"
import { motionPaths } from "../../src/log/authentic.ts"
import { fsck } from "../../src/log/fsck.ts"
import { parseEntry, type Entry, type EntryOf } from "../../src/log/kinds.ts"
import { Replay } from "../../src/log/replay.ts"
import { names, type Records } from "../../src/log/state.ts"
import { takeInPlain } from "../flat.ts"
import { callerOf, codeOf, grantOf, openTestPort, releaseCaller, second } from "../port.ts"
import type { Role, TestPort } from "../port.ts"

/** The watch where it stands: between the decision and the charge, in the request. */

let port: TestPort
let captures: string[]

beforeAll(async () => {
  port = await openTestPort()
  captures = await takeInPlain(port, 12)
})
afterAll(async () => {
  expect(await problemsOf(port)).toEqual([])
  await port.close()
})

async function problemsOf({ house }: TestPort) {
  return (await fsck(house.ledger, { origin: house.log.origin, verify: verifyEd25519 })).problems
}

interface Asked {
  readonly grant: string
  readonly capture: string
  readonly role: Role
  /** Where it comes from. */
  readonly address?: string
}

async function callerFor(of: TestPort, { address = "192.0.2.7", ...asked }: Asked): Promise<Caller> {
  return { ...(await releaseCaller(of, asked)), address }
}

async function ask(of: TestPort, asked: Asked): Promise<string> {
  return codeOf(permit(of.house, await callerFor(of, asked), "release"))
}

async function answer(of: TestPort, role: Role, reason = "the reader on lane 1 misreads at night") {
  const told = { path: "/v1/watch/answers", statement: {}, names: { reason } }
  return answerWatch(of.house, await callerOf(of.house, of.people[role], told))
}

async function newestWatched({ house }: TestPort): Promise<EntryOf<"permit" | "refused">> {
  const { size } = await house.log.head()
  const rows = await house.log.entries(0, size)
  const entries = rows.map(row => parseEntry(row.bytes)!)
  return entries.findLast(
    (entry): entry is EntryOf<"permit" | "refused"> =>
      (entry.kind === "permit" || entry.kind === "refused") && entry.watch !== undefined,
  )!
}

/** Asks for images that do not exist until the watch asks why. @returns how many it took. */
async function reachUntilAsked(of: TestPort, asked: Omit<Asked, "capture">): Promise<number> {
  for (let tries = 1; tries <= 12; tries += 1) {
    expect(await ask(of, { ...asked, capture: newId("cap") })).toBe("NOT_FOUND")
    if ((await newestWatched(of)).watch!.verdict === "step-up") return tries
  }
  throw new Error("the watch never asked")
}

async function reachUntilSuspended(of: TestPort, asked: Omit<Asked, "capture">): Promise<number> {
  for (let tries = 1; tries <= 20; tries += 1) {
    expect(await ask(of, { ...asked, capture: newId("cap") })).toBe("NOT_FOUND")
    if ((await recordOf(of.house, "person", of.people[asked.role].person))?.suspended) return tries
  }
  throw new Error("the watch never suspended")
}

async function lift(of: TestPort, role: Exclude<Role, "custodian">): Promise<void> {
  const { person } = of.people[role]
  const told = { path: motionPaths["lift-person"], statement: { person } }
  const caller = await callerOf(of.house, of.people.custodian, told)
  const { id } = await proposeMotion(of.house, caller, "lift-person")
  await second(of.house, of.people.privacy, id)
}

const holder = (of: TestPort, role: Role) => ({ holder: of.people[role].person })

describe("one who asks for what his grant does not give", () => {
  test("the honest draw of a whole list is never asked", async () => {
    const grant = await grantOf(port, {
      terms: { ...holder(port, "colleague"), captures, images: captures.length, releases: 36 },
      requester: "colleague",
    })
    for (const capture of captures) {
      expect(await ask(port, { grant, capture, role: "colleague" })).toBe("done")
      const { watch } = await newestWatched(port)
      expect(watch).toMatchObject({ verdict: "pass", scope: "within", person_micronats: 0 })
    }
    expect(await watchedPeople(port.house, { limit: 10, after: "", which: "evident" })).toEqual([])
  })

  test("is asked, then suspended; nothing outside ever left; his running draw breaks off; two people lift it", async () => {
    const listed = captures.slice(0, 6)
    const terms = { captures: listed, images: 6, releases: 18 }
    const grant = await grantOf(port, { terms })
    const role = "engineer"
    const running = await release(port.house, await releaseCaller(port, { grant, capture: listed[0]! }))
    expect(await isStanding(port.house, running)).toBe(true)

    const tries = await reachUntilAsked(port, { grant, role })
    expect(tries).toBeLessThanOrEqual(4)
    // What would have passed is held until he says why; it is not charged, and so it is no work that speaks for him.
    const before = await port.house.ledger.counter(names.images(grant))
    expect(await ask(port, { grant, capture: listed[1]!, role })).toBe("WATCH_STEP_UP")
    expect(await port.house.ledger.counter(names.images(grant))).toBe(before)
    const asked = await watchedPerson(port.house, port.people.engineer.person)
    for (let i = 0; i < 12; i += 1)
      expect(await ask(port, { grant, capture: listed[i % 6]!, role })).toBe("WATCH_STEP_UP")
    expect(await watchedPerson(port.house, port.people.engineer.person)).toMatchObject({
      statistic_micronats: asked.statistic_micronats,
    })
    expect(await codeOf(answer(port, role, "short"))).toBe("INVALID")
    expect(await codeOf(answer(port, "colleague"))).toBe("CONFLICT")
    expect(await codeOf(answer(port, role))).toBe("done")
    expect(await codeOf(answer(port, role))).toBe("CONFLICT")
    expect(await ask(port, { grant, capture: listed[1]!, role })).toBe("done")

    const more = await reachUntilSuspended(port, { grant, role })
    expect(more).toBeLessThanOrEqual(6)
    const { person } = port.people.engineer
    expect(await ask(port, { grant, capture: listed[1]!, role })).toBe("PERSON_SUSPENDED")
    expect(await newestWatched(port)).toMatchObject({ watch: { verdict: "suspend", about: "person" } })
    expect((await recordOf(port.house, "person", person))?.suspended).toBe(true)
    expect(await isStanding(port.house, running)).toBe(false)
    const left = await port.house.ledger.members({ limit: 1000 })
    const released = left.filter(row => row.set === names.released(grant)).map(row => row.member)
    expect(released.sort()).toEqual(listed.slice(0, 2).sort())
    expect(await watchedPerson(port.house, person)).toMatchObject({
      standing: "suspended",
      why: expect.stringContaining("outside the work order"),
    })

    const alone = { path: `/v1/people/${person}/suspension`, statement: { suspended: false } }
    const resumed = suspend(port.house, await callerOf(port.house, port.people.custodian, alone), {
      kind: "person",
      id: person,
    })
    expect(await codeOf(resumed)).toBe("MOTION")
    await lift(port, role)
    expect(await watchedPerson(port.house, person)).toMatchObject({
      standing: "calm",
      statistic_micronats: 0,
    })
    expect(await ask(port, { grant, capture: listed[2]!, role })).toBe("done")
  })

  test("a key used from another network gives more evidence than from its own", async () => {
    const grant = await grantOf(port, { terms: { ...holder(port, "prime"), captures }, requester: "prime" })
    const role = "prime"
    for (const capture of captures.slice(0, 2)) await ask(port, { grant, capture, role })
    const state = await recordOf(port.house, "watch", port.people.prime.person)
    const evidenceFrom = async (address: string) => {
      const code = await ask(port, { grant, capture: newId("cap"), role, address })
      expect(code).toBe("NOT_FOUND")
      return (await newestWatched(port)).watch!.person_micronats
    }
    const fromHome = await evidenceFrom("192.0.2.200")
    port.clock.offset_ms += 1000
    await reachUntilSuspended(port, { grant, role })
    await lift(port, role)
    for (const capture of captures.slice(2, 3)) await ask(port, { grant, capture, role })
    const fromAway = await evidenceFrom("203.0.113.5")
    expect(state?.of).toBe("person")
    expect(fromAway).toBeGreaterThan(fromHome)
  })
})

describe("the log", () => {
  /** Every entry, with one bent. */
  async function replayed(bend: (entry: EntryOf<"permit" | "refused">) => object | null) {
    const { size } = await port.house.log.head()
    const rows = await port.house.log.entries(0, size)
    let isBent = false
    const bent = rows.map((row): EntryRow => {
      const entry = parseEntry(row.bytes)!
      if (isBent || (entry.kind !== "permit" && entry.kind !== "refused")) return row
      const other = bend(entry)
      if (other === null) return row
      isBent = true
      return { ...row, bytes: utf8(canonical(other)) }
    })
    expect(isBent).toBe(true)
    const replay = new Replay({ origin: port.house.log.origin, verify: verifyEd25519, folds: () => true })
    return replay.take(bent)
  }

  test("leads to the same states when the vault is opened again", async () => {
    // How long ago the evidence began is by the clock of who asks.
    const standing = async () =>
      (await watchedPeople(port.house, { limit: 10, after: "", which: "all" })).map(each => ({
        ...each,
        why: each.why?.replace(/ in \d+ \w+/, ""),
      }))
    const before = await standing()
    await port.reopen()
    expect(await standing()).toEqual(before)
    expect(port.opened.fsck.problems).toEqual([])
  })

  test("unbent, replays without a problem", async () => {
    expect(await replayed(entry => (entry.watch === undefined ? null : { ...entry }))).toEqual([])
  })

  const bends: readonly [string, (watch: NonNullable<EntryOf<"permit">["watch"]>) => object | null][] = [
    ["another statistic", watch => ({ ...watch, person_micronats: watch.person_micronats + 1 })],
    ["another verdict", watch => (watch.verdict === "step-up" ? { ...watch, verdict: "pass" } : null)],
    ["a model that nobody has", watch => ({ ...watch, model: "0".repeat(64) })],
    ["another scope", watch => (watch.scope === "outside" ? { ...watch, scope: "within" } : null)],
    [
      "another place",
      watch => ({
        ...watch,
        place: {
          ...(watch.place ?? { number: 1 }),
          port: newId("prt"),
          lane: newId("lan"),
          day: "2026-01-01",
        },
      }),
    ],
  ]
  test.each(bends)("with %s in one entry does not lead to it", async (_, bend) => {
    const problems = await replayed(entry => {
      const watch = entry.watch === undefined ? null : bend(entry.watch)
      return watch === null ? null : { ...entry, watch }
    })
    expect(problems[0]?.why).toMatch(
      /the log does not lead to it: INVALID|it names a model of the watch that is not in force there.*: 0{64}$/,
    )
  })

  test("without the watch's word in a permit of one it has met does not lead to it", async () => {
    let met = 0
    const problems = await replayed(entry => {
      if (entry.kind !== "permit" || entry.watch === undefined) return null
      met += 1
      const { watch: _, ...rest } = entry
      return met === 2 ? rest : null
    })
    expect(problems[0]?.why).toBe("the log does not lead to it: INVALID")
  })

  test("says nothing of addresses and keys beyond 32 bits under a key of the vault's", async () => {
    const { size } = await port.house.log.head()
    const text = (await port.house.log.entries(0, size))
      .map(row => Buffer.from(row.bytes).toString())
      .join("")
    expect(text).not.toMatch(/203\.0\.113|192\.0\.2/)
  })
})

describe("a vault that only observes", () => {
  test("refuses nobody for what the watch thinks, and has it in its entries", async () => {
    const observing = await openTestPort({ settings: { watch: "observe" } })
    try {
      const [inside] = await takeInPlain(observing, 1)
      const grant = await grantOf(observing)
      const verdicts = new Set<string>()
      for (let i = 0; i < 24; i += 1) {
        const asked = { grant, capture: newId("cap"), role: "engineer" } as const
        expect(await ask(observing, asked)).toBe("NOT_FOUND")
        verdicts.add((await newestWatched(observing)).watch!.verdict)
      }
      expect([...verdicts].sort()).toEqual(["pass", "step-up", "suspend"])
      expect(await ask(observing, { grant, capture: inside!, role: "engineer" })).toBe("done")
      expect(await problemsOf(observing)).toEqual([])
    } finally {
      await observing.close()
    }
  })
})

test("a refusal says which rule refused and what the watch wants", async () => {
  const grant = await grantOf(port, {
    terms: { ...holder(port, "colleague"), captures },
    requester: "colleague",
  })
  const role = "colleague"
  await reachUntilAsked(port, { grant, role })
  const capture = captures[0]!
  const refused = await permit(port.house, await callerFor(port, { grant, capture, role }), "release").catch(
    (error: unknown) => error as Fault,
  )
  expect(refused).toMatchObject({
    code: "WATCH_STEP_UP",
    extras: { notDone: "The release was not made.", next: expect.stringContaining("sallyport watch answer") },
  })
})

describe("an alert", () => {
  const openOf = async (about: string) => {
    const rows = await port.house.ledger.records("signal", { after: `${about}/`, limit: 8 })
    const own = rows.filter(row => row.id.startsWith(about))
    return own.map(row => JSON.parse(row.body) as Records["alert"])
  }

  test("stands for a question and for a suspension, about the person, with what crossed what", async () => {
    const { person } = port.people.engineer
    const own = await openOf(person)
    expect(own.map(each => each.what)).toEqual(["watch_asked", "watch_suspended"])
    const [asked, stopped] = own as [Records["alert"], Records["alert"]]
    expect(asked.detail).toMatchObject({ threshold_micronats: 7_000_000, scope: "outside" })
    expect(stopped.detail).toMatchObject({ threshold_micronats: 14_000_000, mode: "on" })
    expect(stopped.detail.statistic_micronats).toBeGreaterThanOrEqual(14_000_000)
    // What was held while the answer was awaited is counted in the question's.
    expect(asked.count).toBeGreaterThan(12)
    expect(asked.acknowledged).toBeNull()
  })

  test("that is taken stays taken; the next question opens another; it has 30 days of the person", async () => {
    const role = "engineer"
    const { person } = port.people[role]
    const [asked] = await openOf(person)
    const path = `/v1/alerts/${asked!.alert}/acknowledgement`
    const statement = { outcome: "expected", note_commitment: null }
    const caller = await callerOf(port.house, port.people.analyst, { path, statement })
    await acknowledge(port.house, caller, asked!.alert)
    const grant = await grantOf(port, { terms: { captures } })
    await reachUntilAsked(port, { grant, role })
    // By then what several people of his organization did may add up: it is asked about all of them.
    const sub = (await recordOf(port.house, "person", person))!.organization
    const tree = (await recordOf(port.house, "organization", sub))!.parent!
    const standing = [...(await openOf(person)), ...(await openOf(tree))]
    const next = standing.filter(each => each.what === "watch_asked" && each.alert !== asked!.alert)
    expect(next.at(-1)).toMatchObject({ acknowledged: null })
    expect(next.at(-1)!.entry).toBeGreaterThan(asked!.last_entry)
    const { days, is_cut } = await lastDays(port.house, person)
    expect([days.length, is_cut]).toEqual([30, false])
    const { size } = await port.house.log.head()
    const entries = (await port.house.log.entries(0, size)).map(row => parseEntry(row.bytes)!)
    const isOwn = (entry: Entry) =>
      entry.kind === "refused" && entry.of === "release" && entry.person === person
    expect(days.reduce((sum, day) => sum + day.refused, 0)).toBe(entries.filter(isOwn).length)
    const permits = entries.filter(entry => entry.kind === "permit" && entry.by?.person === person).length
    expect(days.reduce((sum, day) => sum + day.let_through, 0)).toBe(permits)
    const ofTree = await lastDays(port.house, tree)
    const sumOf = (all: typeof days) => all.reduce((sum, day) => sum + day.refused, 0)
    expect(sumOf(ofTree.days)).toBeGreaterThan(sumOf(days))
  })
})
