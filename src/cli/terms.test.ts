import { expect, test } from "vitest"
import { regionTerm, termsFrom } from "./terms.ts"

const typed = {
  ...{ purpose: "calibrate-reader", workOrder: "WO-1", contract: "con_1", holder: "per_1" },
  ...{ lane: ["lan_1"], hours: "0-24", images: "5", starts: "now", ends: "1d", destroy: "30d" },
}

test("--region wide is a term; usual, and nothing, leave the terms as they were before there was one", () => {
  expect(termsFrom({ ...typed, region: "wide" }, "release")).toMatchObject({ level: "L2", region: "wide" })
  expect(termsFrom({ ...typed, region: "usual" }, "release")).not.toHaveProperty("region")
  expect(termsFrom(typed, "release")).not.toHaveProperty("region")
})

test("another region is refused, with the two that there are", () => {
  expect(() => regionTerm("huge")).toThrow("--region is usual or wide")
})
