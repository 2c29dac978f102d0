import { evaluate, parse, type MemberNode, type ValueNode } from "@humanwhocodes/momoa"

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
  const problem = noteLines(body, "", { text, lines })
  return problem === null ? { value: evaluate(body), lineOf: path => lineAt(lines, path) } : { problem }
}

interface Noting {
  readonly text: string
  readonly lines: Map<string, number>
}

/** Remembers the line of each place. @returns the first key that stands twice in one object, or string that JSON does not allow. */
function noteLines(node: ValueNode, path: string, noting: Noting): Problem | null {
  const { line } = node.loc.start
  if (!noting.lines.has(path)) noting.lines.set(path, line)
  if (node.type === "String") return controlIn(node, path, noting)
  if (node.type === "Array")
    return firstOf(node.elements.map((element, i) => noteLines(element.value, `${path}/${i}`, noting)))
  return node.type === "Object" ? firstOf(node.members.map(member => noteMember(member, path, noting))) : null
}

function noteMember({ name, value }: MemberNode, path: string, noting: Noting): Problem | null {
  const key = name.type === "String" ? name.value : name.name
  const at = `${path}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`
  const { line } = name.loc.start
  if (noting.lines.has(at)) return { line, path: at, problem: "this key stands twice" }
  noting.lines.set(at, line)
  return controlIn(name, at, noting) ?? noteLines(value, at, noting)
}

/** The parser lets control characters pass within strings, which RFC 8259 does not. */
function controlIn({ loc }: { loc: ValueNode["loc"] }, path: string, { text }: Noting): Problem | null {
  return /[\u0000-\u001f]/.test(text.slice(loc.start.offset, loc.end.offset))
    ? { line: loc.start.line, path, problem: "not JSON: a control character within a string" }
    : null
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
