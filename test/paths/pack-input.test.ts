import { execFile } from "node:child_process"
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { textOf, utf8 } from "../../src/bytes.ts"
import { canonical } from "../../src/canonical.ts"
import { verifyEd25519 } from "../../src/ed25519.ts"
import { Fault } from "../../src/fault.ts"
import { archived, unarchived, type Member } from "../../src/pack/archive.ts"
import { fileOf } from "../../src/pack/manifest.ts"
import { checkPack } from "../../src/pack/verify.ts"
import { padding, ustarHeader } from "../../src/pack/ustar.ts"
import { breach, leave, packOf, partsOf, policyOf, storedOf } from "../incident.ts"
import { openTestPort, type TestPort } from "../port.ts"

/** What is no pack is refused by both verifiers, with a code and what is wrong, before anything is unpacked. */

const script = fileURLToPath(new URL("../../examples/verify_pack.py", import.meta.url))
let port: TestPort
let folder: string
let members: Member[]
let tar: Buffer

beforeAll(async () => {
  port = await openTestPort()
  folder = await mkdtemp(join(tmpdir(), "sallyport-pack-input-"))
  await leave(port, 2)
  members = await packOf(port, await breach(port), "none")
  tar = await tarOf(members)
  await writeFile(join(folder, "policy"), port.house.log.policy)
}, 60_000)
afterAll(async () => {
  await port.close()
  await rm(folder, { recursive: true, force: true })
})

async function tarOf(all: readonly Member[]): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of archived(all)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** A member with any header: `kind` is the type flag, `size` what the header says; its sum is right. */
function raw(name: string, of: { kind?: string; size?: number; bytes?: Uint8Array } = {}): Buffer {
  const { kind = "0", bytes = utf8("x"), size = bytes.length } = of
  const header = Buffer.from(ustarHeader(name, size))
  header.write(kind, 156)
  header.fill(" ", 148, 156)
  const sum = header.reduce((all, byte) => all + byte, 0)
  header.write(`${sum.toString(8).padStart(6, "0")} \u0000`, 148)
  return Buffer.concat([header, bytes, Buffer.alloc(padding(bytes.length))])
}

const before = (...more: readonly Buffer[]) => Buffer.concat([...more, tar])

async function ours(bytes: Uint8Array): Promise<string> {
  try {
    const stored = await unarchived(partsOf(bytes))
    const question = { members: stored, policy: policyOf(port), verify: verifyEd25519, log: null, pdf: null }
    const { checks } = await checkPack(question)
    const wrong = checks.find(({ why }) => why !== null)
    return wrong === undefined ? "holds" : `PACK ${wrong.member}: ${wrong.why ?? ""}`
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    return `${error.code} ${error.message}`
  }
}

function python(file: string): Promise<{ exit: number; out: string }> {
  return new Promise(resolve =>
    execFile("python3", [script, file, join(folder, "policy")], (error, stdout, stderr) =>
      resolve({ exit: error === null ? 0 : Number(error.code), out: stdout + stderr }),
    ),
  )
}

async function theirs(bytes: Uint8Array): Promise<{ exit: number; out: string }> {
  const file = join(folder, "pack.tar")
  await writeFile(file, bytes)
  return python(file)
}

const swapped = (a: number, b: number) =>
  members.map((each, i) => (i === a ? members[b]! : i === b ? members[a]! : each))

