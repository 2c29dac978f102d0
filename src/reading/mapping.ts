import { Type, type Static } from "typebox"
import { Compile } from "typebox/compile"
import { Fault } from "../fault.ts"

const closed = { additionalProperties: false }
/** A JSON pointer (RFC 6901) below an event; the empty one is the event itself. */
const Pointer = Type.String({ pattern: "^(/[^/]{1,64}){0,16}$" })
const oneOf = <T extends string>(...words: readonly T[]) => Type.Unsafe<T>(Type.String({ enum: [...words] }))
const share = Type.Object(
  { at: Pointer, whole: Type.Number({ exclusiveMinimum: 0, maximum: 100_000 }) },
  closed,
)

/** Where the fields of a reader lie that has no importer of its own. Only the time is needed. */
const schema = Type.Object(
  {
    /** The list of events in a document; the document itself when left out. XML begins with its root element's name. */
    events: Type.Optional(Pointer),
    /** `ms`, `s` or `ns` since 1970, or a written date and time. */
    time: Type.Object({ at: Pointer, form: oneOf("ms", "s", "ns", "text") }, closed),
    event_id: Type.Optional(Pointer),
    crossing_id: Type.Optional(Pointer),
    camera: Type.Optional(Pointer),
    lane: Type.Optional(Pointer),
    plate: Type.Optional(Pointer),
    /** With what counts as full: 1, or 100 for per cent. */
    confidence: Type.Optional(share),
    region: Type.Optional(Pointer),
    /** Four places: left, top, width, height (`sides`) or left, top, right, bottom (`corners`); `whole` 1 for shares of the frame, `null` for pixels. */
    box: Type.Optional(
      Type.Object(
        {
          at: Type.Array(Pointer, { minItems: 4, maxItems: 4 }),
          form: oneOf("sides", "corners"),
          whole: Type.Union([Type.Number({ exclusiveMinimum: 0, maximum: 100_000 }), Type.Null()]),
        },
        closed,
      ),
    ),
    make: Type.Optional(Pointer),
    model: Type.Optional(Pointer),
    colour: Type.Optional(Pointer),
    type: Type.Optional(Pointer),
    direction: Type.Optional(Pointer),
    speed: Type.Optional(Type.Object({ at: Pointer, unit: oneOf("km/h", "mph", "unknown") }, closed)),
    /** Base64 at a place, or a multipart part by its name or file name. */
    pictures: Type.Optional(
      Type.Array(
        Type.Union([
          Type.Object({ role: oneOf("scene", "vehicle", "plate"), at: Pointer }, closed),
          Type.Object(
            { role: oneOf("scene", "vehicle", "plate"), part: Type.String({ minLength: 1, maxLength: 128 }) },
            closed,
          ),
        ]),
        { maxItems: 8 },
      ),
    ),
    /** A field whose words mean something about the reader; an event with another word there is a passage. */
    health: Type.Optional(
      Type.Object(
        {
          at: Pointer,
          kinds: Type.Record(
            Type.String({ maxLength: 64 }),
            oneOf(
              "heartbeat",
              "tamper",
              "usb_connected",
              "enclosure_opened",
              "stream_lost",
              "storage",
              "trouble",
            ),
          ),
        },
        closed,
      ),
    ),
  },
  closed,
)

export type Mapping = Static<typeof schema>

const validator = Compile(schema)

/** The mapping that a lane's configuration states. @throws Fault CONFIG naming the first place that is wrong. */
export function parseMapping(value: unknown): Mapping {
  if (validator.Check(value)) return value
  const [error] = validator.Errors(value)
  throw new Fault(
    "CONFIG",
    `the reader's mapping: ${error?.instancePath || "/"} ${error?.message ?? "is wrong"}`,
    {
      next: 'docs/readers.md, "Any other reader", shows a mapping',
    },
  )
}
