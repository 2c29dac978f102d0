import { Option, type Command } from "commander"
import { readFile } from "node:fs/promises"
import { fromBase64 } from "../bytes.ts"
import { armFailpoint } from "../failpoint.ts"
import { Fault } from "../fault.ts"
import { Agent } from "../lane/agent.ts"
import { openHealthDoor, type LaneHealth } from "../lane/health-door.ts"
import type { Shot } from "../lane/seal.ts"
import { PushedDoor } from "../lane/pushed.ts"
import { sourceKinds, understandAs, type SourceKind } from "../lane/understand.ts"
import { Watch } from "../lane/watch.ts"
import type { Mapping } from "../reading/mapping.ts"
import { addressOf } from "./address.ts"
import { globalsOf } from "./context.ts"
import { readKeyFile } from "./keyfile.ts"
import { pinnedLogs } from "./log-key.ts"
import { answer, tell } from "./say.ts"

/** What both forms of the agent take. */
interface AgentOptions {
  readonly spool: string
  readonly spoolMb: string
  readonly spoolFiles: string
  readonly policy?: string
  readonly health: string
  readonly longestWait: string
  readonly enclosure?: string
  readonly nextNumber?: string
  readonly canaries?: string
  readonly canaryPictures?: string
}

interface WatchOptions extends AgentOptions {
  readonly after: "delete" | "keep-list"
  readonly capturedAt: "mtime" | "now"
  readonly settle: string
}

interface ServeOptions extends AgentOptions {
  readonly listen: string
  readonly reader: SourceKind
  readonly zone?: string
  readonly mapping?: string
  readonly boxUnit?: "pixels" | "thousandths"
  readonly badClock: "arrival" | "refuse"
  readonly badPicture: "leave-out" | "refuse"
  readonly insecureLan?: true
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly from?: readonly string[]
  readonly atOnce: string
  readonly eventMb: string
}

const loopback = ["127.0.0.1", "::1", "localhost"]
const defaultHealth = "127.0.0.1:7301"
/** The vault takes captures of the last 14 days: what a keep-list must remember of pictures that stay. */
const remembered = { most: 131_072, least_s: 15 * 86_400 }

/** lane watch, lane serve, lane health: the agent beside a reader, with public keys and the reader's own. */
export function agentCommands(lane: Command): void {
  watchCommand(lane)
  serveCommand(lane)
  lane
    .command("health")
    .description(
      "with a person's --key: how the vault sees each reader; else what an agent on this machine says of itself, which exits with 75 while it acknowledges no reader",
    )
    .option("--agent <host:port>", `an agent's --health; without a person's key ${defaultHealth}`)
    .action(async ({ agent }: { readonly agent?: string }, self: Command) => {
      if (agent !== undefined || !(await isPersons(globalsOf(self).key)))
        process.exitCode = await showHealth(agent ?? defaultHealth, self)
      // An agent's small program loads this only when it is asked for.
      else await (await import("./lane-health.ts")).showReaders(self)
    })
}

function watchCommand(lane: Command): void {
  agentOptions(lane.command("watch <folder>"))
    .description("an agent that seals the pictures of a camera folder as they come, spools and sends them")
    .addOption(
      new Option("--after <what>", "what becomes of a picture that was taken")
        .choices(["delete", "keep-list"])
        .makeOptionMandatory(),
    )
    .addOption(
      new Option("--captured-at <when>", "the file's own time, or when it is taken")
        .choices(["mtime", "now"])
        .default("mtime"),
    )
    .option("--settle <seconds>", "a picture is whole when it stayed the same that long", "2")
    .action((folder: string, options: WatchOptions, self: Command) => watch(folder, options, self))
}

function serveCommand(lane: Command): void {
  agentOptions(lane.command("serve"))
    .description(
      "an agent that takes the events that a reader pushes over HTTP, seals, spools and sends them",
    )
    .addOption(
      new Option("--reader <kind>", "whose events they are; picture: a bare picture each")
        .choices(sourceKinds)
        .makeOptionMandatory(),
    )
    .option("--listen <host:port>", "where the reader pushes to", "127.0.0.1:7302")
    .option("--zone <zone>", "of the reader's clock, for times without one: Europe/Zagreb or +08:00")
    .addOption(
      new Option("--box-unit <unit>", "of a Hikvision's boxes; without it they are left out").choices([
        "pixels",
        "thousandths",
      ]),
    )
    .option("--mapping <file>", "JSON: where a generic reader's fields lie (docs/readers.md)")
    .addOption(
      new Option(
        "--bad-clock <what>",
        "a time that cannot be right: the time of arrival, or the event is refused",
      )
        .choices(["arrival", "refuse"])
        .default("arrival"),
    )
    .addOption(
      new Option("--bad-picture <what>", "a broken picture: the event goes on without it, or is refused")
        .choices(["leave-out", "refuse"])
        .default("leave-out"),
    )
    .option("--insecure-lan", "listen beyond loopback without TLS: the lane's network is trusted")
    .option("--tls-cert <file>", "PEM")
    .option("--tls-key <file>", "PEM")
    .option("--from <address...>", "take events of these addresses only")
    .option("--at-once <number>", "events that are sealed at once, 1 to 64", "4")
    .option("--event-mb <number>", "the largest event, 1 to 64 MB", "16")
    .action((options: ServeOptions, self: Command) => serve(options, self))
}

