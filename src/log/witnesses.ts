import { createHash } from "node:crypto"
import { textOf, utf8 } from "../bytes.ts"
import { cappedBytes } from "../capped.ts"
import type { VerifyEd25519 } from "../ed25519.ts"
import { Fault } from "../fault.ts"
import { parseCheckpoint, type Checkpoint } from "../tlog/checkpoint.ts"
import { noteVerifier, openNote, parseNote, parseSignatureLines, type NoteVerifier } from "../tlog/note.ts"
import { judge, type Policy } from "../tlog/policy.ts"
import { formatAddCheckpoint, parseLastSize } from "../tlog/witness.ts"

/** What may leave beyond the newest checkpoint that the quorum cosigned. */
export interface WitnessBound {
  readonly maxAge_ms: number
  readonly maxImages: number
  /** Whether each image waits until the quorum has seen its entries. */
  readonly strict: boolean
}

/** A head with the number of images that were permitted to people in it. */
export interface Seen {
  readonly size: number
  /** The log's signed checkpoint of that size. */
  readonly checkpoint: string
  readonly opened: number
}

export interface WitnessesOptions {
  readonly policy: Policy
  readonly bound: WitnessBound
  readonly clock: () => number
  readonly verify: VerifyEd25519
  /** The log's verification key. */
  readonly vkey: string
  readonly head: () => Promise<Seen>
  readonly consistency: (oldSize: number, newSize: number) => Promise<Uint8Array[]>
  /** Whether this checkpoint, signed by the log's key, is of the tree that stands; `false` for a size beyond the head. */
  readonly isOurs: (checkpoint: Checkpoint) => Promise<boolean>
  /** Called once, when a witness holds a checkpoint of this log that its tree contradicts. */
  readonly contradicted: (why: string) => void
  readonly memory: { load(): Promise<string | null>; save(checkpoint: string): Promise<void> }
}

/** How one witness stands. */
export interface Presence {
  readonly name: string
  readonly url: string | null
  /** The newest tree that it cosigned in this process's time; `null` before. */
  readonly size: number | null
  readonly at: string | null
  /** What it last answered that was no cosignature; `null` when all is well. */
  readonly problem: string | null
}

/** The newest checkpoint that the quorum cosigned. */
export interface Cosigned extends Seen {
  readonly at_ms: number
  /** The median of the times that its cosignatures state: no one witness can set it alone where there are three. */
  readonly stated_ms: number
}

const pollEvery_ms = 1000
const roundEvery_ms = 50
const timeout_ms = 5000
const maxAnswer_bytes = 65_536

/**
 * Asks the policy's witnesses to cosign, off the path of releases: a round begins when the log grew, or when the newest
 * cosignature is a third of its allowed age old. A witness is asked once a round, and once again after a 409 that names
 * another size; whatever it answers then waits for the next round. A round ends with its quorum: who has not answered by
 * then is left out of the rounds that follow until he has, so that one who is slow holds up nobody.
 */
export class Witnesses {
  readonly strict: boolean
  readonly #options: WitnessesOptions
  readonly #asked: readonly { name: string; url: string; verifier: NoteVerifier }[]
  readonly #presence = new Map<string, Presence>()
  readonly #lastSizes = new Map<string, number>()
  readonly #busy = new Map<string, Promise<void>>()
  readonly #waiting = new Set<{ readonly size: number; readonly resolve: () => void }>()
  #cosigned: Cosigned | null = null
  #stored: { readonly size: number; readonly checkpoint: string } | null = null
  #round: Promise<void> | null = null
  #saving: Promise<void> = Promise.resolve()
  #isGrown = true
  #timer: NodeJS.Timeout | null = null
  #begun_ms = -roundEvery_ms
  #planned: NodeJS.Timeout | null = null
  #contradiction: string | null = null

