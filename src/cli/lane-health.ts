import type { Command } from "commander"
import type { ReaderHealth } from "../custody/lane-health.ts"
import { contextOf } from "./context.ts"
import { answer } from "./say.ts"

/** How the vault sees each reader. */
export async function showReaders(command: Command): Promise<void> {
  const { client, voice } = await contextOf(command)
  const health = await client.json<{ data: ReaderHealth[] }>({ method: "GET", path: "/v1/lanes/health" })
  const lines = health.data.flatMap(readerLines)
  answer(voice, health, lines.length === 0 ? ["no reader yet: sallyport reader enroll"] : lines)
}

export function readerLines(reader: ReaderHealth): string[] {
  const { report, heard_ago_s } = reader
  const heard = heard_ago_s === null ? "never heard of" : `heard of ${spanOf(heard_ago_s)} ago`
  const alerts = reader.open_alerts.map(what => `  ALERT    ${what}`)
  const name = `${reader.state.toUpperCase()}  ${reader.lane_name}, ${reader.reader_name} (${reader.reader})`
  if (report === null)
    return [
      name,
      `  heard    ${heard}; its agent never reported; last number ${reader.last_sequence}`,
      ...alerts,
    ]
  const missing = report.gaps.reduce((sum, [from = 0, to = 0]) => sum + to - from + 1, 0)
  return [
    name,
    `  heard    ${heard}; clock ${Math.round(report.clock_offset_ms / 1000)} s from the vault's`,
    `  spool    ${report.waiting} captures, ${report.waiting_bytes} bytes, oldest ${spanOf(report.oldest_s)}; ${report.refused} refused and kept`,
    `  numbers  ${report.numbered} used, ${report.settled} settled, ${missing} missing; ${reader.last_sequence} admitted last`,
    ...report.alarms.map(alarm => `  ALARM    ${alarm}`),
    ...alerts,
  ]
}

function spanOf(seconds: number): string {
  if (seconds < 120) return `${seconds} s`
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`
}
