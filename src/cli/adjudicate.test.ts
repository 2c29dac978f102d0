import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { PassThrough } from "node:stream"
import { afterEach, beforeEach, expect, test } from "vitest"
import { planOf, type Plan } from "../incident/adjudication.ts"
import { adjudicate, findingLines, findings, takeAnswers, type Session, type Showing } from "./adjudicate.ts"
import { openAnswers } from "./answer-file.ts"

let folder: string
let path: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sallyport-adjudicate-"))
  path = join(folder, "answers.jsonl")
})
afterEach(() => rm(folder, { recursive: true }))

const clusterOf = new Map(["a", "b", "c", "d"].map((face, i) => [face, Math.floor(i / 2)]))
const plan: Plan = planOf({
  seed: "an adjudication",
  clusterOf,
  sample: 4,
  neighboursOf: face => (face < "c" ? ["c"] : ["a"]),
  duplicates: [["a", "a again"]],
  foils: [["d", "d beside"]],
})

class Typist extends PassThrough {
  isTTY = true
  readonly raw: boolean[] = []
  setRawMode(isRaw: boolean): void {
    this.raw.push(isRaw)
  }
}

const showing: Showing = {
  silhouettes: async ({ subject, other }) => [`silhouettes of ${subject} and ${other}`],
  pictures: async ({ subject }) => [`picture of ${subject}`],
}

/** One person's sitting: the keys that are pressed, and what the terminal showed. */
async function sit(by: string, keys: string): Promise<{ given: number; shown: string; raw: boolean[] }> {
  const file = await openAnswers(path, plan)
  const [input, output] = [new Typist(), new PassThrough()]
  input.end(keys)
  const given = await adjudicate({ plan, file, by, needed: 2 }, { input, output }, showing)
  await file.close()
  return { given, shown: (output.read() as Buffer).toString(), raw: input.raw }
}

async function session(by: string): Promise<Session> {
  return { plan, file: await openAnswers(path, plan), by, needed: 2 }
}

test("each key is an answer, kept at once; who quits goes on where he was", async () => {
  const first = await sit("ada", "sdq")
  expect(first.given).toBe(2)
  expect(first.raw).toEqual([true, false])
  expect(first.shown).toContain("Saved")
  const lines = (await readFile(path, "utf8")).trim().split("\n")
  expect(lines.slice(1).map(line => JSON.parse(line).answer)).toEqual(["same", "different"])
  const second = await sit("ada", "d".repeat(20))
  expect(second.given).toBe(plan.pairs.length - 2)
  expect(second.shown).toContain(`3 of ${plan.pairs.length}`)
  expect(second.shown).toContain("nothing more")
})

test("pictures are shown on demand alone, other keys do nothing, and back asks again", async () => {
  const quiet = await sit("ada", "xq")
  expect(quiet.given).toBe(0)
  expect(quiet.shown).toContain("silhouettes of")
  expect(quiet.shown).not.toContain("picture of")
  const { shown, given } = await sit("ada", "psbuq")
  expect(shown).toContain(`picture of ${plan.pairs[0]!.subject}`)
  expect(given).toBe(1)
  const file = await openAnswers(path, plan)
  expect([...file.answers.of(plan.pairs[0]!).values()]).toEqual(["unsure"])
  await file.close()
})

test("Ctrl-C and the end of what is typed save and quit", async () => {
  expect((await sit("ada", "s\u0003ss")).given).toBe(1)
  expect((await sit("ada", "")).shown).toContain("Saved")
})

test("a half-written last line is taken off; another plan's answers and a broken line are refused", async () => {
  await sit("ada", "ssq")
  await appendFile(path, '{"subject":"a","oth')
  expect((await sit("ada", "q")).given).toBe(0)
  expect((await readFile(path, "utf8")).endsWith("\n")).toBe(true)
  await expect(openAnswers(path, { ...plan, seed: "another seed" })).rejects.toMatchObject({
    code: "INVALID",
    message: expect.stringContaining("another plan"),
  })
  await appendFile(path, '{"subject":"a"}\n')
  await expect(openAnswers(path, plan)).rejects.toMatchObject({ message: expect.stringContaining("line 4") })
})

test("answers out of a file, CSV or JSON lines, are all taken or none", async () => {
  const of = await session("ben")
  const rows = plan.pairs.map(({ subject, other }) => ({ subject, other, answer: "same" }))
  const csv = ["subject,other,answer", ...rows.map(row => Object.values(row).join())].join("\n")
  const bad = `${csv}\nnobody,a,same`
  await expect(takeAnswers(of, bad)).rejects.toMatchObject({ code: "INVALID" })
  expect(findings(of).open).toBe(findings({ ...of, plan }).open)
  expect([...of.file.answers.of(plan.pairs[0]!)]).toEqual([])
  expect(await takeAnswers(of, csv)).toBe(plan.pairs.length)
  await of.file.close()
  const other = await session("ada")
  const lines = rows.map(row => JSON.stringify({ ...row, other: row.subject, subject: row.other })).join("\n")
  expect(await takeAnswers(other, lines)).toBe(plan.pairs.length)
  const said = findingLines(plan, findings(other))
  expect(said[0]).toBe("4 of 4 sampled faces are done; 0 pairs wait for an answer.")
  expect(said[1]).toContain("0 of 2 of one person, 2 of 2 of two")
  await expect(takeAnswers(other, '"')).rejects.toMatchObject({ code: "INVALID" })
  await other.file.close()
})

test("a new file is for its owner's eyes", async () => {
  await writeFile(join(folder, "other"), "")
  const file = await openAnswers(path, plan)
  await file.close()
  const { mode } = await (await import("node:fs/promises")).stat(path)
  expect(mode & 0o077).toBe(0)
})
