import { Option, type Command } from "commander"
import { mkdir } from "node:fs/promises"
import { Fault } from "../fault.ts"
import type { Box } from "../picture/level.ts"
import { Answering } from "./answering.ts"
import { contextOf, listQuery } from "./context.ts"
import { countsCommand, laneIdOf } from "./capture-counts.ts"
import { storeDelivery } from "./draw.ts"
import { propose } from "./motions.ts"
import { answer, table } from "./say.ts"
import { endOf } from "./times.ts"

type Listed = Readonly<Record<string, string | number | object | null>> & { readonly id: string }

const columns = ["id", "hour", "lane", "kind", "sequence", "size_bytes", "plates_found"] as const

/** capture: ls, show, reveal. Lists never carry an image. */
export function captureCommands(program: Command): void {
  const capture = program.command("capture").description("captures: list, show, reveal one under a case")
  capture
    .command("ls")
    .option("--lane <lane>", "its id or name")
    .option("--hour <hour>", "of the port's clock: 2026-11-24T21")
    .addOption(
      new Option("--has <what>", "what the examination found; no-plate: what L2 shows nothing of").choices([
        ...["plate", "no-plate", "face", "no-face", "examination", "no-examination"],
      ]),
    )
    .action(async (options: { lane?: string; hour?: string; has?: string }, self: Command) => {
      const { client, voice, globals } = await contextOf(self)
      const bound = (text: string | undefined) => (text === undefined ? undefined : endOf(text, Date.now()))
      const query = listQuery(globals, {
        lane: await laneIdOf(client, options.lane),
        hour: options.hour,
        has: options.has,
        since: bound(globals.since),
        until: bound(globals.until),
      })
      const page = await client.json<{ data: Listed[]; has_more: boolean }>({
        method: "GET",
        path: `/v1/captures${query}`,
      })
      const rows = page.data.map(row => columns.map(column => String(row[column] ?? "–")))
      const more = page.has_more ? ["more: --limit 200, or --since"] : []
      answer(
        voice,
        page,
        page.data.length === 0
          ? [
              options.has === undefined
                ? "no capture here: sallyport lane send DIR"
                : `none: has ${options.has}`,
            ]
          : [...table(columns, rows), ...more],
      )
    })
  capture.command("show <id>").action(async (id: string, _options: unknown, self: Command) => {
    const { client, voice } = await contextOf(self)
    const shown = await client.json<Listed>({ method: "GET", path: `/v1/captures/${encodeURIComponent(id)}` })
    answer(
      voice,
      shown,
      Object.entries(shown).map(
        ([field, value]) =>
          `${field.padEnd(14)} ${typeof value === "object" && value !== null ? JSON.stringify(value) : (value ?? "–")}`,
      ),
    )
  })
  countsCommand(capture)
  revealCommand(capture)
  boxesCommand(capture)
}

function boxesCommand(capture: Command): void {
  capture
    .command("boxes <id>")
    .description(
      "propose where its plates and faces are, in place of what was found; a second person signs it",
    )
    .option("--plate <x,y,width,height...>", "in pixels of the upright picture; none: it shows no plate")
    .option("--face <x,y,width,height...>", "faces that were not found; they hide at L2, and show at L3")
    .action(async (id: string, options: { plate?: string[]; face?: string[] }, self: Command) => {
      const plates = (options.plate ?? []).map(boxOf)
      const faces = (options.face ?? []).map(boxOf)
      await propose(await contextOf(self), "set-boxes", { capture: id, plates, faces })
    })
}

function boxOf(text: string): Box {
  const [x_px = 0, y_px = 0, width_px = 0, height_px = 0] = text.split(",").map(Number)
  if (!/^\d{1,5}(,\d{1,5}){3}$/.test(text))
    throw new Fault("INVALID", `${text} is no box: left,top,width,height in pixels, such as 451,564,154,78`)
  return { x_px, y_px, width_px, height_px }
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
        const context = await contextOf(self)
        const { voice } = context
        const statement = { grant: options.case, capture: id, level: options.level }
        const response = await new Answering(context).send({
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
