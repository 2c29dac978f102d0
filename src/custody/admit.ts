import { verifyEd25519 } from "../ed25519.ts"
import { failpoint } from "../failpoint.ts"
import { Fault, type FaultCode } from "../fault.ts"
import type { Appended } from "../log/sequencer.ts"
import { names, signalName, type Records } from "../log/state.ts"
import { captureHeaderMessage, parseCapture, type ParsedCapture } from "../seal/capture.ts"
import { sha256Hex } from "../vault/vault.ts"
import { concat, fromBase64, utf8 } from "../bytes.ts"
import { recordOf } from "./caller.ts"
import { wanting } from "../ledger/ledger.ts"
import type { House } from "./house.ts"
import { localHour } from "./local-hour.ts"
import { refuse, refusedEntry } from "./propose.ts"

export interface Admission {
  readonly capture: string
  readonly entry: number
  /** The admission proof: the `.tlog-proof` of the entry `admitted`. Only now may the lane drop its copy. */
  readonly proof: string
}

const day_ms = 86_400_000
const maxAge_days = 14

/**
 * Takes in one sealed capture. Needs no secret key: the reader's signature, the header and the digests are public.
 * Sending the same bytes again gives the same admission. A gap in the reader's numbers is admitted and noted in the entry.
 * @param bytes  a capture file (docs/formats/capture.md).
 * @throws Fault; once the reader's signature holds, a refusal is an entry.
 */
export async function admit(house: House, bytes: Uint8Array): Promise<Admission> {
  const capture = parseCapture(bytes)
  const reader = await authenticate(house, capture)
  const broken = await brokenRule(house, capture)
  if (broken !== null) return refuse(house, refusalOf(capture, broken.code), broken.why)
  const held = await house.ledger.capture(capture.header.capture)
  if (held !== null) return repeated(house, capture, held)
  await assertRoom(house)
  await house.vault.admit(capture.header.capture, capture.body)
  failpoint("admit.stored")
  const appended = await append(house, capture, reader)
  failpoint("admit.appended")
  if (appended.entry.kind === "refused") {
    throw new Fault("CAPTURE_SEQUENCE", `number ${capture.header.sequence} was used for another capture`, {
      entry: appended.index,
    })
  }
  return { capture: capture.header.capture, entry: appended.index, proof: await house.log.receipt(appended) }
}

async function authenticate(house: House, { header, signature }: ParsedCapture): Promise<Records["reader"]> {
  const reader = await recordOf(house, "reader", header.reader)
  if (reader === null || reader.lane !== header.lane || reader.port !== header.port) {
    throw new Fault("CAPTURE_READER", `no reader ${header.reader} is enrolled on lane ${header.lane}`)
  }
  const key = fromBase64(reader.key)
  if (key === null || !verifyEd25519(key, captureHeaderMessage(header), signature)) {
    throw new Fault("CAPTURE_SIGNATURE", `the signature of reader ${header.reader} does not hold`)
  }
  return reader
}

async function brokenRule(
  house: House,
  { header, mode }: ParsedCapture,
): Promise<{ code: FaultCode; why: string } | null> {
  if (header.vault !== house.log.origin)
    return { code: "CAPTURE_HEADER", why: `the capture is for the vault ${header.vault}` }
  if (mode !== house.keys.mode)
    return { code: "SEAL_RECIPIENT", why: `this vault takes captures sealed in mode ${house.keys.mode}` }
  const age_days = (house.log.clock() - Date.parse(header.captured_at)) / day_ms
  if (age_days > maxAge_days || age_days < -1) {
    return {
      code: "CAPTURE_DAY",
      why: `captures are taken up to ${maxAge_days} days after and one day before their time`,
    }
  }
  const key = await house.ledger.identity(header.sealed_to)
  if (key?.wrapped != null) return null
  return { code: "SEAL_RECIPIENT", why: `there is no key ${header.sealed_to}, or it is destroyed` }
}

/**
 * What is admitted has to be examined while its day's key lives, so the vault takes no more than it can come to: the lane
 * keeps the capture and tries again. Says nothing of the capture, so it is no entry.
 */
async function assertRoom({ ledger, pictures }: House): Promise<void> {
  const waiting = await ledger.counter(names.unexamined)
  if (waiting < pictures.finders.mostWaiting) return
  throw new Fault("BUSY", `${waiting} captures wait for their examination`, {
    notDone: "The capture was not admitted.",
    next: "the same bytes again later; on the vault: more finder_processes",
  })
}

/** The same bytes again are answered with the same admission; other bytes under the same id are refused. */
async function repeated(
  house: House,
  capture: ParsedCapture,
  held: { readonly bodySha256: string; readonly headerJson: string; readonly admitted: number },
): Promise<Admission> {
  if (held.bodySha256 !== capture.header.body_sha256 || held.headerJson !== capture.headerJson) {
    return refuse(
      house,
      refusalOf(capture, "CONFLICT"),
      `another capture is held as ${capture.header.capture}`,
    )
  }
  return {
    capture: capture.header.capture,
    entry: held.admitted,
    proof: await house.log.receiptAt(held.admitted),
  }
}

async function append(
  house: House,
  capture: ParsedCapture,
  { reader }: Records["reader"],
): Promise<Appended> {
  const { header, headerJson, signature, ageHeader } = capture
  const port = await recordOf(house, "port", header.port)
  const hour = localHour(header.captured_at, port?.time_zone ?? "UTC")
  const { sequence } = header
  return house.log.append({
    wanted: wanting({
      records: [
        { kind: "reader", id: reader },
        { kind: "signal", id: signalName(reader, "gap") },
        { kind: "signal", id: signalName(reader, "device_replayed") },
      ],
      counters: [names.captures(header.lane, hour)],
      captures: [header.capture],
      sequences: [{ reader, sequence }],
    }),
    draft: state => {
      const held = state.capture(header.capture)
      // The same bytes came twice at one moment: the second is answered as a repetition once the first is stored.
      if (held?.bodySha256 === header.body_sha256 && held.sequence === sequence)
        throw new Fault("BUSY", "this capture is being admitted; send it again")
      if (state.captureAt(reader, sequence) !== null || held !== null) {
        return refusedEntry(refusalOf(capture, "CAPTURE_SEQUENCE"))
      }
      const last = state.record("reader", reader)?.last_sequence ?? 0
      return {
        entry: {
          kind: "admitted",
          capture: header.capture,
          port: header.port,
          lane: header.lane,
          hour,
          captured: header.kind,
          reader,
          sequence,
          gap: Math.max(0, sequence - last - 1),
          sealed_to: header.sealed_to,
          header_sha256: sha256Hex(concat(utf8(headerJson), signature)),
          body_sha256: header.body_sha256,
          size_bytes: header.size_bytes,
        },
        capture: {
          capturedAt_ms: Date.parse(header.captured_at),
          crossing: header.crossing,
          headerJson,
          headerSignature: signature,
          ageHeader,
          findingsJson: null,
        },
      }
    },
  })
}

function refusalOf({ header }: ParsedCapture, code: FaultCode) {
  return { of: "admission", code, reader: header.reader, capture: header.capture } as const
}
