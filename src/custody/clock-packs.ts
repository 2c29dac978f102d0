import { existsSync } from "node:fs"
import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, Fault } from "../fault.ts"
import { parsePack, type Pack } from "../incident/clock-pack.ts"
import { placed, type OwnPack, type PlacedPack } from "../incident/pack-place.ts"
import { checkTogether } from "../incident/pack-set.ts"
import type { House } from "./house.ts"

/** A bench is built one folder deeper, and a process of a test into one file. */
const folders = ["../../packs/", "../../../packs/", "../packs/"].map(path =>
  fileURLToPath(new URL(path, import.meta.url)),
)

const maxPacks = 64

/** The folder of the packs that come along. */
export function shippedPacks(): string {
  const folder = folders.find(each => existsSync(each))
  assert(folder !== undefined, "the clock packs come along")
  return folder
}

/** All packs of a folder that go together. @throws Fault CLOCK_PACK as `readOwnPacks`, and for packs that do not. */
export async function readPacks(folder: string): Promise<Pack[]> {
  const packs = (await readOwnPacks(folder)).map(({ pack }) => pack)
  checkTogether(packs)
  return packs
}

/**
 * All packs of a folder (`*.json`), by file name.
 * @throws Fault CLOCK_PACK for a folder without packs or with more than 64, and with file and line for a pack that is none.
 */
export async function readOwnPacks(folder: string): Promise<OwnPack[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new Fault("CLOCK_PACK", `the folder ${folder} cannot be read`, { cause })
  })
  const files = names.filter(name => name.endsWith(".json")).sort()
  if (files.length === 0 || files.length > maxPacks)
    throw new Fault("CLOCK_PACK", `${folder} has ${files.length} packs (*.json): 1 to ${maxPacks} are read`)
  const packs: OwnPack[] = []
  for (const file of files)
    packs.push({ file, pack: parsePack(await readPackText(join(folder, file)), join(folder, file)) })
  return packs
}

const used = new WeakMap<House, readonly PlacedPack[]>()

/**
 * The packs that come along, with an agency's own.
 * @param folder  `null`: those alone that come along.
 * @throws Fault CLOCK_PACK as `readOwnPacks` and `placed`.
 */
export async function readPlacedPacks(folder: string | null): Promise<readonly PlacedPack[]> {
  return placed(await readPacks(shippedPacks()), folder === null ? [] : await readOwnPacks(folder))
}

/** Says by which packs a vault reckons, from its opening on. */
export function usePacks(house: House, packs: readonly PlacedPack[]): void {
  used.set(house, packs)
}

/** By which a vault reckons. */
export function packsOf(house: House): readonly PlacedPack[] {
  const packs = used.get(house)
  assert(packs !== undefined, "a vault is opened with its packs")
  return packs
}

/** @throws Fault NOT_FOUND. */
export async function readPackText(file: string): Promise<string> {
  return readFile(file, "utf8").catch((cause: unknown) => {
    throw new Fault("NOT_FOUND", `${file} cannot be read`, { cause })
  })
}