const table: readonly [what: string, bytes: () => Buffer | Promise<Buffer>, code: string, says: string][] = [
  ["nothing", () => Buffer.alloc(0), "PACK", "cut short"],
  ["only an end", () => Buffer.alloc(1024), "PACK", "empty"],
  ["a pack that stops in a header", () => tar.subarray(0, 700), "PACK", "cut short"],
  ["a pack that stops in a member", () => tar.subarray(0, 512 + 100), "PACK", "cut short"],
  ["a pack without half of its end", () => tar.subarray(0, tar.length - 512), "PACK", "cut short"],
  ["a pack without any end", () => tar.subarray(0, tar.length - 1024), "PACK", "cut short"],
  ["a byte behind the end", () => Buffer.concat([tar, Buffer.from("x")]), "PACK", "behind its end"],
  ["a second archive behind the end", () => Buffer.concat([tar, tar]), "PACK", "behind its end"],
  ["a compressed pack", () => gzipSync(tar), "PACK", "compressed"],
  ["a bomb", () => gzipSync(Buffer.alloc(50_000_000)), "PACK", "compressed"],
  ["a zip", () => Buffer.concat([Buffer.from("PK\u0003\u0004"), Buffer.alloc(600)]), "PACK", "compressed"],
  ["two members that changed places", async () => tarOf(swapped(0, 1)), "PACK", "in this place"],
  [
    "a member with another's bytes",
    async () => tarOf(members.map((each, i) => (i === 1 ? { ...each, bytes: members[0]!.bytes } : each))),
    "PACK",
    "size or SHA-256",
  ],
  ["a name that leads out", () => before(raw("../policy")), "PACK", "a name that no pack has"],
  ["a name that leads out below", () => before(raw("log/../../policy")), "PACK", "a name that no pack has"],
  ["an absolute name", () => before(raw("/etc/policy")), "PACK", "a name that no pack has"],
  ["a symbolic link", () => before(raw("log/tile", { kind: "2" })), "PACK", "is no file"],
  ["a hard link", () => before(raw("log/tile", { kind: "1" })), "PACK", "is no file"],
  ["a folder", () => before(raw("log", { kind: "5" })), "PACK", "is no file"],
  ["a device", () => before(raw("log/tile", { kind: "3" })), "PACK", "is no file"],
  ["an extended header", () => before(raw("PaxHeader", { kind: "x" })), "PACK", "is no file"],
  ["two members of one name", () => before(raw("README.txt", { bytes: members[0]!.bytes })), "PACK", "twice"],
  ["a member that says it is larger", () => before(raw("a", { size: 60_000_000 })), "PACK", "cut short in"],
  ["a member beyond 64 MiB", () => before(raw("a", { size: 70_000_000 })), "TOO_LARGE", "64 MiB"],
]

describe("bad input", () => {
  test.each(table)("%s", async (_, make, code, says) => {
    const bytes = await make()
    const said = await ours(bytes)
    expect(said.startsWith(`${code} `), said).toBe(true)
    expect(said).toContain(says)
    const { exit, out } = await theirs(bytes)
    expect(exit, out).toBe(7)
    expect(out).toMatch(new RegExp(`^FAILED  ${code}  `, "m"))
    expect(out).toContain(says)
    expect(out).not.toContain("Traceback")
  })
  test("a file of more than 8 GiB is not read", async () => {
    const read = () => Promise.reject(new Error("it was read"))
    await expect(unarchived({ size_bytes: 2 ** 33 + 512, read })).rejects.toMatchObject({ code: "TOO_LARGE" })
    const file = join(folder, "large.tar")
    await writeFile(file, "")
    await truncate(file, 2 ** 33 + 512)
    const { exit, out } = await python(file)
    expect([exit, out]).toEqual([7, expect.stringContaining("FAILED  TOO_LARGE  archive")])
  })
  test("more members than a pack has are refused, by who writes and who reads", async () => {
    const many = function* (): Generator<Member> {
      for (let n = 0; n <= 100_000; n += 1) yield { name: `a${n}`, bytes: new Uint8Array() }
    }
    const chunks: Uint8Array[] = []
    const write = async () => {
      for await (const chunk of archived(many())) chunks.push(chunk)
    }
    await expect(write()).rejects.toMatchObject({ code: "TOO_LARGE" })
    const bytes = Buffer.concat([...chunks, ustarHeader("a100000", 0), Buffer.alloc(1024)])
    expect(await ours(bytes)).toMatch(/^TOO_LARGE .*100,000 members/)
  }, 60_000)
})

