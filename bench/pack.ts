import { execFile } from "node:child_process"
import { createWriteStream } from "node:fs"
import { mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises"
import { cpus, loadavg, tmpdir } from "node:os"
import { join } from "node:path"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { mirrored } from "../src/cli/source.ts"
import { incidentOf, resultOf } from "../src/custody/incident-record.ts"
import { ledgerSource } from "../src/custody/scope-reading.ts"
import { signedFiles } from "../src/custody/statements.ts"
import { verifyEd25519 } from "../src/ed25519.ts"
import { LogWalk, provedBundles, readHead } from "../src/log/reading.ts"
import { policyOf, state } from "../test/incident.ts"
import { breachedPort } from "./breached-port.ts"

/**
 * The evidence pack of incidents of so many releases (`SALLYPORT_RELEASES`, by commas): making and verifying it, each in a
 * process of its own, beside what one would do instead with the same rows: `tar`, `gzip` and `sha256sum`. Processor times and
 * peak memory, not wall clocks.
 */

const run = promisify(execFile)
const step = fileURLToPath(new URL("pack-step.js", import.meta.url))
const python = fileURLToPath(new URL("../../examples/verify_pack.py", import.meta.url))
const sizes = (process.env.SALLYPORT_RELEASES ?? "5000,38000").split(",").map(Number)

/** What a command took with its children. Source: getrusage(2). */
const measured = `
import json, resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([code, used.ru_utime + used.ru_stime, used.ru_maxrss / 1000]))
sys.exit(code)`

interface Used {
  readonly processor_s: number
  readonly peak_mb: number
}

async function used(...command: readonly string[]): Promise<Used> {
  const { stdout } = await run("python3", ["-c", measured, ...command], { maxBuffer: 1 << 26 })
  const [, processor_s = 0, peak_mb = 0] = JSON.parse(stdout) as number[]
  return { processor_s, peak_mb }
}

function row(cells: readonly (string | number)[]): void {
  console.log(`| ${cells.join(" | ")} |`)
}

const heads = ["releases", "entries", "what", "bytes", "making s", "making MB", "verifying s", "verifying MB"]

async function measure(releases: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "sallyport-bench-pack-"))
  const { port, incident } = await breachedPort(releases)
  try {
    const before = process.cpuUsage()
    await state(port, incident)
    const stated = process.cpuUsage(before)
    const entries = await written(folder, port.house, incident, policyOf(port))
    await port.close()
    for (const log of ["whole", "none"] as const) {
      const out = join(folder, `${log}.tar`)
      const made = await used(process.execPath, step, "make", folder, out, log).catch(said)
      if (made === null) continue
      const policy = join(folder, "policy")
      const ours = await used(process.execPath, step, "incident", "verify-pack", out, "--policy", policy)
      const theirs = await used("python3", python, out, policy)
      const bytes = (await stat(out)).size
      const what = log === "whole" ? "with the log" : "without"
      row([releases, entries, `pack ${what}, sallyport`, bytes, ...of(made), ...of(ours)])
      row([releases, entries, `pack ${what}, Python`, bytes, "", "", ...of(theirs)])
    }
    const shell = (script: string) => used("bash", "-c", `cd ${folder} && ${script}`)
    const tar = await shell("tar czf plain.tgz plain && sha256sum plain.tgz > sum")
    const check = await shell("sha256sum -c sum && mkdir out && tar xzf plain.tgz -C out")
    const { size } = await stat(join(folder, "plain.tgz"))
    row([releases, entries, "tar, gzip, sha256sum", size, ...of(tar), ...of(check)])
    console.log(
      `statement and letters: ${((stated.user + stated.system) / 1e6).toFixed(1)} s of processor time`,
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function of({ processor_s, peak_mb }: Used): string[] {
  return [processor_s.toFixed(1), peak_mb.toFixed(0)]
}

/** A step that was refused is a row that is missing, with the reason. */
function said(error: unknown): null {
  const { stderr } = error as { stderr?: string }
  console.log(
    `refused: ${(stderr ?? String(error)).split("\n").find(line => line.includes("Fault")) ?? String(error)}`,
  )
  return null
}

/** Mirror, policy, result and statement in a folder, and beside them the same rows as anybody would write them: a line each. */
async function written(
  folder: string,
  house: Parameters<typeof incidentOf>[0],
  incident: string,
  policy: ReturnType<typeof policyOf>,
): Promise<number> {
  const source = mirrored(ledgerSource(house), join(folder, "mirror"))
  const head = await readHead(source, policy, verifyEd25519)
  await mkdir(join(folder, "statement"), { recursive: true })
  await mkdir(join(folder, "plain"))
  await new LogWalk(source, null).to(head)
  const lines = createWriteStream(join(folder, "plain", "entries.ndjson"))
  for await (const bundle of provedBundles(source, head))
    for (const { bytes } of bundle)
      if (!lines.write(Buffer.concat([bytes, Buffer.from("\n")]))) await once(lines, "drain")
  lines.end()
  await once(lines, "finish")
  await writeFile(join(folder, "mirror", "checkpoint"), head.note)
  await writeFile(join(folder, "policy"), house.log.policy)
  const held = await incidentOf(house, incident)
  const result = JSON.stringify(await resultOf(house, held))
  await writeFile(join(folder, "result.json"), result)
  await writeFile(join(folder, "plain", "result.json"), result)
  for (const { name, bytes } of await signedFiles(house, held)) {
    await writeFile(join(folder, "statement", name), bytes)
    await writeFile(join(folder, "plain", name), bytes)
  }
  return head.size
}

const { version } = process
console.log(
  `${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${cpus()[0]?.model ?? ""}, load ${loadavg()[0]?.toFixed(1) ?? ""}, Node ${version}`,
)
row(heads)
console.log(`|${heads.map(() => "---").join("|")}|`)
for (const releases of sizes) await measure(releases)
