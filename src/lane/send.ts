import { readFile } from "node:fs/promises"
import { Fault } from "../fault.ts"
import { readFolder, type FolderPicture, type Skipped } from "./folder.ts"
import { recipientOn, type Recipients } from "./recipients.ts"
import { sealPicture, type LaneReader } from "./seal.ts"
import type { Sequence } from "./sequence.ts"

export interface SendOptions {
  readonly folder: string
  readonly reader: LaneReader
  readonly recipients: Recipients
  readonly sequence: Sequence
  /** `now`: captured when sent; `mtime`: at the file's own time. */
  readonly capturedAt: "now" | "mtime"
  /** Sends a capture file and gives the admission, as `post` does. */
  readonly post: (capture: Uint8Array) => Promise<Admitted>
  readonly progress?: (done: number, of: number) => void
}

export interface Admitted {
  readonly capture: string
  readonly entry: number
  readonly proof: string
}

export interface Sent {
  readonly admitted: readonly (Admitted & { readonly name: string })[]
  readonly skipped: readonly Skipped[]
  readonly refused: readonly (Skipped & { readonly code: string })[]
}

const atOnce = 4

/** Seals every picture of a camera folder in memory and sends it; what is refused is named, and the rest goes on. */
export async function sendFolder(options: SendOptions): Promise<Sent> {
  const { pictures, skipped } = await readFolder(options.folder)
  const admitted: Sent["admitted"][number][] = []
  const refused: Sent["refused"][number][] = []
  const left = [...pictures]
  const worker = async () => {
    for (let picture = left.shift(); picture !== undefined; picture = left.shift()) {
      const { name } = picture
      await sendOne(options, picture).then(
        done => admitted.push({ ...done, name }),
        (error: unknown) => {
          if (!(error instanceof Fault) || error.code === "NO_SERVER" || error.code === "SEAL_RECIPIENT")
            throw error
          refused.push({ name, why: error.message, code: error.code })
        },
      )
      options.progress?.(admitted.length + refused.length, pictures.length)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return { admitted, skipped, refused }
}

async function sendOne(
  options: SendOptions,
  { file, event, modifiedAt_ms }: FolderPicture,
): Promise<Admitted> {
  const capturedAt_ms = options.capturedAt === "now" ? Date.now() : Math.min(Date.now(), modifiedAt_ms)
  const recipient = recipientOn(options.recipients, capturedAt_ms)
  const picture = await readFile(file)
  const shot = { picture, event, capturedAt_ms, kind: "plate" } as const
  const sealed = await sealPicture(options.reader, shot, recipient)
  return options.post(sealed.numbered(await options.sequence.take()))
}
