import { existsSync } from "node:fs"
import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, Fault } from "../fault.ts"
import { parsePack, type Pack } from "../incident/clock-pack.ts"
import { checkTogether } from "../incident/pack-set.ts"

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

/**
 * All packs of a folder (`*.json`), by file name.
 * @throws Fault CLOCK_PACK for a folder without packs or with more than 64, a pack that is none, and packs that do not go together.
 */
export async function readPacks(folder: string): Promise<Pack[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new Fault("CLOCK_PACK", `the folder ${folder} cannot be read`, { cause })
  })
  const files = names.filter(name => name.endsWith(".json")).sort()
  if (files.length === 0 || files.length > maxPacks)
    throw new Fault("CLOCK_PACK", `${folder} has ${files.length} packs (*.json): 1 to ${maxPacks} are read`)
  const packs: Pack[] = []
  for (const name of files) packs.push(parsePack(await readPackText(join(folder, name)), name))
  checkTogether(packs)
  return packs
}

/** @throws Fault NOT_FOUND. */
export async function readPackText(file: string): Promise<string> {
  return readFile(file, "utf8").catch((cause: unknown) => {
    throw new Fault("NOT_FOUND", `${file} cannot be read`, { cause })
  })
}
