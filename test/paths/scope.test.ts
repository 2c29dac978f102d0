import { join } from "node:path"
import sharp from "sharp"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { canonical } from "../../src/canonical.ts"
import { planDraw } from "../../src/custody/draw.ts"
import { permit } from "../../src/custody/opening.ts"
import { release } from "../../src/custody/release.ts"
import { besideOf } from "../../src/custody/scope-beside.ts"
import { houseSources, ledgerSource } from "../../src/custody/scope-reading.ts"
import { scopeOf, type ScopeAsk, type ScopeSources } from "../../src/custody/scope.ts"
import { newId } from "../../src/ids.ts"
import { differs, Recount } from "../../src/incident/recount.ts"
import type { Cause, ScopeQuery, ScopeResult } from "../../src/incident/scope.ts"
import { closeConnection, openConnection } from "../../src/ledger/connection.ts"
import { parseEntry } from "../../src/log/kinds.ts"
import type { LogSource } from "../../src/log/reading.ts"
import { undoubted } from "../../src/picture/level.ts"
import {
  callerOf,
  codeOf,
  examineAs,
  grantOf,
  openTestPort,
  releaseCaller,
  sealAndAdmit,
  type Role,
  type TestPort,
} from "../port.ts"

let port: TestPort
let captures: Record<"c1" | "c2" | "c3" | "c4" | "c5" | "c6" | "c7", string>
let grants: Record<"first" | "open" | "colleague", string>
let query: ScopeQuery

const digest = (letter: string) => Buffer.alloc(16, letter).toString("base64")

beforeAll(async () => {
  port = await openTestPort()
  const picture = new Uint8Array(
    await sharp({ create: { width: 120, height: 80, channels: 3, background: "#456" } })
      .jpeg()
      .toBuffer(),
  )
  const crossings = Array.from({ length: 6 }, () => newId("crs"))
  /** A capture of a crossing (from 1), with so many faces (`null`: nobody looked) and plates of these letters. */
  const capture = async (of: { crossing: number; kind?: "face"; faces?: number | null; plates?: string }) => {
    const bend = { crossing: crossings[of.crossing - 1]!, kind: of.kind ?? ("plate" as const) }
    const { capture: id } = await sealAndAdmit(port, { picture, bend })
    if (of.faces === undefined) return id
    const faces = Array.from({ length: of.faces ?? 0 }, (_, i) => {
      return { x_px: 10 + 20 * i, y_px: 10, width_px: 10, height_px: 12 }
    })
    const plates = [{ x_px: 20, y_px: 40, width_px: 60, height_px: 20 }]
    const found = { width_px: 120, height_px: 80, plates, faces: of.faces === null ? null : faces }
    const digests = [...(of.plates ?? "")].map(digest)
    await examineAs(port, id, { ...found, doubted: undoubted }, digests)
    return id
  }
  captures = {
    c1: await capture({ crossing: 1, faces: 2, plates: "A" }),
    c2: await capture({ crossing: 1, faces: 1, plates: "A" }),
    c3: await capture({ crossing: 2, kind: "face", faces: 0, plates: "B" }),
    c4: await capture({ crossing: 3 }),
    c5: await capture({ crossing: 4, faces: 3, plates: "A" }),
    c6: await capture({ crossing: 5, faces: null }),
    c7: await capture({ crossing: 6, faces: 1, plates: "C" }),
  }
  const { c1, c2, c3, c4, c5, c6, c7 } = captures
  const first = await grantOf(port, { terms: { images: 4, releases: 20 } })
  for (const id of [c1, c2, c1, c3]) await take(first, id)
  await permit(port.house, await releaseCaller(port, { grant: first, capture: c5 }), "release")
  expect(await codeOf(take(first, c6))).toBe("GRANT_BUDGET")
  expect(await codeOf(take(first, c1, "engineer", "L4"))).toBe("GRANT_LEVEL")
  expect(await codeOf(take(first, newId("cap")))).toBe("NOT_FOUND")
  expect(await codeOf(take(first, c4, "colleague"))).toBe("GRANT_HOLDER")
  const statement = { grant: first, count: 1840, captures: null }
  const caller = await callerOf(port.house, port.people.engineer, { path: "/v1/draws", statement })
  expect(await codeOf(planDraw(port.house, caller, "bulk"))).toBe("GRANT_BUDGET")
  const open = await grantOf(port, { terms: { captures: [c4, c6, c7], images: 2 } })
  const holder = port.people.colleague.person
  const colleague = await grantOf(port, {
    terms: { captures: [c7], images: 1, holder },
    requester: "colleague",
  })
  await take(colleague, c7, "colleague")
  grants = { first, open, colleague }
  query = {
    cause: { of: "organizations", organizations: [await organization("prime")] },
    from: new Date(port.house.log.clock() - 86_400_000).toISOString(),
    until: new Date(port.house.log.clock() + 86_400_000).toISOString(),
  }
})
afterAll(() => port.close())

