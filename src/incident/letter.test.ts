import { parse } from "csv-parse/sync"
import { createHmac } from "node:crypto"
import { describe, expect, test } from "vitest"
import { csvField, formatCode, lettersCsv, lettersNdjson, parseCode, type Letter } from "./letter.ts"

const mac = (text: string) => new Uint8Array(createHmac("sha256", "key").update(text).digest())
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

describe("a letter's code", () => {
  test("has 80 bits of its digest, and is the same again", () => {
    const code = formatCode(mac("a"))
    expect(code).toMatch(/^([0-9A-HJKMNP-TV-Z]{4}-){4}[0-9A-HJKMNP-TV-Z]$/)
    expect(formatCode(mac("a"))).toBe(code)
    const bits = [...code.replaceAll("-", "").slice(0, 16)]
      .map(symbol => alphabet.indexOf(symbol).toString(2).padStart(5, "0"))
      .join("")
    expect(BigInt(`0b${bits}`).toString(16).padStart(20, "0")).toBe(
      Buffer.from(mac("a").subarray(0, 10)).toString("hex"),
    )
  })
  test("is read as people type it", () => {
    const code = formatCode(mac("b"))
    for (const typed of [
      code,
      code.toLowerCase(),
      code.replaceAll("-", " "),
      ` ${code.replaceAll("-", "")} `,
    ])
      expect(parseCode(typed)).toBe(code)
    const withOnes = Array.from({ length: 100 }, (_, i) => formatCode(mac(String(i)))).find(
      each => each.includes("1") && each.includes("0"),
    )!
    expect(parseCode(withOnes.replaceAll("1", "l").replaceAll("0", "o"))).toBe(withOnes)
  })
  test("one wrong character is never a code", () => {
    for (let n = 0; n < 20; n += 1) {
      const plain = formatCode(mac(`c${n}`)).replaceAll("-", "")
      for (let at = 0; at < plain.length; at += 1)
        for (const other of alphabet)
          if (other !== plain[at])
            expect(parseCode(plain.slice(0, at) + other + plain.slice(at + 1)), plain).toBeNull()
    }
  })
  test("two characters that changed places are never a code", () => {
    for (let n = 0; n < 20; n += 1) {
      const plain = [...formatCode(mac(`d${n}`)).replaceAll("-", "")]
      for (let a = 0; a < plain.length; a += 1)
        for (let b = a + 1; b < plain.length; b += 1) {
          if (plain[a] === plain[b]) continue
          const swapped = [...plain]
          ;[swapped[a], swapped[b]] = [plain[b]!, plain[a]!]
          expect(parseCode(swapped.join(""))).toBeNull()
        }
    }
  })
  test("what is no code is none", () => {
    for (const typed of [
      "",
      "0",
      "U".repeat(17),
      "0".repeat(16),
      "0".repeat(18),
      "é".repeat(17),
      "0".repeat(10_000),
    ])
      expect(parseCode(typed)).toBeNull()
    expect(parseCode("0".repeat(17))).not.toBeNull()
  })
})

function letter(changed: Partial<Letter> = {}): Letter {
  return {
    ...{ code: formatCode(mac("x")), incident: "inc_1", capture: "cap_1", hour: "2018-11-02T14-06:00" },
    ...{ port: "Port", lane: "Lane 3", level: "L2", visible: "the license plate", organizations: ["Sub"] },
    ...changed,
  }
}

describe("letters as files", () => {
  test("CSV reads back to what was written, whatever stands in a name", () => {
    const bad = ['a "quoted" port', "a,b", "two\nlines", "two\r\nlines", "é", " spaced "]
    const text = [...lettersCsv(bad.map(port => letter({ port })))].join("")
    const rows = parse(text, { columns: true, record_delimiter: "\r\n" }) as { port: string }[]
    expect(rows.map(row => row.port)).toEqual(bad)
  })
  test("no field is a formula to a spreadsheet", () => {
    for (const port of ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"]) {
      const [, row] = [...lettersCsv([letter({ port })])]
      expect(parse(row!, { record_delimiter: "\r\n" })[0]![4]).toBe(`'${port}`)
    }
    expect(csvField("2018-11-02T14-06:00")).toBe("2018-11-02T14-06:00")
  })
  test("each line of JSON is one letter", () => {
    const letters = [letter(), letter({ port: "line\nbreak", organizations: ["A", "B"] })]
    const lines = [...lettersNdjson(letters)]
    expect(lines.map(line => JSON.parse(line) as unknown)).toEqual(letters)
    expect(lines.every(line => line.indexOf("\n") === line.length - 1)).toBe(true)
  })
  test("184,000 letters pass one at a time", () => {
    let [made, taken, most] = [0, 0, 0]
    function* many() {
      for (; made < 184_000; made += 1) {
        most = Math.max(most, made - taken)
        yield letter({ capture: `cap_${made}` })
      }
    }
    for (const piece of lettersCsv(many())) if (!piece.startsWith("code,")) taken += 1
    expect(taken).toBe(184_000)
    expect(most).toBeLessThanOrEqual(1)
  })
})
