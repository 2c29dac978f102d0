import type { Command } from "commander"
import { mkdir } from "node:fs/promises"
import { contextOf, listQuery } from "./context.ts"
import { storeDelivery } from "./draw.ts"
import { answer, table } from "./say.ts"
import { endOf } from "./times.ts"

type Listed = Readonly<Record<string, string | number | null>> & { readonly id: string }

const columns = ["id", "hour", "lane", "kind", "sequence", "size_bytes", "plates_found"] as const

/** capture: ls, show, reveal. Lists never carry an image. */
export function captureCommands(program: Command): void {
  const capture = program.command("capture").description("captures: list, show, reveal one under a case")
  capture
    .command("ls")
    .option("--lane <lane>")
    .action(async (options: { lane?: string }, self: Command) => {
      const { client, voice, globals } = await contextOf(self)
      const bound = (text: string | undefined) => (text === undefined ? undefined : endOf(text, Date.now()))
      const query = listQuery(globals, {
        lane: options.lane,
        since: bound(globals.since),
        until: bound(globals.until),
      })
      const page = await client.json<{ data: Listed[]; has_more: boolean }>({
        method: "GET",
        path: `/v1/captures${query}`,
      })
      const rows = page.data.map(row => columns.map(column => row[column] ?? "–"))
      const more = page.has_more ? ["more: --limit 200, or --since"] : []
      answer(
        voice,
        page,
        page.data.length === 0
          ? ["no capture here: sallyport lane send DIR"]
          : [...table(columns, rows), ...more],
      )
    })
  capture.command("show <id>").action(async (id: string, _options: unknown, self: Command) => {
    const { client, voice } = await contextOf(self)
    const shown = await client.json<Listed>({ method: "GET", path: `/v1/captures/${encodeURIComponent(id)}` })
    answer(
      voice,
      shown,
      Object.entries(shown).map(([field, value]) => `${field.padEnd(14)} ${value ?? "–"}`),
    )
  })
  revealCommand(capture)
}

function revealCommand(capture: Command): void {
  capture
    .command("reveal <id>")
    .description(
      "look at one capture, under a case; the reason is committed to in the log before the picture exists",
    )
    .requiredOption("--case <case>")
    .requiredOption("--reason <text>", "at least 15 characters; kept apart from the log")
    .option("--level <level>", "L1 to L4", "L2")
    .requiredOption("--out <folder>")
    .action(
      async (
        id: string,
        options: { case: string; reason: string; level: string; out: string },
        self: Command,
      ) => {
        const { client, voice } = await contextOf(self)
        const statement = { grant: options.case, capture: id, level: options.level }
        const response = await client.send({
          method: "POST",
          path: "/v1/reveals",
          statement,
          names: { reason: options.reason },
        })
        await mkdir(options.out, { recursive: true })
        const shown = await storeDelivery(response, { capture: id, folder: options.out })
        answer(voice, shown, [
          `${shown.file} and its receipt in ${options.out}; permit is log entry ${shown.permit}`,
        ])
      },
    )
}
