import { expect, test } from "vitest"
import { permit } from "../../src/custody/opening.ts"
import { release } from "../../src/custody/release.ts"
import { houseSources } from "../../src/custody/scope-reading.ts"
import { scopeOf } from "../../src/custody/scope.ts"
import { grantOf, openTestPort, releaseCaller, setPolicy } from "../port.ts"
import { takeInPlain } from "../flat.ts"

const wanted = 4000

test("a server that counts a scope of some thousand entries goes on releasing", async () => {
  const port = await openTestPort({ settings: { watch: "observe" } })
  const { house } = port
  await setPolicy(port, { person_day: 10_000, organization_30d: 10_000, vault_day: 10_000 })
  const [capture = ""] = await takeInPlain(port, 1)
  const grant = await grantOf(port, { terms: { images: 10_000, releases: 100_000 } })
  const ask = async () => releaseCaller(port, { grant, capture })
  for (let n = 0; n < wanted; n += 50)
    await Promise.all(Array.from({ length: 50 }, async () => permit(house, await ask(), "release")))
  const { organization } = JSON.parse(
    (await house.ledger.record("person", port.people.engineer.person))?.body ?? "{}",
  ) as { organization: string }
  const now_ms = house.log.clock()
  const query = {
    cause: { of: "organizations", organizations: [organization] },
    from: new Date(now_ms - 86_400_000).toISOString(),
    until: new Date(now_ms + 86_400_000).toISOString(),
  } as const
  let isCounting = true
  const counted = scopeOf(houseSources(house), { incident: "inc_01KB7Z0000000000000000000S", query })
  void counted.finally(() => (isCounting = false)).catch(() => undefined)
  let released = 0
  while (isCounting) {
    const { bytes } = await release(house, await ask())
    expect(bytes.length).toBeGreaterThan(100)
    if (isCounting) released += 1
  }
  const { result } = await counted
  expect(result.left.files.at_most).toBe(wanted)
  expect(result.left.images.at_most).toBe(1)
  expect(released).toBeGreaterThanOrEqual(5)
  await port.close()
})
