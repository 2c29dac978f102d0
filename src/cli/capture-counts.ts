import type { Command } from "commander"
import { Fault } from "../fault.ts"
import { isId } from "../ids.ts"
import type { Client } from "./client.ts"
import { contextOf } from "./context.ts"
import { answer, table } from "./say.ts"
import { endOf } from "./times.ts"

interface Counted {
  readonly lane: string
  readonly first_hour: string | null
  readonly last_heard_at: string | null
  readonly hours: readonly { readonly hour: string; readonly captures: number }[]
}

interface Lane {
  readonly id: string
  readonly name: string
}

/** The id of the lane that a person names. @throws Fault NOT_FOUND, or INVALID where two ports have one of that name. */
export async function laneIdOf(client: Client, text: string | undefined): Promise<string | undefined> {
  if (text === undefined || isId(text, "lan")) return text
  const found = (await lanesOf(client)).filter(lane => lane.name === text)
  const [lane] = found
  if (lane === undefined) throw new Fault("NOT_FOUND", `there is no lane ${text}: sallyport lane ls`)
  if (found.length > 1)
    throw new Fault("INVALID", `${found.length} lanes have the name ${text}; give an id`, {
      next: `--lane ${lane.id}`,
    })
  return lane.id
}

async function lanesOf(client: Client): Promise<Lane[]> {
  const lanes: Lane[] = []
  for (let cursor: string | null = ""; cursor !== null;) {
    const more: string = cursor === "" ? "" : `&cursor=${cursor}`
    const page: { data: Lane[]; next_cursor: string | null } = await client.json({
      method: "GET",
      path: `/v1/lanes?limit=200${more}`,
    })
    lanes.push(...page.data)
    cursor = page.next_cursor
  }
  return lanes
}

/** capture counts: how many captures each lane made in each hour. */
export function countsCommand(capture: Command): void {
  capture
    .command("counts")
    .description("captures by lane and hour of the port, exact; the last 24 hours without --since")
    .option("--lane <lane>", "its id or name")
    .action(async (options: { lane?: string }, self: Command) => {
      const { client, voice, globals } = await contextOf(self)
      const until = endOf(globals.until ?? "now", Date.now())
      const since =
        globals.since === undefined
          ? new Date(Date.parse(until) - 86_400_000).toISOString()
          : endOf(globals.since, Date.now())
      const lane = await laneIdOf(client, options.lane)
      const query = new URLSearchParams({ since, until, ...(lane === undefined ? {} : { lane }) })
      const counted = await client.json<{ data: Counted[] }>({
        method: "GET",
        path: `/v1/capture-counts?${query}`,
      })
      const names = new Map((await lanesOf(client)).map(each => [each.id, each.name]))
      const isTerminal = process.stdout.isTTY
      answer(voice, counted, countLines(counted.data, { names, since, until, isTerminal }))
    })
}

const blocks = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]

/**
 * A row for each hour, a column for each lane. `0`: the lane was heard of and had none; `–`: nothing is known, since the lane
 * was not there yet or was not heard of since.
 */
export function countLines(
  counted: readonly Counted[],
  of: {
    readonly names: ReadonlyMap<string, string>
    readonly since: string
    readonly until: string
    readonly isTerminal: boolean
  },
): string[] {
  if (counted.length === 0) return ["no lane yet: sallyport lane add"]
  const all = new Map<string, number>()
  for (const { hour } of counted.flatMap(each => each.hours)) all.set(hour, beginOf(hour))
  const most = Math.max(1, ...counted.flatMap(each => each.hours.map(hour => hour.captures)))
  const between = filled(
    [...all.entries()].sort((a, b) => a[1] - b[1]),
    of,
  )
  if (between.length === 0) return ["no capture in these hours"]
  const rows = between.map(([hour, begin_ms]) => [
    hour,
    ...counted.map(each => {
      const captures = each.hours.find(known => beginOf(known.hour) === begin_ms)?.captures
      return cell(captures ?? (isKnown(each, begin_ms) ? 0 : null), of.isTerminal ? most : null)
    }),
  ])
  const heads = ["hour", ...counted.map(({ lane }) => of.names.get(lane) ?? lane)]
  return table(heads, rows)
}

/** The hours between those that have captures, so that an hour without any is seen. */
function filled(
  hours: readonly (readonly [string, number])[],
  { since, until }: { readonly since: string; readonly until: string },
): (readonly [string, number])[] {
  const [first] = hours
  if (first === undefined) return []
  const known = new Map(hours.map(([hour, begin_ms]) => [begin_ms, hour]))
  const found: (readonly [string, number])[] = []
  const offset_ms = first[1] % 3_600_000
  let [at_ms, offset] = [
    Math.floor((Date.parse(since) - offset_ms) / 3_600_000) * 3_600_000 + offset_ms,
    first[0].slice(13),
  ]
  for (; at_ms < Date.parse(until); at_ms += 3_600_000) {
    const hour = known.get(at_ms)
    offset = hour?.slice(13) ?? offset
    found.push([hour ?? hourAt(at_ms, offset), at_ms])
  }
  return found
}

/** Of an hour without captures, as the port's clock said it last. */
function hourAt(at_ms: number, offset: string): string {
  const [sign, hours, minutes] = [offset[0] === "-" ? -1 : 1, offset.slice(1, 3), offset.slice(4, 6)]
  const local_ms = at_ms + sign * (Number(hours) * 60 + Number(minutes)) * 60_000
  return `${new Date(local_ms).toISOString().slice(0, 13)}${offset}`
}

function beginOf(hour: string): number {
  return Date.parse(`${hour.slice(0, 13)}:00:00${hour.slice(13)}`)
}

function isKnown({ first_hour, last_heard_at }: Counted, begin_ms: number): boolean {
  return (
    first_hour !== null &&
    last_heard_at !== null &&
    begin_ms >= beginOf(first_hour) &&
    begin_ms <= Date.parse(last_heard_at)
  )
}

/** @param most  the highest count, for a block beside the number; `null` without blocks. */
function cell(captures: number | null, most: number | null): string {
  if (captures === null) return "–"
  const number = captures.toLocaleString("en-US")
  if (most === null) return number
  return captures === 0 ? `  ${number}` : `${blocks[Math.ceil((captures / most) * 8) - 1] ?? "█"} ${number}`
}
