import fc from "fast-check"
import { expect, test } from "vitest"
import { base64, fromBase64 } from "./bytes.ts"

test("base64 comes back as its bytes, and whatever is not exactly what was written is none", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), bytes => {
      const text = base64(bytes)
      expect(text).toBe(Buffer.from(bytes).toString("base64"))
      expect(fromBase64(text)).toEqual(new Uint8Array(bytes))
    }),
  )
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=".split("")
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...alphabet), maxLength: 12 }), text => {
      const isExact = Buffer.from(text, "base64").toString("base64") === text
      expect(fromBase64(text) !== null).toBe(isExact)
    }),
    { numRuns: 2000 },
  )
  for (const odd of ["QQ", "QR==", "QQ= ", "QQE", "QQF=", "Q===", "null", "A A="]) {
    const isExact = Buffer.from(odd, "base64").toString("base64") === odd
    expect(fromBase64(odd) !== null, odd).toBe(isExact)
  }
})
