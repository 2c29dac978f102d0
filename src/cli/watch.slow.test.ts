import { execFile } from "node:child_process"
import { existsSync } from "node:fs"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import { afterAll, beforeAll, expect, test } from "vitest"
import { honest } from "../../test/watched.ts"
import { linesOf, withAttack } from "../drawing/traffic/traffic.ts"

const program = fileURLToPath(new URL("../../dist/sallyport.js", import.meta.url))
const bin = fileURLToPath(new URL("../../bin/sallyport", import.meta.url))
const isBuilt = existsSync(program)
let folder: string
let lines: string[]

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

function watch(...parameters: string[]): Promise<Ran> {
  return new Promise(resolve => {
    execFile(process.execPath, [bin, "watch", ...parameters], { maxBuffer: 2 ** 26 }, (error, out, err) =>
      resolve({ code: typeof error?.code === "number" ? error.code : 0, out, err }),
    )
  })
}

async function written(name: string, text: string | Uint8Array): Promise<string> {
  const file = join(folder, name)
  await writeFile(file, text)
  return file
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sallyport-watch-"))
  const traffic = withAttack(honest("transcript", 33), { family: "enumerate", firstDay: 30, account: "any" })
  lines = [...linesOf(traffic, "enumerate")]
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const requests = () => lines.filter(line => line.startsWith('{"k":"req"'))

test.skipIf(!isBuilt)(
  "replay --json says of each person what was let through, where he was asked and where stopped, and nothing else (skipped: dist is not built)",
  async () => {
    const file = await written("whole.jsonl.gz", gzipSync(lines.join("\n")))
    const { code, out } = await watch("replay", file, "--no-hard", "--json")
    expect(code).toBe(0)
    const said = JSON.parse(out)
    expect(Object.keys(said)).toEqual(["principals", "vendor_days"])
    const attack = requests().findIndex(line => line.includes('"a":1'))
    const attacker = JSON.parse(requests()[attack]!).principal
    for (const each of said.principals) {
      expect(Object.keys(each)).toEqual([
        "principal",
        "org",
        "requests",
        "let_through",
        "step_up_seq",
        "suspended_seq",
      ])
      expect(each.suspended_seq === null).toBe(each.principal !== attacker)
    }
    const { step_up_seq, suspended_seq, requests: count } = said.principals[attacker]
    expect(step_up_seq).toBeGreaterThanOrEqual(attack)
    expect(suspended_seq).toBeGreaterThan(step_up_seq)
    expect(JSON.parse(requests()[suspended_seq]!).principal).toBe(attacker)
    expect(count).toBe(requests().filter(line => JSON.parse(line).principal === attacker).length)
    const days = new Set(
      requests().map(line => `${JSON.parse(line).principal} ${Math.floor(JSON.parse(line).t / 86_400_000)}`),
    )
    expect(said.vendor_days).toBe(days.size)
  },
)

test.skipIf(!isBuilt)(
  "no replay reads the truth: scrambled, bent or missing, it changes nothing but the score",
  async () => {
    const bend = (change: (fields: Record<string, unknown>, seq: number) => void) =>
      lines.map((line, seq) => {
        const fields = JSON.parse(line)
        if (fields.k === "req") change(fields, seq)
        return JSON.stringify(fields)
      })
    const plain = await watch("replay", await written("plain.jsonl", lines.join("\n")), "--no-hard", "--json")
    const scrambled = bend((fields, seq) => (fields.gt = seq % 2 === 0 ? { a: 1, family: "none" } : { a: 0 }))
    const missing = bend(fields => delete fields.gt)
    for (const [name, text] of [
      ["scrambled", scrambled],
      ["missing", missing],
    ] as const)
      expect(
        await watch("replay", await written(`${name}.jsonl`, text.join("\n")), "--no-hard", "--json"),
      ).toEqual(plain)
    const scored = await watch("replay", join(folder, "plain.jsonl"), "--no-hard", "--score", "--json")
    const { score, ...rest } = JSON.parse(scored.out)
    expect(rest).toEqual(JSON.parse(plain.out))
    expect(score).toMatchObject({
      attackers: [{ family: "enumerate", suspended: true }],
      honest: { suspended: 0 },
    })
    expect(score.leaked).toBeLessThan(10)
  },
)

test.skipIf(!isBuilt)(
  "with the hard layer nothing outside of a work order leaves, and the watch judges the attempts all the same",
  async () => {
    const file = await written("hard.jsonl", lines.join("\n"))
    const both = JSON.parse((await watch("replay", file, "--score", "--json")).out)
    expect(both.score.leaked).toBe(0)
    expect(both.score.attackers[0].suspended).toBe(true)
    const table = await watch("replay", file)
    expect(table.out).toMatch(
      /^person +org +requests +let through +denied +asked +first asked +suspended +why$/m,
    )
    expect(table.out).toMatch(
      /images outside the work order in .+, which 0\.\d\d % of honest requests do.*: \d+\.\d nats$/m,
    )
  },
)

test.skipIf(!isBuilt)(
  "bad lines are refused with number and code, the others go on, and a refused request keeps its number",
  async () => {
    const broken = [...lines]
    const first = broken.findIndex(line => line.startsWith('{"k":"req"'))
    broken[first] = '{"k":"req","t":"yesterday"}'
    broken.splice(first, 0, "{", '{"k":"what"}', `{"k":"wo","x":"${"y".repeat(1_100_000)}"}`)
    const { code, out, err } = await watch(
      "replay",
      await written("bad.jsonl", broken.join("\n")),
      "--no-hard",
      "--json",
    )
    expect(code).toBe(10)
    for (const [at, why] of [
      [first + 1, "LINE_JSON"],
      [first + 2, "LINE_KIND"],
      [first + 3, "LINE_LONG"],
      [first + 4, "LINE_FIELD"],
    ])
      expect(err).toContain(`bad.jsonl:${at}: ${why}`)
    expect(err).toContain(
      "4 lines refused, the others went on: 1 LINE_JSON, 1 LINE_KIND, 1 LINE_LONG, 1 LINE_FIELD",
    )
    const whole = JSON.parse(
      (await watch("replay", await written("good.jsonl", lines.join("\n")), "--no-hard", "--json")).out,
    )
    const seqs = (said: typeof whole) =>
      said.principals.map((each: { suspended_seq: number | null }) => each.suspended_seq)
    expect(seqs(JSON.parse(out)).filter(Boolean)).toEqual(seqs(whole).filter(Boolean))
  },
)

test.skipIf(!isBuilt)(
  "a file that is not there, one that is cut short, and a model that is none are refused",
  async () => {
    expect(await watch("replay", join(folder, "none"))).toMatchObject({
      code: 2,
      err: expect.stringContaining("WATCH_LOG"),
    })
    const cut = gzipSync(lines.join("\n")).subarray(0, 20_000)
    expect(await watch("replay", await written("cut.jsonl.gz", cut))).toMatchObject({
      code: 2,
      err: expect.stringContaining("WATCH_LOG"),
    })
    const model = await written("model.json", "{}\n")
    expect(await watch("replay", join(folder, "none"), "--model", model)).toMatchObject({
      code: 7,
      err: expect.stringContaining("WATCH_MODEL"),
    })
  },
)

test.skipIf(!isBuilt)(
  "train learns a model that replay takes, and refuses a log with an attack in it by name",
  async () => {
    const clean = await written("clean.jsonl", [...linesOf(honest("clean", 25), "honest")].join("\n"))
    const out = join(folder, "own.json")
    const made = await watch("train", clean, "--out", out, "--date", "2026-11-27", "--json")
    expect(made.code).toBe(0)
    expect(JSON.parse(made.out)).toMatchObject({
      left_out: [],
      sources: [{ name: "clean.jsonl" }],
      trained_at: "2026-11-27",
    })
    const again = join(folder, "again.json")
    await watch("train", clean, "--out", again, "--date", "2026-11-27")
    expect(await readFile(again, "utf8")).toBe(await readFile(out, "utf8"))
    const replayed = await watch("replay", clean, "--no-hard", "--model", out, "--json")
    expect(replayed.code).toBe(0)
    const poisoned = await written("poisoned.jsonl", lines.join("\n"))
    const refused = await watch("train", poisoned, "--out", join(folder, "no.json"), "--date", "2026-11-27")
    const attacker = JSON.parse(requests().find(line => line.includes('"a":1'))!).principal
    expect(refused.code).toBe(7)
    expect(refused.err).toContain(
      `WATCH_TRAINING  a model of the others would suspend poisoned.jsonl/${attacker};`,
    )
    expect(existsSync(join(folder, "no.json"))).toBe(false)
  },
)

test.skipIf(!isBuilt)(
  "CloudTrail's reads of objects are replayed, as lines or as one document; what is no read is counted, not lost",
  async () => {
    const event = (nth: number, change: object = {}) => ({
      eventName: "GetObject",
      eventTime: new Date(1_925_550_000_000 + 20_000 * nth).toISOString(),
      userIdentity: { arn: `arn:aws:iam::1:user/${nth % 2}`, accountId: "1" },
      requestParameters: { bucketName: "captures", key: `lane-${nth % 3}/day-4/${nth}.jpg` },
      sourceIPAddress: "192.0.2.1",
      userAgent: "aws-cli",
      ...change,
    })
    const events = [
      ...Array.from({ length: 40 }, (_, nth) => event(nth)),
      event(41, { eventName: "PutObject" }),
      event(42, { errorCode: "AccessDenied" }),
    ]
    const asLines = await written("trail.jsonl", events.map(each => JSON.stringify(each)).join("\n"))
    const asOne = await written("trail.json.gz", gzipSync(JSON.stringify({ Records: events })))
    const [one, two] = [
      await watch("replay", asLines, "--cloudtrail", "--json"),
      await watch("replay", asOne, "--cloudtrail", "--json"),
    ]
    expect(one.out).toBe(two.out)
    expect(one.err).toContain("1 events that read no object were passed over")
    expect(JSON.parse(one.out).principals).toMatchObject([
      { principal: "arn:aws:iam::1:user/0", org: 0, requests: 21, let_through: 20 },
      { principal: "arn:aws:iam::1:user/1", org: 0, requests: 20, let_through: 20 },
    ])
    const bad = await watch(
      "replay",
      await written("bad-trail.jsonl", '{"eventName":"GetObject"}\n{'),
      "--cloudtrail",
      "--json",
    )
    expect(bad.code).toBe(10)
    expect(bad.err).toContain("1 LINE_FIELD, 1 LINE_JSON")
  },
)
