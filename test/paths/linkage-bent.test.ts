import { afterAll, beforeAll, expect, test } from "vitest"
import {
  answerPairs,
  estimateLinkage,
  linkageOf,
  pairsFor,
  planForPack,
  shownLinkage,
} from "../../src/custody/adjudication.ts"
import { closeIncident, scopeIncident } from "../../src/custody/incidents.ts"
import { openLinkage, progressOf } from "../../src/custody/linkage.ts"
import { openedFor } from "../../src/custody/system-opening.ts"
import { proposeMotion } from "../../src/custody/motions.ts"
import { verifyEd25519 } from "../../src/ed25519.ts"
import { fsck } from "../../src/log/fsck.ts"
import { parseEntry } from "../../src/log/kinds.ts"
import { breach } from "../incident.ts"
import { answerAll, estimateNow, leaveAll, linked, takeInPassages, type Known } from "../linkage.ts"
import { callerOf, codeOf, openTestPort, second, type Role, type TestPort } from "../port.ts"

/** What happens to a linkage while others work: people, the log, and captures. */

let port: TestPort
let known: Known

beforeAll(async () => {
  port = await openTestPort()
  known = await takeInPassages(port, [{ pictures: [[1], [1]] }, { pictures: [[2, 3]] }])
  await leaveAll(port, known.captures)
}, 120_000)
afterAll(() => port.close())

async function open(incident: string, sample = 100) {
  const path = `/v1/incidents/${incident}/linkages`
  const statement = { version: 1, sample }
  return openLinkage(
    port.house,
    await callerOf(port.house, port.people.privacy, { path, statement }),
    incident,
  )
}

async function opened(linkage: string): Promise<string[]> {
  const rows = await port.house.ledger.entries(0, 4096)
  const entries = rows.flatMap(({ bytes }) => parseEntry(bytes) ?? [])
  return entries.flatMap(each => (each.kind === "permit" && each.linkage === linkage ? [each.capture] : []))
}

/** Holds the first description of faces until what is to happen meanwhile has happened. */
async function meanwhile(incident: string, happens: () => Promise<unknown>): Promise<string> {
  const { pictures } = port.house
  const { describer } = pictures
  let go: () => void = () => undefined
  const gate = new Promise<void>(resolve => (go = resolve))
  Object.assign(pictures, {
    describer: { ...describer, describe: (job: never) => gate.then(() => describer.describe(job)) },
  })
  try {
    const { linkage } = await open(incident)
    await happens()
    go()
    while (progressOf(port.house, linkage) !== null && progressOf(port.house, linkage)?.phase !== "failed")
      await new Promise(resolve => setTimeout(resolve, 20))
    return linkage
  } finally {
    Object.assign(pictures, { describer })
  }
}

async function answer(linkage: string, answers: readonly object[], role: Role = "analyst") {
  const path = `/v1/linkages/${linkage}/answers`
  const caller = await callerOf(port.house, port.people[role], { path, statement: { answers } })
  return answerPairs(port.house, caller, linkage)
}

async function setFaces(capture: string, faces: readonly object[]): Promise<void> {
  const { house, people } = port
  const plates = [{ x_px: 60, y_px: 92, width_px: 48, height_px: 16 }]
  const statement = { capture, plates, faces }
  const caller = await callerOf(house, people.analyst, { path: "/v1/boxes", statement })
  await second(house, people.privacy, (await proposeMotion(house, caller, "set-boxes")).id)
}

test("of two who open a linkage at once, one is told to wait", async () => {
  const incident = await breach(port)
  const both = await Promise.all(
    [1, 2].map(() => open(incident).catch((error: { code: string }) => error.code)),
  )
  expect(both.filter(each => each === "BUSY")).toHaveLength(1)
  const [first] = both.flatMap(each => (typeof each === "string" ? [] : [each.linkage]))
  while (progressOf(port.house, first!) !== null) await new Promise(resolve => setTimeout(resolve, 20))
  expect((await linkageOf(port.house, first!)).planned).not.toBeNull()
})

test("a refused opening holds nobody up", async () => {
  const incident = await breach(port)
  const path = `/v1/incidents/${incident}/linkages`
  const statement = { version: 2, sample: 10 }
  const caller = await callerOf(port.house, port.people.privacy, { path, statement })
  expect(await codeOf(openLinkage(port.house, caller, incident))).toBe("INCIDENT_VERSION")
  expect(await linked(port, incident, 10)).toMatch(/^lnk_/)
})

