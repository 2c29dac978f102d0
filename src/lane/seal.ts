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
  /** Of the crossing that several pictures show; a new one where none is given. */
  readonly crossing?: string
  /** The id that it goes by; a new one where none is given. */
  readonly capture?: string
}

/** A picture that is ciphertext already, and has no number yet. */
export interface Sealed {
  readonly capture: string
  /**
   * The capture file under that number, with its header signed. Numbers are given late, in the order in which files are
   * made durable, so that sealing runs side by side and a number is never taken by work that fails.
   * @param sequence  from 1, each number once.
   */
  numbered(sequence: number): Uint8Array
}

/** Seals one picture in memory to the recipient of its day. */
export async function sealPicture(reader: LaneReader, shot: Shot, recipient: string): Promise<Sealed> {
  const fileKey = new Uint8Array(randomBytes(16))
  const ageHeader = await wrapFileKey(fileKey, recipient)
  const plaintext = packContents({ picture: shot.picture, event: shot.event })
  const body = sealBody(fileKey, plaintext, { aead: chacha20, nonce: new Uint8Array(randomBytes(16)) })
  const captured_at = new Date(shot.capturedAt_ms).toISOString()
  const header: Omit<CaptureHeader, "sequence"> = {
    v: 1,
    capture: shot.capture ?? newId("cap"),
    vault: reader.vault,
    port: reader.port,
    lane: reader.lane,
    reader: reader.reader,
    captured_at,
    kind: shot.kind,
    crossing: shot.crossing ?? newId("crs"),
    sealed_to: `day/${captured_at.slice(0, 10)}`,
    age_header_sha256: sha256(ageHeader),
    body_sha256: sha256(body),
    size_bytes: body.length,
  }
  return {
    capture: header.capture,
    numbered: sequence => {
      const whole = { ...header, sequence }
      const signature = reader.signer.sign(captureHeaderMessage(whole))
      return formatCapture({ header: whole, signature, ageFile: joinAgeFile(ageHeader, body) })
    },
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex")
}
