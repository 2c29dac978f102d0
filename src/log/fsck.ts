import { concat, equal, hex } from "../bytes.ts"
import { canonical } from "../canonical.ts"
import type { VerifyEd25519 } from "../ed25519.ts"
import { commitment } from "../grant/request.ts"
import type { Head, Ledger, MessageRow, Reading } from "../ledger/ledger.ts"
import { leafHash } from "../tlog/hash.ts"
import { foldTile } from "../tlog/tile.ts"
import { rootOf } from "../tlog/tree.ts"
import { parseEntry } from "./kinds.ts"
import { Replay, type Problem } from "./replay.ts"
import { destroyedName, factsOf, names, recordKinds, type Register } from "./state.ts"

export interface Fsck {
  readonly size: number
  readonly root: Uint8Array
  /** At most 100; `log` and ledger agree where there is none. */
  readonly problems: readonly Problem[]
  readonly counted: {
    readonly entries: number
    readonly records: number
    readonly captures: number
    readonly members: number
  }
}

/** A multiple of a tile's width. */
const page = 1024
const rowsPage = 1000
const maxProblems = 100

/**
 * Computes the ledger anew from the log and compares: every entry's author and verdict, the tree and its tiles, and every
 * row that an entry can write. Reads everything once; memory grows with the number of captures.
 * @param progress  told after each page of entries.
 */
export async function fsck(
  ledger: Ledger,
  options: {
    readonly origin: string
    readonly verify: VerifyEd25519
    /** Opens a sealed opening; without it openings are not compared with their commitments. */
    readonly openText?: (field: string, sealed: string) => string | null
    readonly progress?: (done: number, of: number) => void
  },
): Promise<Fsck> {
  const problems: Problem[] = []
  const replay = new Replay({ origin: options.origin, verify: options.verify, folds: () => true })
  const openings = new OpeningCheck(options.openText)
  const follow = async (reading: Reading, until: number) => {
    while (replay.frontier.size < until) {
      const from = replay.frontier.size
      const rows = await reading.entries(from, Math.min(from + page, until))
      if (rows.length === 0) return void problems.push({ at: `entry ${from}`, why: "missing" })
      problems.push(...replay.take(rows), ...(await openings.take(reading, rows)))
      problems.push(...(await leafProblems(reading, rows)))
      options.progress?.(replay.frontier.size, until)
      // The embedded ledger answers at once: without a turn of the event loop nobody else would be served.
      await new Promise(resolve => setImmediate(resolve))
    }
  }
  // Entries and whole tiles stay as they are, so most is read beside whoever writes.
  const { size } = await ledger.head()
  await follow(ledger, size - (size % page))
  return ledger.view(async reading => {
    const head = await reading.head()
    await follow(reading, head.size)
    problems.push(...(await rowProblems(reading, { replay, openings, head })))
    const { register, frontier } = replay
    const members = [...register.sets.values()].reduce((sum, set) => sum + set.size, 0)
    const rows = { records: register.records.size, captures: register.captures.size, members }
    const counted = { entries: head.size, ...rows }
    return { size: head.size, root: rootOf(frontier), problems: problems.slice(0, maxProblems), counted }
  })
}

/** What changes with each entry, at one moment: the head, the tiles' edge, and every row. */
async function rowProblems(
  ledger: Reading,
  of: { readonly replay: Replay; readonly openings: OpeningCheck; readonly head: Head },
): Promise<Problem[]> {
  const { replay, openings, head } = of
  const { register, frontier } = replay
  const isHead = frontier.size !== head.size || equal(rootOf(frontier), head.root)
  return [
    ...(isHead ? [] : [{ at: "head", why: "its root is not that of the entries" }]),
    ...(await tileProblems(ledger, head.size)),
    ...(await recordProblems(ledger, register)),
    ...(await counterProblems(ledger, register)),
    ...(await memberProblems(ledger, register)),
    ...(await captureProblems(ledger, register)),
    ...(await messageProblems(ledger, register)),
    ...(await openings.problems(ledger, register)),
  ]
}

/** Compares what is stored under a name with what the log leads to. Both maps are consumed by name. */
function differences(
  what: string,
  stored: ReadonlyMap<string, string>,
  expected: ReadonlyMap<string, string>,
): Problem[] {
  const names = new Set([...stored.keys(), ...expected.keys()])
  return [...names].flatMap(name => {
    const [is, should] = [stored.get(name), expected.get(name)]
    if (is === should) return []
    if (is === undefined) return [{ at: `${what} ${name}`, why: "the log has it, the ledger does not" }]
    if (should === undefined)
      return [{ at: `${what} ${name}`, why: "the ledger has it, the log does not lead to it" }]
    return [{ at: `${what} ${name}`, why: "the ledger says something else than the log" }]
  })
}

