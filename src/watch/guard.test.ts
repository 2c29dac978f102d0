import { expect, test } from "vitest"
import { Guard, limits, type LoggedRequest, type WorkOrder } from "./guard.ts"

const open_ms = 1_925_510_400_000
const order: WorkOrder = {
  ...{ wo: 4, organization: 2, principal: 9, purpose: "calibration", kinds: "plate", need: 2, budget: 3 },
  ...{ open_ms, close_ms: open_ms + 86_400_000, cells: [10], manifest: [3_201, 3_202, 3_203, 3_204] },
}
const asked: LoggedRequest = {
  ...{
    at_ms: open_ms + 1,
    organization: 2,
    principal: 9,
    wo: 4,
    purpose: "calibration",
    image: 3_201,
    cell: 10,
  },
  ...{ port: 1, place: 1, kind: "plate", network: "1", device: "1", exists: true },
}

function guarded(...orders: Partial<WorkOrder>[]): Guard {
  const guard = new Guard()
  for (const change of [{}, ...orders]) guard.add({ ...order, ...change })
  return guard
}

test("what is in order is let through", () => expect(guarded().denial(asked)).toBeNull())

const bent: [string, Partial<LoggedRequest>][] = [
  ["no image", { exists: false }],
  ["no work order", { wo: null }],
  ["no work order", { wo: 77 }],
  ["another's work order", { principal: 8 }],
  ["not open", { at_ms: open_ms - 1 }],
  ["not open", { at_ms: order.close_ms }],
  ["purpose", { purpose: "qa-audit" }],
  ["outside", { image: 3_299 }],
  ["kind", { kind: "face" }],
]
for (const [denial, change] of bent)
  test(`right but for one thing, ${JSON.stringify(change)}: ${denial}`, () =>
    expect(guarded().denial({ ...asked, ...change })).toBe(denial))

/** An order for a whole lane-day, and so many of its images given. */
function spent(count: number, of: (nth: number) => Partial<LoggedRequest> = () => ({})): Guard {
  const guard = guarded()
  for (let nth = 0; nth < count; nth += 1) {
    const request = { ...asked, wo: 4, image: 100_000 + nth, ...of(nth) }
    guard.charge(request)
  }
  return guard
}

test("a work order gives as many distinct images as its budget, and what is held again", () => {
  const guard = guarded()
  for (const image of [3_201, 3_202, 3_203]) guard.give({ ...asked, image })
  expect(guard.denial({ ...asked, image: 3_204 })).toBe("budget")
  expect(guard.denial({ ...asked, image: 3_202 })).toBeNull()
})

test("a person's day, an organization's day and 30 days, and the vault's day each end at their number", () => {
  expect(spent(limits.principalDay - 1).denial(asked)).toBeNull()
  expect(spent(limits.principalDay).denial(asked)).toBe("person's day")
  const colleagues = (nth: number) => ({ principal: 100 + nth })
  expect(spent(limits.organizationDay - 1, colleagues).denial(asked)).toBeNull()
  expect(spent(limits.organizationDay, colleagues).denial(asked)).toBe("organization's day")
  const earlier = (nth: number) => ({ principal: 100 + nth, at_ms: open_ms - (1 + (nth % 10)) * 86_400_000 })
  expect(spent(limits.organizationDays - 1, earlier).denial(asked)).toBeNull()
  expect(spent(limits.organizationDays, earlier).denial(asked)).toBe("organization's 30 days")
  const others = (nth: number) => ({ principal: 100 + nth, organization: 100 + nth })
  expect(spent(limits.vaultDay - 1, others).denial(asked)).toBeNull()
  expect(spent(limits.vaultDay, others).denial(asked)).toBe("vault's day")
})

test("an image lies within, over need, beside, in another's order of the organization, or outside", () => {
  const guard = guarded(
    { wo: 5, principal: 8, manifest: [9_000], cells: [28] },
    { wo: 6, organization: 3, manifest: [9_001] },
  )
  const scope = (change: Partial<LoggedRequest>) => guard.lie({ ...asked, ...change }).scope
  expect(scope({})).toBe("within")
  expect(scope({ image: 3_299 })).toBe("beside")
  expect(scope({ image: 9_000, cell: 28 })).toBe("another's")
  expect(scope({ image: 9_001, cell: 28 })).toBe("outside")
  expect(scope({ exists: false })).toBe("outside")
  expect(scope({ principal: 7 })).toBe("another's")
  expect(scope({ at_ms: order.close_ms })).toBe("outside")
  guard.give(asked)
  guard.give({ ...asked, image: 3_202 })
  expect(scope({ image: 3_203 })).toBe("over need")
  expect(guard.lie(asked).isHeld).toBe(true)
  expect(guard.lie({ ...asked, image: 3_203 }).isHeld).toBe(false)
})

test("without a list of images the lane-days are the order", () => {
  const guard = guarded({ manifest: [] })
  expect(guard.lie({ ...asked, image: 3_299 }).scope).toBe("within")
  expect(guard.lie({ ...asked, image: 3_299, kind: "face" })).toMatchObject({
    scope: "within",
    isOtherKind: true,
  })
  expect(guard.denial({ ...asked, image: 99_999, cell: 312 })).toBe("outside")
})