async function take(grant: string, capture: string, role: Role = "engineer", level = "L2") {
  return release(port.house, await releaseCaller(port, { grant, capture, role, level }))
}

async function organization(role: Role): Promise<string> {
  const row = await port.house.ledger.record("person", port.people[role].person)
  return (JSON.parse(row!.body) as { organization: string }).organization
}

const incident = "inc_01KB7Z0000000000000000000S"

async function asked(changed: Partial<ScopeQuery> = {}, more: Partial<ScopeAsk> = {}) {
  return scopeOf(houseSources(port.house), { incident, query: { ...query, ...changed }, ...more })
}

const bounds = (counts: ScopeResult["left"]) =>
  Object.fromEntries(
    Object.entries(counts).map(([unit, { at_least, at_most }]) => [unit, [at_least, at_most]]),
  )

const unknown = ({ unknowns }: ScopeResult, what: string) => unknowns.find(each => each.what === what)?.count

describe("the scope of an incident, counted by hand", () => {
  test("a prime stands for its subcontractor: three disjoint sets in seven units", async () => {
    const { result, captures: sets, disclosures } = await asked()
    const { c1, c2, c3, c4, c5, c6, c7 } = captures
    expect(sets.left).toEqual([c1, c2, c3, c5, c7].sort())
    // The colleague asked for c4 and never got it; c6 the engineer.
    expect(sets.refused).toEqual([c4, c6].sort())
    expect(sets.takeable).toEqual([])
    expect(bounds(result.left)).toEqual({
      files: [5, 6],
      images: [4, 5],
      merged: [3, 4],
      crossings: [3, 4],
      plates: [3, 3],
      vehicles: [3, 4],
      people: [2, 7],
    })
    expect(bounds(result.refused)).toEqual({
      files: [0, 0],
      images: [2, 2],
      merged: [2, 2],
      crossings: [2, 2],
      plates: [0, 33],
      // A plate was found in one of them, and not read.
      vehicles: [1, 2],
      people: [0, 64],
    })
    expect(result.takeable.images).toMatchObject({ at_least: 0, at_most: 0 })
    expect(disclosures.map(({ capture }) => capture)).toEqual([c1, c2, c1, c3, c5, c7])
    expect(disclosures.filter(({ delivered }) => delivered === null).map(({ capture }) => capture)).toEqual([
      c5,
    ])
  })

  test("a canary that left is named, and is in no set and no count; who counts again leaves it out too", async () => {
    const { c1, c2, c3, c5, c7 } = captures
    const { result, captures: sets } = await asked({}, { isCanary: id => id === c1 })
    expect(result.canaries_left).toEqual([c1])
    expect(sets.left).toEqual([c2, c3, c5, c7].sort())
    expect(bounds(result.left)).toMatchObject({
      files: [3, 4],
      images: [3, 4],
      merged: [3, 4],
      people: [1, 5],
    })
    expect(unknown(result, "canaries")).toBe(2)
    const again = async (canaries: readonly string[]) => {
      const recount = new Recount(result.query, canaries)
      const rows = await port.house.ledger.entries(0, result.checkpoint.size)
      for (const { index, bytes } of rows) recount.take(index, parseEntry(bytes)!)
      const [said] = result.left_series ?? []
      const images = { at_least: 9, at_most: 9 }
      const bent = { ...result, left_series: said === undefined ? [] : [{ ...said, images }] }
      if (canaries.length > 0) expect(differs(recount.figures(), bent)).toContain("by the end of each day")
      return differs(recount.figures(), result)
    }
    expect(await again(result.canaries_left)).toBeNull()
    expect(await again([])).toContain("images: the entries say 4 to 5")
    expect((await asked()).result.canaries_left).toEqual([])
  })

  test("breakdowns add up where they must, and say what was visible and who had it", async () => {
    const { left_by } = (await asked()).result
    const { engineer, colleague } = port.people
    const { port: place, lane } = port.reader
    expect(left_by.port).toEqual([{ key: place, images: 5, files: 6 }])
    expect(left_by.lane).toEqual([{ key: lane, images: 5, files: 6 }])
    expect(left_by.level).toEqual([{ key: "L2", images: 5, files: 6 }])
    expect(left_by.holder).toEqual(
      [
        { key: engineer.person, images: 4, files: 5 },
        { key: colleague.person, images: 1, files: 1 },
      ].sort((a, b) => (a.key < b.key ? -1 : 1)),
    )
    const sum = (parts: readonly { readonly images: number }[]) =>
      parts.reduce((all, { images }) => all + images, 0)
    expect(sum(left_by.capture_day)).toBe(5)
    expect(sum(left_by.both_days)).toBeGreaterThanOrEqual(5)
  })

  test("by day of release: what had left by its end, people too, the last row all of it", async () => {
    const { left, left_series } = (await asked()).result
    const of = ({ at_least, at_most }: typeof left.people) => ({ at_least, at_most })
    expect(left_series?.at(-1)).toMatchObject({ images: of(left.images), people: of(left.people) })
    expect(left_series?.at(-1)?.day).toBe(
      left_series
        ?.map(({ day }) => day)
        .sort()
        .at(-1),
    )
  })

  test("one person's scope leaves out what her colleague took, which she could still take", async () => {
    const { result, captures: sets } = await asked({
      cause: { of: "people", people: [port.people.engineer.person] },
    })
    const { c1, c2, c3, c4, c5, c6, c7 } = captures
    expect(sets.left).toEqual([c1, c2, c3, c5].sort())
    expect(sets.refused).toEqual([c6])
    expect(sets.takeable).toEqual([c4, c7].sort())
    expect(bounds(result.takeable)).toMatchObject({ plates: [1, 33], vehicles: [1, 2], people: [1, 33] })
    const { first, open } = grants
    expect(result.live_grants).toEqual(
      [
        { grant: first, holder: port.people.engineer.person, images_left: 0, takeable: 0 },
        { grant: open, holder: port.people.engineer.person, images_left: 2, takeable: 2 },
      ].sort((a, b) => (a.grant < b.grant ? -1 : 1)),
    )
  })

  test("what cannot be known is always said, with its figure", async () => {
    const { result } = await asked()
    expect(unknown(result, "screens")).toBeNull()
    expect(unknown(result, "before_sallyport")).toBeNull()
    expect(unknown(result, "charged_not_delivered")).toBe(1)
    expect(unknown(result, "no_face_found")).toBe(1)
    expect(unknown(result, "draws_refused")).toBe(1840)
    expect(unknown(result, "asked_for_none")).toBe(1)
    expect(unknown(result, "sequence_gaps")).toBe(0)
    expect(result.window_30d).toEqual({ narrower: 0, wider: 5 })
  })

  test("a window of a part of the day goes by the permits' own times", async () => {
    const { disclosures } = await asked()
    const third = disclosures[2]!
    const { captures: before } = await asked({ until: third.at })
    const same = disclosures.filter(({ at }) => at < third.at).map(({ capture }) => capture)
    expect(before.left).toEqual([...new Set(same)].sort())
    const { captures: from } = await asked({ from: third.at })
    const rest = disclosures.filter(({ at }) => at >= third.at).map(({ capture }) => capture)
    expect(from.left).toEqual([...new Set(rest)].sort())
  })
})

