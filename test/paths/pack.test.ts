import { execFile } from "node:child_process"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { textOf, utf8 } from "../../src/bytes.ts"
import { canonical } from "../../src/canonical.ts"
import { verifyEd25519 } from "../../src/ed25519.ts"
import type { ScopeResult } from "../../src/incident/scope.ts"
import type { Entry } from "../../src/log/kinds.ts"
import { readHead } from "../../src/log/reading.ts"
import { archived, unarchived, type Member } from "../../src/pack/archive.ts"
import { frozenProblem, type Rendering } from "../../src/pack/frozen-check.ts"
import type { Frozen } from "../../src/pack/frozen.ts"
import { fileOf, manifestName, sha256Of, type Manifest } from "../../src/pack/manifest.ts"
import { ProvingTiles } from "../../src/pack/proof-tiles.ts"
import { isEntries, provedEntries, type ProvedEntry } from "../../src/pack/proofs.ts"
import { checkPack, type PackVerdict } from "../../src/pack/verify.ts"
import { ledgerSource } from "../../src/custody/scope-reading.ts"
import { statementPdf } from "../../src/custody/statement-pdf.ts"
import { breach, leave, packOf, partsOf, policyOf, state, storedOf } from "../incident.ts"
import { codeOf, openTestPort, type TestPort } from "../port.ts"

let port: TestPort
let folder: string
let incident: string
let whole: Member[]
let bare: Member[]

beforeAll(async () => {
  port = await openTestPort()
  folder = await mkdtemp(join(tmpdir(), "sallyport-pack-"))
  await leave(port, 3)
  incident = await breach(port)
  await state(port, incident)
  whole = await packOf(port, incident, "whole")
  bare = await packOf(port, incident, "none")
}, 60_000)
afterAll(async () => {
  await port.close()
  await rm(folder, { recursive: true, force: true })
})

async function tarOf(members: readonly Member[]): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of archived(members)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function check(members: readonly Member[], log: "brought" | "none" = "none"): Promise<PackVerdict> {
  const source = log === "brought" ? ledgerSource(port.house) : null
  const question = { members: storedOf(members), policy: policyOf(port), log: source }
  return checkPack({ ...question, verify: verifyEd25519, pdf: statementPdf })
}

/** As an author of false packs would: the manifest is made to fit. */
function refitted(
  members: readonly Member[],
  change: (manifest: Manifest) => Manifest = each => each,
): Member[] {
  const others = members.filter(({ name }) => name !== manifestName)
  const manifest = JSON.parse(textOf(members.at(-1)!.bytes)!) as Manifest
  const bytes = utf8(canonical(change({ ...manifest, files: others.map(fileOf) })))
  return [...others, { name: manifestName, bytes }]
}

function bent(members: readonly Member[], name: string, change: (bytes: Uint8Array) => Uint8Array): Member[] {
  return members.map(each => (each.name === name ? { name, bytes: change(each.bytes) } : each))
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = new Uint8Array(bytes)
  copy[at]! ^= 1
  return copy
}

const failed = ({ checks }: PackVerdict) => checks.find(({ why }) => why !== null)

describe("a pack that was not touched", () => {
  test("with the log: everything holds, and what left is counted again", async () => {
    const verdict = await check(whole)
    expect(failed(verdict)).toBeUndefined()
    expect(verdict.recounted).toMatchObject({
      images: { at_least: 3, at_most: 3 },
      files: { at_least: 4, at_most: 4 },
      level: [{ key: "L2", images: 3, files: 4 }],
      holder: [{ key: port.people.engineer.person, images: 3, files: 4 }],
    })
    expect(verdict.notChecked.join()).not.toContain("left out")
  })
  test("without the log it says what it cannot prove, and proves it once the log is brought", async () => {
    const verdict = await check(bare)
    expect(failed(verdict)).toBeUndefined()
    expect(verdict.notChecked.join()).toContain("whether a permit was left out")
    expect(verdict.checks.map(({ name }) => name).join()).not.toContain("verdict is the one")
    const brought = await check(bare, "brought")
    expect(failed(brought)).toBeUndefined()
    expect(brought.notChecked.join()).not.toContain("left out")
  })
  test("two runs make the same bytes, and a tar gives the members back", async () => {
    const [first, again] = [await tarOf(whole), await tarOf(await packOf(port, incident, "whole"))]
    expect(first.equals(again)).toBe(true)
    const read = await unarchived(partsOf(first))
    expect(read.map(({ name }) => name)).toEqual(whole.map(({ name }) => name))
    for (const [i, member] of read.entries()) {
      const { name, size_bytes, sha256 } = member
      expect({ name, size_bytes, sha256 }).toEqual(fileOf(whole[i]!))
      expect(Buffer.from(await member.read()).equals(whole[i]!.bytes)).toBe(true)
    }
  })
  test("no plate, no name of a person and no picture is in it", async () => {
    const text = (await tarOf(whole)).toString("latin1")
    for (const hidden of ["SP7X042", "Planted"]) expect(text).not.toContain(hidden)
    expect(text).not.toContain("\u00ff\u00d8\u00ff")
  })
})

