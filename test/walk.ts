import { execFile } from "node:child_process"
import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { expect } from "vitest"
import { base64 } from "../src/bytes.ts"
import { writeKeyFile } from "../src/cli/keyfile.ts"
import { proposeMotion } from "../src/custody/motions.ts"
import { newSeed, signerOf } from "../src/ed25519.ts"
import { callerOf, second, type Role, type TestPort } from "./port.ts"

/** A page of docs/operate, line by line, with the real command line against a real server. */

const program = fileURLToPath(new URL("../bin/sallyport", import.meta.url))

export interface Walk {
  readonly port: TestPort
  readonly url: string
  /** Where the commands run. */
  readonly folder: string
  /** What stands for `$NAME` in a line. */
  readonly variables: Map<string, string>
  /** Names that are found in what a command prints, by the first group. */
  readonly remembered: Readonly<Record<string, RegExp>>
}

/** A key file of a person: another key of his, signed by two, since the test's own keys give no seed away. */
export async function keyFor({ port, folder, variables }: Walk, role: Role): Promise<void> {
  const { house, people } = port
  const seed = newSeed()
  const { person } = people[role]
  const statement = { person, key: base64(signerOf(seed).publicKey), kind: "ed25519", credential: null }
  const caller = await callerOf(house, people.custodian, { path: "/v1/keys", statement })
  const signers: Partial<Record<Role, Role>> = { custodian: "privacy", cor: "privacy" }
  const by = signers[role] ?? "cor"
  await second(house, people[by], (await proposeMotion(house, caller, "add-key")).id)
  const file = join(folder, `${role}.key`)
  await writeKeyFile(file, { vault: house.log.origin, id: person, notes: {}, seed })
  variables.set(role.toUpperCase(), file)
}

interface Step {
  readonly line: string
  readonly exits: number
  /** What the page says that it prints. */
  readonly said: readonly string[]
}

/** As soon as a command can be answered before it, however slow the machine is. */
let soon_ms = 4000

