import sharp from "sharp"
import { answerPairs, estimateLinkage, linkageOf, pairsFor } from "../src/custody/adjudication.ts"
import { openLinkage, progressOf } from "../src/custody/linkage.ts"
import { release } from "../src/custody/release.ts"
import { newId } from "../src/ids.ts"
import { chanceOf } from "../src/drawing/chance.ts"
import type { Box } from "../src/picture/level.ts"
import type { Describer } from "../src/reading/describer.ts"
import { sha256Hex } from "../src/vault/vault.ts"
import {
  callerOf,
  examineAs,
  grantOf,
  releaseCaller,
  sealAndAdmit,
  type Role,
  type TestPort,
} from "./port.ts"

/** Pictures of which a test knows who is in them, and what two people say who know it too. */

export interface Passage {
  /** Who is seen in each of its pictures. */
  readonly pictures: readonly (readonly number[])[]
}

const side_px = 64
const faceAt = (n: number): Box => ({ x_px: 16 + 96 * n, y_px: 24, width_px: side_px, height_px: side_px })

/** A picture in which each person is a patch of his own; nobody's face, and alike enough for a network to be wrong. */
async function pictureOf(people: readonly number[]): Promise<Uint8Array> {
  const patches = await Promise.all(
    people.map(async (person, n) => {
      const chance = chanceOf("linkage", person)
      const rgb = Uint8Array.from({ length: 8 * 8 * 3 }, () => Math.floor(chance.between(40, 220)))
      const input = await sharp(rgb, { raw: { width: 8, height: 8, channels: 3 } })
        .resize(side_px, side_px)
        .png()
        .toBuffer()
      return { input, left: faceAt(n).x_px, top: faceAt(n).y_px }
    }),
  )
  const ground = sharp({ create: { width: 224, height: 112, channels: 3, background: "#567" } })
  return new Uint8Array(await ground.composite(patches).jpeg({ quality: 90 }).toBuffer())
}

export interface Known {
  readonly captures: readonly string[]
  /** By face, such as `cap_…/0`. */
  readonly personOf: ReadonlyMap<string, number>
}

/**
 * The network cannot tell patches apart, and there are no faces here that are nobody's: so to what it answers a direction is added for
 * each person, and to one face in twenty another one, which makes a group of its own near that person's.
 */
export function tellApart(port: TestPort): void {
  const { describer } = port.house.pictures
  const told: Describer = {
    ...describer,
    async describe(job) {
      const described = await describer.describe(job)
      const people = shown.get(sha256Hex(job.picture)) ?? []
      const descriptors = described.descriptors.map((descriptor, n) => {
        const slip = chanceOf("slip", sha256Hex(job.picture), n)
        const own = chanceOf("direction", people[n] ?? "")
        const size = slip.happens(0.05) ? 0.12 : 0
        return descriptor?.map(value => value + own.between(-0.12, 0.12) + size * slip.between(-1, 1)) ?? null
      })
      return { ...described, descriptors }
    },
  }
  Object.assign(port.house.pictures, { describer: told })
}

/** Who is in a picture, by its SHA-256. */
const shown = new Map<string, readonly number[]>()

/** Captures of these passages, examined; each passage is one crossing. */
export async function takeInPassages(port: TestPort, passages: readonly Passage[]): Promise<Known> {
  const captures: string[] = []
  const personOf = new Map<string, number>()
  for (const { pictures } of passages) {
    const crossing = newId("crs")
    for (const people of pictures) {
      const picture = await pictureOf(people)
      shown.set(sha256Hex(picture), people)
      const { capture } = await sealAndAdmit(port, { picture, bend: { crossing } })
      const plates = [{ x_px: 60, y_px: 92, width_px: 48, height_px: 16 }]
      await examineAs(port, capture, {
        ...{ width_px: 224, height_px: 112, plates, faces: people.map((_, n) => faceAt(n)) },
        doubted: { plates: [], faces: [] },
      })
      captures.push(capture)
      people.forEach((person, n) => personOf.set(`${capture}/${n}`, person))
    }
  }
  return { captures, personOf }
}

/** Each of them leaves once, to the engineer. */
export async function leaveAll(port: TestPort, captures: readonly string[]): Promise<void> {
  const grant = await grantOf(port, { terms: { images: captures.length } })
  for (const capture of captures) await release(port.house, await releaseCaller(port, { grant, capture }))
}

/** Opens a linkage and waits until the machine has planned it. */
export async function linked(port: TestPort, incident: string, sample: number): Promise<string> {
  const { house, people } = port
  const path = `/v1/incidents/${incident}/linkages`
  const caller = await callerOf(house, people.privacy, { path, statement: { version: 1, sample } })
  const { linkage } = await openLinkage(house, caller, incident)
  for (;;) {
    if ((await linkageOf(house, linkage)).planned !== null && progressOf(house, linkage) === null)
      return linkage
    const progress = progressOf(house, linkage)
    if (progress?.phase === "failed") throw new Error(progress.why ?? "failed")
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

/** One person answers all that he is asked, as the test knows it. @returns how many. */
export async function answerAll(
  port: TestPort,
  of: { readonly linkage: string; readonly role: Role; readonly personOf: Known["personOf"] },
): Promise<number> {
  const { house, people } = port
  const { linkage, role, personOf } = of
  const faceOf = ({ capture, face }: { capture: string; face: Box }) =>
    personOf.get(`${capture}/${face.x_px === faceAt(0).x_px ? 0 : 1}`)
  let given = 0
  for (;;) {
    const { pairs } = await pairsFor(house, linkage, { by: people[role].person, limit: 200 })
    if (pairs.length === 0) return given
    const answers = pairs.map(({ pair, subject, other }) => {
      return { pair, answer: faceOf(subject) === faceOf(other) ? "same" : "different" }
    })
    const path = `/v1/linkages/${linkage}/answers`
    await answerPairs(house, await callerOf(house, people[role], { path, statement: { answers } }), linkage)
    given += pairs.length
  }
}

export async function estimateNow(port: TestPort, linkage: string, dependence: "tested" | "measured") {
  const { house, people } = port
  const { answered } = await linkageOf(house, linkage)
  const path = `/v1/linkages/${linkage}/estimates`
  const caller = await callerOf(house, people.privacy, { path, statement: { answered, dependence } })
  return estimateLinkage(house, caller, linkage)
}
