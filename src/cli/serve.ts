import { armFailpoint } from "../failpoint.ts"
import { startExaminer } from "../custody/examiner.ts"
import { startWatcher } from "../custody/silence.ts"
import { openMetrics, type Metrics } from "../http/metrics.ts"
import { openServer, type Server } from "../http/server.ts"
import { startOutbox } from "../outbox/outbox.ts"
import { openHouse, type Opened } from "../sallyport.ts"
import { addressOf } from "./address.ts"
import { progress, tell, type Voice } from "./say.ts"
import { version } from "../version.ts"

export interface Served {
  readonly url: string
  readonly opened: Opened
  /** Resolves when the server has drained and closed, after SIGTERM, SIGINT or `close`. */
  readonly ended: Promise<void>
  close(): Promise<void>
}

export interface ServeOptions {
  readonly data: string
  /** HOST:PORT; port 0 takes any free one. */
  readonly listen: string
  readonly voice: Voice
  /** How what somebody must hear of is said on stderr: for a collector, or for a person. Default lines of JSON. */
  readonly notices?: "json" | "sentences"
}

/** Opens a vault and its doors, and says so in one line. */
export async function serve({ data, listen, voice, notices }: ServeOptions): Promise<Served> {
  armFailpoint(process.env.SALLYPORT_FAILPOINT ?? "")
  const { host, port } = addressOf(listen)
  const opened = await openHouse({
    data,
    progress: (done, of) => progress(voice, done, of, "log entries checked"),
    told: ({ severity, sentence }, entry) => {
      if (notices === "sentences")
        return tell(voice, `${severity.toUpperCase().padEnd(8)} ${sentence}, log entry ${entry}`)
      const line = { at: new Date().toISOString(), level: severity, entry, sentence }
      process.stderr.write(`${JSON.stringify(line)}\n`)
    },
  })
  const metrics = await openMetrics(opened.house, { version, port: opened.config.metrics_port })
  const server = await openDoors(opened, { host, port, metrics }).catch(async (error: unknown) => {
    await Promise.all([metrics.close(), opened.close()])
    throw error
  })
  const examiner = startExaminer(opened.house, {
    // One beside each finder, so that none waits for an entry to be stored.
    atOnce: opened.config.finder_processes + 1,
    told: (what, error) =>
      tell(voice, `not examined: ${what}: ${error instanceof Error ? error.message : "unknown"}`),
  })
  const saying = (what: string) => (error: unknown) =>
    tell(voice, `${what}: ${error instanceof Error ? error.message : "unknown"}`)
  const watcher = startWatcher(opened.house, {
    silentAfter_ms: 1000 * opened.config.reader_silent_s,
    told: saying("readers not looked after"),
  })
  const outbox = startOutbox(opened.house, {
    settings: opened.outbox,
    told: saying("destinations not told"),
    attempted: metrics.attempted,
  })
  let isClosing = false
  let end: () => void = () => undefined
  const ended = new Promise<void>(resolve => (end = resolve))
  const close = async () => {
    if (isClosing) return ended
    isClosing = true
    // What is waited for here need not keep the process alive by itself.
    const alive = setInterval(() => tell(voice, "still closing"), 10_000)
    await server.close()
    await Promise.all([examiner.close(), watcher.close(), outbox.close(), metrics.close()])
    await opened.close()
    clearInterval(alive)
    end()
    return ended
  }
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => void close())
  tell(voice, firstLine(opened, server))
  for (const { at, why } of opened.fsck.problems.slice(0, 5))
    tell(voice, `DIFFERS  ${at}: ${why}; nothing is released until log and ledger agree`)
  const { stopped } = opened.house.vault.gate
  if (stopped !== null) tell(voice, `STOPPED  ${stopped}`)
  return { url: server.url, opened, ended, close }
}

function openDoors(
  { house, config, fsck, web }: Opened,
  address: { readonly host: string; readonly port: number; readonly metrics: Metrics },
): Promise<Server> {
  return openServer(house, {
    ...address,
    version,
    openBundles: config.open_bundles,
    rate: { perSecond: config.person_rate_per_s, burst: 10 * config.person_rate_per_s },
    silentAfter_ms: 1000 * config.reader_silent_s,
    standing: { differences: fsck.problems },
    ...{ web, trustedProxies: config.trusted_proxies },
  })
}

function firstLine({ house, fsck, config }: Opened, { url }: Server): string {
  return `sallyport ${version} listening ${url} vault=${house.log.origin} log=${fsck.size} captures=${fsck.counted.captures} ledger=${house.ledger.engine} mode=${config.mode}`
}
