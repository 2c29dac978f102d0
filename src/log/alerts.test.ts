import { describe, expect, test } from "vitest"
import { alerted, acknowledgementRule, alertRule, gapAlert, isOpen } from "./alerts.ts"
import type { Draft, EntryOf } from "./kinds.ts"
import { names, Register, signalName } from "./state.ts"

const reader = "rdr_01JDXV6Z0A0000000000000000"
const place = { port: "prt_01JDXV6Z0A0000000000000000", lane: "lan_01JDXV6Z0A0000000000000000", reader }
const boot = "00000000000000a1"
const at = "2026-11-25T03:00:00.000Z"

function stateWith(): Register {
  const state = new Register()
  const body = { ...place, key: "", name: "R", boxes: "none" as const }
  const newest = { last_sequence: 0, last_day: "", last_admitted_at: "" }
  const records = [{ kind: "reader" as const, id: reader, body: { ...body, ...newest } }]
  state.apply({ records, counters: [], members: [], captures: [], messages: [] }, 0)
  return state
}

function draftOf(bend: Partial<EntryOf<"alert.raised">> = {}): Extract<Draft, { kind: "alert.raised" }> {
  const signals = [{ what: "usb_connected" as const, count: 2, detail: {} }]
  return { kind: "alert.raised", ...place, signals, told: [{ boot, n: 3 }], ...bend }
}

const entryOf = (bend: Partial<EntryOf<"alert.raised">> = {}) => ({ v: 1 as const, at, ...draftOf(bend) })
const whole = { records: [], counters: [], members: [], captures: [], messages: [] }

describe("an entry alert.raised", () => {
  test("follows for a reader that is where it says", () => {
    expect(alertRule(draftOf(), stateWith())).toBeNull()
    expect(alertRule(draftOf({ reader: "rdr_01JDXXXXXXXXXXXXXXXXXXXXXX" }), stateWith())).toBe("NOT_FOUND")
    expect(alertRule(draftOf({ lane: "lan_01JDXXXXXXXXXXXXXXXXXXXXXX" }), stateWith())).toBe("INVALID")
    expect(alertRule(draftOf({ port: "prt_01JDXXXXXXXXXXXXXXXXXXXXXX" }), stateWith())).toBe("INVALID")
  })

  test("has one signal of a kind, and one event of a run", () => {
    const signal = { what: "gap" as const, count: 1, detail: {} }
    expect(alertRule(draftOf({ signals: [signal, signal] }), stateWith())).toBe("INVALID")
    expect(
      alertRule(
        draftOf({
          told: [
            { boot, n: 3 },
            { boot, n: 4 },
          ],
        }),
        stateWith(),
      ),
    ).toBe("INVALID")
  })

  test("rests on no event twice", () => {
    const state = stateWith()
    state.apply({ ...whole, ...alerted(entryOf(), 5, state) }, 5)
    expect(state.member(names.told(reader), boot)).toBe(3)
    expect(alertRule(draftOf(), state)).toBe("CONFLICT")
    expect(alertRule(draftOf({ told: [{ boot, n: 2 }] }), state)).toBe("CONFLICT")
    expect(alertRule(draftOf({ told: [{ boot, n: 4 }] }), state)).toBeNull()
  })

  test("opens one alert for each kind, of ids of their own, and counts in those that are open", () => {
    const state = stateWith()
    const gap = { what: "gap" as const, count: 1, detail: { missing: 2 } }
    state.apply({ ...whole, ...alerted(entryOf({ signals: [...draftOf().signals, gap] }), 5, state) }, 5)
    state.apply({ ...whole, ...alerted(entryOf({ told: [] }), 6, state) }, 6)
    const [usb, other] = [
      state.record("signal", signalName(reader, "usb_connected")),
      state.record("signal", signalName(reader, "gap")),
    ]
    expect(usb).toMatchObject({ count: 4, entry: 5, last_entry: 6 })
    expect(state.record("alert", usb!.alert)).toEqual(usb)
    expect(other).toMatchObject({ count: 1, entry: 5, last_entry: 5, detail: { missing: 2 } })
    expect(other!.alert).not.toBe(usb!.alert)
    expect(state.counter(names.openAlerts)).toBe(2)
  })
})

test("an acknowledgement closes one open alert, once", () => {
  const state = stateWith()
  state.apply({ ...whole, ...alerted(entryOf(), 5, state) }, 5)
  const { alert } = state.record("signal", signalName(reader, "usb_connected"))!
  const draft = {
    kind: "alert.acknowledged",
    alert,
    person: "per_x",
    statement: { outcome: "fixed", note_commitment: null },
  } as unknown as Extract<Draft, { kind: "alert.acknowledged" }>
  expect(acknowledgementRule(draft, state)).toBeNull()
  state.apply({ ...whole, ...alerted({ v: 1, at, ...draft }, 6, state) }, 6)
  expect(acknowledgementRule(draft, state)).toBe("CONFLICT")
  expect(isOpen(state.record("signal", signalName(reader, "usb_connected")))).toBe(false)
  expect(state.counter(names.openAlerts)).toBe(0)
})

test("an admission without a gap, and a refusal for another reason or of no reader, raise nothing", () => {
  const state = stateWith()
  const admitted = { ...place, at, gap: 0 } as unknown as EntryOf<"admitted">
  expect(gapAlert(admitted, 5, state)).toEqual({})
  expect(gapAlert({ ...admitted, gap: 5_000_000 }, 5, state).records?.[0]?.body).toMatchObject({
    detail: { missing: 1_000_000 },
  })
  const refused = {
    kind: "refused",
    at,
    of: "admission",
    code: "CAPTURE_SEQUENCE",
    reader,
  } as unknown as EntryOf<"refused">
  for (const bend of [{ code: "CAPTURE_DAY" }, { reader: null }, { of: "read" as const }])
    expect(alerted({ ...refused, ...bend }, 5, state)).toEqual({})
  expect(alerted(refused, 5, state).records).toHaveLength(2)
})