async function recordProblems(ledger: Reading, register: Register): Promise<Problem[]> {
  const stored = new Map<string, string>()
  for (const kind of recordKinds) {
    for await (const row of paged(
      after => ledger.records(kind, { limit: rowsPage, ...after }),
      row => row.id,
    )) {
      stored.set(`${row.kind} ${row.id}`, `${row.version} ${row.body}`)
    }
  }
  const expected = new Map(
    [...register.records].map(([name, held]) => [name, `${held.version} ${canonical(held.body)}`]),
  )
  return differences("record", stored, expected)
}

async function counterProblems(ledger: Reading, register: Register): Promise<Problem[]> {
  const stored = new Map<string, string>()
  for await (const row of paged(
    after => ledger.counters({ limit: rowsPage, ...after }),
    row => row.name,
  )) {
    stored.set(row.name, String(row.value))
  }
  return differences(
    "counter",
    stored,
    new Map([...register.counters].map(([name, value]) => [name, String(value)])),
  )
}

/** Members and captures are as many as images: each row is compared as it is read, and nothing of it kept. */
async function memberProblems(ledger: Reading, register: Register): Promise<Problem[]> {
  const compare = new Comparison("member")
  let after: { readonly set: string; readonly member: string } | undefined
  for (;;) {
    const rows = await ledger.members({ limit: rowsPage, ...(after === undefined ? {} : { after }) })
    for (const { set, member, value } of rows)
      compare.row(`${set} ${member}`, value, register.sets.get(set)?.get(member))
    after = rows.at(-1)
    if (after === undefined || rows.length < rowsPage) break
  }
  const count = [...register.sets.values()].reduce((sum, members) => sum + members.size, 0)
  const isStored = async (name: string) => {
    const at = name.lastIndexOf(" ")
    return (await ledger.member(name.slice(0, at), name.slice(at + 1))) !== 0
  }
  return compare.problems(count, isStored, function* () {
    for (const [set, members] of register.sets) for (const member of members.keys()) yield `${set} ${member}`
  })
}

async function captureProblems(ledger: Reading, register: Register): Promise<Problem[]> {
  const compare = new Comparison("capture")
  for await (const row of paged(
    after => ledger.captures({ limit: rowsPage, ...after }),
    row => row.id,
  )) {
    const facts = register.captures.get(row.id)
    compare.row(row.id, canonical(factsOf(row)), facts && canonical(facts))
  }
  return compare.problems(
    register.captures.size,
    async id => (await ledger.capture(id)) !== null,
    () => register.captures.keys(),
  )
}

/** How a delivery stands is beside the log, and so is what the log could not say itself. */
async function messageProblems(ledger: Reading, register: Register): Promise<Problem[]> {
  const compare = new Comparison("message")
  const derived = ({ id, destination, subject, event, entry, due_ms, body }: MessageRow) =>
    canonical({ id, destination, subject, event, entry, due_ms, body })
  for await (const row of paged(
    after => ledger.messages({ limit: rowsPage, ...after }),
    row => row.id,
  )) {
    const should = register.messages.get(row.id)
    if (row.entry !== null) compare.row(row.id, derived(row), should && derived(should))
  }
  return compare.problems(
    register.messages.size,
    async id => (await ledger.message(id)) !== null,
    () => register.messages.keys(),
  )
}

class Comparison {
  readonly #what: string
  readonly #problems: Problem[] = []
  #both = 0

  constructor(what: string) {
    this.#what = what
  }

