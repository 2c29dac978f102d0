import { Fault } from "../fault.ts"
import type { Doubt, ReadPicture, Role } from "../seal/read.ts"
import type { ImportOptions, ReaderPicture } from "./imported.ts"
import { lookAt } from "./picture-bytes.ts"

const maxPictures = 16
const maxPicture_bytes = 32 * 1024 * 1024

/** A picture that a read names, or the doubt that stands in its place. */
export type Mounted = ReadPicture | Doubt

/** The pictures of one event, each kept once however many reads name it. */
export class Album {
  readonly #policy: ImportOptions["badPicture"]
  readonly #pictures: ReaderPicture[] = []
  readonly #seen = new Set<Uint8Array>()

  constructor(policy: ImportOptions["badPicture"]) {
    this.#policy = policy
  }

  get pictures(): readonly ReaderPicture[] {
    return this.#pictures
  }

  /** Whether these very bytes were mounted, broken or not. */
  saw(bytes: Uint8Array): boolean {
    return this.#seen.has(bytes)
  }

  /**
   * Takes a picture in, as its bytes.
   * @returns the picture as a read names it; `picture-left-out` for a broken one that the lane lets the event in without.
   * @throws Fault READER_PICTURE for a broken one otherwise, and for more than 16.
   */
  mount(role: Role, bytes: Uint8Array): Mounted {
    this.#seen.add(bytes)
    const known = this.#pictures.findIndex(each => each.bytes === bytes)
    if (known >= 0) return this.#named(role, known)
    const seen = bytes.length > maxPicture_bytes ? "is over 32 MiB" : lookAt(bytes)
    if (typeof seen === "string") return this.#broken(role, seen)
    if (this.#pictures.length === maxPictures) return this.#broken(role, "is one of over 16 in one event")
    return this.#named(role, this.#pictures.push({ bytes, ...seen }) - 1)
  }

  /** The same for base64 (RFC 4648 §4 or §5), with or without a `data:` prefix, white space or padding. */
  mountBase64(role: Role, text: string): Mounted {
    const bare = text
      .replace(/^data:[\w/+.-]{0,64};base64,/, "")
      .replace(/\s+/g, "")
      .replace(/={1,2}$/, "")
    const bytes = new Uint8Array(Buffer.from(bare, "base64"))
    // Node passes over characters that are not base64, so garbage comes out shorter than it went in.
    const isWhole = bare !== "" && bare.length % 4 !== 1 && bytes.length === Math.floor((bare.length * 3) / 4)
    return isWhole ? this.mount(role, bytes) : this.#broken(role, "is not base64")
  }

  #named(role: Role, index: number): ReadPicture {
    const { width_px = 0, height_px = 0 } = this.#pictures[index] ?? {}
    return { role, index, width_px, height_px, origin: null }
  }

  #broken(role: Role, why: string): Doubt {
    if (this.#policy === "leave-out") return "picture-left-out"
    throw new Fault("READER_PICTURE", `the event's ${role} picture ${why}; nothing was sealed`, {
      next: "let the reader send the event again, or set the lane to take events in without broken pictures",
    })
  }
}

/**
 * Pictures and doubts of one read, sorted. Should the one said to be the plate's be larger than the scene, the two were
 * exchanged on the way: a plate's crop is shown at L2 as it is, so a scene must never pass for one.
 */
export function arranged(mounted: readonly Mounted[]): {
  readonly pictures: readonly ReadPicture[]
  readonly doubts: readonly Doubt[]
} {
  const pictures = mounted.filter(each => typeof each !== "string")
  const doubts = mounted.filter(each => typeof each === "string")
  const scene = pictures.find(each => each.role === "scene")
  const plate = pictures.find(each => each.role === "plate")
  if (scene === undefined || plate === undefined || areaOf(plate) <= areaOf(scene))
    return { pictures, doubts }
  const right = pictures.map(each => {
    if (each === scene) return { ...each, role: "plate" as const, origin: null }
    return each === plate ? { ...each, role: "scene" as const, origin: null } : each
  })
  return { pictures: right, doubts: [...doubts, "pictures-exchanged"] }
}

function areaOf({ width_px, height_px }: ReadPicture): number {
  return width_px * height_px
}
