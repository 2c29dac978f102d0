import type { Chance } from "../src/drawing/chance.ts"
import type { PlateRead } from "../src/incident/vehicles.ts"

/** Simulated plate reads whose vehicles are known. */

export const drawnVehicles = {
  vehicles: 6000,
  /** Crossings of a vehicle: 1 and then, each with this probability, one more; in and out in turn. */
  again: 0.6,
  /** Serial numbers that a state's plates are drawn from, over its vehicles: plates in use are this sparse. */
  sparsity: 30,
  regionMissing: 0.1,
  regionWrong: 0.02,
  /** Of crossings, those that a reader joins front and rear reads of. */
  joined: 0.7,
  ports: 2,
  lanes: 4,
  days: 45,
} as const

/** How often a character is misread, and of those how often as a look-alike; how often one is lost. */
export interface ReadErrors {
  readonly misread: number
  readonly alike: number
  readonly lost: number
}

export interface VehicleIncident {
  readonly reads: readonly PlateRead[]
  /** Of each read. */
  readonly vehicleOf: readonly number[]
  readonly vehicles: number
}

const series = [
  { region: "TX", share: 0.7, form: "LLLDDDD" },
  { region: "NM", share: 0.1, form: "LLLDDDD" },
  { region: "CH", share: 0.2, form: "LLLDDDL" },
] as const

const letters = "ABCDEFGHJKLMNPRSTUVWXYZ"
const digits = "0123456789"

/** What each is misread as, when it is as a look-alike: a draw of its own, not the one that the linkage looks up. */
const alike: Readonly<Record<string, string>> = {
  ...{
    "0": "OQD",
    O: "0QD",
    D: "0O",
    Q: "0O",
    "1": "IL",
    I: "1L",
    L: "1",
    "2": "Z",
    Z: "2",
    "5": "S",
    S: "5",
  },
  ...{ "6": "G", G: "6C", "8": "B", B: "8", "4": "A", A: "4", "7": "T", T: "7", V: "YU", Y: "V", U: "V" },
  ...{ M: "N", N: "M", E: "F", F: "E", P: "R", R: "P", C: "G" },
}

const slot_ms = 3_600_000

export function drawReads(chance: Chance, errors: ReadErrors): VehicleIncident {
  const [reads, vehicleOf]: [PlateRead[], number[]] = [[], []]
  const taken = new Set<string>()
  for (let vehicle = 0; vehicle < drawnVehicles.vehicles; vehicle += 1) {
    const { plate, region } = plateOf(chance, taken)
    for (const [nth, at_ms] of timesOf(chance).entries()) {
      const lane = {
        port: String(chance.index(drawnVehicles.ports)),
        lane: String(chance.index(drawnVehicles.lanes)),
      }
      const isJoined = chance.happens(drawnVehicles.joined)
      for (const side of ["front", "rear"]) {
        const read = misread(chance, plate, errors)
        if (read === "") continue
        vehicleOf.push(vehicle)
        reads.push({
          ...lane,
          plate: read,
          region: regionRead(chance, region),
          at_ms: at_ms + (side === "rear" ? 1200 : 0),
          direction: nth % 2 === 0 ? "in" : "out",
          crossing: isJoined ? `${vehicle} ${nth}` : null,
        })
      }
    }
  }
  return { reads, vehicleOf, vehicles: new Set(vehicleOf).size }
}

function timesOf(chance: Chance): number[] {
  const slots = new Set<number>()
  do slots.add(chance.index((drawnVehicles.days * 86_400_000) / slot_ms))
  while (chance.happens(drawnVehicles.again))
  return [...slots].sort((a, b) => a - b).map(slot => slot * slot_ms + chance.index(slot_ms / 2))
}

/** A plate of a dense run of serial numbers: its neighbours by one look-alike are in use as often as others. */
function plateOf(chance: Chance, taken: Set<string>): { plate: string; region: string } {
  for (;;) {
    const draw = chance.between(0, 1)
    const of = draw < 0.7 ? series[0] : draw < 0.8 ? series[1] : series[2]
    let serial =
      chance.index(Math.round(drawnVehicles.vehicles * of.share * drawnVehicles.sparsity)) + 7_654_321
    const characters = [...of.form].reverse().map(kind => {
      const alphabet = kind === "L" ? letters : digits
      const character = alphabet.charAt(serial % alphabet.length)
      serial = Math.floor(serial / alphabet.length)
      return character
    })
    const plate = characters.reverse().join("")
    const key = `${plate} ${of.region}`
    if (taken.has(key)) continue
    taken.add(key)
    return { plate, region: of.region }
  }
}

function regionRead(chance: Chance, region: string): string | null {
  if (chance.happens(drawnVehicles.regionMissing)) return null
  return chance.happens(drawnVehicles.regionWrong) ? chance.pick(["TX", "NM", "CH", "CA", "AZ"]) : region
}

function misread(chance: Chance, plate: string, errors: ReadErrors): string {
  const read = [...plate].map(character => {
    if (!chance.happens(errors.misread)) return character
    const shapes = alike[character]
    const list = shapes !== undefined && chance.happens(errors.alike) ? shapes : letters + digits
    return list.charAt(chance.index(list.length))
  })
  if (chance.happens(errors.lost)) read.splice(chance.index(read.length), 1)
  return read.join("")
}
