import { expect, test } from "vitest"
import { verifyEd25519 } from "../ed25519.ts"
import { wanting } from "../ledger/ledger.ts"
import { refusedEntry } from "../custody/propose.ts"
import { openTestPort } from "../../test/port.ts"
import { fsck } from "./fsck.ts"

test("a check beside writers sees one moment: it finds nothing where nothing is wrong", async () => {
  const port = await openTestPort()
  const { log, ledger } = port.house
  const options = { origin: log.origin, verify: verifyEd25519 }
  let isOver = false
  const writer = async () => {
    while (!isOver)
      await log.append({ wanted: wanting({}), draft: () => refusedEntry({ of: "read", code: "OFFICE" }) })
  }
  const writing = Array.from({ length: 8 }, writer)
  const sizes: number[] = []
  while ((sizes.at(-1) ?? 0) < 2500) {
    const { size, problems } = await fsck(ledger, options)
    expect(problems).toEqual([])
    sizes.push(size)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  isOver = true
  await Promise.all(writing)
  expect(sizes.length).toBeGreaterThan(2)
  await port.close()
})
