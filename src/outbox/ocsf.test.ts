import { describe, expect, test } from "vitest"
import { hasShared } from "../../test/beside.ts"
import { ocsfProblems } from "../../test/ocsf.ts"
import { heldMessage, someSettings } from "../../test/message.ts"
import { eventNames } from "../log/event-table.ts"
import { ocsfOf } from "./ocsf.ts"

const parse = (text: string) => JSON.parse(text) as Record<string, unknown>
const skipped = hasShared("ocsf") ? "" : " (skipped: no ../shared/data/ocsf)"

describe.skipIf(!hasShared("ocsf"))(`every event is valid OCSF${skipped}`, () => {
  for (const event of eventNames)
    for (const suspended of [0, 1])
      test(`${event}${event.endsWith("suspended") ? `, ${suspended}` : ""}`, () =>
        expect(ocsfProblems(parse(ocsfOf(heldMessage({ event, suspended }), someSettings)))).toEqual([]))

  test("and what is bent is found: the oracle judges", () => {
    const good = parse(ocsfOf(heldMessage({ event: "refused.budget" }), someSettings))
    expect(ocsfProblems({ ...good, type_uid: 1 })).toContain(
      "type_uid does not follow from class and activity",
    )
    expect(ocsfProblems({ ...good, plate: "x" })).toEqual(["plate is unknown"])
    expect(ocsfProblems({ ...good, severity_id: 55 })).toEqual(["severity_id is no value of its list"])
    const { finding_info: _, ...rest } = good
    expect(ocsfProblems(rest)).toEqual(["finding_info is missing"])
    expect(ocsfProblems({ ...good, finding_info: { title: "t" } })).toEqual(["finding_info.uid is missing"])
    expect(ocsfProblems({ ...good, time: "2026" })).toEqual(["time is no timestamp_t"])
  })
})

test("an event's uid is the message's, so that a repetition is known", () => {
  const message = heldMessage({ event: "stop.ordered" })
  const uid = (attempts: number) =>
    (parse(ocsfOf({ ...message, attempts }, someSettings)).metadata as { uid: string }).uid
  expect([uid(1), uid(7)]).toEqual([message.id, message.id])
})
