import { spawn, spawnSync, type ChildProcess } from "node:child_process"
import { existsSync, readdirSync } from "node:fs"
import { chmod, chown, mkdtemp, rm } from "node:fs/promises"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import pg from "pg"

export interface TestPostgres {
  /** A database of its own for each call, empty, or as the one at an address is, which nobody may be connected to. */
  newDatabase(like?: string): Promise<string>
  stop(): Promise<void>
}

/** Where the machine's own Postgres programs are, or `null`: tests that need them skip by name. */
export const postgresPrograms: string | null = findPrograms()

function findPrograms(): string | null {
  const installed = existsSync("/usr/lib/postgresql")
    ? readdirSync("/usr/lib/postgresql").map(version => `/usr/lib/postgresql/${version}/bin`)
    : []
  const folders = [...installed, ...(process.env.PATH ?? "").split(delimiter)]
  return (
    folders.find(folder => existsSync(join(folder, "initdb")) && existsSync(join(folder, "postgres"))) ?? null
  )
}

/** Postgres refuses to run as root; there it runs as the system's `nobody`. */
const nobody = 65_534
const isRoot = process.getuid?.() === 0
const identity = isRoot ? { uid: nobody, gid: nobody } : {}

/** Starts a cluster of its own in a temporary folder, on loopback. Ended by its process id. */
export async function startPostgres(): Promise<TestPostgres> {
  if (postgresPrograms === null) throw new Error("no Postgres on this machine")
  const folder = await mkdtemp(join(tmpdir(), "sallyport-postgres-"))
  await chmod(folder, 0o755)
  const data = join(folder, "data")
  if (isRoot) await chown(folder, nobody, nobody)
  const made = spawnSync(
    join(postgresPrograms, "initdb"),
    ["-D", data, "-U", "sallyport", "-A", "trust", "-E", "UTF8", "--no-sync"],
    { ...identity, cwd: "/", encoding: "utf8" },
  )
  if (made.status !== 0) throw new Error(`initdb: ${made.stderr}`)
  const port = await freePort()
  const options = [
    "-D",
    data,
    "-p",
    String(port),
    "-c",
    "listen_addresses=127.0.0.1",
    "-c",
    `unix_socket_directories=${folder}`,
    "-c",
    "max_connections=100",
  ]
  const server = spawn(join(postgresPrograms, "postgres"), options, {
    ...identity,
    cwd: "/",
    stdio: "ignore",
  })
  const url = (database: string) => `postgres://sallyport@127.0.0.1:${port}/${database}`
  await answers(url("postgres"))
  let count = 0
  return {
    newDatabase: async like => {
      const name = `test_${process.pid}_${(count += 1)}`
      const template = like === undefined ? "" : ` template ${new URL(like).pathname.slice(1)}`
      await query(url("postgres"), `create database ${name}${template}`)
      return url(name)
    },
    stop: async () => {
      await ended(server)
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function answers(url: string): Promise<void> {
  for (let left = 200; ; left -= 1) {
    try {
      await query(url, "select 1")
      return
    } catch (error) {
      if (left === 0) throw error
      await new Promise(resolve => setTimeout(resolve, 50))
    }
  }
}

export async function query(url: string, text: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await client.query(text)
  } finally {
    await client.end()
  }
}

function ended(server: ChildProcess): Promise<void> {
  return new Promise(resolve => {
    server.once("exit", () => resolve())
    // Fast shutdown: sessions are ended, nothing is lost.
    server.kill("SIGINT")
  })
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0))
    })
  })
}