/** The log as files of a mirror, at this moment. */
async function mirrored(): Promise<LogSource> {
  const files = new Map<string, Uint8Array | null>()
  const live = ledgerSource(port.house)
  const read = async (path: string) => {
    if (!files.has(path)) files.set(path, await live.read(path))
    return files.get(path)!
  }
  return { name: "a mirror", read }
}

describe("anybody gets the same integers", () => {
  test("a mirror with the same rows gives the same bytes, without them the same sets and wider bounds", async () => {
    const sources = houseSources(port.house)
    const { result } = await asked()
    const log = await mirrored()
    const again = await scopeOf({ ...sources, log }, { incident, query })
    expect(canonical(again.result)).toBe(canonical(result))
    const alone = (await scopeOf({ ...sources, log: await mirrored(), beside: null }, { incident, query }))
      .result
    expect(alone.ids_sha256).toEqual(result.ids_sha256)
    expect(alone.left.files).toEqual(result.left.files)
    expect(alone.left.images).toEqual(result.left.images)
    // Of two or three faces nobody can say without their boxes whether they are one that was found twice.
    expect(bounds(alone.left).people).toEqual([1, 7])
    expect(alone.left.people.how).toContain("is not at hand")
    expect(alone.left_by).toEqual(result.left_by)
    expect(bounds(alone.left)).toMatchObject({
      merged: [1, 5],
      crossings: [1, 5],
      plates: [0, 160],
      vehicles: [1, 5],
    })
  })

  test("pinned to a checkpoint, the same figures come back when the log has grown", async () => {
    const before = await asked()
    const { size, root } = before.result.checkpoint
    const grant = await grantOf(port, { terms: { images: 1 } })
    await take(grant, captures.c4)
    const now = await asked()
    expect(now.captures.left).toContain(captures.c4)
    expect(now.captures.refused).not.toContain(captures.c4)
    const checkpoint = { size, root: Uint8Array.from(Buffer.from(root, "hex")) }
    const then = await asked({}, { checkpoint })
    expect(canonical(then.result)).toBe(canonical(before.result))
    const log = await mirrored()
    const mirror = await scopeOf({ ...houseSources(port.house), log }, { incident, query, checkpoint })
    expect(canonical(mirror.result)).toBe(canonical(before.result))
    const other = { size, root: new Uint8Array(32) }
    expect(await codeOf(asked({}, { checkpoint: other }))).toBe("LOG_FORK")
  })
})

