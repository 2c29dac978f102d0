import type { Command } from "commander"
import { readFile } from "node:fs/promises"
import { Fault } from "../fault.ts"
import { fromBase64 } from "../bytes.ts"
import { commitment, type Statement } from "../grant/request.ts"
import { motionDigest } from "../log/motions.ts"
import { motionPaths } from "../log/authentic.ts"
import type { Records } from "../log/state.ts"
import type { Client } from "./client.ts"
import { contextOf, listQuery, type Context } from "./context.ts"
import { answer, table, tell, type Voice } from "./say.ts"

type Motion = Records["motion"]

interface Proposed {
  readonly motion: string
  readonly entry: number
}

/** motion, policy, stop and resume: what needs two people, and what one may stop. */
export function motionCommands(program: Command): void {
  const motion = program.command("motion").description("what one person proposed and another must sign")
  motion
    .command("ls")
    .option("--all", "also what was carried or rejected")
    .action(async (options: { all?: true }, self: Command) => {
      const { client, voice, globals } = await contextOf(self)
      const query = listQuery(globals, { status: options.all === true ? undefined : "open" })
      const page = await client.json<{ data: Motion[] }>({ method: "GET", path: `/v1/motions${query}` })
      const rows = page.data.map(each => [each.motion, each.act, each.status, each.office, each.proposed_at])
      const heads = ["motion", "act", "status", "proposed by", "at"]
      answer(voice, page, page.data.length === 0 ? ["nothing waits for a second person"] : table(heads, rows))
    })
  for (const decision of ["second", "reject"] as const)
    motion.command(`${decision} <id>`).action(async (id: string, _options: unknown, self: Command) => {
      const { client, voice } = await contextOf(self)
      const shown = await fetchMotion(client, id)
      tell(voice, `${shown.act}  ${JSON.stringify(shown.statement)}`)
      tellAddress(voice, shown)
      const done = await secondMotion(client, id, decision)
      const what = decision === "second" ? "signed; it is in effect" : "rejected"
      answer(voice, done, [`${id}  ${what}, log entry ${done.entry}`])
    })
  policyCommands(program)
  stopCommands(program)
}

function policyCommands(program: Command): void {
  const policy = program.command("policy").description("approvals and budgets that the agency asks for")
  policy.command("show").action(async (_options: unknown, self: Command) => {
    const { client, voice } = await contextOf(self)
    const shown = await client.json<Records["policy"]>({ method: "GET", path: "/v1/policy" })
    const offices = shown.approvals.map(line => `${line.people} of ${line.office}`)
    answer(voice, shown, [
      `approvals              two people of different offices${offices.length === 0 ? "" : `, and ${offices.join(", and ")}`}`,
      `person, a day          ${shown.person_day} images`,
      `organization, 30 days  ${shown.organization_30d} images, with all under the same prime`,
      `vault, a day           ${shown.vault_day} images; to one vendor at most ${Math.floor(shown.vault_day / 2)}`,
    ])
  })
  policy
    .command("propose <file>")
    .description("a JSON file, as policy show --json prints it; a second person signs it")
    .action(async (file: string, _options: unknown, self: Command) => {
      const text = await readFile(file, "utf8").catch((cause: unknown) => {
        throw new Fault("CONFIG", `${file} cannot be read`, { cause })
      })
      await propose(await contextOf(self), "policy", statementOf(text, file))
    })
}

function statementOf(text: string, file: string): Statement {
  try {
    return JSON.parse(text) as Statement
  } catch (cause) {
    throw new Fault("INVALID", `${file} is not JSON`, { cause })
  }
}

function stopCommands(program: Command): void {
  program
    .command("stop [scope]")
    .description("emergency stop: nothing leaves the vault (or one port) until two people resume it")
    .action(async (scope: string | undefined, _options: unknown, self: Command) => {
      const { client, voice } = await contextOf(self)
      const statement = { scope: scope ?? "vault" }
      const done = await client.json<{ entry: number }>({ method: "POST", path: "/v1/stops", statement })
      answer(voice, done, [`${statement.scope}  stopped, log entry ${done.entry}; no permit follows it`])
      tell(voice, `to end it, two people: sallyport resume ${scope ?? ""}`.trimEnd())
    })
  program
    .command("resume [scope]")
    .description("propose to end an emergency stop; a second person signs it")
    .action(async (scope: string | undefined, _options: unknown, self: Command) =>
      propose(await contextOf(self), "resume", { scope: scope ?? "vault" }),
    )
}

/** Proposes what a second person has to sign, and says so. */
export async function propose(
  { client, voice }: Context,
  act: Motion["act"],
  statement: Statement,
  names: Readonly<Record<string, string>> = {},
): Promise<void> {
  const done = await client.json<Proposed>({ method: "POST", path: motionPaths[act], statement, names })
  answer(voice, done, [`${done.motion}  proposed, log entry ${done.entry}; not in effect yet`])
  tell(voice, `next, a person of another office: sallyport motion second ${done.motion}`)
}

/** Signs what was proposed: the digest is computed here, of what is shown, not taken from the server. */
export async function secondMotion(
  client: Client,
  id: string,
  decision: "second" | "reject",
): Promise<{ readonly entry: number }> {
  const statement = { motion_sha256: motionDigest(await fetchMotion(client, id)), decision }
  return client.json({ method: "POST", path: `/v1/motions/${encodeURIComponent(id)}/second`, statement })
}

type ShownMotion = Motion & { readonly address?: { readonly value: string; readonly salt: string } }

/** The address behind a commitment, which the second person signs through it. @throws Fault INVALID for another one. */
function tellAddress(voice: Voice, { statement, address }: ShownMotion): void {
  if (address === undefined) return
  const { address_commitment } = statement as { address_commitment?: string }
  const salt = fromBase64(address.salt) ?? new Uint8Array()
  if (commitment("address", salt, address.value) !== address_commitment)
    throw new Fault("INVALID", "the server shows another address than the one that is committed to")
  tell(voice, `address  ${address.value}`)
}

function fetchMotion(client: Client, id: string): Promise<ShownMotion> {
  return client.json<ShownMotion>({ method: "GET", path: `/v1/motions/${encodeURIComponent(id)}` })
}
