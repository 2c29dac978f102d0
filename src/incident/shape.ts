import { Type, type Static, type TSchema } from "typebox"
import { Compile } from "typebox/compile"
import { Fault, type FaultCode } from "../fault.ts"
import { readLined, type Misfit, type Problem } from "./json-lines.ts"

/** What packs and facts are made of, and how a text of theirs is refused: with the line and the path. */

/** An object that takes these fields and no others. */
export function closed<P extends Record<string, TSchema>>(properties: P) {
  return Type.Object(properties, { additionalProperties: false })
}

export function oneOf<T extends string>(values: readonly T[]) {
  return Type.Unsafe<T>(Type.String({ enum: [...values] }))
}

/** An object some of whose keys may be missing, and none but these. */
export function some<K extends string, S extends TSchema>(keys: readonly K[], value: S) {
  const fields = Object.fromEntries(keys.map(key => [key, Type.Optional(value)]))
  return Type.Unsafe<{ readonly [Key in K]?: Static<S> }>(
    Type.Object(fields, { additionalProperties: false }),
  )
}

export const nullable = <T extends TSchema>(schema: T) => Type.Union([Type.Null(), schema])
export const id = Type.String({ pattern: "^[a-z][a-z0-9-]{1,47}$" })
export const word = Type.String({ pattern: "^[a-z][a-z0-9_]{1,47}$" })
/** A line for people. */
export const line = Type.String({ minLength: 1, maxLength: 400, pattern: "^[^\\u0000-\\u001f\\u007f]+$" })
export const date = Type.String({ pattern: "^\\d{4}-\\d\\d-\\d\\d$" })
/** RFC 3339 with its offset. */
export const time = Type.String({
  pattern: "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d(:\\d\\d(\\.\\d{1,3})?)?(Z|[+-]\\d\\d:\\d\\d)$",
})
/** An IANA name; `isZone` says whether this machine knows it. */
export const zone = Type.String({ pattern: "^[A-Za-z][A-Za-z0-9_+/-]{1,63}$" })

/** Whether a date is one of the calendar: there is no 30 February. */
export function isDate(text: string): boolean {
  const at = new Date(`${text}T00:00:00Z`)
  return Number.isFinite(at.getTime()) && at.toISOString().slice(0, 10) === text
}

const firstTime_ms = Date.parse("1970-01-01T00:00:00Z")
const lastTime_ms = Date.parse("2200-01-01T00:00:00Z")

/** Whether a time of the form `time` is one, of the years 1970 to 2199: its date is of the calendar, and its hours are under 24. */
export function isTime(text: string): boolean {
  const at_ms = Date.parse(text)
  return isDate(text.slice(0, 10)) && !text.includes("T24") && at_ms >= firstTime_ms && at_ms < lastTime_ms
}

export interface Shape<T> {
  readonly schema: TSchema
  /** What else must hold of a value that has the schema. */
  readonly rules: (value: T) => readonly Misfit[]
}

/** What is wrong with a text, by line, at most 8; with the value where nothing is. */
export type Fitted<T> = { readonly value: T } | { readonly problems: readonly [Problem, ...Problem[]] }

const maxProblems = 8

export type Fitter<T> = (text: string) => Fitted<T>

/** Compiles a shape into what reads texts of it. */
export function fitter<T>({ schema, rules }: Shape<T>): Fitter<T> {
  const validator = Compile(schema)
  return text => {
    const lined = readLined(text)
    if ("problem" in lined) return { problems: [lined.problem] }
    const misfits = validator.Check(lined.value)
      ? rules(lined.value as T)
      : misfitsOf(validator.Errors(lined.value))
    const [first, ...more] = misfits
      .map(misfit => ({ line: lined.lineOf(misfit.path), ...misfit }))
      .sort((a, b) => a.line - b.line)
      .slice(0, maxProblems)
    return first === undefined ? { value: lined.value as T } : { problems: [first, ...more] }
  }
}

interface SchemaError {
  readonly keyword: string
  readonly instancePath: string
  readonly params: object
  readonly message: string
}

/** One line for each place. Where an object has a key that is unknown, that is told, and not which one it may stand for. */
function misfitsOf(errors: readonly SchemaError[]): readonly Misfit[] {
  const misfits = new Map<string, string>()
  const misspelt = errors
    .filter(each => each.keyword === "additionalProperties")
    .map(each => each.instancePath)
  for (const { keyword, instancePath, params, message } of errors) {
    const unknown =
      keyword === "additionalProperties" && "additionalProperties" in params
        ? (params.additionalProperties as readonly string[])
        : null
    // Of `null` or something else, only the something else is of interest.
    if (keyword === "required" && misspelt.includes(instancePath)) continue
    if (keyword === "anyOf" || (keyword === "type" && "type" in params && params.type === "null")) continue
    if (unknown === null) {
      const allowed =
        keyword === "enum" && "allowedValues" in params
          ? `must be one of ${(params.allowedValues as readonly string[]).join(", ")}`
          : message
      misfits.set(instancePath, misfits.get(instancePath) ?? allowed)
    } else for (const key of unknown) misfits.set(`${instancePath}/${key}`, "no such key is known")
  }
  if (misfits.size === 0) misfits.set("", "has not the shape that it must have")
  return [...misfits].map(([path, problem]) => ({ path, problem }))
}

/** @throws Fault with the first problem's line, path and sentence, and how many more there are. */
export function refuseProblems(code: FaultCode, name: string, problems: readonly Problem[]): never {
  const [first] = problems
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : ""
  throw new Fault(code, `${name}, line ${first?.line}, ${first?.path || "/"}: ${first?.problem}${more}`)
}
