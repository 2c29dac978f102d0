import fc from "fast-check"
import { expect, test } from "vitest"
import { reach } from "./guard.ts"

const to = (addresses: readonly string[]) => () => Promise.resolve(addresses)
const nowhere = () => Promise.reject(new Error("no such host"))

test("a public address is reached, and it is the very one that was judged", async () => {
  const v4 = await reach("hooks.example", { allowed: [], lookup: to(["93.184.216.34"]) })
  expect(v4).toEqual({ address: "93.184.216.34", family: 4 })
  const v6 = await reach("hooks.example", { allowed: [], lookup: to(["2606:2800:220:1::1"]) })
  expect(v6).toEqual({ address: "2606:2800:220:1::1", family: 6 })
})

const closed = [
  ...["127.0.0.1", "127.255.0.9", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "0.0.0.0"],
  ...["169.254.169.254", "100.64.0.1", "198.18.0.1", "224.0.0.1", "255.255.255.255", "192.0.2.1"],
  ...["::1", "::", "fe80::1", "fc00::1", "fd12::1", "ff02::1", "2001:db8::1", "64:ff9b::7f00:1"],
  ...["2002:7f00:1::", "::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:a9fe:a9fe"],
]
for (const address of closed)
  test(`${address} is inside, by name and as a literal`, async () => {
    const why = expect.stringContaining("no public address") as string
    expect(await reach("hooks.example", { allowed: [], lookup: to([address]) })).toEqual({ why })
    expect(await reach(address, { allowed: [], lookup: nowhere })).toEqual({ why })
  })

test("one closed address among open ones closes all: which one a connection takes is not left to chance", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.shuffledSubarray(["1.1.1.1", "9.9.9.9", "10.0.0.1"], { minLength: 2 }),
      async list => {
        const reached = await reach("h.example", { allowed: [], lookup: to(list) })
        expect("why" in reached).toBe(list.includes("10.0.0.1"))
      },
    ),
    { seed: 7 },
  )
})

test("a network that is allowed opens its own addresses and no others", async () => {
  const allowed = ["127.0.0.0/8", "fd00::/16"]
  expect(await reach("127.0.0.1", { allowed, lookup: nowhere })).toEqual({ address: "127.0.0.1", family: 4 })
  expect(await reach("fd00::5", { allowed, lookup: nowhere })).toEqual({ address: "fd00::5", family: 6 })
  expect(await reach("10.0.0.1", { allowed, lookup: nowhere })).toHaveProperty("why")
  expect(await reach("169.254.169.254", { allowed, lookup: nowhere })).toHaveProperty("why")
})

test("what does not resolve is not reached, and says so", async () => {
  expect(await reach("h.example", { allowed: [], lookup: nowhere })).toEqual({
    why: "h.example does not resolve",
  })
})
