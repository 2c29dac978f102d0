import { createHash } from "node:crypto"
import { rollback, closeConnection, openConnection, type Connection } from "../ledger/connection.ts"
import { verifyEd25519, type Signer } from "../ed25519.ts"
import { parseForeignCheckpoint } from "../tlog/checkpoint.ts"
import {
  cosigner,
  formatVkey,
  noteVerifier,
  parseNote,
  signatureLines,
  type NoteSigner,
} from "../tlog/note.ts"
import {
  judgeAddCheckpoint,
  originAsked,
  parseAddCheckpoint,
  type AddCheckpoint,
  type Cosigned,
  type WitnessAnswer,
} from "../tlog/witness.ts"

export interface WitnessOptions {
  /** A schemeless URL or other name without spaces and `+`. */
  readonly name: string
  readonly signer: Signer
  /** The SQLite file with what was cosigned. */
  readonly file: string
  /** Verification keys of the logs that are witnessed, asked for at each request. */
  readonly logs: () => readonly string[]
  readonly clock: () => number
}

/** What was cosigned last, of one log. */
export interface Held {
  readonly origin: string
  readonly size: number
  /** The checkpoint with the log's and this witness's signature. */
  readonly note: string
  readonly at_s: number
}

/**
 * A witness (c2sp.org/tlog-witness): cosigns a checkpoint only if it extends the one that it cosigned last. It looks and
 * stores in one synchronous transaction, durable before the answer, so no two requests can pass each other.
 */
export class Witness {
  readonly name: string
  readonly vkey: string
  readonly #options: WitnessOptions
  readonly #cosigner: NoteSigner
  readonly #connection: Connection

  /** @throws Fault LEDGER_IN_USE when another witness runs on the same file. */
  constructor(options: WitnessOptions) {
    const { name, signer, clock } = options
    this.name = name
    this.vkey = formatVkey(name, signer.publicKey, "witness")
    this.#options = options
    this.#cosigner = cosigner(name, signer.publicKey, {
      sign: message => signer.sign(message),
      now_s: () => Math.floor(clock() / 1000),
    })
    this.#connection = openConnection(options.file)
    this.#connection.exec(
      "create table if not exists cosigned (id text primary key, origin text not null, size integer not null, note text not null, at_s integer not null)",
    )
  }

  /** @returns for status 200 with the cosignature line. */
  addCheckpoint(body: Uint8Array): WitnessAnswer & { readonly lines?: string } {
    const request = parseAddCheckpoint(body)
    const origin = request === null ? null : originAsked(request)
    if (request === null || origin === null) return { status: 400, why: "the request is malformed" }
    this.#connection.exec("begin immediate")
    try {
      const answer = this.#judge(request, origin)
      if (answer.status !== 200) {
        this.#connection.exec("rollback")
        return answer
      }
      const lines = signatureLines(answer.text, [this.#cosigner])
      this.#store(request, { origin, size: answer.checkpoint.size, lines })
      this.#connection.exec("commit")
      return { ...answer, lines }
    } catch (error) {
      rollback(this.#connection)
      throw error
    }
  }

  /** What was cosigned last of the log whose origin has this SHA-256 (lowercase hexadecimal), or `null`. */
  held(originSha256: string): Held | null {
    const [row] = this.#connection
      .prepare<Held>("select origin, size, note, at_s from cosigned where id = ?")
      .all([originSha256])
    return row === undefined ? null : heldOf(row)
  }

  /** Of every log that is or was witnessed, by origin. */
  all(): readonly Held[] {
    return this.#connection
      .prepare<Held>("select origin, size, note, at_s from cosigned order by origin")
      .all([])
      .map(heldOf)
  }

  close(): void {
    closeConnection(this.#connection)
  }

  #judge(request: AddCheckpoint, origin: string): WitnessAnswer {
    const known = this.#options
      .logs()
      .map(vkey => noteVerifier(vkey, verifyEd25519))
      .filter(verifier => verifier !== null)
      .filter(({ name }) => name === origin)
    return judgeAddCheckpoint(request, known, this.#last(origin))
  }

  #last(origin: string): Cosigned | null {
    const held = this.held(originId(origin))
    const note = held && parseNote(held.note)
    return (note && parseForeignCheckpoint(note.text)?.checkpoint) ?? null
  }

  /** Keeps the signatures of the log's own keys, and this witness's; nobody else's. */
  #store(request: AddCheckpoint, put: { origin: string; size: number; lines: string }): void {
    const note = parseNote(request.checkpoint)
    const own = note?.signatures.filter(({ name }) => name === put.origin).map(({ line }) => line) ?? []
    const whole = `${note?.text ?? ""}\n${own.join("")}${put.lines}`
    this.#connection
      .prepare(
        `insert into cosigned (id, origin, size, note, at_s) values (?, ?, ?, ?, ?)
         on conflict (id) do update set size = excluded.size, note = excluded.note, at_s = excluded.at_s`,
      )
      .run([originId(put.origin), put.origin, put.size, whole, Math.floor(this.#options.clock() / 1000)])
  }
}

/** libsql may give integers as bigints. */
function heldOf(row: Held): Held {
  return { ...row, size: Number(row.size), at_s: Number(row.at_s) }
}

/** The name of an origin on a witness's monitoring path: SHA-256, lowercase hexadecimal. */
export function originId(origin: string): string {
  return createHash("sha256").update(origin).digest("hex")
}