test("tar itself reads what is written here", async () => {
  const file = join(folder, "plain.tar")
  await writeFile(file, tar)
  const listed = await new Promise<string>((resolve, reject) =>
    execFile("tar", ["-tvf", file], (error, stdout) => (error === null ? resolve(stdout) : reject(error))),
  )
  const lines = listed.trim().split("\n")
  expect(lines.map(line => line.split(" ").at(-1))).toEqual(members.map(({ name }) => name))
  expect(lines.every(line => line.startsWith("-rw-r--r-- 0/0 "))).toBe(true)
})

/** What is wrong with members whose manifest was made to fit. */
async function refitted(all: readonly Member[]) {
  const others = all.filter(({ name }) => name !== "manifest.json")
  const manifest = JSON.parse(textOf(members.at(-1)!.bytes)!) as object
  const fitted = utf8(canonical({ ...manifest, files: others.map(fileOf) }))
  const stored = storedOf([...others, { name: "manifest.json", bytes: fitted }])
  const question = { policy: policyOf(port), verify: verifyEd25519, log: null, pdf: null, members: stored }
  return (await checkPack(question)).checks.find(({ why }) => why !== null)
}

test("a tile that no entry needs is refused, and so is one that is missing", async () => {
  const tile = members.find(({ name }) => name.startsWith("log/tile/0/"))!
  expect(await refitted(members.filter(each => each !== tile))).toMatchObject({ member: tile.name })
  const stray = { name: "log/tile/0/007", bytes: new Uint8Array(8192) }
  expect(await refitted([...members.slice(0, -1), stray])).toMatchObject({
    member: stray.name,
    why: "no entry of the pack needs it",
  })
})

test("entries in other members, another order or another number of lines are refused", async () => {
  const entries = members.find(({ name }) => name === "entries/0000.ndjson")!
  const lines = textOf(entries.bytes)!.split("\n").slice(0, -1)
  const as = (name: string, some: readonly string[]) => ({ name, bytes: utf8(`${some.join("\n")}\n`) })
  const instead = (...others: Member[]) =>
    refitted(members.flatMap(each => (each === entries ? others : [each])))
  const [first, ...rest] = lines as [string, ...string[]]
  expect(await instead(as("entries/0001.ndjson", lines))).toMatchObject({ member: "entries/0001.ndjson" })
  expect(await instead(as("entries/0000.ndjson", [first]), as("entries/0001.ndjson", rest))).toMatchObject({
    member: "entries/0000.ndjson",
    why: "it has 1 lines: all but the last have 1024",
  })
  expect(await instead(as("entries/0000.ndjson", [...rest, first]))).toMatchObject({
    why: `line ${lines.length}: it is out of order`,
  })
  expect(await instead(as("entries/0000.ndjson", [first, first, ...rest]))).toMatchObject({
    why: "line 2: it is out of order",
  })
  const beyond = canonical({ ...(JSON.parse(first) as object), index: 1_000_000 })
  expect(await instead(as("entries/0000.ndjson", [beyond]))).toMatchObject({
    why: "line 1: entry 1000000 is not in the signed tree",
  })
  const moved = canonical({ ...(JSON.parse(first) as object), index: 1 })
  expect(await instead(as("entries/0000.ndjson", [moved]))).toMatchObject({
    why: "line 1: entry 1 is not in the signed tree",
  })
})

test("documents of another form are refused as that, and break neither verifier", async () => {
  const forms = ["{}", "[]", "null", '{"checkpoint":{"origin":"o","root":"","size":1}}', "{", "\u0000"]
  for (const name of ["scope/result.json", "scope/query.json", "scope/consistency.json", "policy"])
    for (const form of forms) {
      const bent = members.map(each => (each.name === name ? { name, bytes: utf8(form) } : each))
      const found = await refitted(bent)
      expect(found, `${name} ${form}`).toBeDefined()
      expect(found!.why).not.toContain("assertion")
    }
  const others = members.slice(0, -1)
  for (const form of forms) {
    const bytes = await tarOf([...others, { name: "manifest.json", bytes: utf8(form) }])
    expect(await ours(bytes)).toMatch(/^PACK manifest\.json/)
    const { exit, out } = await theirs(bytes)
    expect([exit, out]).toEqual([7, expect.stringMatching(/^FAILED {2}PACK/)])
  }
})
