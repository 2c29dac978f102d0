import type { Command } from "commander"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { hex } from "../bytes.ts"
import { verifyEd25519 } from "../ed25519.ts"
import { Fault } from "../fault.ts"
import {
  assertExtended,
  isExtended,
  LogWalk,
  readHead,
  receiptFrom,
  type LogSource,
  type ReadHead,
} from "../log/reading.ts"
import { Replay } from "../log/replay.ts"
import { judge, type Policy } from "../tlog/policy.ts"
import { contextOf, type Context } from "./context.ts"
import { readPolicy } from "./receipt.ts"
import { answer, progress, tell } from "./say.ts"
import { mirrored, sourceOf } from "./source.ts"
import { writeWhole } from "../whole-file.ts"

interface VerifyOptions {
  readonly policy: string
  readonly from?: string
  readonly hashes?: boolean
}

interface WatchOptions extends VerifyOptions {
  readonly state: string
  readonly every: string
  readonly stall: string
  readonly once?: boolean
}

/** For strangers, who trust the policy's keys and nothing else: verify, proof, mirror, watch. */
export function followCommands(log: Command): void {
  log
    .command("verify")
    .description(
      "read the whole log and verify it: signatures, tree, tiles, and every entry's author and verdict",
    )
    .requiredOption("--policy <file>", "as you pinned it")
    .option("--from <where>", "a folder of tiles, a mirror, or the URL of a log; without it the server")
    .option("--hashes", "the tree alone, without the entries")
    .action(async (options: VerifyOptions, self: Command) => {
      const context = await contextOf(self)
      const source = await sourceOf(context, options.from)
      await verify(context, source, options)
    })
  log
    .command("proof <index>")
    .description("the .tlog-proof of one entry, made and checked here out of the log's tiles")
    .requiredOption("--policy <file>", "as you pinned it")
    .option("--from <where>", "a folder of tiles, a mirror, or the URL of a log; without it the server")
    .action(async (index: string, options: VerifyOptions, self: Command) => {
      if (!/^\d{1,15}$/.test(index)) throw new Fault("INVALID", "an entry has a number")
      const source = await sourceOf(await contextOf(self), options.from)
      const head = await readHead(source, await readPolicy(options.policy), verifyEd25519)
      process.stdout.write(await receiptFrom(source, Number(index), head))
    })
  log
    .command("mirror <folder>")
    .description("keep a verified copy of the log as plain files; run it again to go on")
    .requiredOption("--policy <file>", "as you pinned it")
    .option("--from <where>", "another mirror, or the URL of a log; without it the server")
    .option("--hashes", "the tree alone, without the entries")
    .action(async (folder: string, options: VerifyOptions, self: Command) => {
      const context = await contextOf(self)
      await mirror(context, folder, options)
    })
  log
    .command("watch")
    .description("follow the log, verify each growth, and tell of a fork, a rollback or a stall")
    .requiredOption("--policy <file>", "as you pinned it")
    .requiredOption("--state <file>", "where the newest verified checkpoint is kept over restarts")
    .option("--from <where>", "the URL of a log; without it the server")
    .option("--hashes", "the tree alone, without the entries")
    .option("--every <seconds>", "", "10")
    .option("--stall <seconds>", "how long it may go without an answer or a fresh cosignature", "600")
    .option("--once", "look once, then end")
    .action(async (options: WatchOptions, self: Command) => {
      const context = await contextOf(self)
      await watch(context, await sourceOf(context, options.from), options)
    })
}

async function verify(context: Context, source: LogSource, options: VerifyOptions): Promise<void> {
  const { voice } = context
  const head = await readHead(source, await readPolicy(options.policy), verifyEd25519)
  const problems = await walkOver(source, head, options).to(head, (done, of) =>
    progress(voice, done, of, "verified"),
  )
  const { size, root, origin, witnesses } = head
  const told = { origin, size, root: hex(root), witnesses, entries: options.hashes !== true, problems }
  answer(voice, told, problems.length > 0 ? failed(problems) : good(head, options))
  if (problems.length > 0) process.exitCode = 7
}

