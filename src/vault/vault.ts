import { createHash } from "node:crypto"
import { chacha20 } from "../chacha20.ts"
import { Fault } from "../fault.ts"
import type { CaptureRow } from "../ledger/ledger.ts"
import type { EntryOf } from "../log/kinds.ts"
import type { Log } from "../log/log.ts"
import type { ObjectStore } from "../objects/objects.ts"
import { openBody } from "../seal/body.ts"
import { unpackContents, type ReaderEvent } from "../seal/contents.ts"
import { unwrapHeader, wrapFileKey } from "../seal/header.ts"
import type { Findings } from "../picture/level.ts"
import { markCommitment, type MarkKeys } from "../mark/keys.ts"
import { Gate } from "./gate.ts"
import { equal, fromBase64, hex } from "../bytes.ts"
import { besideKey, epochKey, type BesideKey, type KeyMaker } from "./keys.ts"
import { examinationCommitment, parseExamination, withBoxes } from "./findings.ts"

export type Permit = EntryOf<"permit">

/** What comes out of the inner door: the plaintext with the permit that was verified. Level and holder come from it alone. */
export interface Withdrawn {
  readonly permit: Permit
  readonly permitIndex: number
  readonly picture: Uint8Array
  readonly event: ReaderEvent
  /** What the examination found, as its entry commits to it; `null` before it. */
  readonly findings: Findings | null
  /** For people only: what their copies carry, as the permit committed to it. */
  readonly markKeys: MarkKeys | null
  /** For a linkage only: the plates' texts as the examination sealed them, canonical JSON; `null` where it read none. */
  readonly texts: Uint8Array | null
  /** For an examiner only: the age header written anew for the epoch of the retention class. */
  readonly resealed: Resealed | null
}

export interface Resealed {
  readonly sealedTo: string
  readonly ageHeader: Uint8Array
  /** Seals what is kept beside the capture to the same key. */
  seal: (what: "texts" | "sketch", bytes: Uint8Array) => Uint8Array
}

export interface VaultOptions extends KeyMaker {
  readonly log: Log
  readonly objects: ObjectStore
  readonly gate: Gate
}

/** Which sketch: of which capture, made under which permit, and sealed to which epoch. */
export interface SketchOf {
  readonly capture: string
  readonly permit: number
  readonly sealedTo: string
}

/** Where a capture's body is stored. */
export function bodyName(captureId: string): string {
  return `captures/${captureId.slice(-1)}/${captureId}`
}

/** Where the sealed sketch of one examination is stored. @param permit  index of the permit that it was made under. */
export function sketchName(captureId: string, permit: number): string {
  return `sketches/${captureId.slice(-1)}/${captureId}-${permit}`
}

/** The inner door. It holds the keys; the only way to plaintext is `withdraw`, and the only key to it is a receipt. */
export class Vault {
  readonly gate: Gate
  readonly #options: VaultOptions

  constructor(options: VaultOptions) {
    this.#options = options
    this.gate = options.gate
  }

  /**
   * Stores a sealed body, durably, before its entry exists: a crash in between leaves an orphan, never an entry without
   * its body. Needs no secret.
   * @throws Fault CONFLICT when another body stands under this id.
   */
  async admit(captureId: string, body: Uint8Array): Promise<void> {
    const stored = await this.#options.objects.putIfAbsent(bodyName(captureId), body)
    if (stored === "stored") return
    const held = await this.#options.objects.get(bodyName(captureId))
    if (held === null || !equal(held, body))
      throw new Fault("CONFLICT", `another capture is stored as ${captureId}`)
  }

  /**
   * Opens one capture, once, for whom and at what level the permit says.
   * @param receipt  the `.tlog-proof` of the permit, at most 60 s old.
   * @throws Fault RECEIPT_… naming the check that failed; VAULT_STOPPED for good after a fork; VAULT_OBJECT, SEAL_KEY,
   *         SEAL_BODY when what is stored is not what was admitted.
   */
  async withdraw(captureId: string, receipt: string): Promise<Withdrawn> {
    const { permit, index, row } = await this.gate.open(captureId, receipt)
    const body = await this.#body(row)
    const fileKey = await this.#fileKey(row)
    const plaintext = openBody(fileKey, body, chacha20)
    if (plaintext === null)
      throw new Fault("SEAL_BODY", `the body of ${captureId} does not open with its key`)
    const contents = unpackContents(plaintext)
    if (contents === null) throw new Fault("SEAL_BODY", `the contents of ${captureId} are malformed`)
    const findings = await this.#findings(row)
    const boxes = this.gate.record("boxes", row.id)
    if (boxes !== null && boxes.entry > index)
      throw new Fault("CONFLICT", `the boxes of ${captureId} were set after the permit`, {
        notDone: "Nothing was released; the permit stays in the log and is charged.",
      })
    if (permit.by !== null && permit.faces !== (findings?.faces?.length ?? null))
      throw new Fault("LEDGER_DIFFERS", `the permit counts other faces in ${captureId} than were found`)
    const resealed = permit.for === "examine" ? await this.#reseal(row, fileKey) : null
    return {
      permit,
      permitIndex: index,
      ...contents,
      findings,
      texts: permit.for === "link" ? await this.#texts(row) : null,
      resealed,
      markKeys: this.#markKeys(permit, row),
    }
  }

