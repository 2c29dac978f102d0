import { readFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, expect, test } from "vitest"
import { Client } from "../../src/cli/client.ts"
import { backTest, backTestDigest, logBackTest } from "../../src/custody/back-test.ts"
import { recordOf, type Caller } from "../../src/custody/caller.ts"
import { keepModel, modelsOf, rulesInForce } from "../../src/custody/models.ts"
import { proposeMotion } from "../../src/custody/motions.ts"
import { permit } from "../../src/custody/opening.ts"
import { verifyEd25519 } from "../../src/ed25519.ts"
import { newId } from "../../src/ids.ts"
import { motionPaths } from "../../src/log/authentic.ts"
import { fsck } from "../../src/log/fsck.ts"
import { judge } from "../../src/log/judge.ts"
import { parseEntry, type EntryOf } from "../../src/log/kinds.ts"
import { Replay } from "../../src/log/replay.ts"
import { modelDigest, newestModel, packModel } from "../../src/log/watch-models.ts"
import { formatModel, parseModel, type ModelFile } from "../../src/watch/model.ts"
import { callerOf, codeOf, grantOf, openTestPort, releaseCaller, second } from "../port.ts"
import type { Role, TestPort } from "../port.ts"
import { startServer } from "../server.ts"
import { root } from "../tidy.ts"
import { shipped } from "../watched.ts"
import { takeInPlain } from "../flat.ts"

/** What the watch judges by: in the log, tried over it, and in force by two people's word. */

const text = (() => {
  const file = parseModel(readFileSync(join(root, "models/watch.json"), "utf8")).file
  return formatModel({ ...file, provenance: { ...file.provenance, trained_at: "2026-11-28" } })
})()
const digest = modelDigest(text)
const { thresholds } = shipped.file
const lower: ModelFile["thresholds"] = {
  ...thresholds,
  person: { stepUp_micronats: 1_000_000, suspend_micronats: 5_000_000 },
}

let port: TestPort
let captures: readonly string[]

beforeAll(async () => {
  port = await openTestPort()
  captures = await takeInPlain(port, 4)
})
afterAll(async () => {
  expect(await problemsOf()).toEqual([])
  await port.close()
})

async function problemsOf() {
  const { house } = port
  return (await fsck(house.ledger, { origin: house.log.origin, verify: verifyEd25519 })).problems
}

function asking(role: Role, path: string, statement: object): Promise<Caller> {
  return callerOf(port.house, port.people[role], { path, statement: { ...statement } })
}

async function kept(role: Role, model: string, gzip: string): Promise<string> {
  return codeOf(keepModel(port.house, await asking(role, "/v1/watch/models", { model, gzip })))
}

async function tried(
  of: { readonly model: string; readonly thresholds: ModelFile["thresholds"] },
  size: number | null = null,
  role: Role = "analyst",
) {
  const caller = await asking(role, "/v1/watch/backtests", { ...of, size })
  return logBackTest(port.house, caller, () => undefined)
}

async function proposed(statement: object, role: Role = "analyst") {
  return proposeMotion(port.house, await asking(role, motionPaths["adopt-model"], statement), "adopt-model")
}

const ask = async (grant: string, capture: string) =>
  codeOf(permit(port.house, await releaseCaller(port, { grant, capture }), "release"))

async function newestWatched(): Promise<EntryOf<"permit" | "refused">> {
  const { size } = await port.house.log.head()
  const rows = await port.house.log.entries(0, size)
  return rows
    .map(row => parseEntry(row.bytes)!)
    .findLast(
      (entry): entry is EntryOf<"permit" | "refused"> =>
        (entry.kind === "permit" || entry.kind === "refused") && entry.watch !== undefined,
    )!
}

