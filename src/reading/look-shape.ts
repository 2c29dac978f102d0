import { Type, type Static } from "typebox"
import { Compile } from "typebox/compile"
import { pictureLimits } from "../picture/format.ts"
import { parseSketch } from "../picture/sketch.ts"

// Apart from look.ts, since a child has no business with it: the schema library opens more files than a child may.

const side = Type.Integer({ minimum: 0, maximum: pictureLimits.side_px })
const share = Type.Number({ minimum: 0, maximum: 1 })
const text = Type.String({ pattern: "^[A-Z0-9]{1,12}$" })
const closed = { additionalProperties: false }
const box = Type.Object({ x_px: side, y_px: side, width_px: side, height_px: side }, closed)

const model = Type.Union([Type.Null(), Type.String({ maxLength: 256 })])

const lookShape = Type.Object(
  {
    /** Of the oriented picture. */
    width_px: side,
    height_px: side,
    quality: Type.Object(
      { brightness: share, clipped: share, sharpness: Type.Number({ minimum: 0, maximum: 16 }) },
      closed,
    ),
    /** For each claim, in their order: as far as it is agreed with, or `null`. */
    agreed: Type.Array(Type.Union([Type.Null(), box]), { maxItems: 16 }),
    /** `null` when not asked, or not needed. */
    plate: Type.Union([
      Type.Null(),
      Type.Object(
        {
          state: Type.Union([Type.Literal("read"), Type.Literal("unsure"), Type.Literal("unread")]),
          plate: Type.Union([Type.Null(), text]),
          confidence: share,
          candidates: Type.Array(Type.Object({ text, confidence: share }, closed), { maxItems: 5 }),
          box: Type.Union([Type.Null(), box]),
          raw: Type.Union([Type.Null(), Type.String({ pattern: "^[A-Z0-9]{0,80}$" })]),
        },
        closed,
      ),
    ]),
    /** `null` when not asked; its own form is checked beside this one. */
    sketch: Type.Union([Type.Null(), Type.Unsafe<Uint8Array>(Type.Unknown())]),
    faces: Type.Union([
      Type.Null(),
      Type.Array(Type.Object({ box, score: share }, closed), { maxItems: 32 }),
    ]),
    /** Name and SHA-256 of what looked, `null` where nothing did. */
    models: Type.Object({ plates: model, faces: model }, closed),
    /** Processor time of decoding, reading and finding, without starting the networks. */
    cpu_ms: Type.Number({ minimum: 0 }),
  },
  closed,
)

/** What a look at a picture gives. */
export type Look = Static<typeof lookShape>

const isLook = Compile(lookShape)

/** The look of a child's answer, or `null`: a child that a picture took over may send anything. */
export function lookOf(value: unknown): Look | null {
  if (!isLook.Check(value)) return null
  const { sketch } = value
  return sketch === null || (sketch instanceof Uint8Array && parseSketch(sketch) !== null) ? value : null
}
