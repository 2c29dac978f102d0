type Mode = "kill" | "fail"

let armed: { readonly name: string; readonly mode: Mode; left: number } | null = null
let hits = 0

/**
 * Arms one named moment, for the crash tests.
 * @param spec  `NAME:N`: at the N-th passage (1-based) of `failpoint(NAME)` the process ends as by `kill -9`;
 *              `NAME:N:fail`: that passage throws instead, once. An empty string disarms.
 * @throws Error on any other form.
 */
export function armFailpoint(spec: string): void {
  const match = /^([a-z-]+(?:\.[a-z-]+)*):([1-9][0-9]*)(:fail)?$/.exec(spec)
  if (spec !== "" && match === null)
    throw new Error(`failpoint: expected NAME:N or NAME:N:fail, got ${JSON.stringify(spec)}`)
  hits = 0
  armed =
    match === null
      ? null
      : { name: match[1] ?? "", mode: match[3] === undefined ? "kill" : "fail", left: Number(match[2]) }
}

/** A named moment. Costs one comparison; does nothing unless armed. */
export function failpoint(name: string): void {
  if (armed === null || armed.name !== name) return
  hits += 1
  armed.left -= 1
  if (armed.left > 0) return
  const { mode } = armed
  armed = null
  if (mode === "fail") throw new Error(`failpoint ${name} hit ${hits}`)
  process.stderr.write(`failpoint ${name} hit ${hits}\n`)
  process.kill(process.pid, "SIGKILL")
}
