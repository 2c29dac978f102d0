import { Fault } from "../fault.ts"
import { maxDepth, parseJson, type Json } from "./json.ts"

type Open = Map<string, Open | string>

const maxLines = 4_096
const maxText = 1024 * 1024

/**
 * Lines of `name=value` as Dahua's cameras stream them, as plain data: `Events[0].TrafficCar.Lane=1` nests by dots and by
 * numbers in brackets; numbers in brackets become names `0`, `1`… of an object. A line
 * `Code=TrafficJunction;action=Pulse;index=0;data={…}` is an event whose data are JSON up to the end of the text.
 * @returns `null` for text of another form, or over a million characters.
 * @throws Fault READER_EVENT for over 4,096 lines, names that nest deeper than 32, or data that are no JSON.
 */
export function parseLines(text: string): Json | null {
  if (text.length > maxText) return null
  const pushed = /^\s*Code=([^;\s]{1,64});action=([^;\s]{1,32});index=(\d{1,9})(?:;data=([\s\S]*))?$/.exec(
    text,
  )
  if (pushed !== null) return eventOfLine(pushed)
  const lines = text.split("\n").filter(line => line.trim() !== "")
  if (lines.length === 0 || !lines.every(line => /^[\w[\].:-]{1,256}=/.test(line))) return null
  if (lines.length > maxLines) throw refused("the event has over 4,096 lines")
  const root: Open = new Map()
  for (const line of lines) {
    const at = line.indexOf("=")
    put(root, namesIn(line.slice(0, at)), line.slice(at + 1).trim())
  }
  return closed(root)
}

function eventOfLine([, code = "", action = "", index = "", data = ""]: readonly string[]): Json {
  const event = { Code: code, Action: action, Index: Number(index) }
  return data.trim() === "" ? event : { ...event, Data: parseJson(data) }
}

function namesIn(path: string): string[] {
  const names = path.split(/[.[\]]+/).filter(name => name !== "")
  if (names.length === 0 || names.length > maxDepth)
    throw refused("the event's names are empty or nest deeper than 32")
  return names
}

function put(root: Open, names: readonly string[], value: string): void {
  let open = root
  for (const name of names.slice(0, -1)) {
    const within = open.get(name)
    const next: Open = within instanceof Map ? within : new Map()
    if (next !== within) open.set(name, next)
    open = next
  }
  open.set(names.at(-1) ?? "", value)
}

/** Objects are made from entries, so that a name such as `__proto__` is a name like any other. */
function closed(open: Open): Json {
  const entries = [...open].map(([name, value]) => [name, value instanceof Map ? closed(value) : value])
  return Object.fromEntries(entries) as Json
}

function refused(why: string): Fault {
  return new Fault("READER_EVENT", `${why}; nothing was sealed`)
}