  constructor(options: WitnessesOptions) {
    this.#options = options
    this.strict = options.bound.strict
    this.#asked = options.policy.witnesses.flatMap(({ name, vkey, url }) => {
      const verifier = noteVerifier(vkey, options.verify)
      this.#presence.set(name, { name, url, size: null, at: null, problem: null })
      return verifier === null || url === null ? [] : [{ name, url: url.replace(/\/$/, ""), verifier }]
    })
  }

  /** The newest cosigned checkpoint: of this process, else the one that it kept over the restart. */
  get published(): { readonly size: number; readonly checkpoint: string } | null {
    return this.#cosigned ?? this.#stored
  }

  get newest(): Cosigned | null {
    return this.#cosigned
  }

  /** Why nothing may leave now, or `null`. @param opened  images permitted to people so far, by the ledger's count. */
  refusal(opened: number): string | null {
    if (this.#contradiction !== null) return this.#contradiction
    const { maxAge_ms, maxImages } = this.#options.bound
    const held = this.#cosigned
    if (held === null) return "no checkpoint of this log was cosigned by the quorum yet"
    const age_ms = this.#options.clock() - held.at_ms
    if (age_ms > maxAge_ms)
      return `the newest cosigned checkpoint is ${Math.round(age_ms / 1000)} s old; ${maxAge_ms / 1000} s are allowed`
    const beyond = opened - held.opened
    return beyond < maxImages
      ? null
      : `${beyond} images left beyond the newest cosigned checkpoint; ${maxImages} are allowed`
  }

  presence(): readonly Presence[] {
    return [...this.#presence.values()]
  }

  async start(): Promise<void> {
    const { policy, verify, memory, isOurs, contradicted } = this.#options
    const checkpoint = await memory.load()
    const judged = checkpoint === null ? null : judge(policy, checkpoint, verify)
    if (checkpoint !== null && judged?.kind === "ok") {
      this.#stored = { size: judged.checkpoint.size, checkpoint }
      if (!(await isOurs(judged.checkpoint))) {
        this.#contradiction = `the log contradicts the checkpoint of size ${judged.checkpoint.size} that the quorum cosigned before the restart`
        contradicted(this.#contradiction)
      }
    }
    this.#timer = setInterval(() => this.kick(), pollEvery_ms)
    this.#timer.unref()
    await this.#turn()
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
    if (this.#planned !== null) clearTimeout(this.#planned)
    this.#planned = null
    await this.#round
    await Promise.all(this.#busy.values())
    await this.#saving
  }

  /** The log may have grown. Never waits. */
  grown(): void {
    this.#isGrown = true
    this.kick()
  }

  kick(): void {
    const { clock, bound } = this.#options
    const age_ms = this.#cosigned === null ? Infinity : clock() - this.#cosigned.at_ms
    if (!this.#isGrown && age_ms <= bound.maxAge_ms / 3) return
    if (this.#round !== null || this.#planned !== null) return
    const rest_ms = this.#begun_ms + roundEvery_ms - performance.now()
    if (rest_ms <= 0) return void this.#turn()
    this.#planned = setTimeout(() => {
      this.#planned = null
      void this.#turn()
    }, rest_ms)
    this.#planned.unref()
  }

  /** @throws Fault LOG_UNWITNESSED unless the quorum cosigns a tree of at least this size within 5 s. */
  async reach(size: number): Promise<void> {
    if ((this.#cosigned?.size ?? 0) >= size) return
    let waiting: { size: number; resolve: () => void } | null = null
    const reached = new Promise<boolean>(resolve => {
      waiting = { size, resolve: () => resolve(true) }
      this.#waiting.add(waiting)
      setTimeout(() => resolve(false), timeout_ms).unref()
    })
    this.grown()
    const isReached = await reached
    if (waiting !== null) this.#waiting.delete(waiting)
    if (!isReached) throw new Fault("LOG_UNWITNESSED", `the quorum did not cosign size ${size} within 5 s`)
  }

  /** The round that is under way, or a new one. */
  #turn(): Promise<void> {
    this.#round ??= this.#ask()
      .catch(() => undefined)
      .finally(() => {
        this.#round = null
        if (this.#isGrown && this.#timer !== null) this.kick()
      })
    return this.#round
  }

  async #ask(): Promise<void> {
    this.#isGrown = false
    this.#begun_ms = performance.now()
    const at_ms = this.#options.clock()
    const head = await this.#options.head()
    const lines: string[] = []
    await new Promise<void>(resolve => {
      const answers = this.#asked
        .filter(({ name }) => !this.#busy.has(name))
        .map(witness => {
          const answer = this.#askOne(witness, head).then(line => {
            this.#busy.delete(witness.name)
            if (line === null) return
            lines.push(line)
            if (this.#take(head, lines, at_ms)) resolve()
          })
          this.#busy.set(witness.name, answer)
          return answer
        })
      void Promise.all(answers).then(() => resolve())
    })
  }

  /** Keeps the checkpoint as soon as its cosignatures are the quorum; later ones of the round are added to it. */
  #take(head: Seen, lines: readonly string[], at_ms: number): boolean {
    const checkpoint = head.checkpoint + lines.join("")
    const judged = judge(this.#options.policy, checkpoint, this.#options.verify)
    if (judged.kind === "refuse" || head.size < (this.#cosigned?.size ?? 0)) return false
    const times_s = judged.witnesses.map(({ time_s }) => time_s).sort((a, b) => a - b)
    const stated_ms = 1000 * (times_s[Math.floor((times_s.length - 1) / 2)] ?? 0)
    this.#cosigned = { ...head, checkpoint, at_ms, stated_ms }
    for (const waiting of this.#waiting) if (waiting.size <= head.size) waiting.resolve()
    // One save after the other: they write one file.
    this.#saving = this.#saving.then(() => this.#options.memory.save(checkpoint)).catch(() => undefined)
    return true
  }

  async #askOne(
    witness: { readonly name: string; readonly url: string; readonly verifier: NoteVerifier },
    head: Seen,
  ): Promise<string | null> {
    const { name } = witness
    const told = (part: Partial<Presence>) =>
      this.#presence.set(name, { ...(this.#presence.get(name) as Presence), ...part })
    try {
      let answer = await this.#post(witness.url, head, this.#lastSizes.get(name) ?? 0)
      const lastSize = answer.status === 409 ? parseLastSize(answer.text) : null
      if (lastSize !== null && lastSize !== this.#lastSizes.get(name) && lastSize <= head.size) {
        this.#lastSizes.set(name, lastSize)
        answer = await this.#post(witness.url, head, lastSize)
      }
      const line = answer.status === 200 ? lineOf(answer.text, head, witness.verifier) : null
      if (line === null) {
        told({ problem: explain(answer) })
        if (answer.status === 409 || answer.status === 422) await this.#compare(witness)
        return null
      }
      this.#lastSizes.set(name, head.size)
      told({ size: head.size, at: new Date(this.#options.clock()).toISOString(), problem: null })
      return line
    } catch (error) {
      told({ problem: error instanceof Error ? `no answer: ${error.message}` : "no answer" })
      return null
    }
  }

  async #post(url: string, head: Seen, oldSize: number): Promise<Answer> {
    const proof = await this.#options.consistency(oldSize, head.size)
    const body = formatAddCheckpoint({ oldSize, proof, checkpoint: head.checkpoint })
    return request(`${url}/add-checkpoint`, { method: "POST", body })
  }

  /** A witness that says no may hold a tree of ours that contradicts ours. Its word is not enough: our key's signature is. */
  async #compare({ name, url }: { readonly name: string; readonly url: string }): Promise<void> {
    const { vkey, verify, isOurs, contradicted } = this.#options
    const verifier = noteVerifier(vkey, verify)
    if (verifier === null || this.#contradiction !== null) return
    const id = createHash("sha256").update(utf8(verifier.name)).digest("hex")
    const { status, text } = await request(`${url}/${id}/checkpoint`, { method: "GET" })
    const opened = status === 200 ? openNote(text, [verifier]) : null
    const checkpoint = opened?.kind === "ok" ? parseCheckpoint(opened.text) : null
    if (checkpoint === null || (await isOurs(checkpoint))) return
    this.#contradiction = `witness ${name} holds a checkpoint of size ${checkpoint.size} with this log's own signature that the log now contradicts: it was rolled back or rewritten`
    contradicted(this.#contradiction)
  }
}

interface Answer {
  readonly status: number
  readonly text: string
}

async function request(url: string, init: { method: string; body?: string }): Promise<Answer> {
  const response = await fetch(url, { ...init, redirect: "error", signal: AbortSignal.timeout(timeout_ms) })
  const text = textOf(await cappedBytes(response, maxAnswer_bytes)) ?? ""
  return { status: response.status, text }
}

/** The witness's own line of the answer, if it is there and holds. */
function lineOf(text: string, head: Seen, verifier: NoteVerifier): string | null {
  const note = parseNote(head.checkpoint)
  const found = parseSignatureLines(text)?.find(
    each => each.name === verifier.name && each.keyId === verifier.keyId,
  )
  if (note === null || found === undefined) return null
  return verifier.verify(utf8(note.text), found.signature) ? found.line : null
}

function explain({ status, text }: Answer): string {
  if (status === 200) return "its answer holds no cosignature of its key for what was asked"
  if (status === 403 || status === 404) return `${status}: it does not trust this log's key; give it the vkey`
  if (status === 409) return `409: it has seen another size: ${text.trim().slice(0, 40)}`
  if (status === 422) return "422: it says that the log does not extend what it has seen"
  return `it answered ${status}`
}