test("once the incident is closed, or counted again, no original more is opened and no plan is made", async () => {
  for (const happens of ["closing", "scopes"] as const) {
    const incident = await breach(port)
    const path = `/v1/incidents/${incident}/${happens}`
    const linkage = await meanwhile(incident, async () => {
      if (happens === "scopes") {
        const statement = { version: 1 }
        return scopeIncident(
          port.house,
          await callerOf(port.house, port.people.privacy, { path, statement }),
          incident,
        )
      }
      const statement = { outcome: "unfounded" }
      const names = { reason: "it was an exercise of the port" }
      const caller = await callerOf(port.house, port.people.privacy, { path, statement, names })
      return closeIncident(port.house, caller, incident)
    })
    expect(progressOf(port.house, linkage)).toMatchObject({ phase: "failed" })
    expect(await opened(linkage)).toHaveLength(1)
    expect((await linkageOf(port.house, linkage)).planned).toBeNull()
  }
})

test("a linkage opens each original once", async () => {
  const incident = await breach(port)
  const linkage = await meanwhile(incident, async () => {
    const [first] = known.captures
    const errand = {
      of: { for: "link", linkage: (await newest(incident))! },
      records: [
        { kind: "linkage", id: (await newest(incident))! },
        { kind: "incident", id: incident },
      ],
    } as const
    expect(await codeOf(openedFor(port.house, errand, first!))).toBe("CONFLICT")
  })
  expect((await opened(linkage)).sort()).toEqual([...known.captures].sort())
})

async function newest(incident: string): Promise<string | null> {
  const row = await port.house.ledger.record("incident", incident)
  return (JSON.parse(row!.body) as { linkage: string | null }).linkage
}

test("an estimate of answers that were given while it was made is refused", async () => {
  const { house } = port
  const linkage = await linked(port, await breach(port), 100)
  await answer(linkage, [{ pair: 0, answer: "same" }])
  const { ledger } = house
  const member = ledger.member.bind(ledger)
  let isFirst = true
  Object.assign(ledger, {
    member: async (set: string, name: string) => {
      if (isFirst && set.startsWith("answers/")) {
        isFirst = false
        await answer(linkage, [{ pair: 1, answer: "different" }])
      }
      return member(set, name)
    },
  })
  try {
    const path = `/v1/linkages/${linkage}/estimates`
    const statement = { answered: 2, dependence: "measured" }
    const caller = await callerOf(house, port.people.privacy, { path, statement })
    expect(await codeOf(estimateLinkage(house, caller, linkage))).toBe("CONFLICT")
  } finally {
    Object.assign(ledger, { member })
  }
  expect((await linkageOf(house, linkage)).estimated).toBeNull()
})

test("while pairs wait and no interval is in the log, nobody is told of known truths, by an estimate of one answer neither", async () => {
  const linkage = await linked(port, await breach(port), 100)
  await answer(linkage, [{ pair: 0, answer: "same" }])
  expect((await estimateNow(port, linkage, "measured")).interval).toBeNull()
  expect(await codeOf(planForPack(port.house, linkage))).toBe("CONFLICT")
  await answerAll(port, { linkage, role: "analyst", personOf: known.personOf })
  expect((await shownLinkage(port.house, linkage)).findings).toMatchObject({
    controls: null,
    agreement: null,
  })
  await answerAll(port, { linkage, role: "privacy", personOf: known.personOf })
  expect((await shownLinkage(port.house, linkage)).findings?.agreement?.pairs).toBeGreaterThan(0)
  expect((await planForPack(port.house, linkage)).length).toBeGreaterThan(100)
})

test("faces that two people set are asked about like those that were found", async () => {
  const [capture] = known.captures
  await setFaces(capture!, [{ x_px: 120, y_px: 24, width_px: 48, height_px: 48 }])
  const linkage = await linked(port, await breach(port), 100)
  const { planned } = await linkageOf(port.house, linkage)
  expect(planned!.faces).toBe(5)
  const { pairs } = await pairsFor(port.house, linkage, { by: port.people.analyst.person, limit: 200 })
  const shown = pairs.flatMap(({ subject, other }) => [subject, other])
  const set = shown.find(each => each.capture === capture && each.face.x_px === 120)
  expect(set?.faces).toHaveLength(2)
})

test("nothing of it differs between log and ledger", async () => {
  const linkage = await linked(port, await breach(port), 100)
  for (const role of ["analyst", "privacy"] as const)
    await answerAll(port, { linkage, role, personOf: known.personOf })
  await estimateNow(port, linkage, "measured")
  const { log, ledger } = port.house
  expect((await fsck(ledger, { origin: log.origin, verify: verifyEd25519 })).problems).toEqual([])
})