function walkOver(
  source: LogSource,
  { origin }: ReadHead,
  { hashes }: Pick<VerifyOptions, "hashes">,
): LogWalk {
  const replay = new Replay({ origin, verify: verifyEd25519, folds: () => true })
  return new LogWalk(source, hashes === true ? null : replay)
}

function failed(problems: readonly { readonly at: string; readonly why: string }[]): string[] {
  return problems.map(({ at, why }) => `FAILED  ${at} ${why}`)
}

function good({ size, root, origin, witnesses }: ReadHead, options: VerifyOptions): string[] {
  const seen = witnesses.map(({ name, time_s }) => `${name} at ${new Date(time_s * 1000).toISOString()}`)
  return [
    `OK  checkpoint of ${size} entries signed by ${origin}; seen by ${seen.length === 0 ? "no witness: the policy asks for none" : seen.join(", ")}`,
    "OK  every hash tile is that of the tiles below it, and they lead to the signed root",
    options.hashes === true
      ? "NOT CHECKED  the entries (--hashes)"
      : "OK  every entry is the one in its tile, its author signed it, and its verdict is the one that the log leads to",
    `    root ${hex(root)}`,
  ]
}

async function mirror(context: Context, folder: string, options: VerifyOptions): Promise<void> {
  const { voice } = context
  const policy = await readPolicy(options.policy)
  const source = mirrored(await sourceOf(context, options.from), folder)
  const head = await readHead(source, policy, verifyEd25519)
  const held = await heldHead(join(folder, "checkpoint"), policy)
  if (held !== null) await assertExtended(source, { ...held, of: "the mirror's own checkpoint" }, head)
  const problems = await walkOver(source, head, options).to(head, (done, of) =>
    progress(voice, done, of, "mirrored"),
  )
  if (problems.length > 0) {
    answer(voice, { size: head.size, problems }, [
      ...failed(problems),
      `The checkpoint in ${folder} was left as it was.`,
    ])
    process.exitCode = 7
    return
  }
  await writeWhole(join(folder, "checkpoint"), head.note)
  answer(voice, { folder, size: head.size, root: hex(head.root), files: source.kept() }, [
    `OK  ${head.size} entries in ${folder}, verified; ${source.kept()} new files`,
    `    sallyport log verify --from ${folder} --policy ${options.policy}`,
  ])
}

/** The checkpoint that this side kept. @throws Fault CONFIG when the file is no checkpoint of the policy's log. */
async function heldHead(file: string, policy: Policy): Promise<ReadHead | null> {
  const note = await readFile(file, "utf8").catch(() => null)
  if (note === null) return null
  const judged = judge({ ...policy, quorum: "none" }, note, verifyEd25519)
  if (judged.kind === "refuse")
    throw new Fault("CONFIG", `${file} is not a checkpoint that the policy's log signed: ${judged.reason}`)
  return { ...judged.checkpoint, note, witnesses: judged.witnesses }
}

/** What an auditor hears; one line of JSON each with --json. */
interface Heard {
  readonly event: "grown" | "same" | "lag" | "silent"
  readonly at: string
  readonly size: number
  readonly detail: string
}

async function watch(context: Context, source: LogSource, options: WatchOptions): Promise<void> {
  const policy = await readPolicy(options.policy)
  const [every_ms, stall_ms] = [Number(options.every) * 1000, Number(options.stall) * 1000]
  if (!(every_ms > 0) || !(stall_ms > 0)) throw new Fault("INVALID", "--every and --stall are seconds")
  const watcher = new Watcher(source, policy, options)
  await watcher.start()
  let [isOpen, wake]: [boolean, () => void] = [true, () => undefined]
  for (const signal of ["SIGTERM", "SIGINT"] as const)
    process.once(signal, () => {
      isOpen = false
      wake()
    })
  while (isOpen) {
    say(context, await watcher.look(stall_ms))
    if (options.once === true) return
    await new Promise<void>(resolve => {
      wake = resolve
      setTimeout(resolve, every_ms)
    })
  }
}

