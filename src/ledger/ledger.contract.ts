import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { hex } from "../bytes.ts"
import { emptyRoot } from "../tlog/hash.ts"
import { changing, wanting, type CaptureRow, type Change, type Ledger, type Sequencing } from "./ledger.ts"
import { messagesContract } from "./messages.contract.ts"

const nothing = wanting({})
const bytes = (...values: number[]) => Uint8Array.from(values)

function store(transaction: Sequencing, change: Partial<Change>): Promise<void> {
  return transaction.store(changing(transaction.head, change))
}

/** Entries as a ledger of the first schema has them: one permit of a person, one of the system, one refusal. */
export const olderEntries: Change["entries"] = [
  { by: { person: "p" }, kind: "permit" },
  { by: null, kind: "permit" },
  { by: { person: "p" }, kind: "refused" },
].map((entry, index) => ({ index, kind: entry.kind, bytes: new TextEncoder().encode(JSON.stringify(entry)) }))

export async function storeOlder(ledger: Ledger): Promise<void> {
  await ledger.sequence(transaction => store(transaction, { entries: olderEntries }))
}

export function captureRow(changed: Partial<CaptureRow> = {}): CaptureRow {
  return {
    id: "cap_1",
    port: "prt_1",
    lane: "lan_1",
    reader: "rdr_1",
    sequence: 1,
    capturedAt_ms: 1_700_000_000_000,
    hour: "2026-11-24T04-06:00",
    kind: "plate",
    crossing: "crs_1",
    sealedTo: "day/2026-11-24",
    bodySha256: "00",
    size_bytes: 10,
    admitted: 3,
    examined: null,
    plates: null,
    faces: null,
    headerJson: "{}",
    headerSignature: bytes(1, 2),
    ageHeader: bytes(3),
    findingsJson: null,
    ...changed,
  }
}

