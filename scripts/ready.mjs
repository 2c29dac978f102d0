// Makes a checkout ready: installs what package-lock.json names, builds what src/ holds; each only when it changed.
// Uses nothing but Node, since it runs before anything is installed.
import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"

const lockWait_ms = 300_000

/** @param {{ root: string, bench?: boolean }} options */
export async function ready({ root, bench = false }) {
  assertNode()
  const install = stampOf([
    process.version,
    process.platform,
    process.arch,
    readFileSync(join(root, "package-lock.json")),
  ])
  const sources = stampOf(
    filesOf(root, "src")
      .concat(filesOf(root, "console"))
      .concat(["tsconfig.json", "tsconfig.build.json", "console/vite.config.js"])
      .map(file => [file, readFileSync(join(root, file))])
      .flat(),
  )
  const isInstalled = () => read(join(root, "node_modules/.sallyport-stamp")) === install
  const isBuilt = () => read(join(root, "dist/.stamp")) === sources
  const isBenchBuilt = () => !bench || read(join(root, "dist-bench/.stamp")) === benchStamp(root)
  if (isInstalled() && isBuilt() && isBenchBuilt()) return
  await withLock(join(root, ".ready-lock"), () => {
    if (!isInstalled()) {
      say("installing dependencies (npm ci), about 30 s the first time")
      run(root, "npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"])
      writeFileSync(join(root, "node_modules/.sallyport-stamp"), install)
    }
    if (!isBuilt()) build(root, { config: "tsconfig.build.json", folder: "dist", stamp: sources })
    if (!isBenchBuilt())
      build(root, { config: "tsconfig.bench.json", folder: "dist-bench", stamp: benchStamp(root) })
  })
}

function benchStamp(root) {
  return stampOf(
    ["src", "bench"]
      .flatMap(folder => filesOf(root, folder))
      .map(file => [file, readFileSync(join(root, file))])
      .flat(),
  )
}

/** Builds beside, then renames: whoever runs meanwhile never sees half a folder. */
function build(root, { config, folder, stamp }) {
  say(`building ${folder}`)
  const beside = join(root, `.${folder}-${process.pid}.tmp`)
  run(root, process.execPath, ["node_modules/typescript/bin/tsc", "-p", config, "--outDir", beside])
  if (folder === "dist") {
    const page = [
      "--config",
      "console/vite.config.js",
      "--outDir",
      join(beside, "console"),
      "--logLevel",
      "warn",
    ]
    run(root, process.execPath, ["node_modules/vite/bin/vite.js", "build", ...page])
  }
  writeFileSync(join(beside, ".stamp"), stamp)
  const old = `${beside}.old`
  if (existsSync(join(root, folder))) renameSync(join(root, folder), old)
  renameSync(beside, join(root, folder))
  rmSync(old, { recursive: true, force: true })
}

function assertNode() {
  const [major, minor] = process.versions.node.split(".").map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return
  fail(`Sallyport needs Node 20.19 or newer; this is ${process.version}`)
}

function filesOf(root, folder) {
  return readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter(entry => entry.isFile() && entry.name.endsWith(".ts") && !entry.name.endsWith(".test.ts"))
    .map(entry =>
      join(entry.parentPath ?? entry.path, entry.name)
        .slice(root.length)
        .replace(/^[/\\]/, ""),
    )
    .sort()
}

function stampOf(parts) {
  const hash = createHash("sha256")
  for (const part of parts) hash.update(part).update("\0")
  return hash.digest("hex")
}

function read(file) {
  return existsSync(file) ? readFileSync(file, "utf8") : null
}

/** One at a time: a folder is the lock, taken over once it is five minutes old. */
async function withLock(lock, work) {
  for (const start = Date.now(); ;) {
    try {
      mkdirSync(lock)
      break
    } catch {
      const age_ms = existsSync(lock) ? Date.now() - statSync(lock).mtimeMs : 0
      if (age_ms > lockWait_ms) rmSync(lock, { recursive: true, force: true })
      else if (Date.now() - start > lockWait_ms)
        fail(`another process is making this checkout ready; if none is, remove ${lock}`)
      await new Promise(resolve => setTimeout(resolve, 250))
    }
  }
  try {
    work()
  } finally {
    rmSync(lock, { recursive: true, force: true })
  }
}

function run(root, command, parameters) {
  // onnxruntime-node would fetch a library for graphics cards; the one for processors is in its package.
  const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: "skip" }
  const { status, error } = spawnSync(command, parameters, { cwd: root, env, stdio: ["ignore", 2, 2] })
  if (status !== 0) {
    rmSync(join(root, ".ready-lock"), { recursive: true, force: true })
    fail(
      `${command} ${parameters.slice(0, 2).join(" ")} failed${error === undefined ? "" : `: ${error.message}`}; nothing was started`,
    )
  }
}

function say(text) {
  process.stderr.write(`sallyport: ${text}\n`)
}

function fail(text) {
  process.stderr.write(`sallyport: ${text}\n`)
  process.exit(1)
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await ready({
    root: fileURLToPath(new URL("..", import.meta.url)),
    bench: process.argv.includes("--bench"),
  })
}
