import { fork, type ChildProcess } from "node:child_process"
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import sharp from "sharp"
import { build } from "vite"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { verifyEd25519 } from "../../src/ed25519.ts"
import { fsck } from "../../src/log/fsck.ts"
import { openLedger } from "../../src/sallyport.ts"
import { readConfig } from "../../src/config.ts"
import { postgresPrograms, startPostgres } from "../postgres.ts"
import { examineAs, openTestPort, sealAndAdmit, takeIn, type Enrolled, type TestPort } from "../port.ts"
import { root } from "../tidy.ts"
import { Oracle } from "./oracle.ts"
import { undoubted } from "../../src/picture/level.ts"
import type { Said, StepperOptions } from "./stepper.ts"

/**
 * Random steps (ask, ask again, answer the watch, lift, look, request, approve, edit, revoke, suspend, stop, resume, break the glass, another policy,
 * the clock ahead) by processes of their own on one ledger, of which one is killed now and then and started again. Then two
 * judges: `fsck`, which replays every verdict from the log alone, and an oracle that only counts. SALLYPORT_STEPS makes it a soak.
 */
const steps = Number(process.env.SALLYPORT_STEPS ?? 12_000)
const seed = Number(process.env.SALLYPORT_SEED ?? 1)
const kills = 4
/** Of a soak: no step takes this long on any machine. */
const timeout_ms = Math.max(3_600_000, steps * 20)

let bundle: string
beforeAll(async () => {
  bundle = join(root, `.dist-steps-${process.pid}`)
  await build({
    root,
    configFile: false,
    logLevel: "silent",
    build: {
      outDir: bundle,
      minify: false,
      target: "node20",
      ssr: join(root, "test/crash/stepper.ts"),
      rollupOptions: { output: { entryFileNames: "stepper.mjs" } },
    },
  })
})
afterAll(() => rm(bundle, { recursive: true, force: true }))

async function captured(port: TestPort): Promise<string[]> {
  const picture = new Uint8Array(
    await sharp({ create: { width: 64, height: 48, channels: 3, background: "#345" } })
      .jpeg()
      .toBuffer(),
  )
  const captures: string[] = []
  for (let i = 0; i < 12; i += 1) captures.push((await takeIn(port, { picture })).capture)
  for (let i = 0; i < 12; i += 1) {
    const { capture } = await sealAndAdmit(port, { picture })
    const faces = Array.from({ length: i % 4 }, (_, at) => ({
      ...{ x_px: 12 * at, y_px: 4 },
      ...{ width_px: 10, height_px: 12 },
    }))
    await examineAs(port, capture, { width_px: 64, height_px: 48, plates: [], faces, doubted: undoubted })
    captures.push(capture)
  }
  return captures
}

/** Runs the steppers to their end, killing one after each share of the steps. */
async function run(port: TestPort, folders: readonly string[]): Promise<Map<string, number>> {
  const captures = await captured(port)
  const day = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10)
  const seeds = Object.fromEntries(
    Object.entries(port.people).map(([role, { person, seed: secret }]: [string, Enrolled]) => [
      role,
      { person, seed: Buffer.from(secret).toString("base64") },
    ]),
  ) as StepperOptions["seeds"]
  const shared = {
    ...{ seeds, captures, dates: { first: day(-1), last: day(1) } },
    port: { contract: port.contract, lane: port.lane, reader: { port: port.reader.port } },
  }
  await port.opened.close()
  const crew = new Crew(shared, folders)
  await crew.run()
  return crew.tally
}

/** The processes, what they tell each other, and who kills them. */
class Crew {
  readonly tally = new Map<string, number>()
  readonly #shared: Pick<StepperOptions, "seeds" | "captures" | "dates" | "port">
  readonly #folders: readonly string[]
  readonly #children = new Map<string, ChildProcess>()
  #offset_ms = 0
  #done = 0
  #killed = 0
  #started = 0

  constructor(
    shared: Pick<StepperOptions, "seeds" | "captures" | "dates" | "port">,
    folders: readonly string[],
  ) {
    this.#shared = shared
    this.#folders = folders
  }

  async run(): Promise<void> {
    await Promise.all(
      this.#folders.map(folder => this.#work(folder, Math.ceil(steps / this.#folders.length))),
    )
    expect(this.#killed).toBe(kills)
  }

  /** One process until its steps are done, started again where it was killed. */
  async #work(data: string, share: number): Promise<void> {
    let left = share
    while (left > 0) {
      const how = await this.#once(data, left, done => (left -= done))
      if (how === "done") return
      expect(how, "ended by the test alone").toBe("SIGKILL")
    }
  }

