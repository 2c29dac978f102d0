import { expect, test } from "vitest"
import { changing, type Ledger, type MessageRow } from "./ledger.ts"

/** What every ledger must do with messages. @param ledger  in which there are none yet. */
export function messagesContract(ledger: () => Ledger): void {
  const message = (id: string, changed: Partial<MessageRow> = {}): MessageRow => ({
    ...{ id, destination: "dst_1", subject: "alt_1", event: "alert.raised", entry: 3, due_ms: 10 },
    ...{ body: "{}", ...changed },
  })
  const lease = (asked: { lease?: string; now_ms?: number; destination?: string; limit?: number }) =>
    ledger().leaseMessages({
      ...{ destination: "dst_1", lease: "a", now_ms: 20, limit: 100, ...asked },
      until_ms: (asked.now_ms ?? 20) + 30,
    })
  const ids = (rows: readonly { readonly id: string }[]) => rows.map(row => row.id)
  const delivered = {
    state: "delivered",
    next_ms: 0,
    settled_ms: 21,
    failed_ms: null,
    failure: null,
  } as const

  test("a message is stored once, with its entry; who stores it again changes nothing of its delivery", async () => {
    const rows = [message("msg_1"), message("msg_2"), message("msg_3", { subject: "alt_2", due_ms: 15 })]
    await ledger().sequence(transaction => transaction.store(changing(transaction.head, { messages: rows })))
    expect(ids(await ledger().messages({ limit: 2 }))).toEqual(["msg_1", "msg_2"])
    expect(ids(await ledger().messages({ after: "msg_2", limit: 2 }))).toEqual(["msg_3"])
    expect(ids(await ledger().newestMessages({ destination: "dst_1", limit: 2 }))).toEqual(["msg_3", "msg_2"])
    const none = { settled_ms: null, failed_ms: null, failure: null }
    const fresh = { state: "waiting", attempts: 0, next_ms: 15, since_ms: 15, lease: "", leasedUntil_ms: 0 }
    expect(await ledger().message("msg_3")).toEqual({ ...rows[2], ...fresh, ...none })
    expect(await ledger().message("msg_none")).toBeNull()
    expect(await ledger().addMessage(message("msg_3", { body: "other" }))).toBe(false)
    expect(await ledger().addMessage(message("msg_4", { destination: "dst_2", entry: null }))).toBe(true)
  })

  test("of each subject the first is leased, to one alone, and the next only once it is settled", async () => {
    expect(await ledger().dueDestinations(9)).toEqual([])
    expect([...(await ledger().dueDestinations(20))].sort()).toEqual(["dst_1", "dst_2"])
    expect(ids(await lease({ now_ms: 12 }))).toEqual(["msg_1"])
    expect(ids(await lease({ lease: "b", now_ms: 12 }))).toEqual([])
    expect(ids(await lease({ lease: "b", now_ms: 20 }))).toEqual(["msg_3"])
    // Not by who has no lease, or lost it.
    expect(await ledger().settleMessage({ id: "msg_1", lease: "b" }, delivered)).toBe(false)
    expect(await ledger().settleMessage({ id: "msg_1", lease: "a" }, delivered)).toBe(true)
    expect(await ledger().settleMessage({ id: "msg_1", lease: "a" }, delivered)).toBe(false)
    expect(ids(await lease({ lease: "c", now_ms: 21 }))).toEqual(["msg_2"])
  })

  test("a lease that ran out is another's, and a failure is tried again when its time comes", async () => {
    expect(ids(await lease({ lease: "d", now_ms: 50 }))).toEqual(["msg_3"])
    const again = { state: "waiting", next_ms: 90, settled_ms: null, failed_ms: 60, failure: "no" } as const
    expect(await ledger().settleMessage({ id: "msg_3", lease: "d" }, again)).toBe(true)
    expect(await lease({ lease: "e", now_ms: 89 })).toEqual([
      expect.objectContaining({ id: "msg_2", attempts: 2 }),
    ])
    expect(await lease({ lease: "e", now_ms: 90 })).toEqual([
      expect.objectContaining({ id: "msg_3", attempts: 3, failure: "no", lease: "e" }),
    ])
    await ledger().releaseLeases()
    expect(ids(await lease({ lease: "f", now_ms: 90 }))).toEqual(["msg_2", "msg_3"])
  })

  test("two who lease at one moment get different messages", async () => {
    const rows = Array.from({ length: 40 }, (_, i) =>
      message(`msg_race${String(i).padStart(2, "0")}`, { destination: "dst_race", subject: `alt_${i}` }),
    )
    await ledger().sequence(transaction => transaction.store(changing(transaction.head, { messages: rows })))
    const both = await Promise.all(
      ["a", "b"].map(name => lease({ lease: name, destination: "dst_race", limit: 40 })),
    )
    expect(ids(both.flat()).sort()).toEqual(ids(rows))
  })

  test("a backlog says what waits, since when, and how it went last; what is sent again waits anew", async () => {
    const how = { state: "abandoned", next_ms: 0, settled_ms: 99, failed_ms: 99, failure: "410" } as const
    await ledger().settleMessage({ id: "msg_3", lease: "f" }, how)
    const went = { delivered_ms: 21, failed_ms: 99, failure: "410" }
    expect(await ledger().backlog("dst_1", 9)).toEqual({ waiting: 0, abandoned: 1, oldest_ms: null, ...went })
    expect(await ledger().backlog("dst_1", 100)).toEqual({ waiting: 1, abandoned: 1, oldest_ms: 10, ...went })
    expect(await ledger().resendMessage("msg_3", 200)).toBe(true)
    expect(await ledger().resendMessage("msg_none", 200)).toBe(false)
    expect(await ledger().message("msg_3")).toMatchObject({ state: "waiting", attempts: 0, since_ms: 200 })
    expect(ids(await lease({ lease: "g", now_ms: 200 }))).toEqual(["msg_2", "msg_3"])
  })
}