/** The page as blocks of text and steps: a step is a line with a prompt, and what follows it up to the next. */
function stepsOf(text: string): Step[] {
  const inside = [...text.matchAll(/^```\n([\s\S]*?)^```$/gm)].flatMap(match => [
    match[1]!.split("\n").slice(0, -1),
  ])
  return inside.flatMap(lines => {
    const starts = lines.flatMap((line, i) => (/^[$#] /.test(line) ? [i] : []))
    return starts.map((at, i) => {
      const [line = "", exits = "0"] = lines[at]!.split(/\s+# exits /)
      return { line, exits: Number(exits), said: lines.slice(at + 1, starts[i + 1] ?? lines.length) }
    })
  })
}

function argumentsOf({ variables }: Walk, line: string): string[] {
  variables.set("SOON", new Date(Date.now() + soon_ms).toISOString())
  const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(match => match[1] ?? match[2] ?? "")
  return words.slice(2).map(word => (word.startsWith("$") ? (variables.get(word.slice(1)) ?? word) : word))
}

function run(walk: Walk, line: string): Promise<{ exit: number; out: string }> {
  const argv = [program, ...argumentsOf(walk, line), "--server", walk.url]
  const start_ms = Date.now()
  return new Promise(resolve => {
    const child = execFile(process.execPath, argv, { cwd: walk.folder }, (error, stdout, stderr) => {
      soon_ms = Math.max(soon_ms, 3 * (Date.now() - start_ms))
      resolve({ exit: error === null ? 0 : Number(error.code), out: `${stderr}${stdout}` })
    })
    // Nobody types.
    child.stdin?.end()
  })
}

/** What is the same in every run: ids, times, digests, keys, ports and numbers of entries are left out. */
function lasting(out: string): string[] {
  const text = out
    .replace(/\b([a-z]{3})_[0-9A-Z]{26}/g, "$1_…")
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "…Z")
    .replace(/\d{4}-\d\d-\d\dT\d\d[+-]\d\d:\d\d/g, "…h")
    .replace(/\b\d{4}-\d\d-\d\d\b/g, "…")
    .replace(/… \d\d h\b/g, "… … h")
    .replace(/\b[0-9a-f]{16}\b|\b[0-9a-f]{64}\b/g, "…")
    .replace(/[\d,]{5,} bytes/g, "… bytes")
    .replace(/("scoped":|inc_…, |all |\/test, )\d+(?= entries|,)/g, "$1…")
    .replace(/(\.json {2})\d+ bytes/g, "$1… bytes")
    // A sign a day: what is before midnight (UTC) stands in another column.
    .replace(/^((?:images|refused) +)[.:=+*#-]{30} .*$/gm, "$1…")
    .replace(/[A-Za-z0-9+/]{43}=/g, "…")
    .replace(/127\.0\.0\.1:\d+/g, "127.0.0.1:…")
    .replace(/(entry|alert ack) \d+/g, "$1 …")
    .replace(/^\d+(?= {2}acknowledged)/gm, "…")
    .replace(/… \d\d:\d\d (?=\()/g, "… … ")
    .replace(/\d+ min \d+ s left, \d+ %/g, "… min … s left, … %")
    .replace(/("scoped":)\d+/g, "$1…")
    // How much evidence there is differs with the hour at which it is asked.
    .replace(/[#|.]{14} \d+ %/g, "… %")
    // What was drawn before midnight (UTC) stands in another column.
    .replace(/; most \d+$/gm, "; most …")
    .replace(/^ *#[ #]*$/gm, "…")
    .replace(/^(actual +)[\d.]+$/gm, "$1…")
    .replace(/[\d.]+( nats, the newest image)/g, "…$1")
    .replace(/\d+ of \d+ images? (.*?) in \d+ s(.*?): [\d.]+ nats/g, "… images $1 in … s: … nats")
    .replace(/^hours 0 to 23 .*$/gm, "hours 0 to 23  …")
  return text
    .split("\n")
    .slice(0, -1)
    .map(line => (line.includes("…Z") ? line.replace(/\b\d+(?= {2,})/g, "…") : line))
    .map(line =>
      ((line.match(/\S {2,}(?=\S)/g)?.length ?? 0) > 1 ? line.replace(/ {3,}/g, "  ") : line).trimEnd(),
    )
}

/** Runs every line of the page and compares what is printed; with SALLYPORT_WRITE it writes the page anew. */
export async function walkThrough(walk: Walk, name: string, atLeast: number): Promise<void> {
  const page = fileURLToPath(new URL(`../docs/operate/${name}`, import.meta.url))
  const text = await readFile(page, "utf8")
  const steps = stepsOf(text)
  expect(steps.length).toBeGreaterThanOrEqual(atLeast)
  let written = text
  let from = 0
  for (const { line, exits, said } of steps) {
    if (line.startsWith("# ")) {
      await new Promise(resolve => setTimeout(resolve, soon_ms))
      continue
    }
    const { exit, out } = await run(walk, line)
    expect(exit, `${line}\n${out}`).toBe(exits)
    for (const [variable, pattern] of Object.entries(walk.remembered)) {
      const found = pattern.exec(out)?.[1]
      if (found !== undefined) walk.variables.set(variable, found)
    }
    if (process.env.SALLYPORT_WRITE === undefined) {
      expect(lasting(out), line).toEqual(said)
      continue
    }
    const at = written.indexOf("\n", written.indexOf(line, from)) + 1
    const old = said.map(each => `${each}\n`).join("")
    const fresh = lasting(out)
      .map(each => `${each}\n`)
      .join("")
    written = written.slice(0, at) + fresh + written.slice(at + old.length)
    from = at + fresh.length
  }
  if (process.env.SALLYPORT_WRITE !== undefined) await writeFile(page, written)
}
