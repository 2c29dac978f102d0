import type { Command } from "commander"
import { createHash } from "node:crypto"
import { base64, fromBase64 } from "../bytes.ts"
import { Fault } from "../fault.ts"
import { postCapture } from "../lane/post.ts"
import { readRecipients } from "../lane/recipients.ts"
import { sendFolder } from "../lane/send.ts"
import { Sequence } from "../lane/sequence.ts"
import { agentCommands } from "./agent.ts"
import { contextOf, globalsOf } from "./context.ts"
import { Client } from "./client.ts"
import { readKeyFile } from "./keyfile.ts"
import { answer, progress, tell } from "./say.ts"

/** lane send and lane recipients, beside what the registry has of lanes. */
export function laneCommands(program: Command): void {
  const lane = program.commands.find(command => command.name() === "lane")
  if (lane === undefined) throw new Error("assertion: the registry's nouns come first")
  agentCommands(lane)
  lane
    .command("send <folder>")
    .description(
      "seal the pictures of a camera folder and send them; needs the reader's key (--key) and nothing else",
    )
    .option("--captured-at <when>", "now, or mtime: the file's own time", "now")
    .action(async (folder: string, options: { capturedAt: string }, self: Command) => {
      process.exitCode = await send(folder, options.capturedAt, self)
    })
  lane
    .command("recipients")
    .description("a custodian signs the keys of the next days, which the lanes seal to")
    .option("--days <number>", "1 to 62", "31")
    .action(async (options: { days: string }, self: Command) => signRecipients(options.days, self))
}

async function send(folder: string, capturedAt: string, command: Command): Promise<number> {
  const globals = globalsOf(command)
  if (capturedAt !== "now" && capturedAt !== "mtime")
    throw new Fault("INVALID", "--captured-at is now or mtime")
  const keyFile = globals.key ?? ""
  const key = await readKeyFile(keyFile)
  const custodian = fromBase64(key.notes.custodian ?? "")
  const { port, lane } = key.notes
  if (custodian?.length !== 32 || port === undefined || lane === undefined)
    throw new Fault("CONFIG", "this is no reader's key file: sallyport reader enroll makes one")
  const client = new Client({ server: globals.server, vault: key.vault, signer: null })
  const list = await client.text({ method: "GET", path: "/v1/recipients" })
  const sequence = await Sequence.open(`${keyFile}.sequence`)
  const sent = await sendFolder({
    folder,
    reader: { vault: key.vault, port, lane, reader: key.id, signer: key.signer },
    recipients: readRecipients(list, key.vault, custodian),
    sequence,
    capturedAt,
    post: capture => postCapture(globals.server, capture),
    progress: (done, of) => progress(globals, done, of, "sealed and sent"),
  }).finally(() => sequence.close())
  for (const { name, why } of sent.skipped) tell(globals, `left out  ${name}: ${why}`)
  for (const { name, why, code } of sent.refused) tell(globals, `REFUSED   ${name}: ${code}, ${why}`)
  const summary = {
    ...sent,
    admitted: sent.admitted.map(({ name, capture, entry }) => ({ name, capture, entry })),
  }
  answer(globals, summary, [
    `${sent.admitted.length} captures admitted, ${sent.refused.length} refused, ${sent.skipped.length} left out`,
  ])
  return sent.refused.length > 0 || sent.skipped.length > 0 ? 10 : 0
}

async function signRecipients(days: string, command: Command): Promise<void> {
  const { client, voice } = await contextOf(command)
  const { signer } = await readKeyFile(globalsOf(command).key ?? "")
  const text = await client.text({
    method: "GET",
    path: `/v1/recipients/draft?days=${encodeURIComponent(days)}`,
  })
  const dates = text
    .split("\n")
    .slice(2, -1)
    .map(line => line.slice(0, 10))
  const [first_day = "", last_day = first_day] = [dates[0], dates.at(-1)]
  const bytes = Buffer.from(text, "utf8")
  const statement = {
    list_sha256: createHash("sha256").update(bytes).digest("hex"),
    first_day,
    last_day,
    list_signature: base64(signer.sign(bytes)),
  }
  const done = await client.json<{ entry: number }>({ method: "POST", path: "/v1/recipients", statement })
  answer(voice, { ...done, first_day, last_day }, [
    `recipients of ${first_day} to ${last_day} signed, log entry ${done.entry}`,
  ])
}
