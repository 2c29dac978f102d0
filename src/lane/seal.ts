import { createHash, randomBytes } from "node:crypto"
import { chacha20 } from "../chacha20.ts"
import type { Signer } from "../ed25519.ts"
import { newId } from "../ids.ts"
import { sealBody } from "../seal/body.ts"
import { captureHeaderMessage, formatCapture, type CaptureHeader } from "../seal/capture.ts"
import { packContents, type ReaderEvent } from "../seal/contents.ts"
import { joinAgeFile, wrapFileKey } from "../seal/header.ts"

/** A reader as the lane knows it: its own key, and names. No key that opens anything. */
export interface LaneReader {
  readonly vault: string
  readonly port: string
  readonly lane: string
  readonly reader: string
  readonly signer: Signer
}

export interface Shot {
  readonly picture: Uint8Array
  readonly event: ReaderEvent
  readonly capturedAt_ms: number
  readonly kind: CaptureHeader["kind"]
  /** From 1, each number once. */
  readonly sequence: number
}

/** Seals one picture in memory to the recipient of its day, and signs its header. @returns a capture file. */
export async function sealShot(reader: LaneReader, shot: Shot, recipient: string): Promise<Uint8Array> {
  const fileKey = new Uint8Array(randomBytes(16))
  const ageHeader = await wrapFileKey(fileKey, recipient)
  const plaintext = packContents({ picture: shot.picture, event: shot.event })
  const body = sealBody(fileKey, plaintext, { aead: chacha20, nonce: new Uint8Array(randomBytes(16)) })
  const captured_at = new Date(shot.capturedAt_ms).toISOString()
  const header: CaptureHeader = {
    v: 1,
    capture: newId("cap"),
    vault: reader.vault,
    port: reader.port,
    lane: reader.lane,
    reader: reader.reader,
    sequence: shot.sequence,
    captured_at,
    kind: shot.kind,
    crossing: newId("crs"),
    sealed_to: `day/${captured_at.slice(0, 10)}`,
    age_header_sha256: sha256(ageHeader),
    body_sha256: sha256(body),
    size_bytes: body.length,
  }
  const signature = reader.signer.sign(captureHeaderMessage(header))
  return formatCapture({ header, signature, ageFile: joinAgeFile(ageHeader, body) })
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex")
}