test("a model's file goes into the log once, by who may tune, and only if it is the model that it is called", async () => {
  const packed = packModel(text)
  expect(await kept("auditor", digest, packed)).toBe("OFFICE")
  expect(await kept("analyst", modelDigest("{}"), packed)).toBe("WATCH_MODEL")
  expect(await kept("analyst", digest, packed.slice(0, 100))).toBe("WATCH_MODEL")
  const unfair = text.replace(/"pool":\{"order":\[\[\d+/, found => found.replace(/\d+$/, "7"))
  expect(unfair).not.toBe(text)
  expect(await kept("analyst", modelDigest(unfair), packModel(unfair))).toBe("WATCH_MODEL")
  expect(await kept("analyst", digest, packed)).toBe("done")
  expect(await kept("analyst", digest, packed)).toBe("CONFLICT")
  const models = await modelsOf(port.house)
  expect(models.map(({ model, in_force }) => [model, in_force])).toEqual([
    [newestModel(), true],
    [digest, false],
  ])
})

test("a back test says what was and what would have been, and another one of the same log has the same digest", async () => {
  const none = await backTest(port.house, { model: digest, thresholds, size: null })
  expect(none).toMatchObject({ requests: 0, tried: [] })
  const grant = await grantOf(port, { terms: { captures: captures.slice(0, 3), images: 3, releases: 9 } })
  expect(await ask(grant, captures[0]!)).toBe("done")
  expect(await ask(grant, newId("cap"))).toBe("NOT_FOUND")
  expect(await ask(grant, captures[1]!)).toBe("done")
  const usual = await tried({ model: digest, thresholds })
  expect(usual).toMatchObject({ requests: 3, people: 1, asked: { was: 0, would_be: 0 } })
  const strict = await tried({ model: digest, thresholds: lower })
  expect(strict).toMatchObject({ asked: { was: 0, would_be: 1 }, suspended: { was: 0, would_be: 0 } })
  expect(strict.tried).toMatchObject([{ id: port.people.engineer.person, would_be_asked: 1 }])
  const { backtest, entry, ...result } = strict
  expect(backTestDigest(result)).toBe(backtest)
  expect(parseEntry((await port.house.log.entries(entry, entry + 1))[0]!.bytes)).toMatchObject({
    kind: "watch.backtested",
    result_sha256: backtest,
  })
  const again = await tried({ model: digest, thresholds: lower }, strict.size)
  expect(again.backtest).toBe(backtest)
  expect((await recordOf(port.house, "backtest", backtest))?.entry).toBe(entry)
  const unknown = { model: modelDigest("none"), thresholds }
  expect(await codeOf(tried(unknown))).toBe("WATCH_MODEL")
  const upside = { person: { stepUp_micronats: 9, suspend_micronats: 3 }, organization: lower.organization }
  expect(await codeOf(tried({ model: digest, thresholds: upside }))).toBe("WATCH_THRESHOLDS")
  expect(await codeOf(tried({ model: digest, thresholds }, null, "auditor"))).toBe("OFFICE")
})

test("nothing is put in force without a back test of a day at most, of the same model and thresholds, and a second office", async () => {
  const { backtest } = await tried({ model: digest, thresholds: lower })
  const stated = { model: digest, thresholds: lower, backtest }
  expect(await codeOf(proposed({ ...stated, backtest: modelDigest("none") }))).toBe("WATCH_BACKTEST")
  expect(await codeOf(proposed({ ...stated, thresholds }))).toBe("WATCH_BACKTEST")
  expect(await codeOf(proposed({ ...stated, model: newestModel() }))).toBe("WATCH_BACKTEST")
  expect(await codeOf(proposed(stated, "auditor"))).toBe("OFFICE")
  port.clock.offset_ms += 24 * 3_600_000 + 1000
  expect(await codeOf(proposed(stated))).toBe("WATCH_BACKTEST")
  const fresh = await tried({ model: digest, thresholds: lower })
  const { id } = await proposed({ ...stated, backtest: fresh.backtest })
  expect((await rulesInForce(port.house)).model).toBe(newestModel())
  // It may be signed as long as motions may.
  port.clock.offset_ms += 3 * 86_400_000
  expect(await codeOf(second(port.house, port.people.analyst, id))).not.toBe("done")
  await second(port.house, port.people.privacy, id)
  expect(await rulesInForce(port.house)).toMatchObject({ model: digest, thresholds: lower, motion: id })
  expect(await codeOf(second(port.house, port.people.privacy, id))).toBe("CONFLICT")
  const same = await tried({ model: digest, thresholds: lower })
  expect(await codeOf(proposed({ ...stated, backtest: same.backtest }))).toBe("CONFLICT")
})

test("from then on it judges, older entries stay as they were, and a program that starts anew finds it in the log", async () => {
  const days_ms = 6 * 86_400_000
  const dayOf = (at_ms: number) => new Date(at_ms).toISOString().slice(0, 10)
  const now_ms = port.house.log.clock()
  const dates = { first: dayOf(now_ms - days_ms), last: dayOf(now_ms) }
  const terms = { captures: captures.slice(0, 3), images: 3, releases: 9, dates }
  const grant = await grantOf(port, { terms })
  expect(await ask(grant, newId("cap"))).toBe("NOT_FOUND")
  expect((await newestWatched()).watch).toMatchObject({ model: digest, verdict: "step-up" })
  expect(await ask(grant, captures[0]!)).toBe("WATCH_STEP_UP")
  expect(await problemsOf()).toEqual([])
  await port.opened.close()
  const server = await startServer(port.data)
  const anyone = new Client({ server: server.url, vault: port.house.log.origin, signer: null })
  const status = await anyone.json<{ differences: number; vault: string }>({
    ...{ method: "GET", path: "/v1/log/status" },
  })
  await server.kill("SIGTERM")
  await port.reopen()
  expect(status).toMatchObject({ differences: 0, vault: "open" })
  expect((await rulesInForce(port.house)).model).toBe(digest)
})

test("an entry that names another model than the one in force is none, and a replay says which model is missing", async () => {
  const { house } = port
  const { size } = await house.log.head()
  const rows = await house.log.entries(0, size)
  const entry = await newestWatched()
  const index = rows.findLastIndex(row => JSON.stringify(parseEntry(row.bytes)) === JSON.stringify(entry))
  const replay = new Replay({ origin: house.log.origin, verify: verifyEd25519, folds: () => true })
  expect(replay.take(rows.slice(0, index))).toEqual([])
  const old = { ...entry, watch: { ...entry.watch!, model: newestModel() } }
  expect(judge(old, replay.register, Date.parse(entry.at))).toBe("WATCH_MODEL")
  expect(judge(entry, replay.register, Date.parse(entry.at))).toBeNull()
  const bytes = new TextEncoder().encode(JSON.stringify(old))
  const [problem] = replay.take([{ index, kind: entry.kind, bytes }])
  expect(problem?.why).toContain(entry.kind === "refused" ? newestModel() : "author")
})
