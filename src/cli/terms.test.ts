import { expect, test } from "vitest"
import { regionTerm, termsFrom } from "./terms.ts"

const typed = {
  ...{ purpose: "calibrate-reader", workOrder: "WO-1", contract: "con_1", holder: "per_1" },
  ...{ lane: ["lan_1"], hours: "0-24", images: "5", starts: "now", ends: "1d", destroy: "30d" },
}

test("L2 is asked for with the wide region, unless close is typed; no other level has one", () => {
  expect(termsFrom(typed, "release")).toMatchObject({ level: "L2", region: "wide" })
  expect(termsFrom({ ...typed, region: "wide" }, "release")).toMatchObject({ level: "L2", region: "wide" })
  expect(termsFrom({ ...typed, region: "close" }, "release")).not.toHaveProperty("region")
  expect(termsFrom({ ...typed, level: "L1" }, "release")).not.toHaveProperty("region")
})

test("another region is refused, with the two that there are", () => {
  expect(() => regionTerm("huge")).toThrow("--region is close or wide")
})