  #once(data: string, left: number, did: (done: number) => void): Promise<string> {
    const options: StepperOptions = {
      ...{ ...this.#shared, data, offset_ms: this.#offset_ms, steps: left },
      chanceSeed: seed * 1000 + (this.#started += 1),
    }
    const child = fork(join(bundle, "stepper.mjs"), [JSON.stringify(options)], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    })
    this.#children.set(data, child)
    child.on("message", (said: Said) => this.#heard(said, { did, data }))
    return new Promise(resolve =>
      child.once("exit", (code, signal) => {
        this.#children.delete(data)
        resolve(signal ?? (code === 0 ? "done" : `exit ${String(code)}`))
      }),
    )
  }

  #heard(said: Said, by: { readonly did: (done: number) => void; readonly data: string }): void {
    if ("grant" in said) this.#tell(said)
    if ("jump_ms" in said) {
      this.#offset_ms += said.jump_ms
      this.#tell({ offset_ms: this.#offset_ms })
    }
    if (!("done" in said)) return
    for (const [code, count] of said.tally) this.tally.set(code, (this.tally.get(code) ?? 0) + count)
    by.did(said.done)
    this.#done += said.done
    // The one that speaks is in the middle of its next steps.
    if (this.#killed < kills && this.#done > ((this.#killed + 1) * steps) / (kills + 2)) {
      this.#killed += 1
      this.#children.get(by.data)?.kill("SIGKILL")
    }
  }

  /** One that was killed is still connected until its end is noticed: what it is told then is lost with it, and it starts anew. */
  #tell(said: Said): void {
    for (const child of this.#children.values()) if (child.connected) child.send(said, () => undefined)
  }
}

async function judge(data: string, origin: string, tally: ReadonlyMap<string, number>): Promise<void> {
  const ledger = await openLedger(data, await readConfig(data))
  const found = await fsck(ledger, { origin, verify: verifyEd25519 })
  expect(found.problems).toEqual([])
  const oracle = new Oracle()
  await oracle.read(ledger)
  await ledger.close()
  expect(oracle.broken).toEqual([])
  // The steps must have met the limits, or the judges have seen nothing.
  expect(oracle.permits).toBeGreaterThan(steps / 100)
  expect(oracle.suspensions).toBeGreaterThan(0)
  const met = [...tally.keys()]
  for (const code of [
    ...["GRANT_BUDGET", "GRANT_PENDING", "GRANT_REVOKED", "GRANT_EXPIRED", "GRANT_UNKNOWN", "GRANT_PEOPLE"],
    ...["BUDGET_PERSON", "STOPPED", "GLASS", "WATCH_STEP_UP", "PERSON_SUSPENDED"],
  ])
    expect(met, code).toContain(code)
  process.stdout.write(
    `${steps} steps, ${found.size} entries, ${oracle.permits} permits, ${kills} kills: ${[...tally]
      .sort((a, b) => b[1] - a[1])
      .map(([code, count]) => `${code} ${count}`)
      .join(", ")}\n`,
  )
}

test(
  "SQLite, one process: no budget exceeded, no release outside of live terms",
  async () => {
    const port = await openTestPort()
    const tally = await run(port, [port.data])
    await judge(port.data, port.house.log.origin, tally)
    await rm(port.data, { recursive: true, force: true })
  },
  timeout_ms,
)

const skipped = postgresPrograms === null ? " (skipped: no Postgres here)" : ""

describe.skipIf(postgresPrograms === null)(`three processes on one Postgres ledger${skipped}`, () => {
  test(
    "no budget exceeded, no release outside of live terms",
    async () => {
      const postgres = await startPostgres()
      const folder = await mkdtemp(join(tmpdir(), "sallyport-steps-"))
      const urlFile = join(folder, "postgres.url")
      await writeFile(urlFile, await postgres.newDatabase())
      const settings = { ledger: { postgres_url_file: urlFile }, objects: { disk: join(folder, "objects") } }
      const port = await openTestPort({ settings })
      const folders = [port.data, join(folder, "second"), join(folder, "third")]
      for (const data of folders.slice(1)) await cp(port.data, data, { recursive: true })
      const tally = await run(port, folders)
      await judge(port.data, port.house.log.origin, tally)
      await rm(folder, { recursive: true, force: true })
      await rm(port.data, { recursive: true, force: true })
      await postgres.stop()
    },
    timeout_ms,
  )
})
