import { readdir } from "node:fs/promises"
import { afterAll, beforeAll, expect, test } from "vitest"
import {
  answerPairs,
  linkageOf,
  pairsFor,
  planForPack,
  shownLinkage,
} from "../../src/custody/adjudication.ts"
import { openLinkage } from "../../src/custody/linkage.ts"
import { openedFor } from "../../src/custody/system-opening.ts"
import { parseEntry } from "../../src/log/kinds.ts"
import { breach } from "../incident.ts"
import { answerAll, estimateNow, leaveAll, linked, takeInPassages, type Known } from "../linkage.ts"
import { callerOf, codeOf, openTestPort, type Role, type TestPort } from "../port.ts"

let port: TestPort
let known: Known
let incident: string
let linkage: string

beforeAll(async () => {
  port = await openTestPort()
  known = await takeInPassages(port, [
    { pictures: [[1], [1]] },
    { pictures: [[2, 3]] },
    { pictures: [[2], [2]] },
    { pictures: [[]] },
  ])
  await leaveAll(port, known.captures)
  incident = await breach(port)
  linkage = await linked(port, incident, 100)
}, 120_000)
afterAll(() => port.close())

async function filesIn(folder: string): Promise<string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  return found.filter(each => each.isFile()).map(each => each.name)
}

async function entries() {
  const rows = await port.house.ledger.entries(0, 4096)
  return rows.flatMap(({ bytes }) => parseEntry(bytes) ?? [])
}

async function answer(answers: readonly object[], role: Role = "analyst") {
  const path = `/v1/linkages/${linkage}/answers`
  const caller = await callerOf(port.house, port.people[role], { path, statement: { answers } })
  return answerPairs(port.house, caller, linkage)
}

test("every original is opened once, under a permit of the linkage; the seed is in the log before the first", async () => {
  const all = await entries()
  const permits = all.filter(each => each.kind === "permit" && each.for === "link")
  expect(permits.map(each => each.kind === "permit" && each.capture).sort()).toEqual(
    [...known.captures].sort(),
  )
  expect(permits.every(each => each.kind === "permit" && each.linkage === linkage && each.by === null)).toBe(
    true,
  )
  const kinds = all.map(({ kind }) => kind)
  expect(kinds.indexOf("linkage.opened")).toBeLessThan(all.indexOf(permits[0]!))
  expect((await linkageOf(port.house, linkage)).planned).toMatchObject({
    ...{ faces: 6, unclustered: 0, undetermined: 0, gone: 0, unreadable: 0 },
    vehicles: null,
  })
})

test("nothing that describes a face is kept, and the plan is sealed", async () => {
  const stored = await port.house.objects.get(`incidents/${incident}/plan-${linkage}`)
  expect(stored!.length).toBeGreaterThan(100)
  expect(Buffer.from(stored!).includes("cap_")).toBe(false)
  const written = await filesIn(port.data)
  expect(written.filter(name => name.includes(linkage))).toHaveLength(1)
  // 128 numbers of four bytes each would be longer than anything that was written.
  const entry = (await entries()).find(({ kind }) => kind === "linkage.planned")
  expect(JSON.stringify(entry).length).toBeLessThan(800)
})

test("a person is asked of pairs as silhouettes, and not told what the machine says or which truths are known", async () => {
  const by = port.people.analyst.person
  const { pairs, planned } = await pairsFor(port.house, linkage, { by, limit: 3 })
  expect(pairs).toHaveLength(3)
  expect(planned).toBeGreaterThan(3)
  expect(Object.keys(pairs[0]!).sort()).toEqual(["other", "pair", "subject"])
  expect(Object.keys(pairs[0]!.subject).sort()).toEqual([
    "capture",
    "face",
    "faces",
    "height_px",
    "hour",
    "lane",
    "plates",
    "width_px",
  ])
  expect(await codeOf(planForPack(port.house, linkage))).toBe("CONFLICT")
})

test("answers to pairs that the plan has not, twice in one entry, or of an office that may not, are refused", async () => {
  const { planned } = await linkageOf(port.house, linkage)
  const said = (pair: number) => ({ pair, answer: "same" })
  expect(await codeOf(answer([said(planned!.pairs)]))).toBe("INVALID")
  expect(await codeOf(answer([said(0), said(0)]))).toBe("INVALID")
  expect(await codeOf(answer([said(0)], "engineer"))).toBe("OFFICE")
  expect(await codeOf(answer([said(0)], "cor"))).toBe("OFFICE")
})

test("with few faces there is no interval, whatever two people say; the plan is then given to who judges again", async () => {
  const { personOf } = known
  expect(await codeOf(estimateNow(port, linkage, "measured"))).toBe("CONFLICT")
  const first = await answerAll(port, { linkage, role: "analyst", personOf })
  expect(first).toBe((await linkageOf(port.house, linkage)).planned!.pairs)
  const halfway = await shownLinkage(port.house, linkage)
  expect(halfway.findings!.open).toBeGreaterThan(0)
  const second = await answerAll(port, { linkage, role: "privacy", personOf })
  // The second is asked of controls and of what is against the machine.
  expect(second).toBeGreaterThan(0)
  expect((await shownLinkage(port.house, linkage)).findings).toMatchObject({ sampled: 6, open: 0 })
  const made = await estimateNow(port, linkage, "measured")
  expect(made.interval).toBeNull()
  expect(JSON.parse(Buffer.from(await planForPack(port.house, linkage)).toString())).toMatchObject({
    faces: 6,
  })
})

test("a planned linkage opens nothing more, and one of another version, or of nothing counted, is refused", async () => {
  const errand = {
    of: { for: "link", linkage },
    records: [
      { kind: "linkage", id: linkage },
      { kind: "incident", id: incident },
    ],
  } as const
  expect(await codeOf(openedFor(port.house, errand, known.captures[0]!))).toBe("CONFLICT")
  const open = async (statement: { version: number; sample: number }, role: Role = "privacy") => {
    const path = `/v1/incidents/${incident}/linkages`
    return openLinkage(
      port.house,
      await callerOf(port.house, port.people[role], { path, statement }),
      incident,
    )
  }
  expect(await codeOf(open({ version: 2, sample: 100 }))).toBe("INCIDENT_VERSION")
  expect(await codeOf(open({ version: 1, sample: 100 }, "engineer"))).toBe("OFFICE")
})

test("a second linkage takes the first one's place, and whoever asks for a third meanwhile is told to wait", async () => {
  const path = `/v1/incidents/${incident}/linkages`
  const caller = () =>
    callerOf(port.house, port.people.privacy, { path, statement: { version: 1, sample: 10 } })
  const again = linked(port, incident, 10)
  await new Promise(resolve => setTimeout(resolve, 50))
  const third = await codeOf(openLinkage(port.house, await caller(), incident))
  const second = await again
  expect([third, second === linkage]).toEqual(["BUSY", false])
  expect((await linkageOf(port.house, second)).seed).not.toBe((await linkageOf(port.house, linkage)).seed)
})
