import sharp from "sharp"
import { expect, test } from "vitest"
import { platePicture } from "../../test/plate-picture.ts"
import { drawCapture } from "../drawing/capture.ts"
import { look } from "./look.ts"

const asked = { region: "any", readsAgreed: false, sketches: false } as const

test("a plate that touches a face is no plate: its claim is agreed with only where nobody looked for faces", async () => {
  const drawn = await drawCapture({ seed: "sign", lane: 1, hour: 12, index: 3 })
  const [driver] = drawn.faces
  const { picture: sign, plate } = await platePicture()
  const { x_px: left, y_px: top, width_px: width, height_px: height } = plate.box
  const cut = await sharp(sign).extract({ left, top, width, height }).png().toBuffer()
  // A sign in the windscreen, its upper edge just inside of the driver's face.
  const claim = {
    ...{ x_px: Math.max(0, driver!.x_px - 16), y_px: driver!.y_px + driver!.height_px - 6 },
    ...{ width_px: width, height_px: height },
  }
  const picture = await sharp(drawn.picture)
    .composite([{ input: cut, left: claim.x_px, top: claim.y_px }])
    .jpeg()
    .toBuffer()
  const job = { ...asked, picture, claims: [claim] }
  expect((await look({ ...job, faces: null })).agreed).toEqual([
    expect.objectContaining({ x_px: claim.x_px }),
  ])
  const seen = await look({ ...job, faces: { ownModel: null } })
  expect(seen.agreed).toEqual([null])
  expect(seen.plate).not.toBeNull()
})

test("a claim that is agreed with spares the reading; at most sixteen are looked at", async () => {
  const { picture, plate } = await platePicture()
  const claims = Array.from({ length: 20 }, () => plate.box)
  const seen = await look({ ...asked, picture, claims, faces: null })
  expect(seen.agreed).toHaveLength(16)
  expect(seen.plate).toBeNull()
  expect((await look({ ...asked, picture, claims, readsAgreed: true, faces: null })).plate?.plate).toBe(
    plate.text,
  )
})