function agentOptions(command: Command): Command {
  return command
    .requiredOption("--spool <dir>", "where captures wait, sealed; one agent each")
    .option("--spool-mb <number>", "the most that waits, MB, 1 to 4,000,000", "16000")
    .option("--spool-files <number>", "the most captures that wait, 1 to 1,000,000", "100000")
    .option("--policy <file>", "with the log's key, where the reader's key file has none")
    .option("--health <host:port>", "GET /health and /metrics, on loopback", defaultHealth)
    .option("--longest-wait <seconds>", "between two tries to send, 1 to 3,600", "60")
    .option("--enclosure <file>", "says 1 while the cabinet is open, such as a GPIO line's value")
    .option(
      "--canaries <file>",
      "a plan of sallyport canary plan: its canaries are taken in among the others",
    )
    .option(
      "--canary-pictures <folder>",
      "staged at this site, one for each canary; without it they are drawn",
    )
    .option("--next-number <number>", "the reader's next number, where the spool that knew it is lost")
}

async function watch(folder: string, options: WatchOptions, command: Command): Promise<void> {
  const { after, capturedAt } = options
  if (after === "keep-list" && capturedAt === "now")
    throw new Fault("INVALID", "--captured-at now goes with --after delete: what stays would be dated anew")
  const agent = await openAgent(options, command, after === "keep-list" ? remembered.least_s : 0)
  const { intake, health } = agent
  const settle_ms = 1000 * whole(options.settle, "--settle", [0, 3600])
  const source = new Watch({
    ...{ folder, after, capturedAt, settle_ms, every_ms: 500, intake, health },
    identify: agent.identify,
    clock: Date.now,
  })
  await runAgent(agent, options, { command, source, where: folder })
}

async function serve(options: ServeOptions, command: Command): Promise<void> {
  const address = addressOf(options.listen)
  const tls = await tlsOf(options)
  if (!loopback.includes(address.host) && tls === null && options.insecureLan !== true)
    throw new Fault("PLAIN_HTTP", "beyond loopback readers are heard with TLS only", {
      next: "--tls-cert FILE --tls-key FILE, or --insecure-lan on a network that only readers are on",
    })
  const mapping = await mappingOf(options)
  const agent = await openAgent(options, command, 0)
  const door = await PushedDoor.open({
    ...{ ...address, tls, from: options.from ?? null },
    atOnce: whole(options.atOnce, "--at-once", [1, 64]),
    most_bytes: 1_048_576 * whole(options.eventMb, "--event-mb", [1, 64]),
    understand: understandAs({
      kind: options.reader,
      zone: options.zone ?? null,
      boxUnit: options.boxUnit ?? null,
      ...{ badClock: options.badClock, badPicture: options.badPicture, mapping, health: agent.health },
    }),
    ...{ identify: agent.identify, intake: agent.intake, health: agent.health, clock: Date.now },
  })
  await runAgent(agent, options, { command, source: sourceOf(door), where: door.url })
}

/** A door runs by itself until it is closed. */
function sourceOf(door: PushedDoor): Source {
  let end: () => void = () => undefined
  const ended = new Promise<void>(resolve => (end = resolve))
  return { run: () => ended, end: () => void door.close().then(end) }
}

async function mappingOf({ reader, mapping }: ServeOptions): Promise<Mapping | null> {
  if ((reader === "generic") !== (mapping !== undefined))
    throw new Fault("INVALID", "--reader generic and --mapping FILE go together")
  if (mapping === undefined) return null
  const text = await readFile(mapping, "utf8").catch((cause: unknown) => {
    throw new Fault("CONFIG", "the mapping cannot be read", { cause })
  })
  // Only who maps pays for the memory of a schema's checker.
  const { parseMapping } = await import("../reading/mapping.ts")
  try {
    return parseMapping(JSON.parse(text))
  } catch (cause) {
    if (cause instanceof Fault) throw cause
    throw new Fault("CONFIG", "the mapping is not JSON", { cause })
  }
}

async function tlsOf({ tlsCert, tlsKey }: ServeOptions): Promise<{ cert: Buffer; key: Buffer } | null> {
  if (tlsCert === undefined && tlsKey === undefined) return null
  if (tlsCert === undefined || tlsKey === undefined)
    throw new Fault("INVALID", "--tls-cert and --tls-key go together")
  const [cert, key] = await Promise.all([readFile(tlsCert), readFile(tlsKey)]).catch((cause: unknown) => {
    throw new Fault("CONFIG", "the TLS certificate or key cannot be read", { cause })
  })
  return { cert, key }
}