describe("what has no scope", () => {
  const cause = (of: Cause) => codeOf(asked({ cause: of }))

  test("T2 before T1, a window outside of the log, no time at all", async () => {
    const { from, until } = query
    expect(await codeOf(asked({ from: until, until: from }))).toBe("INVALID")
    expect(await codeOf(asked({ from, until: from }))).toBe("INVALID")
    expect(await codeOf(asked({ from: "2019-05-13T00:00:00Z", until: "2019-05-31T00:00:00Z" }))).toBe(
      "INVALID",
    )
    expect(await codeOf(asked({ from: until, until: "2099-01-01T00:00:00Z" }))).toBe("INVALID")
    for (const odd of ["yesterday", "2026-02-30T00:00:00Z", "2026-11-24T21:00:00", "2026-11-24T24:00:00Z"])
      expect(await codeOf(asked({ from: odd })), odd).toBe("INVALID")
  })

  test("ids that the log does not have, and lists that are empty", async () => {
    expect(await cause({ of: "organizations", organizations: [newId("org")] })).toBe("NOT_FOUND")
    expect(await cause({ of: "people", people: [port.people.engineer.person, newId("per")] })).toBe(
      "NOT_FOUND",
    )
    expect(await cause({ of: "devices", devices: ["A".repeat(43) + "="] })).toBe("NOT_FOUND")
    expect(await cause({ of: "networks", networks: ["192.0.2.0/24"] })).toBe("NOT_FOUND")
    expect(await cause({ of: "files", traces: [newId("trc")] })).toBe("NOT_FOUND")
    expect(await cause({ of: "people", people: [] })).toBe("INVALID")
  })

  test("an entry that is not the signed one: no figure, and why", async () => {
    const log = await mirrored()
    const bent: LogSource = {
      ...log,
      read: async path => {
        const bytes = await log.read(path)
        if (bytes === null || !path.startsWith("tile/entries")) return bytes
        const text = Buffer.from(bytes).toString("latin1").replace('"level":"L2"', '"level":"L1"')
        return new Uint8Array(Buffer.from(text, "latin1"))
      },
    }
    const sources: ScopeSources = { ...houseSources(port.house), log: bent }
    await expect(scopeOf(sources, { incident, query })).rejects.toMatchObject({
      code: "LOG_INVALID",
      message: expect.stringMatching(/does not verify: entry \d+: is not that of tile 0\/0/),
    })
  })

  test("a row that a database administrator changed: no figure, and which", async () => {
    await port.opened.close()
    const change = (from: string, to: string) => {
      const connection = openConnection(join(port.data, "ledger.sqlite"))
      connection
        .prepare("update captures set findings_json = replace(findings_json, ?, ?) where id = ?")
        .run([from, to, captures.c3])
      closeConnection(connection)
    }
    change(digest("B"), digest("A"))
    await port.reopen()
    await expect(asked()).rejects.toMatchObject({
      code: "LEDGER_DIFFERS",
      message: expect.stringContaining(captures.c3),
    })
    await port.opened.close()
    change(digest("A"), digest("B"))
    await port.reopen()
    expect(bounds((await asked()).result.left).plates).toEqual([3, 35])
    expect(
      (
        await scopeOf(
          { ...houseSources(port.house), beside: besideOf(port.house.ledger) },
          { incident, query },
        )
      ).result.v,
    ).toBe(1)
  })
})
