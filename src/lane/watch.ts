import { readFile, unlink } from "node:fs/promises"
import { Fault } from "../fault.ts"
import { readFolder, type FolderPicture } from "./folder.ts"
import type { Health } from "./health.ts"
import type { Intake } from "./intake.ts"
import { Pause } from "./pause.ts"

export interface WatchOptions {
  readonly folder: string
  /** What becomes of a picture that was taken: it is removed, or it stays and is remembered as taken. */
  readonly after: "delete" | "keep-list"
  /** `mtime`: captured at the file's own time; `now`: when it was taken. */
  readonly capturedAt: "mtime" | "now"
  /** A picture is whole when its size and time stayed the same that long, ms. */
  readonly settle_ms: number
  /** The least time between two looks, ms; a look that takes long is followed by a longer pause. */
  readonly every_ms: number
  readonly identify: (...parts: readonly string[]) => string
  readonly intake: Intake
  readonly health: Health
  readonly clock: () => number
}

interface Seen {
  readonly identity: string
  readonly since_ms: number
}

/**
 * Takes the pictures of a camera folder, each once, over restarts too: what says that it was taken is its name, size and time,
 * bound to its capture before anything is removed. While nothing can be taken the pictures are left where they are.
 */
export class Watch {
  readonly #options: WatchOptions
  /** By name; what was seen in the last look and not taken yet. */
  #seen = new Map<string, Seen>()
  #left = new Set<string>()
  readonly #pause = new Pause()

  constructor(options: WatchOptions) {
    this.#options = options
  }

  /** Runs until `end`. @throws what stopped the spool. */
  async run(): Promise<void> {
    while (!this.#pause.isEnded) {
      const began_ms = performance.now()
      await this.look()
      // A folder of many pictures that stay costs a while to list: at most a tenth of the time is spent on it.
      await this.#pause.for(Math.max(this.#options.every_ms, 9 * (performance.now() - began_ms)))
    }
  }

  end(): void {
    this.#pause.end()
  }

  /** One look at the folder. @returns how many pictures were taken. */
  async look(): Promise<number> {
    const pictures = await this.#pictures()
    if (pictures === null) return 0
    const seen = new Map<string, Seen>()
    let taken = 0
    for (const picture of [...pictures].sort(inOrder)) {
      if (this.#pause.isEnded) break
      const identity = this.#identityOf(picture)
      if (this.#options.intake.numberOf(identity) !== null) {
        await this.#finish(picture)
        continue
      }
      const held = this.#seen.get(picture.name)
      const since_ms = held?.identity === identity ? held.since_ms : this.#options.clock()
      if (this.#options.clock() - since_ms < this.#options.settle_ms) {
        seen.set(picture.name, { identity, since_ms })
        continue
      }
      const done = await this.#take(picture, identity)
      if (done === "taken") taken += 1
      else seen.set(picture.name, { identity, since_ms })
      if (done === "stop") break
    }
    this.#seen = seen
    return taken
  }

  async #pictures(): Promise<readonly FolderPicture[] | null> {
    const { folder, health } = this.#options
    try {
      const { pictures, skipped } = await readFolder(folder)
      this.#leave(skipped.map(({ name }) => name))
      health.clear("folder_unreadable")
      return pictures
    } catch (error) {
      // Unplugged, or its index is being written: both pass, and are looked at again.
      if (!(error instanceof Fault)) throw error
      health.raise("folder_unreadable", { code: error.code })
      return null
    }
  }

  #identityOf({ name, size_bytes, modifiedAt_ms }: FolderPicture): string {
    return this.#options.identify("folder", name, String(size_bytes), String(modifiedAt_ms))
  }

  async #take(picture: FolderPicture, identity: string): Promise<"taken" | "left" | "stop"> {
    const { intake, capturedAt, clock } = this.#options
    const capturedAt_ms = capturedAt === "now" ? clock() : picture.modifiedAt_ms
    if (!intake.covers(capturedAt_ms)) return this.#uncovered(picture.name)
    const bytes = await readFile(picture.file).catch(systemErrorOf)
    if (!Buffer.isBuffer(bytes)) {
      if (bytes !== "ENOENT") this.#leave([picture.name])
      return "left"
    }
    // Changed between look and reading: it is not whole yet.
    if (bytes.length !== picture.size_bytes) return "left"
    const shot = { picture: bytes, event: picture.event, capturedAt_ms, kind: "plate" } as const
    const { kind } = await intake.take(identity, shot)
    if (kind === "not-now") return "stop"
    await this.#finish(picture)
    return "taken"
  }

  /** What was taken is removed, where that is asked for; what cannot be removed is known, and not taken again. */
  async #finish({ file }: FolderPicture): Promise<void> {
    if (this.#options.after === "keep-list") return
    const code = await unlink(file).catch(systemErrorOf)
    if (typeof code === "string" && code !== "ENOENT")
      this.#options.health.raise("folder_unreadable", { code, of: "removing" })
  }

  /** Too old for the vault, or of a day without a key: unless there is none for today either, it stays and is counted. */
  #uncovered(name: string): "left" | "stop" {
    if (!this.#options.intake.covers(this.#options.clock())) return "stop"
    this.#leave([name])
    return "left"
  }

  #leave(names: readonly string[]): void {
    for (const name of names) {
      if (this.#left.has(name)) continue
      if (this.#left.size >= 10_000) this.#left = new Set()
      this.#left.add(name)
      this.#options.health.count("pictures_left")
    }
  }
}

/** As they were made; of one moment, by name. */
function inOrder(a: FolderPicture, b: FolderPicture): number {
  return a.modifiedAt_ms - b.modifiedAt_ms || (a.name < b.name ? -1 : 1)
}

/** The code of the operating system's error, as an answer. */
function systemErrorOf(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code
  throw error
}
