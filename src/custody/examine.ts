import { randomBytes } from "node:crypto"
import { failpoint } from "../failpoint.ts"
import { Fault } from "../fault.ts"
import type { CaptureRow } from "../ledger/ledger.ts"
import type { EntryOf } from "../log/kinds.ts"
import type { Proposal } from "../log/sequencer.ts"
import { names } from "../log/state.ts"
import type { Findings } from "../picture/level.ts"
import { findingsCommitment, formatFindings, parseFindings } from "../vault/findings.ts"
import { sha256Hex, type Withdrawn } from "../vault/vault.ts"
import { recordOf } from "./caller.ts"
import { wanting } from "../ledger/ledger.ts"
import type { House } from "./house.ts"

/** The examiner that takes boxes from the reader's event, where the custodian trusts its boxes. */
export const examiner = "event-boxes/1"

/** A crash between permit and finding costs a permit; more than this many is not a crash. */
const maxPermits = 3

export interface ExamineOptions {
  /** Whether a permit that led to nothing (a crash, another server) may be followed by a second one. */
  readonly again: boolean
}

/**
 * Opens a capture once, by the system itself, under a permit like anyone's: finds the boxes, and writes the age header
 * anew for the epoch of its retention class. Nothing of the plaintext stays.
 * @throws Fault CONFLICT when the capture is examined already, or has its permit.
 */
export async function examine(house: House, captureId: string, options: ExamineOptions): Promise<void> {
  const row = await house.ledger.capture(captureId)
  if (row === null) throw new Fault("NOT_FOUND", `there is no capture ${captureId}`)
  const permit = await house.log.append(permitProposal(house, row, options))
  failpoint("examine.permitted")
  const receipt = await house.log.receipt(permit)
  const withdrawn = await withdrawOrNull(house, captureId, receipt)
  const found = withdrawn === null ? null : await findingsOf(house, row, withdrawn)
  const resealed = withdrawn?.resealed ?? { sealedTo: row.sealedTo, ageHeader: row.ageHeader }
  const findingsJson = formatFindings(found, randomBytes(32))
  const stored = parseFindings(findingsJson)
  if (stored === null) throw new Fault("INTERNAL", "findings read back as written")
  failpoint("examine.found")
  await house.log.append({
    wanted: wanting({ captures: [captureId] }),
    draft: state => {
      if (state.capture(captureId)?.examined !== null) throw new Fault("CONFLICT", `${captureId} is examined`)
      const entry: Omit<EntryOf<"examined">, "v" | "at"> = {
        kind: "examined",
        capture: captureId,
        permit: permit.index,
        outcome: outcomeOf(found),
        faces: found?.faces?.length ?? null,
        sealed_to: resealed.sealedTo,
        age_header_sha256: sha256Hex(resealed.ageHeader),
        findings_commitment: findingsCommitment(stored),
      }
      return { entry, capture: { ...row, ageHeader: resealed.ageHeader, findingsJson } }
    },
  })
}

function permitProposal(house: House, row: CaptureRow, { again }: ExamineOptions): Proposal {
  const set = names.examinations(examiner)
  return {
    wanted: wanting({ captures: [row.id], members: [{ set, member: row.id }] }),
    draft: (state, now_ms) => {
      if (house.log.clock() < now_ms - 5000) throw new Fault("LOG_BEHIND", "the clock is behind the log")
      if (state.capture(row.id)?.examined !== null || state.member(set, row.id) >= (again ? maxPermits : 1)) {
        throw new Fault("CONFLICT", `${row.id} is examined, or about to be`)
      }
      const entry: Omit<EntryOf<"permit">, "v" | "at"> = {
        kind: "permit",
        for: "examine",
        capture: row.id,
        lane: row.lane,
        hour: row.hour,
        level: "L4",
        admitted: row.admitted,
        examined: null,
        faces: null,
        by: null,
        examiner,
        asked: null,
        statement: null,
      }
      return { entry }
    },
  }
}

/** `null` for what does not open: sealed to another key, or not what a lane seals. Everything else is an error of ours. */
async function withdrawOrNull(house: House, captureId: string, receipt: string): Promise<Withdrawn | null> {
  try {
    return await house.vault.withdraw(captureId, receipt)
  } catch (error) {
    if (error instanceof Fault && (error.code === "SEAL_KEY" || error.code === "SEAL_BODY")) return null
    throw error
  }
}

async function findingsOf(
  house: House,
  row: CaptureRow,
  { picture, event }: Withdrawn,
): Promise<Findings | null> {
  try {
    const { width_px, height_px } = await house.decoder.describe(picture)
    const reader = await recordOf(house, "reader", row.reader)
    const plates = reader?.boxes === "trusted" ? event.plates.map(plate => plate.box) : []
    return { width_px, height_px, plates, faces: null }
  } catch (error) {
    if (error instanceof Fault && (error.code === "PICTURE" || error.code === "PICTURE_SIZE")) return null
    throw error
  }
}

function outcomeOf(found: Findings | null): "boxes" | "none" | "unreadable" {
  if (found === null) return "unreadable"
  return found.plates.length > 0 ? "boxes" : "none"
}
