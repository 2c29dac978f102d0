import { expect, test } from "vitest"
import { framedBox } from "./framed.ts"
import { planeOf, type Plane } from "./plane.ts"

const [width_px, height_px] = [640, 400]

type Box = readonly [left: number, top: number, right: number, bottom: number]

/** Shows these boxes, and none of those after. */
function showing(boxes: readonly Box[], solid: readonly Box[] = []): Plane {
  const plane = planeOf(width_px, height_px)
  const paint = (value: number) => {
    return ([left, top, right, bottom]: Box) => {
      for (let y = top; y < bottom; y += 1)
        plane.values.fill(value, y * width_px + left, y * width_px + right)
    }
  }
  boxes.slice(0, 1).forEach(paint(1))
  solid.forEach(paint(0))
  boxes.slice(1).forEach(paint(1))
  return plane
}

const all: Box = [0, 0, width_px, height_px]
const inside: Box = [40, 40, 600, 380]

test("what solid separates from the frame around it is told, on whole blocks", () => {
  const box = framedBox(showing([all, [200, 163, 330, 250]], [inside]))
  expect(box).toEqual({ left: 200, top: 160, right: 328, bottom: 248 })
})

test("two pieces in a frame are told together, and specks are not", () => {
  const pieces: readonly Box[] = [
    [100, 80, 200, 160],
    [400, 240, 520, 320],
    [560, 60, 576, 76],
  ]
  expect(framedBox(showing([all, ...pieces], [inside]))).toEqual({
    left: 96,
    top: 80,
    right: 520,
    bottom: 320,
  })
})

test.each([
  ["a whole picture", showing([all])],
  ["a picture with a hole", showing([all], [[200, 100, 300, 200]])],
  ["a piece on solid", showing([[200, 160, 330, 250]])],
  ["a frame around nothing", showing([all], [inside])],
  ["a piece that hangs together with its frame", showing([all, [0, 163, 330, 250]], [inside])],
  ["nothing", showing([])],
])("%s is not framed", (_, plane) => {
  expect(framedBox(plane)).toBeNull()
})
