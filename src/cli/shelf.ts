import { rmSync } from "node:fs"
import { mkdir } from "node:fs/promises"
import { constants } from "node:os"
import { join } from "node:path"
import type { AskedPair } from "../custody/adjudication.ts"
import { Fault } from "../fault.ts"
import { isId } from "../ids.ts"
import { writeWhole } from "../whole-file.ts"
import { Answering } from "./answering.ts"
import type { Context } from "./context.ts"
import { storeDelivery } from "./draw.ts"
import { pairPage } from "./silhouettes.ts"

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const

/**
 * Pictures of one sitting, in a folder of their own: each is looked at once under the case, and goes when the sitting is over, however
 * the process ends. What a killed one left goes when the next begins.
 */
export class Shelf {
  readonly #linkage: string
  readonly #case: string | undefined
  readonly #level: string
  readonly #folder: string
  readonly #answering: Answering
  readonly #files = new Map<string, string>()

  constructor(
    context: Context,
    of: { readonly linkage: string; readonly case?: string; readonly level: string; readonly out: string },
  ) {
    if (!isId(of.linkage, "lnk")) throw new Fault("INTERNAL", "the server names a linkage by no id")
    this.#linkage = of.linkage
    this.#case = of.case
    this.#level = of.level
    this.#folder = join(of.out, `${of.linkage}-pictures`)
    this.#answering = new Answering(context)
    this.#clear()
    for (const signal of signals) process.on(signal, this.#end)
  }

  /** Says where the two pictures are, or why there are none. */
  async show(pair: AskedPair): Promise<readonly string[]> {
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 })
      const files = [await this.#file(pair, "subject"), await this.#file(pair, "other")] as const
      const page = join(this.#folder, "pair.html")
      await writeWhole(page, pairPage(pair, files))
      return [`${page}: the two faces are framed; ${files.join(" and ")} beside it`]
    } catch (error) {
      // A refusal is no reason to lose one's place.
      if (!(error instanceof Fault)) throw error
      const { next } = error.extras
      return [`no picture: ${error.code}  ${error.message}${next === undefined ? "" : `; ${next}`}`]
    }
  }

  close(): void {
    for (const signal of signals) process.off(signal, this.#end)
    this.#clear()
  }

  async #file(pair: AskedPair, side: "subject" | "other"): Promise<string> {
    const { capture } = pair[side]
    const known = this.#files.get(capture)
    if (known !== undefined) return known
    if (this.#case === undefined)
      throw new Fault("INVALID", "pictures are looked at under a case (--case)", {
        next: "sallyport case open --help",
      })
    const response = await this.#answering.send({
      ...{ method: "POST", path: "/v1/reveals" },
      statement: { grant: this.#case, capture, level: this.#level },
      names: { reason: `adjudication of linkage ${this.#linkage}, pair ${pair.pair + 1}` },
    })
    const { file } = await storeDelivery(response, { capture, folder: this.#folder })
    this.#files.set(capture, file)
    return file
  }

  readonly #end = (signal: (typeof signals)[number]): void => {
    this.#clear()
    process.exit(128 + constants.signals[signal])
  }

  #clear(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