async function openAgent(options: AgentOptions, command: Command, least_s: number): Promise<Agent> {
  armFailpoint(process.env.SALLYPORT_FAILPOINT ?? "")
  const globals = globalsOf(command)
  const keyFile = globals.key ?? ""
  const key = await readKeyFile(keyFile)
  const custodian = fromBase64(key.notes.custodian ?? "")
  const { port, lane } = key.notes
  if (custodian?.length !== 32 || port === undefined || lane === undefined)
    throw new Fault("CONFIG", "this is no reader's key file: sallyport reader enroll makes one")
  const { nextNumber } = options
  return Agent.open({
    reader: { vault: key.vault, port, lane, reader: key.id, signer: key.signer },
    custodian,
    logs: await pinnedLogs(key, options.policy),
    server: globals.server,
    spool: {
      folder: options.spool,
      most_bytes: 1_000_000 * whole(options.spoolMb, "--spool-mb", [1, 4_000_000]),
      most_files: whole(options.spoolFiles, "--spool-files", [1, 1_000_000]),
      remembered: { ...remembered, least_s },
    },
    sequenceFile: `${keyFile}.sequence`,
    nextNumber: nextNumber === undefined ? null : whole(nextNumber, "--next-number", [1, 10 ** 14]),
    longestWait_ms: 1000 * whole(options.longestWait, "--longest-wait", [1, 3600]),
    usb: "/sys/bus/usb/devices",
    enclosure: options.enclosure ?? null,
    clock: Date.now,
  })
}

/** Where pictures come from. */
interface Source {
  /** Resolves after `end`, when nothing is under way any more. */
  run(): Promise<void>
  end(): void
}

/** Runs until SIGTERM or SIGINT, or until the spool stops: then the process ends, and whoever started it starts it again. */
async function runAgent(
  agent: Agent,
  options: AgentOptions,
  { command, source, where }: { command: Command; source: Source; where: string },
): Promise<void> {
  const door = await openHealthDoor(agent, addressOf(options.health))
  // Before the line that says it listens: whoever reads that line may end it.
  let end: () => void = () => undefined
  const ended = new Promise<void>(resolve => (end = resolve))
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => end())
  const { spool } = agent
  tell(
    globalsOf(command),
    `sallyport agent listening ${where} health ${door.url} waiting=${spool.files} numbered=${spool.numbered} settled=${spool.settled}`,
  )
  const running = source.run()
  const planting = new AbortController()
  const planted = plantCanaries(agent, options, planting.signal)
  try {
    await Promise.race([running, agent.run(), ended])
  } finally {
    source.end()
    planting.abort()
    await running.catch(() => undefined)
    await planted
    await door.close()
    await agent.close()
  }
}

/** Takes a plan's canaries in as the lane's pictures are. What goes wrong there never stops the lane. */
async function plantCanaries(
  { intake, identify, options: { reader, clock } }: Agent,
  { canaries: file, canaryPictures }: AgentOptions,
  signal: AbortSignal,
): Promise<void> {
  if (file === undefined) return
  // Only who plants pays for the memory of what draws.
  const { plantForAgent } = await import("./canary-agent.ts")
  const put = async (shot: Shot) => {
    const taken = await intake.take(identify("canary", shot.capture ?? ""), shot)
    return taken.kind === "taken"
  }
  await plantForAgent({ file, folder: canaryPictures, planting: { reader, put, clock, signal } })
}

/** Whether the key file is a person's; a reader's asks nothing of the vault. */
async function isPersons(file: string | undefined): Promise<boolean> {
  return file !== undefined && (await readKeyFile(file)).id.startsWith("per_")
}

async function showHealth(at: string, command: Command): Promise<number> {
  const { host, port } = addressOf(at)
  const response = await fetch(`http://${host}:${port}/health`, {
    signal: AbortSignal.timeout(10_000),
  }).catch((cause: unknown) => {
    throw new Fault("NO_SERVER", `no agent answers at ${at}`, { cause })
  })
  const health = (await response.json()) as LaneHealth
  const { spool, sequence, counters } = health
  answer(globalsOf(command), health, [
    `${health.state.toUpperCase()}  reader ${health.reader}, lane ${health.lane}`,
    `spool    ${spool.files} captures, ${spool.bytes} of ${spool.most_bytes} bytes, oldest ${spool.oldest_s ?? 0} s; ${spool.refused_files} refused and kept`,
    `numbers  ${sequence.numbered} used, ${sequence.settled} settled, ${health.gaps.length} gaps`,
    `since    ${health.started_at}: ${counters.captures_spooled} spooled, ${counters.captures_admitted} admitted, ${counters.events_put_off} put off`,
    ...health.alarms.map(({ alarm, since }) => `ALARM    ${alarm} since ${since}`),
  ])
  return health.state === "refusing" ? 75 : 0
}

function whole(text: string, option: string, [least, most]: readonly [number, number]): number {
  const number = /^\d{1,15}$/.test(text) ? Number(text) : NaN
  if (number >= least && number <= most) return number
  throw new Fault("INVALID", `${option} is a whole number from ${least} to ${most}`)
}
