import { Fault, faults } from "../fault.ts"

/** How the command line speaks: data on stdout, everything else on stderr. */
export interface Voice {
  readonly json: boolean
  readonly quiet: boolean
}

/** The answer itself: one JSON document with --json, else the lines given. */
export function answer(voice: Voice, value: unknown, lines: readonly string[]): void {
  process.stdout.write(voice.json ? `${JSON.stringify(value)}\n` : lines.map(line => `${line}\n`).join(""))
}

/** A word about what happens; silent with --quiet. */
export function tell(voice: Voice, line: string): void {
  if (!voice.quiet) process.stderr.write(`${line}\n`)
}

/** Progress on a terminal, in one line; elsewhere nothing. */
export function progress(voice: Voice, done: number, of: number, what: string): void {
  if (voice.quiet || voice.json || !process.stderr.isTTY) return
  process.stderr.write(
    `\r${what} ${done.toLocaleString("en-US")} of ${of.toLocaleString("en-US")}${done >= of ? "\n" : ""}`,
  )
}

/** A refusal as a sentence: which rule, what was not done, what would work. @returns the exit code. */
export function refuse(voice: Voice, error: unknown): number {
  const fault =
    error instanceof Fault
      ? error
      : new Fault("INTERNAL", error instanceof Error ? error.message : "unknown", { cause: error })
  const { notDone, next, entry } = fault.extras
  const word = fault.exitCode === 3 || fault.exitCode === 9 || fault.exitCode === 5 ? "DENIED" : "ERROR"
  const indent = " ".repeat(word.length + 2)
  const lines = [`${word}  ${fault.code}  ${fault.message}`]
  const recorded = entry === undefined ? "" : `This attempt is log entry ${entry}.`
  if (notDone !== undefined || recorded !== "")
    lines.push(`${indent}${[notDone, recorded].filter(Boolean).join(" ")}`)
  if (next !== undefined) lines.push(`${indent}What would work:  ${next}`)
  process.stderr.write(`${lines.join("\n")}\n`)
  if (voice.json) {
    const problem = {
      code: fault.code,
      title: faults[fault.code][2],
      status: fault.status,
      detail: fault.message,
      not_done: notDone,
      next,
      entry,
    }
    process.stdout.write(`${JSON.stringify(problem)}\n`)
  }
  if (fault.code === "INTERNAL" && process.env.SALLYPORT_DEBUG !== undefined)
    process.stderr.write(`${String(fault.cause instanceof Error ? fault.cause.stack : fault.stack)}\n`)
  return fault.exitCode
}

/** Rows as aligned columns under their heads. */
export function table(heads: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] {
  const texts = [heads, ...rows.map(row => row.map(String))]
  const widths = heads.map((_, i) => Math.max(...texts.map(row => row[i]?.length ?? 0)))
  return texts.map(row =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join("  ")
      .trimEnd(),
  )
}
