import { expect, test } from "vitest"
import { isNetwork, neighbourhoodOf, networkOf } from "./networks.ts"

test("an address is in the networks that contain it, mapped or not", () => {
  const networks = ["192.0.2.0/24", "198.51.100.7/32", "2001:db8::/32"]
  expect(networkOf("192.0.2.9", networks)).toBe("192.0.2.0/24")
  expect(networkOf("::ffff:192.0.2.9", networks)).toBe("192.0.2.0/24")
  expect(networkOf("198.51.100.7", networks)).toBe("198.51.100.7/32")
  expect(networkOf("2001:db8:1::5", networks)).toBe("2001:db8::/32")
  for (const outside of ["192.0.3.9", "198.51.100.8", "2001:db9::1", "not an address", ""])
    expect(networkOf(outside, networks)).toBeNull()
  expect(networkOf(null, networks)).toBeNull()
  expect(networkOf("192.0.2.9", ["192.0.2.0/33", "rubbish"])).toBeNull()
})

test("a network is an address and its leading bits", () => {
  for (const good of ["10.0.0.0/8", "::/0", "192.0.2.1/32", "2001:db8::/128"])
    expect(isNetwork(good)).toBe(true)
  for (const bad of ["10.0.0.0", "10.0.0/8", "10.0.0.0/33", "::/129", "a/b", "10.0.0.0/-1", "10.0.0.0/8.0"])
    expect(isNetwork(bad), bad).toBe(false)
})

test("neighbours are one however they are written, and others are others", () => {
  const same = [
    ["192.0.2.9", "::ffff:192.0.2.200"],
    ["2001:db8:1::5", "2001:0db8:0001:ffff::9"],
    ["2001:db8::1", "2001:db8:0:7:1:2:3:4"],
    ["::1", "0:0:0:9::"],
  ] as const
  for (const [one, other] of same) expect(neighbourhoodOf(one), one).toBe(neighbourhoodOf(other))
  const others = ["192.0.2.9", "192.0.3.9", "2001:db8:1::5", "2001:db8:2::5", "::1", "no address"]
  expect(new Set(others.map(neighbourhoodOf)).size).toBe(others.length)
})
