import { readdirSync, readFileSync } from "node:fs"
import { join, normalize } from "node:path"
import { fileURLToPath } from "node:url"

/** The walls of the house as code: what each room may import (ARCHITECTURE.md, "The rooms"). */

export const root = fileURLToPath(new URL("..", import.meta.url))

/** Run-time imports that each room may make of other rooms. Types may be imported from anywhere. */
export const walls: Readonly<Record<string, readonly string[]>> = {
  seal: [],
  tlog: [],
  grant: [],
  watch: [],
  mark: [],
  incident: [],
  scope: ["incident"],
  picture: ["grant", "mark"],
  drawing: ["picture"],
  reading: ["picture"],
  objects: [],
  ledger: ["tlog"],
  log: ["tlog", "grant", "watch", "ledger"],
  vault: ["seal", "tlog", "grant", "mark", "log", "objects", "ledger"],
  custody: [
    "seal",
    "tlog",
    "grant",
    "mark",
    "picture",
    "reading",
    "objects",
    "ledger",
    "log",
    "vault",
    "watch",
    "incident",
    "pack",
    "scope",
  ],
  http: ["custody", "grant", "incident", "mark", "tlog", "log", "ledger", "seal", "vault"],
  pack: ["tlog", "log", "incident"],
  outbox: ["custody", "log"],
  lane: ["seal", "tlog", "reading"],
  witness: ["tlog", "ledger"],
  cli: [
    ...[
      "http",
      "outbox",
      "witness",
      "custody",
      "lane",
      "drawing",
      "reading",
      "seal",
      "tlog",
      "grant",
      "incident",
      "pack",
    ],
    ...["log", "vault", "watch"],
  ],
}

/** Rooms that are given clock, randomness and keys, and touch no platform. */
export const pureRooms: readonly string[] = ["seal", "tlog", "grant", "watch", "mark", "incident"]

/** Ground files that pure rooms may import at run time; every other room may import all of them. */
export const pureGround: readonly string[] = ["fault.ts", "bytes.ts", "canonical.ts", "zone-clock.ts"]

/** Files in rooms without the platform that may touch it all the same, and why. */
export const platformFiles: readonly string[] = [
  ...["picture/pool.ts", "picture/serve.ts", "picture/lettering.ts"],
  // Model files are read and checked here, and their runtime is loaded.
  ...["reading/model-file.ts", "reading/network.ts"],
]

const bannedNames = /^(utils?|helpers?|common|misc|types|services?|core|shared|lib|index)(\.ts)?$/

export interface SourceFile {
  /** Within src, with `/`. */
  readonly path: string
  readonly text: string
}

export interface Import {
  readonly target: string
  readonly isType: boolean
}

export function sources(folder = "src"): SourceFile[] {
  const entries = readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
  return entries
    .filter(entry => entry.isFile() && entry.name.endsWith(".ts"))
    .map(entry => join(entry.parentPath, entry.name))
    .map(file => ({
      path: file.slice(join(root, folder).length + 1).replaceAll("\\", "/"),
      text: readFileSync(file, "utf8"),
    }))
}

/** What a file imports, statically, dynamically or again exported. */
export function importsOf(text: string): Import[] {
  const statics = [...text.matchAll(/^(?:import|export)\s+(type\s+)?([^"';]*?\s+from\s+)?"([^"]+)"/gm)].map(
    match => {
      // `import { type T }` still loads the module when it runs; only `import type` does not.
      return { target: match[3]!, isType: match[1] !== undefined }
    },
  )
  const dynamics = [...text.matchAll(/import\("([^"]+)"\)/g)].map(match => ({
    target: match[1]!,
    isType: false,
  }))
  return [...statics, ...dynamics]
}

const isTest = (path: string) => /\.(test|contract)\.ts$/.test(path)

/** Every broken wall, as `file: why`. */
export function brokenWalls(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => !isTest(path))
    .flatMap(file => importsOf(file.text).flatMap(each => brokenWall(file.path, each)))
}

function brokenWall(path: string, { target, isType }: Import): string[] {
  const [room = ""] = path.includes("/") ? path.split("/") : [""]
  if (target.startsWith("node:")) {
    const isClosed =
      (pureRooms.includes(room) || ["picture", "drawing", "reading"].includes(room)) &&
      !platformFiles.includes(path)
    return isClosed ? [`${path}: imports ${target} in a room without the platform`] : []
  }
  if (!target.startsWith(".") || isType || room === "") return []
  const at = normalize(join(path, "..", target)).replaceAll("\\", "/")
  if (at.startsWith("..")) return [`${path}: imports ${target} from outside of src`]
  const [other] = at.split("/")
  if (!at.includes("/")) {
    const isGround = !pureRooms.includes(room) || pureGround.includes(at)
    const isComposition = at === "sallyport.ts" || at === "config.ts"
    return isGround && (!isComposition || room === "cli")
      ? []
      : [`${path}: may not import the ground file ${at}`]
  }
  if (other === room) return []
  if (!(room in walls)) return [`${path}: ${room} is no room of the house`]
  return walls[room]!.includes(other!) ? [] : [`${path}: ${room} may not import ${other}`]
}

/** Other rules that a reader of the tree would hold us to, as `file: why`. */
export function untidiness(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    const found: string[] = []
    const [room = ""] = path.split("/")
    const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "")
    if (path.split("/").some(name => bannedNames.test(name))) found.push(`${path}: its name says nothing`)
    if (!isTest(path) && text.split("\n").length > 401) found.push(`${path}: over 400 lines`)
    if (/^export default/m.test(code)) found.push(`${path}: a default export`)
    if (/\b(TODO|FIXME)\b/.test(text)) found.push(`${path}: an open end`)
    if (/\/(home|work|Users)\//.test(text)) found.push(`${path}: a path of somebody's machine`)
    if (isTest(path)) return found
    if (/\.withdraw\(/.test(code) && room !== "custody")
      found.push(`${path}: only custody goes through the inner door`)
    if (pureRooms.includes(room) && /\b(Math\.random|Date\.now|new Date\(\)|process\.)/.test(code))
      found.push(`${path}: a pure room that looks at the world`)
    return found
  })
}