describe("a pack that was touched", () => {
  test("one bit of any member is found, and it is said in which", async () => {
    for (const pack of [whole, bare])
      for (const { name, bytes } of pack) {
        const places = [0, Math.floor(bytes.length / 2), bytes.length - 1]
        for (const at of new Set(places)) {
          const found = failed(await check(bent(pack, name, each => flipped(each, at))))
          expect(found, name).toBeDefined()
          if (name !== manifestName) expect(found!.member).toBe(name)
          else expect(`${found!.member} ${found!.why}`).toContain(manifestName)
        }
      }
  })
  test("and with a manifest that was made to fit, all that is signed, proved or counted is found still", async () => {
    const members = whole.filter(({ name }) => name !== manifestName && name !== "README.txt")
    for (const { name, bytes } of members) {
      const at = Math.floor(bytes.length / 2)
      const found = failed(await check(refitted(bent(whole, name, each => flipped(each, at)))))
      expect(found, name).toBeDefined()
    }
  })
  test("one bit of the archive beside the members is found", async () => {
    const tar = await tarOf(bare)
    const places = [110, 137, 257, 400, tar.length - 1, tar.length - 700]
    const firstEnd = 512 + bare[0]!.bytes.length
    if (firstEnd % 512 !== 0) places.push(firstEnd)
    for (const at of places)
      expect(await codeOf(unarchived(partsOf(flipped(tar, at)))), String(at)).toBe("PACK")
    expect(await codeOf(unarchived(partsOf(tar.subarray(0, tar.length - 512))))).toBe("PACK")
    expect(await codeOf(unarchived(partsOf(Buffer.concat([tar, Buffer.alloc(512)]))))).toBe("PACK")
    expect(await codeOf(unarchived(partsOf(Buffer.from("no archive"))))).toBe("PACK")
  })

  const lied = (change: (result: ScopeResult) => object) =>
    refitted(
      bent(whole, "scope/result.json", bytes => {
        const result = JSON.parse(textOf(bytes)!) as ScopeResult
        return utf8(canonical({ ...result, ...change(result) }))
      }),
    )
  test("another count is not the one that the log has", async () => {
    const found = failed(
      await check(lied(({ left }) => ({ left: { ...left, images: { ...left.images, at_most: 2 } } }))),
    )
    expect(found).toMatchObject({ member: "scope/result.json" })
    expect(found!.why).toContain("no entry incident.scoped")
  })
  test("an entry that was left out of the log is missed", async () => {
    const bundle = whole.find(({ name }) => name.startsWith("log/tile/entries/"))!.name
    const cut = refitted(bent(whole, bundle, bytes => bytes.subarray(0, bytes.length - 40)))
    expect(failed(await check(cut))).toMatchObject({ member: "log/tile" })
    const gone = refitted(whole.filter(({ name }) => name !== bundle))
    expect(failed(await check(gone))).toMatchObject({ member: "log/tile" })
  })
  test("a permit that was left out of a pack without the log changes the count", async () => {
    const cut = refitted(
      bent(bare, "entries/0000.ndjson", bytes => {
        const lines = textOf(bytes)!.split("\n")
        return utf8(lines.filter(line => !line.includes('\\"kind\\":\\"permit\\"')).join("\n"))
      }),
    )
    const found = failed(await check(cut))
    expect(found).toMatchObject({ member: "scope/result.json" })
    expect(found!.why).toContain("images: the entries say 0 to 0")
  })
  test("a text that says another number is not what was signed", async () => {
    const text = "statement/press.txt"
    const cut = refitted(bent(whole, text, bytes => utf8(textOf(bytes)!.replace("exactly 3", "exactly 2"))))
    expect(failed(await check(cut))).toMatchObject({ member: text, why: "it is not the one that was signed" })
  })
  test("a statement that nobody signed is none", async () => {
    const frozen = "statement/frozen.json"
    const others = whole.filter(({ name }) => name !== frozen)
    expect(failed(await check(refitted(others)))).toMatchObject({ member: frozen })
  })
  test("another log's policy refuses it", async () => {
    const other = await openTestPort()
    const verdict = await checkPack({
      ...{ members: storedOf(whole), policy: policyOf(other), verify: verifyEd25519, log: null, pdf: null },
    })
    expect(failed(verdict)).toMatchObject({ member: "policy" })
    await other.close()
  })
})

