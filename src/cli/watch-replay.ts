import { Fault } from "../fault.ts"
import type { Model } from "../watch/model.ts"
import { ObjectEvents } from "../watch/object-events.ts"
import { Replay, type Replayed } from "../watch/replay.ts"
import { readLog, Refusals, wholeText } from "./request-log.ts"
import { answer, table, tell, type Voice } from "./say.ts"
import { readTruth, scoreLines, scoreOf, type Score } from "./watch-score.ts"

export interface ReplayFlags {
  /** `false` with --no-hard. */
  readonly hard: boolean
  readonly score?: true
  readonly cloudtrail?: true
}

interface Work {
  readonly files: readonly string[]
  readonly flags: ReplayFlags
  readonly model: Model
}

/** A file's replay, and what of it could not be read. */
interface Done {
  readonly replay: Replay
  readonly given: readonly boolean[]
  /** Names of people where the log has names. */
  readonly names: readonly string[]
  readonly notes: readonly string[]
}

/** @returns the exit code: 0, or 10 when lines were refused. With several files each is a vault of its own. */
export async function replayFiles(voice: Voice, { files, flags, model }: Work): Promise<number> {
  if (flags.cloudtrail === true && flags.score === true)
    throw new Fault("INVALID", "CloudTrail's events carry no truth to score against")
  const refusals = new Refusals()
  for (const file of files) {
    const done =
      flags.cloudtrail === true
        ? await replayObjects(file, model, refusals)
        : await replayLog(file, { flags, model, refusals })
    for (const note of done.notes) tell(voice, note)
    const score =
      flags.score === true ? scoreOf(done.replay.people(), await readTruth(file), done.given) : null
    say(voice, { ...done, file: files.length > 1 ? file : null, score })
  }
  for (const line of refusals.lines()) tell(voice, line)
  return refusals.size === 0 ? 0 : 10
}

async function replayLog(
  file: string,
  { flags, model, refusals }: { flags: ReplayFlags; model: Model; refusals: Refusals },
): Promise<Done> {
  const layers = flags.hard ? "both" : "watch alone"
  const replay = new Replay({ model, layers, orders: "known" })
  const given: boolean[] = []
  let seq = 0
  for await (const { number, line } of readLog(file)) {
    if (line.k === "refused") {
      refusals.add(file, number, line.code)
      if (line.kind === "req") seq += 1
    }
    if (line.k === "principal") replay.person(line.principal, line.organization, line.zone_h)
    if (line.k === "wo") replay.order(line.order)
    if (line.k !== "req") continue
    const { isGiven } = replay.request(line.request, seq)
    if (flags.score === true) given[seq] = isGiven
    seq += 1
  }
  return { replay, given, names: [], notes: [] }
}

/** Events of an object store: JSON lines, or one document with `Records`. */
async function replayObjects(file: string, model: Model, refusals: Refusals): Promise<Done> {
  const replay = new Replay({ model, layers: "watch alone", orders: "unknown" })
  const events = new ObjectEvents()
  let [seq, others] = [0, 0]
  for (const { number, event } of eventsOf(await wholeText(file))) {
    const read = events.read(event)
    if (read.k === "refused") refusals.add(file, number, event === null ? "LINE_JSON" : "LINE_FIELD")
    if (read.k === "other") others += 1
    if (read.k === "req") replay.request(read.request, seq++)
  }
  const notes = others === 0 ? [] : [`${file}: ${others} events that read no object were passed over`]
  return { replay, given: [], names: events.people, notes }
}

interface NumberedEvent {
  /** Of the line, or of the record, from 1. */
  readonly number: number
  readonly event: unknown
}

function eventsOf(text: string): NumberedEvent[] {
  const whole = parsed(text)
  if (typeof whole === "object" && whole !== null && "Records" in whole && Array.isArray(whole.Records))
    return whole.Records.map((event: unknown, i) => ({ number: i + 1, event }))
  return text
    .split("\n")
    .flatMap((line, i) => (line.trim() === "" ? [] : [{ number: i + 1, event: parsed(line) }]))
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return null
  }
}

interface Said extends Done {
  readonly file: string | null
  readonly score: Score | null
}

function say(voice: Voice, { replay, names, file, score }: Said): void {
  const people = replay.people()
  const nameOf = ({ principal }: Replayed) => names[principal] ?? principal
  const principals = people.map(person => ({
    principal: nameOf(person),
    org: person.organization,
    requests: person.requests,
    let_through: person.images.size,
    step_up_seq: person.stepUp_seq,
    suspended_seq: person.suspended_seq,
  }))
  const document = { principals, vendor_days: replay.vendorDays }
  const rows = people.map(person => [
    nameOf(person),
    person.organization,
    person.requests,
    person.images.size,
    person.denied,
    person.stepUps,
    person.stepUp_seq ?? "–",
    person.suspended_seq ?? "–",
    person.why ?? "",
  ])
  const heads = [
    "person",
    "org",
    "requests",
    "let through",
    "denied",
    "asked",
    "first asked",
    "suspended",
    "why",
  ]
  answer(voice, score === null ? document : { ...document, score }, [
    ...(file === null ? [] : [`${file}`]),
    ...table(heads, rows),
    `${people.length} people, ${replay.vendorDays} vendor-days; step-ups are taken to be answered`,
    ...(score === null ? [] : scoreLines(score)),
  ])
}
