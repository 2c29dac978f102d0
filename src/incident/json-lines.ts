import { parse, type ValueNode } from "@humanwhocodes/momoa"

/** What is wrong with a text, and where. */
export interface Problem {
  /** From 1. */
  readonly line: number
  /** JSON pointer (RFC 6901); empty for the whole. */
  readonly path: string
  readonly problem: string
}

/** A problem of a value whose text is at hand elsewhere. */
export type Misfit = Omit<Problem, "line">

/** JSON whose places have lines, or what is wrong with it. */
export type Lined =
  { readonly value: unknown; readonly lineOf: (path: string) => number } | { readonly problem: Problem }

export const maxJson_chars = 1_048_576
const maxDepth = 32

/** Reads JSON (RFC 8259) strictly: a key that stands twice in an object is wrong, and so is a text over 1 MiB or 32 levels. */
export function readLined(text: string): Lined {
  const wrong = (line: number, problem: string, path = "") => ({ problem: { line, path, problem } })
  if (text.length > maxJson_chars) return wrong(1, `longer than ${maxJson_chars} characters`)
  const deep = tooDeepAt(text)
  if (deep !== null) return wrong(deep, `nested deeper than ${maxDepth} levels`)
  let body: ValueNode
  try {
    body = parse(text).body
  } catch (error) {
    const { line = 1, message } = error as Error & { readonly line?: number }
    return wrong(line, `not JSON: ${message.replace(/ \(\d+:\d+\)$/, "")}`)
  }
  const lines = new Map<string, number>()
  const twice = note(body, "", lines)
  if (twice !== null) return { problem: twice }
  try {
    return { value: JSON.parse(text) as unknown, lineOf: path => lineAt(lines, path) }
  } catch (error) {
    // What the reader with lines lets pass and JSON does not: control characters within a string.
    const line = text.slice(0, Math.max(0, text.search(controlInString))).split("\n").length
    return wrong(line, `not JSON: ${(error as Error).message}`)
  }
}

const controlInString = /"(?:[^"\\\u0000-\u001f]|\\.)*[\u0000-\u001f]/

/** Remembers the line of each place. @returns the first key that stands twice in one object. */
function note(node: ValueNode, path: string, lines: Map<string, number>): Problem | null {
  if (!lines.has(path)) lines.set(path, node.loc.start.line)
  if (node.type === "Array")
    return firstOf(node.elements.map((element, i) => note(element.value, `${path}/${i}`, lines)))
  if (node.type !== "Object") return null
  return firstOf(
    node.members.map(({ name, value }) => {
      const key = name.type === "String" ? name.value : name.name
      const at = `${path}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`
      const { line } = name.loc.start
      if (lines.has(at)) return { line, path: at, problem: "this key stands twice" }
      lines.set(at, line)
      return note(value, at, lines)
    }),
  )
}

function firstOf(problems: readonly (Problem | null)[]): Problem | null {
  return problems.find(problem => problem !== null) ?? null
}

/** The line of a place, or of the nearest one around it where the text does not have it. */
function lineAt(lines: ReadonlyMap<string, number>, path: string): number {
  for (let at = path; ; at = at.slice(0, at.lastIndexOf("/"))) {
    const line = lines.get(at)
    if (line !== undefined) return line
    if (at === "") return 1
  }
}

function tooDeepAt(text: string): number | null {
  let depth = 0
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/g)) {
    if (token === "[" || token === "{") depth += 1
    if (token === "]" || token === "}") depth -= 1
    if (depth > maxDepth) return text.slice(0, index).split("\n").length
  }
  return null
}
