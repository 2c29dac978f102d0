import { accountFor } from "../custody/accounting.ts"
import type { House } from "../custody/house.ts"
import { statements } from "../log/shapes.ts"
import { callerOf, withOpenings, type Route } from "./route.ts"

/** What left of somebody's crossing, for the privacy officer who answers him. */
export function accountingRoutes(house: House): Route[] {
  return [
    {
      method: "POST",
      url: "/v1/accountings",
      summary: "What of one crossing left, to whom, when and why; where and when stands in the opening `ask`",
      access: "signed",
      status: 201,
      body: withOpenings(statements.accounting),
      answer: request => accountFor(house, callerOf(request)),
    },
  ]
}
