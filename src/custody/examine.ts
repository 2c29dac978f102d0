import { randomBytes } from "node:crypto"
import { base64, utf8 } from "../bytes.ts"
import { canonical } from "../canonical.ts"
import { failpoint } from "../failpoint.ts"
import { Fault } from "../fault.ts"
import { wanting, type CaptureRow } from "../ledger/ledger.ts"
import type { EntryOf } from "../log/kinds.ts"
import type { Proposal } from "../log/sequencer.ts"
import { names } from "../log/state.ts"
import { countedPlates } from "../picture/level.ts"
import {
  examinationCommitment,
  formatExamination,
  parseExamination,
  type Examination,
} from "../vault/findings.ts"
import { sha256Hex, sketchName, type Withdrawn } from "../vault/vault.ts"
import { raise } from "./alerts.ts"
import { recordOf } from "./caller.ts"
import { claimsFace, findingsOf, lookJob, textsOf, type Text } from "./findings.ts"
import type { House } from "./house.ts"
import { lookPatiently } from "./patience.ts"

/** The examiner that looks with our own finders, and takes a reader's box only where they agree. */
export const examiner = "finders/1"

/** A crash between permit and finding costs a permit; more than this many is not a crash. */
export const maxPermits = 3

export interface ExamineOptions {
  /** Whether a permit that led to nothing (a crash, another server) may be followed by a second one. */
  readonly again: boolean
}

/**
 * Opens a capture once, by the system itself, under a permit like anyone's: finds plates and faces, reads the plate, and
 * writes the age header anew for the epoch of its retention class. What stays is boxes, figures, and texts sealed to that
 * epoch; no pixel of the picture.
 * @throws Fault CONFLICT when the capture is examined already, or has its permit; BUSY, MODEL and INTERNAL when no finder
 * could look: then nothing is stored, and the permit is spent.
 */
export async function examine(house: House, captureId: string, options: ExamineOptions): Promise<void> {
  const row = await house.ledger.capture(captureId)
  if (row === null) throw new Fault("NOT_FOUND", `there is no capture ${captureId}`)
  const permit = await house.log.append(permitProposal(house, row, options))
  failpoint("examine.permitted")
  const withdrawn = await withdrawOrNull(house, captureId, await house.log.receipt(permit))
  const { outcome, examination, sketch, isDoubtful } = await examinationOf(house, row, withdrawn)
  // Before the entry: a crash in between tells it twice, which is counted, and never not at all.
  if (isDoubtful)
    await raise(house, { reader: row.reader, signals: [{ what: "boxes_doubted", count: 1, detail: {} }] })
  if (sketch !== null) await house.objects.putIfAbsent(sketchName(captureId, permit.index), sketch)
  const resealed = withdrawn?.resealed ?? { sealedTo: row.sealedTo, ageHeader: row.ageHeader }
  const findingsJson = formatExamination(examination, randomBytes(32))
  const stored = parseExamination(findingsJson)
  if (stored === null) throw new Fault("INTERNAL", "findings read back as written")
  failpoint("examine.found")
  await house.log.append({
    wanted: wanting({ captures: [captureId] }),
    draft: state => {
      if (state.capture(captureId)?.examined !== null) throw new Fault("CONFLICT", `${captureId} is examined`)
      const { found } = examination
      const entry: Omit<EntryOf<"examined">, "v" | "at"> = {
        kind: "examined",
        capture: captureId,
        permit: permit.index,
        outcome,
        plates: found === null ? 0 : countedPlates(found).length,
        faces: found?.faces?.length ?? null,
        sealed_to: resealed.sealedTo,
        age_header_sha256: sha256Hex(resealed.ageHeader),
        findings_commitment: examinationCommitment(stored),
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

interface Outcome {
  readonly outcome: EntryOf<"examined">["outcome"]
  readonly examination: Examination
  /** Sealed. */
  readonly sketch: Uint8Array | null
  /** Whether its reader called a plate what is a face. */
  readonly isDoubtful: boolean
}

const nothingFound = {
  ...{ found: null, quality: null, models: { plates: null, faces: null }, sketch_sha256: null },
} as const
const unseen = { sketch: null, isDoubtful: false } as const

async function examinationOf(house: House, row: CaptureRow, withdrawn: Withdrawn | null): Promise<Outcome> {
  if (withdrawn === null)
    return {
      outcome: "unreadable",
      examination: { ...nothingFound, read: "unread", texts: null, plate_digests: [] },
      ...unseen,
    }
  const { picture, event } = withdrawn
  const reader = await recordOf(house, "reader", row.reader)
  const job = lookJob({ picture, event, isTrusted: reader?.boxes === "trusted" }, house.pictures.finders)
  const look = picture.length === 0 ? null : await lookOrNull(house, job)
  const { read, texts } = textsOf(event, look)
  const kept = keptTexts(house, withdrawn, texts)
  if (look === null)
    return {
      outcome: picture.length === 0 ? "absent" : "unreadable",
      examination: { ...nothingFound, read, ...kept },
      ...unseen,
    }
  const sketch = withdrawn.resealed?.seal("sketch", look.sketch ?? new Uint8Array()) ?? null
  const found = findingsOf(event, job, look)
  return {
    outcome: countedPlates(found).length > 0 ? "boxes" : "none",
    examination: {
      found,
      quality: look.quality,
      read,
      models: look.models,
      sketch_sha256: sketch === null ? null : sha256Hex(sketch),
      ...kept,
    },
    sketch,
    isDoubtful: claimsFace(event, look),
  }
}

/** `null` for a picture that does not decode within the limits: that is its own property. */
async function lookOrNull(house: House, job: Parameters<House["pictures"]["look"]>[0]) {
  try {
    return await lookPatiently(house.pictures, job)
  } catch (error) {
    if (error instanceof Fault && (error.code === "PICTURE" || error.code === "PICTURE_SIZE")) return null
    throw error
  }
}

/** The texts as they may be kept: sealed beside the capture, and as keyed digests by which equal plates are found. */
function keptTexts(
  house: House,
  { resealed }: Withdrawn,
  texts: readonly Text[],
): Pick<Examination, "texts" | "plate_digests"> {
  if (texts.length === 0 || resealed === null) return { texts: null, plate_digests: [] }
  const normalized = [...new Set(texts.filter(text => text.isSure).map(text => text.normalized))]
  return {
    texts: base64(resealed.seal("texts", utf8(canonical(texts)))),
    plate_digests: normalized.map(text => base64(house.keys.root.digest("plate", text))),
  }
}
