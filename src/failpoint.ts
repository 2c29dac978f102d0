let armed: { readonly name: string; left: number } | null = null
let hits = 0

/**
 * Arms one named moment between two writes, for the crash tests: the process ends there as by `kill -9`.
 * @param spec  `NAME:N`: at the N-th passage (1-based) of `failpoint(NAME)`; an empty string disarms.
 * @throws Error on any other form.
 */
export function armFailpoint(spec: string): void {
  const match = /^([a-z-]+(?:\.[a-z-]+)*):([1-9][0-9]*)$/.exec(spec)
  if (spec !== "" && match === null)
    throw new Error(`failpoint: expected NAME:N, got ${JSON.stringify(spec)}`)
  armed = match === null ? null : { name: match[1] ?? "", left: Number(match[2]) }
}

/** A named moment. Costs one comparison; does nothing unless armed. */
export function failpoint(name: string): void {
  if (armed === null || armed.name !== name) return
  hits += 1
  armed.left -= 1
  if (armed.left > 0) return
  process.stderr.write(`failpoint ${name} hit ${hits}\n`)
  process.kill(process.pid, "SIGKILL")
}
