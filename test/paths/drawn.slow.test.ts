import { expect, test } from "vitest"
import { fromBase64, textOf } from "../../src/bytes.ts"
import { startExaminer } from "../../src/custody/examiner.ts"
import { drawCapture, type DrawnCapture } from "../../src/drawing/capture.ts"
import { names } from "../../src/log/state.ts"
import type { Box } from "../../src/picture/level.ts"
import { merged } from "../../src/reading/plate-vote.ts"
import { parseExamination } from "../../src/vault/findings.ts"
import { besideKey } from "../../src/vault/keys.ts"
import { openTestPort, sealAndAdmit, type TestPort } from "../port.ts"

/**
 * The drawn port end to end: sealed as a plain camera's pictures, without a word of what they show, admitted, examined by
 * children, and then compared with the drawing's truth, which never went in.
 */
/** `SALLYPORT_DRAWN=100` takes all hundred, in twice the time. */
const count = Number(process.env.SALLYPORT_DRAWN ?? "50")

const holds = (box: Box, { x_px, y_px, width_px, height_px }: Box) => {
  const [x, y] = [x_px + width_px / 2, y_px + height_px / 2]
  return x > box.x_px && x < box.x_px + box.width_px && y > box.y_px && y < box.y_px + box.height_px
}

async function textsOf(port: TestPort, capture: string): Promise<string[]> {
  const row = (await port.house.ledger.capture(capture))!
  const { texts } = parseExamination(row.findingsJson!)!
  if (texts === null) return []
  const key = (await port.house.ledger.identity(row.sealedTo))!
  const beside = besideKey(port.house.keys.root.unwrap(key.name, key.wrapped!))
  const held = JSON.parse(textOf(beside.open(capture, "texts", fromBase64(texts)!))!) as {
    normalized: string
  }[]
  return held.map(({ normalized }) => merged(normalized))
}

test(`of ${count} captures of the drawn port, at every hour, 95 % of plates are read right and shown, and 98 % of faces found`, async () => {
  const port = await openTestPort()
  const { house } = port
  const taken: { readonly id: string; readonly truth: DrawnCapture }[] = []
  for (let index = 0; index < count; index += 1) {
    const truth = await drawCapture({
      seed: "end to end",
      lane: (index % 4) + 1,
      hour: (index * 5.3) % 24,
      index,
    })
    taken.push({ id: (await sealAndAdmit(port, { picture: truth.picture })).capture, truth })
  }
  const examiner = startExaminer(house, { atOnce: 3, told: () => undefined })
  while ((await house.ledger.counter(names.unexamined)) > 0)
    await new Promise(resolve => setTimeout(resolve, 100))
  await examiner.close()
  let [read, boxed, faces, found] = [0, 0, 0, 0]
  for (const { id, truth } of taken) {
    const seen = parseExamination((await house.ledger.capture(id))!.findingsJson!)!.found!
    if ((await textsOf(port, id)).includes(merged(truth.plate.text))) read += 1
    if (seen.plates.some(box => holds(box, truth.plate.box))) boxed += 1
    faces += truth.faces.length
    found += truth.faces.filter(face => seen.faces!.some(box => holds(box, face))).length
  }
  await port.close()
  process.stderr.write(
    `drawn port: ${read} of ${count} plates read, ${boxed} boxed; ${found} of ${faces} faces found\n`,
  )
  expect(read / count).toBeGreaterThanOrEqual(0.95)
  expect(boxed / count).toBeGreaterThanOrEqual(0.95)
  expect(found / faces).toBeGreaterThanOrEqual(0.98)
})