function say({ voice }: Context, heard: Heard): void {
  if (voice.json) return answer(voice, heard, [])
  const line = `${heard.at}  ${heard.event.padEnd(6)}  ${heard.size} entries  ${heard.detail}`
  if (heard.event === "silent" || heard.event === "lag") tell(voice, line)
  else answer(voice, heard, [line])
}

/** Follows one log; a fork, a rollback and a stall are Faults, with both checkpoints kept beside the state. */
class Watcher {
  readonly #source: LogSource
  readonly #policy: Policy
  readonly #options: WatchOptions
  #held: ReadHead | null = null
  #walk: LogWalk | null = null
  #fresh_ms = Date.now()

  constructor(source: LogSource, policy: Policy, options: WatchOptions) {
    this.#source = source
    this.#policy = policy
    this.#options = options
  }

  async start(): Promise<void> {
    this.#held = await heldHead(this.#options.state, this.#policy)
  }

  /** @throws Fault LOG_FORK, LOG_INVALID, LOG_STALLED, or of a checkpoint that does not meet the policy. */
  async look(stall_ms: number): Promise<Heard> {
    const at = new Date().toISOString()
    const head = await readHead(this.#source, this.#policy, verifyEd25519).catch((error: unknown) => {
      if (error instanceof Fault && error.code === "NO_SERVER") return null
      throw error
    })
    const heard =
      head === null
        ? {
            event: "silent" as const,
            at,
            size: this.#held?.size ?? 0,
            detail: `${this.#source.name} does not answer`,
          }
        : await this.#compare(head, at)
    this.#assertFresh(head, stall_ms)
    return heard
  }

  async #compare(head: ReadHead, at: string): Promise<Heard> {
    const held = this.#held
    // Another server of the same log may be behind; it is no rollback while the longer tree can still be shown.
    if (held !== null && head.size < held.size && (await isExtended(this.#source, head, held)))
      return {
        event: "lag",
        at,
        size: head.size,
        detail: `another server of the log showed ${held.size} before`,
      }
    if (held !== null) await this.#assertGrown(held, head)
    const problems = await this.#step(head)
    if (problems.length > 0)
      throw new Fault("LOG_INVALID", problems.map(({ at: where, why }) => `${where} ${why}`).join("; "))
    const isSame = held !== null && held.size === head.size
    this.#held = head
    await writeWhole(this.#options.state, head.note)
    const seen = head.witnesses.map(({ name }) => name).join(", ") || "no witness"
    const growth = held === null ? "first look" : `+${head.size - held.size}; extends what was seen before`
    return {
      event: isSame ? "same" : "grown",
      at,
      size: head.size,
      detail: `${growth}; seen by ${seen}`,
    }
  }

  async #assertGrown(held: ReadHead, head: ReadHead): Promise<void> {
    try {
      await assertExtended(this.#source, { ...held, of: "the last look" }, head)
    } catch (error) {
      const evidence = `${this.#options.state}.fork`
      if (error instanceof Fault && error.code === "LOG_FORK") {
        await writeWhole(evidence, `${held.note}\n${head.note}`)
        throw new Fault("LOG_FORK", error.message, {
          next: `keep ${evidence}: both signed checkpoints are in it`,
        })
      }
      throw error
    }
  }

  async #step(head: ReadHead) {
    this.#walk ??= walkOver(this.#source, head, this.#options)
    return this.#walk.to(head)
  }

  #assertFresh(head: ReadHead | null, stall_ms: number): void {
    const now_ms = Date.now()
    const seen_ms = Math.max(0, ...(head?.witnesses ?? []).map(({ time_s }) => time_s * 1000))
    const isSeen = head !== null && (seen_ms === 0 || now_ms - seen_ms <= stall_ms)
    if (isSeen) this.#fresh_ms = now_ms
    if (isSeen || (head === null && now_ms - this.#fresh_ms <= stall_ms)) return
    throw new Fault(
      "LOG_STALLED",
      head === null
        ? `${this.#source.name} has not answered for ${Math.round((now_ms - this.#fresh_ms) / 1000)} s`
        : `no witness has cosigned since ${new Date(seen_ms).toISOString()}`,
    )
  }
}