/** What every ledger must do, whatever it is made of. `open` opens the same ledger again where the engine lets it. */
export function ledgerContract(name: string, open: () => Promise<Ledger>): void {
  describe(`ledger on ${name}`, () => {
    let ledger: Ledger
    beforeAll(async () => {
      ledger = await open()
    })
    afterAll(() => ledger.close())

    test("an empty ledger has the empty tree", async () => {
      const head = await ledger.head()
      expect(head).toMatchObject({ size: 0, time_ms: 0 })
      expect(hex(head.root)).toBe(hex(emptyRoot()))
      expect(head.frontier).toHaveLength(0)
    })

    test("what work stores is there for every read, whole", async () => {
      await ledger.sequence(transaction =>
        store(transaction, {
          head: { size: 2, root: bytes(...new Uint8Array(32)), frontier: bytes(9), time_ms: 5 },
          entries: [
            { index: 0, kind: "genesis", bytes: bytes(0, 255) },
            { index: 1, kind: "permit", bytes: bytes(1) },
          ],
          tiles: [{ level: 0, index: 0, hashes: bytes(7) }],
          records: [
            { kind: "lane", id: "b", version: 1, body: '{"a":"ü"}' },
            { kind: "lane", id: "a", version: 0, body: "{}" },
          ],
          counters: [{ name: "n", value: 4 }],
          members: [{ set: "s", member: "m", value: 2 }],
          captures: [captureRow()],
          openings: [{ entry: 1, field: "name", salt: bytes(5), value: "N" }],
        }),
      )
      expect(await ledger.head()).toEqual({
        size: 2,
        root: bytes(...new Uint8Array(32)),
        frontier: bytes(9),
        time_ms: 5,
      })
      expect(await ledger.entries(0, 2)).toEqual([
        { index: 0, kind: "genesis", bytes: bytes(0, 255) },
        { index: 1, kind: "permit", bytes: bytes(1) },
      ])
      expect(await ledger.entries(1, 1)).toEqual([])
      expect((await ledger.newestEntries({ limit: 1 })).map(row => row.index)).toEqual([1])
      expect(
        (await ledger.newestEntries({ kind: "genesis", before: 1, limit: 5 })).map(row => row.index),
      ).toEqual([0])
      expect(await ledger.tile(0, 0)).toEqual({ level: 0, index: 0, hashes: bytes(7) })
      expect(await ledger.tile(0, 1)).toBeNull()
      expect(await ledger.record("lane", "b")).toEqual({
        kind: "lane",
        id: "b",
        version: 1,
        body: '{"a":"ü"}',
      })
      expect(await ledger.record("lane", "c")).toBeNull()
      expect((await ledger.records("lane", { limit: 10 })).map(row => row.id)).toEqual(["a", "b"])
      expect((await ledger.records("lane", { after: "a", limit: 10 })).map(row => row.id)).toEqual(["b"])
      expect(await ledger.counter("n")).toBe(4)
      expect(await ledger.counter("none")).toBe(0)
      expect(await ledger.member("s", "m")).toBe(2)
      expect(await ledger.capture("cap_1")).toEqual(captureRow())
      expect(await ledger.openings(1)).toEqual([{ entry: 1, field: "name", salt: bytes(5), value: "N" }])
    })

    test("a batch loads what it asks for, and nothing else", async () => {
      const found = await ledger.sequence(transaction =>
        transaction.load({
          records: [
            { kind: "lane", id: "a" },
            { kind: "lane", id: "none" },
          ],
          counters: ["n", "none"],
          members: [
            { set: "s", member: "m" },
            { set: "s", member: "none" },
          ],
          captures: [],
          sequences: [
            { reader: "rdr_1", sequence: 1 },
            { reader: "rdr_1", sequence: 2 },
          ],
        }),
      )
      expect(found.records.map(row => row.id)).toEqual(["a"])
      expect(found.counters).toEqual([{ name: "n", value: 4 }])
      expect(found.members).toEqual([{ set: "s", member: "m", value: 2 }])
      expect(found.captures).toEqual([captureRow()])
      expect(await ledger.sequence(transaction => transaction.load(nothing))).toEqual({
        records: [],
        counters: [],
        members: [],
        captures: [],
      })
    })

    test("rows are overwritten whole, tiles grow", async () => {
      await ledger.sequence(transaction =>
        store(transaction, {
          tiles: [{ level: 0, index: 0, hashes: bytes(7, 8) }],
          records: [{ kind: "lane", id: "a", version: 9, body: '{"n":1}' }],
          counters: [{ name: "n", value: Number.MAX_SAFE_INTEGER }],
          members: [{ set: "s", member: "m", value: 3 }],
          captures: [captureRow({ examined: 7, findingsJson: "{}", ageHeader: bytes(4, 4) })],
        }),
      )
      expect(await ledger.tile(0, 0)).toMatchObject({ hashes: bytes(7, 8) })
      expect(await ledger.record("lane", "a")).toMatchObject({ version: 9, body: '{"n":1}' })
      expect(await ledger.counter("n")).toBe(Number.MAX_SAFE_INTEGER)
      expect(await ledger.member("s", "m")).toBe(3)
      expect(await ledger.capture("cap_1")).toEqual(
        captureRow({ examined: 7, findingsJson: "{}", ageHeader: bytes(4, 4) }),
      )
    })

    test("work that throws stores nothing, and its error goes on", async () => {
      const failing = ledger.sequence(async transaction => {
        await store(transaction, { counters: [{ name: "thrown", value: 1 }] })
        throw new Error("no")
      })
      await expect(failing).rejects.toThrow("no")
      expect(await ledger.counter("thrown")).toBe(0)
    })

    test("a number of a reader is taken once", async () => {
      const twice = ledger.sequence(transaction =>
        store(transaction, { captures: [captureRow({ id: "cap_other" })] }),
      )
      await expect(twice).rejects.toThrow()
      expect(await ledger.capture("cap_other")).toBeNull()
    })

    test("200 increments at once end at 200", async () => {
      await Promise.all(
        Array.from({ length: 200 }, () =>
          ledger.sequence(async transaction => {
            const { counters } = await transaction.load({ ...nothing, counters: ["race"] })
            await store(transaction, { counters: [{ name: "race", value: (counters[0]?.value ?? 0) + 1 }] })
          }),
        ),
      )
      expect(await ledger.counter("race")).toBe(200)
    })

    test("reads see no open transaction", async () => {
      let seen = -1
      await ledger.sequence(async transaction => {
        await store(transaction, { counters: [{ name: "dirty", value: 1 }] })
        void ledger.counter("dirty").then(value => (seen = value))
        await new Promise(resolve => setTimeout(resolve, 20))
        expect(seen).not.toBe(1)
      })
    })

    test("a view sees one moment, whatever is stored meanwhile", async () => {
      const name = "seen in a view"
      const sequenced: Promise<unknown>[] = []
      const seen = await ledger.view(async reading => {
        const before = await reading.counter(name)
        sequenced.push(
          ledger.sequence(({ head, store }) => store(changing(head, { counters: [{ name, value: 7 }] }))),
        )
        await new Promise(resolve => setTimeout(resolve, 100))
        return [before, await reading.counter(name), (await reading.records("none", { limit: 1 })).length]
      })
      await Promise.all(sequenced)
      expect(seen).toEqual([0, 0, 0])
      expect(await ledger.counter(name)).toBe(7)
    })
    test("captures are found by lane, time, examination, key and set, in order, page by page", async () => {
      const rows = Array.from({ length: 6 }, (_, i) =>
        captureRow({
          id: `cap_l${i}`,
          lane: i < 4 ? "lan_x" : "lan_y",
          sequence: 100 + i,
          capturedAt_ms: 1000 + (i % 3),
          sealedTo: "day/x",
          examined: i % 2 === 0 ? 1 : null,
        }),
      )
      await ledger.sequence(transaction =>
        store(transaction, { captures: rows, members: [{ set: "taken", member: "cap_l0", value: 1 }] }),
      )
      const ids = async (filter: Omit<Parameters<Ledger["captures"]>[0], "limit">, limit = 100) =>
        (await ledger.captures({ ...filter, limit })).map(row => row.id)
      expect(await ids({ sealedTo: "day/x" })).toEqual([
        "cap_l0",
        "cap_l3",
        "cap_l1",
        "cap_l4",
        "cap_l2",
        "cap_l5",
      ])
      expect(await ids({ lanes: ["lan_x"], notIn: "taken" })).toEqual(["cap_l3", "cap_l1", "cap_l2"])
      expect(await ids({ lanes: ["lan_x", "lan_y"], examined: true })).toEqual(["cap_l0", "cap_l4", "cap_l2"])
      expect(await ids({ lanes: ["lan_x"], examined: false })).toEqual(["cap_l3", "cap_l1"])
      expect(await ids({ sealedTo: "day/x", from_ms: 1001, until_ms: 1002 })).toEqual(["cap_l1", "cap_l4"])
      expect(await ids({ sealedTo: "day/x", after: "cap_l1" }, 2)).toEqual(["cap_l4", "cap_l2"])
      expect(await ledger.captureCounts()).toContainEqual({ lane: "lan_x", count: 4, examined: 2 })
    })

    test("members and counters are listed page by page", async () => {
      await ledger.sequence(transaction =>
        store(transaction, {
          members: ["a", "b", "c"].map(member => ({ set: "list", member, value: 1 })),
          counters: [{ name: "zz", value: 1 }],
        }),
      )
      expect((await ledger.members({ set: "list", limit: 2 })).map(row => row.member)).toEqual(["a", "b"])
      expect(
        (await ledger.members({ set: "list", after: { set: "list", member: "b" }, limit: 2 })).map(
          row => row.member,
        ),
      ).toEqual(["c"])
      expect((await ledger.counters({ after: "thz", limit: 10 })).map(row => row.name)).toEqual(["zz"])
    })

    test("a key is stored once, and destroyed for good", async () => {
      const row = { name: "day/2026-11-24", recipient: "age1x", wrapped: bytes(1), escrow: bytes(2) }
      expect(await ledger.addIdentity(row)).toBe(true)
      expect(await ledger.addIdentity({ ...row, wrapped: bytes(9) })).toBe(false)
      expect(await ledger.identity(row.name)).toEqual(row)
      await ledger.destroyIdentity(row.name, { escrowToo: false })
      expect(await ledger.identity(row.name)).toEqual({ ...row, wrapped: null })
      await ledger.destroyIdentity(row.name, { escrowToo: true })
      expect(await ledger.identities()).toEqual([{ ...row, wrapped: null, escrow: null }])
    })

    test("of a reader's reports the newest stays, and one of before it changes nothing", async () => {
      const report = (at_ms: number, mark_ms: number) => ({
        ...{ reader: "rdr_1", at_ms, mark_ms, received_ms: 50, sha256: `x${at_ms}`, body: "{}" },
      })
      expect(await ledger.laneReport("rdr_1")).toBeNull()
      expect(await ledger.putLaneReport(report(60, 50))).toBe(true)
      expect(await ledger.laneReport("rdr_1")).toEqual(report(60, 50))
      expect(await ledger.putLaneReport(report(50, 50))).toBe(false)
      expect(await ledger.laneReport("rdr_1")).toEqual(report(60, 50))
      // A clock that ran ahead and was set right: its mark is ours, not its own.
      expect(await ledger.putLaneReport(report(51, 51))).toBe(true)
      expect(await ledger.laneReport("rdr_1")).toEqual(report(51, 51))
      expect(await ledger.laneReport("rdr_2")).toBeNull()
    })

    messagesContract(() => ledger)

    test("a nonce is good once; a draw's key names one draw of a person", async () => {
      expect(await ledger.useNonce("n1", 100, 0)).toBe(true)
      expect(await ledger.useNonce("n1", 100, 0)).toBe(false)
      const draw = {
        id: "drw_1",
        person: "per_1",
        grant: "grt_1",
        idempotencyKey: "k",
        requestSha256: "x",
        captures: ["cap_1"],
        createdAt_ms: 1,
      }
      expect(await ledger.addDraw(draw)).toBe(true)
      expect(await ledger.addDraw({ ...draw, id: "drw_2" })).toBe(false)
      expect(await ledger.draw("per_1", "k")).toEqual(draw)
      expect(await ledger.draw("per_2", "k")).toBeNull()
      expect(await ledger.drawById("drw_1")).toEqual(draw)
    })
  })
}
