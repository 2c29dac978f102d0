import { parse } from "csv-parse/sync"
import { readdir, readFile, stat } from "node:fs/promises"
import { extname, join, relative, sep } from "node:path"
import { nullIfAbsent } from "../durable.ts"
import { Fault } from "../fault.ts"
import type { Box, ReaderEvent } from "../seal/contents.ts"

/** A picture of a camera folder with what the folder's index says of it. */
export interface FolderPicture {
  /** Within the folder, with `/`. */
  readonly name: string
  readonly file: string
  readonly event: ReaderEvent
  readonly size_bytes: number
  readonly modifiedAt_ms: number
}

export interface Skipped {
  readonly name: string
  readonly why: string
}

const pictures = new Set([".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff"])
export const maxPicture_bytes = 32 * 1024 * 1024
const maxIndex_bytes = 16 * 1024 * 1024
const columns = ["file", "region", "x_px", "y_px", "width_px", "height_px", "plate"]

/**
 * The pictures of a camera folder, by name, and what is left out with the reason. An `index.csv` in it gives plate boxes
 * and texts (columns file, region, x_px, y_px, width_px, height_px, plate; several rows a file are several plates).
 * @throws Fault INVALID naming the line of the index that is malformed.
 */
export async function readFolder(
  folder: string,
): Promise<{ readonly pictures: FolderPicture[]; readonly skipped: Skipped[] }> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((cause: unknown) => {
    throw new Fault("NOT_FOUND", `${folder} is not a folder that can be read`, { cause })
  })
  const plates = await readIndex(folder)
  const taken: FolderPicture[] = []
  const skipped: Skipped[] = []
  for (const entry of entries) {
    const file = join(entry.parentPath, entry.name)
    const name = relative(folder, file).split(sep).join("/")
    if (entry.isDirectory() || entry.name === "index.csv" || entry.name.startsWith(".")) continue
    if (!entry.isFile()) skipped.push({ name, why: "not a regular file" })
    else if (!pictures.has(extname(name).toLowerCase()))
      skipped.push({ name, why: "not a picture by its name" })
    else {
      const found = await stat(file).catch(nullIfAbsent)
      // Removed since the folder was listed.
      if (found === null) continue
      const { size, mtimeMs } = found
      const why = size === 0 ? "an empty file" : size > maxPicture_bytes ? "larger than 32 MiB" : null
      if (why !== null) skipped.push({ name, why })
      else
        taken.push({
          name,
          file,
          event: eventOf(name, plates?.get(name) ?? null),
          size_bytes: size,
          modifiedAt_ms: Math.floor(mtimeMs),
        })
    }
  }
  return { pictures: taken.sort((a, b) => (a.name < b.name ? -1 : 1)), skipped }
}

type Plate = ReaderEvent["plates"][number]

function eventOf(name: string, plates: readonly Plate[] | null): ReaderEvent {
  return {
    v: 1,
    source: plates === null ? "none" : "index",
    file: name.slice(-256),
    plates: plates ?? [],
    faces: [],
  }
}

async function readIndex(folder: string): Promise<Map<string, Plate[]> | null> {
  const bytes = await readFile(join(folder, "index.csv")).catch(() => null)
  if (bytes === null) return null
  if (bytes.length > maxIndex_bytes) throw new Fault("INVALID", "index.csv is larger than 16 MiB")
  const plates = new Map<string, Plate[]>()
  for (const [i, row] of rowsOf(bytes).entries()) {
    const { name, plate } = plateOf(row, i + 2)
    plates.set(name, [...(plates.get(name) ?? []), plate])
  }
  return plates
}

function rowsOf(bytes: Buffer): string[][] {
  try {
    const [head, ...rows] = parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes), {
      skip_empty_lines: true,
      max_record_size: 10_000,
    })
    if (head === undefined || head.join() !== columns.join()) throw new Error("columns")
    return rows
  } catch (cause) {
    throw new Fault("INVALID", `index.csv: UTF-8 with the columns ${columns.join(", ")} is needed`, { cause })
  }
}

function plateOf(row: readonly string[], line: number): { name: string; plate: Plate } {
  const [name = "", , x = "", y = "", width = "", height = "", text = ""] = row
  const isInside =
    name !== "" &&
    name.length <= 256 &&
    !name.startsWith("/") &&
    !name.split("/").includes("..") &&
    !name.includes("\\")
  if (!isInside)
    throw new Fault("INVALID", `index.csv line ${line}: the file is not a path within the folder`)
  const numbers = [x, y, width, height].map(cell => (/^\d{1,5}$/.test(cell) ? Number(cell) : NaN))
  if (numbers.some(number => !(number <= 65_535)))
    throw new Fault("INVALID", `index.csv line ${line}: the box is not four whole numbers of pixels`)
  if (text.length > 32)
    throw new Fault("INVALID", `index.csv line ${line}: the plate is longer than 32 characters`)
  const [x_px = 0, y_px = 0, width_px = 0, height_px = 0] = numbers
  const box: Box = { x_px, y_px, width_px, height_px }
  return { name, plate: { text, box } }
}
