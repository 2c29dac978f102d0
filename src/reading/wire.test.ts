import { describe, expect, test } from "vitest"
import { formOf, jpegOf, streamOf } from "../../test/readers.ts"
import { openWire } from "./wire.ts"

const opened = (contentType: string, text: string | Uint8Array) =>
  openWire({ contentType, body: Buffer.from(text as string) })
const documents = (contentType: string, text: string | Uint8Array) =>
  opened(contentType, text).sections.map(section => section.document)

describe("a body is taken apart by what it is", () => {
  test.each([
    ["JSON of any content type", "text/plain", '{"a":1}', { a: 1 }],
    ["JSON after a byte order mark", "application/json", '\ufeff {"a":1}', { a: 1 }],
    [
      "XML of any content type",
      "application/octet-stream",
      "\r\n<a><b>1</b><b c='2'/></a>",
      { a: { b: ["1", { "@c": "2" }] } },
    ],
    [
      "XML with prefixes",
      "text/xml",
      "<x:a xmlns:x='u'><x:b><![CDATA[<1>]]></x:b></x:a>",
      { a: { b: "<1>" } },
    ],
    ["lines", "", "A[0].B=1\r\nA[0].C[1]=x=y\r\n", { A: { 0: { B: "1", C: { 1: "x=y" } } } }],
    [
      "an event line",
      "",
      'Code=X;action=Start;index=2;data={\n"a":1}',
      { Code: "X", Action: "Start", Index: 2, Data: { a: 1 } },
    ],
    ["an event line without data", "", "Code=X;action=Stop;index=2", { Code: "X", Action: "Stop", Index: 2 }],
  ])("%s", (_, contentType, text, document) => expect(documents(contentType, text)).toEqual([document]))

  test("a list is its events, in order", () => {
    expect(documents("application/json", "[1,[2],{}]")).toEqual([1, [2], {}])
  })
  test("pictures of a form go with its only document, before or after it", async () => {
    const bytes = await jpegOf(8, 8)
    const picture = { name: "upload", filename: "", type: "application/octet-stream", bytes }
    const json = { name: "json", type: "text/plain", bytes: '{"a":1}' }
    for (const parts of [
      [picture, json],
      [json, picture],
    ]) {
      const { sections } = openWire(formOf(...parts))
      expect(sections).toMatchObject([{ document: { a: 1 }, files: [{ name: "upload" }] }])
      expect(sections[0]?.files[0]?.bytes).toEqual(bytes)
    }
  })
  test("a picture that holds a boundary's beginning is whole", async () => {
    const bytes = Buffer.concat([await jpegOf(8, 8), Buffer.from("\r\n--myboundar\r\n--mybounda")])
    const wire = streamOf({ type: "application/json", bytes: "{}" }, { type: "image/jpeg", bytes })
    expect(Buffer.from(openWire(wire).sections[0]!.files[0]!.bytes)).toEqual(bytes)
  })
  test("what is said to be a picture and is text is handed on as one, to be refused", () => {
    const wire = streamOf({ type: "application/json", bytes: "{}" }, { type: "image/jpeg", bytes: '{"a":1}' })
    expect(openWire(wire).sections).toMatchObject([{ document: {}, files: [{}] }])
  })
})
