import { describe, expect, test } from "vitest"
import type { Box } from "../picture/level.ts"
import type { Look } from "../reading/look-shape.ts"
import type { ReaderEvent } from "../seal/contents.ts"
import { claimsFace, findingsOf, lookJob, textsOf } from "./findings.ts"

const box = (x_px: number, y_px: number, width_px: number, height_px: number): Box => {
  return { x_px, y_px, width_px, height_px }
}
const picture = new Uint8Array(1)
const claim = box(400, 500, 160, 40)
const event: ReaderEvent = {
  ...{ v: 1, source: "index", file: null, faces: [box(700, 100, 60, 80)] },
  plates: [{ text: "SP-7x 042", box: claim }],
}
const settings = { region: "any", faceModel: null, mostWaiting: 1 } as const
const job = lookJob({ picture, event, isTrusted: true }, settings)

const seen: Look = {
  ...{ width_px: 1024, height_px: 768, agreed: [], plate: null, faces: [], sketch: null, cpu_ms: 1 },
  quality: { brightness: 0.5, clipped: 0, sharpness: 0.1 },
  models: { plates: "p", faces: "f" },
}
const own: NonNullable<Look["plate"]> = {
  ...{ state: "read", plate: "SP7X042", confidence: 0.99, box: box(100, 600, 150, 40), raw: "SP7X042" },
  candidates: [{ text: "SP7X042", confidence: 0.99 }],
}

describe("what is asked of a picture", () => {
  test("a reader that is not trusted claims nothing; a plate that it read is not read again", () => {
    expect(lookJob({ picture, event, isTrusted: false }, settings).claims).toEqual([])
    expect(job).toMatchObject({ claims: [claim], readsAgreed: false })
    expect(lookJob({ picture, event: { ...event, plates: [] }, isTrusted: true }, settings).readsAgreed).toBe(
      true,
    )
  })
})

describe("what counts as found", () => {
  test("a claim as far as it is agreed with, never beyond the claim, whatever a child answers", () => {
    const inside = box(410, 505, 140, 30)
    expect(findingsOf(event, job, { ...seen, agreed: [inside] }).plates).toEqual([inside])
    expect(findingsOf(event, job, { ...seen, agreed: [box(0, 0, 1000, 700)] }).plates).toEqual([])
    expect(findingsOf(event, job, { ...seen, agreed: [null, inside] }).plates).toEqual([])
  })

  test("what we see by ourselves, unless it is unread or the same as a claim", () => {
    expect(findingsOf(event, job, { ...seen, agreed: [null], plate: own }).plates).toEqual([own.box])
    const unread = { ...own, state: "unread", plate: null } as const
    expect(findingsOf(event, job, { ...seen, agreed: [null], plate: unread }).plates).toEqual([])
    const same = { ...own, box: box(420, 510, 100, 20) }
    expect(findingsOf(event, job, { ...seen, agreed: [claim], plate: same }).plates).toEqual([claim])
  })

  test("every claim of the reader, of plates and of faces, hides; the faces that count are those that we see", () => {
    const face = { box: box(300, 200, 60, 80), score: 0.7 }
    const found = findingsOf(event, job, { ...seen, agreed: [null], faces: [face] })
    expect(found.doubted).toEqual({ plates: [claim], faces: event.faces })
    expect(found.faces).toEqual([face.box])
  })

  test("a plate that is claimed on what is surely a face is told, and not one beside a weak guess", () => {
    const on = { box: box(380, 490, 60, 80), score: 0.7 }
    expect(claimsFace(event, { ...seen, faces: [on] })).toBe(true)
    expect(claimsFace(event, { ...seen, faces: [{ ...on, score: 0.5 }] })).toBe(false)
    expect(claimsFace(event, { ...seen, faces: [{ ...on, box: box(600, 490, 60, 80) }] })).toBe(false)
  })
})

test("texts are the reader's as told, and ours unless unread; only ours can be unsure", () => {
  const unsure = { ...own, state: "unsure", plate: null } as const
  expect(textsOf(event, { ...seen, plate: unsure })).toMatchObject({
    read: "told",
    texts: [
      { by: "reader", text: "SP-7x 042", normalized: "SP7X042", isSure: true },
      { by: "built-in", normalized: "SP7X042", isSure: false },
    ],
  })
  expect(textsOf({ ...event, plates: [] }, { ...seen, plate: unsure }).read).toBe("unsure")
  expect(textsOf({ ...event, plates: [] }, null)).toEqual({ read: "unread", texts: [] })
})