  /**
   * Opens the sketches of originals, for one trace. A sketch gives back a likeness of its picture: without a trace that a
   * person opened in the log, none is opened.
   * @param receipt  of the entry `trace.opened`.
   * @returns what opens the sketch of one capture: its bytes, or `null` where none is kept any more.
   */
  async openSketches(receipt: string): Promise<(of: SketchOf) => Promise<Uint8Array | null>> {
    await this.gate.openTrace(receipt)
    const keys = new Map<string, BesideKey | null>()
    const { ledger, root, objects } = this.#options
    const keyOf = async (name: string) => {
      const known = keys.get(name)
      if (known !== undefined) return known
      const row = await ledger.identity(name)
      const key = row?.wrapped == null ? null : besideKey(root.unwrap(row.name, row.wrapped))
      keys.set(name, key)
      return key
    }
    return async ({ capture, permit, sealedTo }) => {
      const key = await keyOf(sealedTo)
      const sealed = key === null ? null : await objects.get(sketchName(capture, permit))
      return key === null || sealed === null ? null : key.open(capture, "sketch", sealed)
    }
  }

  /** The codeword is fixed in the log before a copy carries it: no accusation can be dated back. */
  #markKeys(permit: Permit, row: CaptureRow): MarkKeys | null {
    if (permit.by === null) return null
    const keys = this.#options.root.markKeys(row.bodySha256, permit.by.person)
    if (permit.mark_sha256 !== markCommitment(keys))
      throw new Fault("LEDGER_DIFFERS", `the permit commits to another mark than ${row.id} would carry`)
    return keys
  }

  async #body(row: CaptureRow): Promise<Uint8Array> {
    const body = await this.#options.objects.get(bodyName(row.id))
    if (body === null) throw new Fault("VAULT_OBJECT", `the body of ${row.id} is missing`)
    if (createHash("sha256").update(body).digest("hex") !== row.bodySha256) {
      throw new Fault("VAULT_OBJECT", `the body of ${row.id} is not the one that was admitted`)
    }
    return body
  }

  async #fileKey(row: CaptureRow): Promise<Uint8Array> {
    const { ledger, root } = this.#options
    const key = await ledger.identity(row.sealedTo)
    if (key?.wrapped == null) throw new Fault("CAPTURE_PURGED", `the key ${row.sealedTo} is destroyed`)
    const fileKey = await unwrapHeader(row.ageHeader, root.unwrap(key.name, key.wrapped))
    if (fileKey === null)
      throw new Fault("SEAL_KEY", `the capture ${row.id} is not sealed to ${row.sealedTo}`)
    return fileKey
  }

  async #findings(row: CaptureRow): Promise<Findings | null> {
    if (row.examined === null) return null
    const entry = await this.gate.entry(row.examined, "examined")
    const stored = row.findingsJson === null ? null : parseExamination(row.findingsJson)
    const isCommitted = stored !== null && examinationCommitment(stored) === entry.findings_commitment
    if (entry.capture !== row.id || !isCommitted) {
      throw new Fault("LEDGER_DIFFERS", `the findings of ${row.id} are not those that the log commits to`)
    }
    // From the log as the gate has followed it: a row that says what two people set sets nothing.
    const boxes = this.gate.record("boxes", row.id)
    return stored.found === null || boxes === null ? stored.found : withBoxes(stored.found, boxes)
  }

  async #texts(row: CaptureRow): Promise<Uint8Array | null> {
    const stored = row.findingsJson === null ? null : parseExamination(row.findingsJson)
    const texts = stored?.texts == null ? null : fromBase64(stored.texts)
    const key = texts === null ? null : await this.#options.ledger.identity(row.sealedTo)
    if (texts === null || key?.wrapped == null) return null
    const { root } = this.#options
    return besideKey(root.unwrap(key.name, key.wrapped)).open(row.id, "texts", texts)
  }

  async #reseal(row: CaptureRow, fileKey: Uint8Array): Promise<Resealed> {
    const key = await epochKey(this.#options, "standard", row.hour.slice(0, 7))
    const { wrapped } = key
    if (wrapped === null) throw new Fault("CAPTURE_PURGED", `the key ${key.name} is destroyed`)
    const beside = besideKey(this.#options.root.unwrap(key.name, wrapped))
    return {
      sealedTo: key.name,
      ageHeader: await wrapFileKey(fileKey, key.recipient),
      seal: (what, bytes) => beside.seal(row.id, what, bytes),
    }
  }
}

/** Lowercase hexadecimal SHA-256. */
export function sha256Hex(bytes: Uint8Array): string {
  return hex(createHash("sha256").update(bytes).digest())
}