  row<T>(name: string, is: T, should: T | undefined): void {
    if (should !== undefined) this.#both += 1
    if (is === should) return
    this.#problems.push({
      at: `${this.#what} ${name}`,
      why:
        should === undefined
          ? "the ledger has it, the log does not lead to it"
          : "the ledger says something else than the log",
    })
  }

  /** Looks for what is missing only where something is. */
  async problems(
    count: number,
    isStored: (name: string) => Promise<boolean>,
    expected: () => Iterable<string>,
  ): Promise<Problem[]> {
    if (this.#both === count) return this.#problems
    for (const name of expected()) {
      if (this.#problems.length >= maxProblems) break
      if (!(await isStored(name)))
        this.#problems.push({ at: `${this.#what} ${name}`, why: "the log has it, the ledger does not" })
    }
    return this.#problems
  }
}

async function* paged<T>(
  read: (after: { readonly after?: string }) => Promise<readonly T[]>,
  name: (row: T) => string,
): AsyncGenerator<T> {
  let after: { readonly after?: string } = {}
  for (;;) {
    const rows = await read(after)
    yield* rows
    const last = rows.at(-1)
    if (last === undefined || rows.length < rowsPage) return
    after = { after: name(last) }
  }
}

async function leafProblems(
  ledger: Reading,
  rows: readonly { index: number; bytes: Uint8Array }[],
): Promise<Problem[]> {
  const problems: Problem[] = []
  for (let at = 0; at < rows.length; at += 256) {
    const index = Math.floor((rows[at]?.index ?? 0) / 256)
    const leaves = concat(...rows.slice(at, at + 256).map(row => leafHash(row.bytes)))
    const tile = await ledger.tile(0, index)
    if (tile === null || !equal(tile.hashes, leaves))
      problems.push({ at: `tile 0/${index}`, why: "it is not that of the entries" })
  }
  return problems
}

/** Every tile above level 0 must be what the tiles below it hash to. */
async function tileProblems(ledger: Reading, size: number): Promise<Problem[]> {
  const problems: Problem[] = []
  for (let level = 0, count = size; count > 0; level += 1, count = Math.floor(count / 256)) {
    for (let index = 0; index * 256 < count; index += 1) {
      const width = Math.min(256, count - index * 256)
      const tile = await ledger.tile(level, index)
      const at = `tile ${level}/${index}`
      if (tile?.hashes.length !== width * 32) problems.push({ at, why: "missing, or of another width" })
      else if (level > 0)
        problems.push(...(await rollProblems(ledger, { level, index, hashes: tile.hashes })))
    }
  }
  return problems
}

async function rollProblems(
  ledger: Reading,
  tile: { level: number; index: number; hashes: Uint8Array },
): Promise<Problem[]> {
  const problems: Problem[] = []
  for (let i = 0; i < tile.hashes.length / 32; i += 1) {
    const below = await ledger.tile(tile.level - 1, tile.index * 256 + i)
    const is = hex(tile.hashes.subarray(i * 32, i * 32 + 32))
    if (below === null || hex(foldTile(below.hashes)) !== is) {
      problems.push({
        at: `tile ${tile.level}/${tile.index}`,
        why: `hash ${i} is not that of the tile below`,
      })
    }
  }
  return problems
}

/** Every text behind a commitment opens it; one that is missing was destroyed by an entry, and one that was destroyed is gone. */
class OpeningCheck {
  readonly #openText: ((field: string, sealed: string) => string | null) | null
  readonly #missing: string[] = []
  readonly #there = new Set<string>()

  constructor(openText: ((field: string, sealed: string) => string | null) | undefined) {
    this.#openText = openText ?? null
  }

  async take(ledger: Reading, rows: readonly { index: number; bytes: Uint8Array }[]): Promise<Problem[]> {
    if (this.#openText === null) return []
    const problems: Problem[] = []
    for (const { index, bytes } of rows) {
      const committed = commitmentsOf(bytes)
      if (committed.size === 0) continue
      const found = new Map((await ledger.openings(index)).map(row => [row.field, row]))
      for (const [field, is] of committed) {
        const row = found.get(field)
        const name = destroyedName(index, field)
        if (row === undefined) this.#missing.push(name)
        else this.#there.add(name)
        const value = row === undefined ? null : this.#openText(field, row.value)
        if (row !== undefined && (value === null || commitment(field, row.salt, value) !== is))
          problems.push({
            at: `opening ${field} of entry ${index}`,
            why: "it does not open the entry's commitment",
          })
      }
      for (const field of found.keys())
        if (!committed.has(field))
          problems.push({ at: `opening ${field} of entry ${index}`, why: "the entry commits to none" })
    }
    return problems
  }

  async problems(ledger: Reading, register: Register): Promise<Problem[]> {
    if (this.#openText === null) return []
    const destroyed = register.sets.get(names.destroyed) ?? new Map<string, number>()
    const lost = this.#missing.filter(name => !destroyed.has(name))
    const kept: string[] = []
    // What was there when it was read may have been destroyed since.
    for (const name of [...destroyed.keys()].filter(each => this.#there.has(each))) {
      const [entry = "", field = ""] = name.split("/")
      if ((await ledger.openings(Number(entry))).some(row => row.field === field)) kept.push(name)
    }
    return [
      ...lost.map(name => ({
        at: `opening ${name}`,
        why: "missing, and no entry says that it was destroyed",
      })),
      ...kept.map(name => ({
        at: `opening ${name}`,
        why: "an entry says that it was destroyed, and it is there",
      })),
    ]
  }
}

/** The commitments whose texts are kept as openings; an examination's findings are kept with the capture instead. */
function commitmentsOf(bytes: Uint8Array): Map<string, unknown> {
  const entry = parseEntry(bytes)
  if (entry === null || entry.kind === "examined" || entry.kind === "refused") return new Map()
  const all: Record<string, unknown> = {
    ...entry,
    ...("statement" in entry && entry.statement !== null ? entry.statement : {}),
  }
  const held = Object.entries(all).filter(([name, value]) => name.endsWith("_commitment") && value !== null)
  return new Map(held.map(([name, value]) => [name.replace(/_commitment$/, ""), value]))
}