describe("the same in Python, with nothing but its standard library", () => {
  const script = fileURLToPath(new URL("../../examples/verify_pack.py", import.meta.url))
  const run = async (members: readonly Member[]): Promise<{ exit: number; out: string }> => {
    const [pack, policy] = [join(folder, "pack.tar"), join(folder, "policy")]
    await writeFile(pack, await tarOf(members))
    await writeFile(policy, port.house.log.policy)
    return new Promise(resolve =>
      execFile("python3", [script, pack, policy], (error, stdout, stderr) =>
        resolve({ exit: error === null ? 0 : Number(error.code), out: stdout + stderr }),
      ),
    )
  }
  test("both packs hold, and it counts the same", async () => {
    for (const pack of [whole, bare]) {
      const { exit, out } = await run(pack)
      expect(exit, out).toBe(0)
      expect(out).toContain("images 3 to 3, files 4 to 4")
    }
    expect((await run(bare)).out).toContain("NOT CHECKED")
  }, 60_000)
  test("a bit of any member, a made count and a lost signature are refused", async () => {
    for (const { name, bytes } of bare) {
      const { exit, out } = await run(bent(bare, name, each => flipped(each, Math.floor(bytes.length / 2))))
      expect(exit, out).toBe(7)
      expect(out).toContain(name)
    }
    const refused: [string, Member[]][] = [
      ["statement/frozen.json", refitted(whole.filter(({ name }) => name !== "statement/frozen.json"))],
      [
        "scope/result.json",
        refitted(
          bent(whole, "scope/result.json", each => utf8(textOf(each)!.replace('"at_most":3', '"at_most":2'))),
        ),
      ],
    ]
    for (const [name, members] of refused) {
      const { exit, out } = await run(members)
      expect(exit, out).toBe(7)
      expect(out).toContain(name)
    }
  }, 120_000)
})

test("a PDF that two people signed and that says something else is found by making it again", async () => {
  const stated = whole.filter(({ name }) => name.startsWith("statement/"))
  const result = JSON.parse(
    textOf(whole.find(({ name }) => name === "scope/result.json")!.bytes)!,
  ) as ScopeResult
  const pdf = stated.find(({ name }) => name.endsWith(".pdf"))!
  const other = {
    name: pdf.name,
    bytes: utf8(Buffer.from(pdf.bytes).toString("latin1").replace("%PDF", "%PdF")),
  }
  const frozen = JSON.parse(textOf(stated.find(({ name }) => name.endsWith("frozen.json"))!.bytes)!) as Frozen
  const bytes = utf8(
    canonical({ ...frozen, files: { ...frozen.files, "statement.pdf": sha256Of(other.bytes) } }),
  )
  const files = stated.map(each =>
    each === pdf ? other : each.name.endsWith("frozen.json") ? { ...each, bytes } : each,
  )
  // As if both had signed this digest.
  const tiles = await ProvingTiles.of(
    path => ledgerSource(port.house).read(path),
    await readHead(ledgerSource(port.house), policyOf(port), verifyEd25519),
  )
  const entries: ProvedEntry[] = []
  for await (const one of provedEntries(
    storedOf(whole.filter(({ name }) => isEntries(name))),
    tiles as ProvingTiles,
  ))
    if ("entry" in one) entries.push(one)
  const signed = entries.map(({ index, entry }) =>
    entry.kind === "motion.proposed"
      ? {
          index,
          entry: { ...entry, statement: { ...entry.statement, statement_sha256: sha256Of(bytes) } } as Entry,
        }
      : { index, entry },
  )
  const problem = (made: Rendering | null) =>
    frozenProblem(files, { entries: signed, result, plan: null, pdf: made })
  expect(await problem(null)).toBeNull()
  expect(await problem(statementPdf)).toMatchObject({ member: "statement/statement.pdf" })
})
