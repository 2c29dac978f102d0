import type { Command } from "commander"
import type { Canary } from "../custody/canary-list.ts"
import type { CanaryPlan } from "../custody/canary-plan.ts"
import type { Touched } from "../custody/canaries.ts"
import { fromBase64 } from "../bytes.ts"
import { Fault } from "../fault.ts"
import { postCapture } from "../lane/post.ts"
import { readRecipients, recipientOn } from "../lane/recipients.ts"
import { sealPicture, type LaneReader, type Shot } from "../lane/seal.ts"
import { Sequence } from "../lane/sequence.ts"
import { writePlan } from "./canary-file.ts"
import { canaryPictures } from "./canary-pictures.ts"
import { plant } from "./canary-planter.ts"
import { laneIdOf } from "./capture-counts.ts"
import { Client } from "./client.ts"
import { contextOf, globalsOf, listQuery } from "./context.ts"
import { assertFree, readKeyFile } from "./keyfile.ts"
import { answer, table } from "./say.ts"
import { spanOf } from "./times.ts"

/** canary: plan, plant, ls, touches. */
export function canaryCommands(program: Command): void {
  const canary = program
    .command("canary")
    .description("captures that no work needs: plan them, plant them at a lane, see who asked for one")
  canary
    .command("plan")
    .description("when canaries are to come on a lane: where no live grant lies, half of them beside one")
    .requiredOption("--lane <lane>", "its id or name")
    .requiredOption("--count <number>", "1 to 200; 1 to 2 % of what the lane captures meanwhile")
    .option("--over <time>", "from now on: 30m, 12h, 7d at most", "24h")
    .requiredOption("--out <file>", "where the plan goes; secret: whoever reads it knows these canaries")
    .action(async (options: { lane: string; count: string; over: string; out: string }, self: Command) => {
      const { client, voice } = await contextOf(self)
      await assertFree(options.out)
      const statement = {
        lane: (await laneIdOf(client, options.lane)) ?? "",
        count: numberOf(options.count),
        over_s: spanOf(options.over) / 1000,
      }
      const plan = await client.json<CanaryPlan>({ method: "POST", path: "/v1/canary-plans", statement })
      await writePlan(options.out, plan)
      const beside = plan.planned.filter(each => each.beside !== null).length
      answer(voice, { file: options.out, planned: plan.planned.length, beside }, [
        `${plan.planned.length} canaries planned for ${plan.lane_name}, ${beside} of them beside a live grant; ${options.out}`,
        `at the lane: sallyport canary plant ${options.out} --wait --key READER.key, or lane watch|serve --canaries ${options.out}`,
      ])
    })
  plantCommand(canary)
  listCommand(canary)
  touchesCommand(canary)
}

function numberOf(text: string): number {
  if (/^[1-9]\d{0,2}$/.test(text) && Number(text) <= 200) return Number(text)
  throw new Fault("INVALID", "--count is a whole number from 1 to 200")
}

function plantCommand(canary: Command): void {
  canary
    .command("plant <plan>")
    .description(
      "seal and send what is due, with the reader's key (--key); where an agent runs, give it the plan instead",
    )
    .option("--pictures <folder>", "staged at this site, one for each canary; without it they are drawn")
    .option("--wait", "until the plan is done")
    .action(async (file: string, options: { pictures?: string; wait?: true }, self: Command) => {
      const voice = globalsOf(self)
      const { reader, put } = await laneOf(self)
      const done = await plant(
        { file, reader, pictures: canaryPictures(options.pictures), put, clock: Date.now },
        options.wait === true ? "wait" : "what is due",
      )
      const next = done.next_at === null ? "the plan is done" : `next ${done.next_at}`
      answer(voice, done, [`${done.planted} canaries planted, ${done.left_out} left out; ${next}`])
    })
}

/** The lane as `lane send` has it: its key, its count, and the way to the vault. */
async function laneOf(
  command: Command,
): Promise<{ readonly reader: LaneReader; readonly put: (shot: Shot) => Promise<boolean> }> {
  const { key: keyFile = "", server } = globalsOf(command)
  const { vault, id, notes, signer } = await readKeyFile(keyFile)
  const custodian = fromBase64(notes.custodian ?? "")
  const { port, lane } = notes
  if (custodian?.length !== 32 || port === undefined || lane === undefined)
    throw new Fault("CONFIG", "this is no reader's key file: sallyport reader enroll makes one")
  const reader = { vault, port, lane, reader: id, signer }
  const client = new Client({ server, vault, signer: null })
  const put = async (shot: Shot) => {
    const list = readRecipients(
      await client.text({ method: "GET", path: "/v1/recipients" }),
      vault,
      custodian,
    )
    const sealed = await sealPicture(reader, shot, recipientOn(list, shot.capturedAt_ms))
    // Held no longer than it takes: others send with this key too.
    const sequence = await Sequence.open(`${keyFile}.sequence`)
    try {
      await postCapture(server, sealed.numbered(await sequence.take()))
    } finally {
      await sequence.close()
    }
    return true
  }
  return { reader, put }
}

function listCommand(canary: Command): void {
  canary
    .command("ls")
    .description("canaries among the captures, oldest first")
    .option("--lane <lane>", "its id or name")
    .action(async (options: { lane?: string }, self: Command) => {
      const { client, voice, globals } = await contextOf(self)
      const query = listQuery(globals, { lane: await laneIdOf(client, options.lane) })
      const page = await client.json<{ data: Canary[]; looked: number; has_more: boolean }>({
        method: "GET",
        path: `/v1/canaries${query}`,
      })
      const heads = ["capture", "hour", "lane", "sequence", "now covered by"]
      const rows = page.data.map(each => [
        ...[each.id, each.hour, each.lane, each.sequence],
        each.covered_by.length === 0 ? "–" : each.covered_by.join(" "),
      ])
      const share = `${page.data.length} of ${page.looked} captures are canaries`
      const more = page.has_more ? ["more: --limit 200"] : []
      answer(voice, page, [...(rows.length === 0 ? [] : table(heads, rows)), share, ...more])
    })
}

function touchesCommand(canary: Command): void {
  canary
    .command("touches")
    .description("who asked for a canary, newest first")
    .option("--before <entry>", "go on from there")
    .action(async ({ before }: { before?: string }, self: Command) => {
      const { client, voice, globals } = await contextOf(self)
      const page = await client.json<{ data: Touched[]; before: number | null }>({
        method: "GET",
        path: `/v1/canary-touches${listQuery(globals, { before })}`,
      })
      const heads = ["entry", "at", "person", "asked by", "outcome", "to the grant", "canary", "seen"]
      const rows = page.data.map(each => [
        ...[each.entry, each.at, each.person, each.act, each.outcome, each.scope ?? "–"],
        ...[each.canaries.join(" "), each.is_acknowledged ? "yes" : `sallyport alert ack ${each.entry}`],
      ])
      const more = page.before === null ? [] : [`older: --before ${page.before}`]
      const none = page.before === null ? "nobody asked for a canary" : "nobody asked for a canary since"
      answer(voice, page, [...(rows.length === 0 ? [none] : table(heads, rows)), ...more])
    })
}
