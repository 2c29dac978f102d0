import type { Command } from "commander"
import { Fault, faults } from "../fault.ts"
import type { Statement } from "../grant/request.ts"
import { termsDigest } from "../grant/terms.ts"
import { contextOf, type Context } from "./context.ts"
import { editCommand } from "./edit.ts"
import { lookCommand } from "./glass.ts"
import { fetchGrant, readingCommands, termsLines } from "./grant-reading.ts"
import {
  askerOf,
  fillIn,
  isWhole,
  sentenceOf,
  withDefaults,
  type Filled,
  type Given,
  type Tried,
} from "./request-form.ts"
import { answer, tell } from "./say.ts"
import { termsFrom, termsOptions } from "./terms.ts"

type RequestOptions = Given & {
  readonly try?: true
  readonly comment?: string
}

/** grant, for a vendor's person, and case, for the agency's own: the same terms, approvals and budget. */
export function grantCommands(program: Command): void {
  for (const [name, purpose] of [
    ["grant", "release"],
    ["case", "reveal"],
  ] as const) {
    const command = program
      .command(name)
      .description(
        name === "grant"
          ? "who may take what: request, approve, revoke"
          : "a case for reveals: open, approve, close",
      )
    const request = termsOptions(command.command(name === "grant" ? "request" : "open"))
      .option("--holder <person>", "without it who asks")
      .option("--try", "only say which rule would refuse it")
      .option("--comment <text>", "kept apart from the log, which holds a commitment")
    if (name === "grant")
      request.option("--contract <contract>", "without it the one that there is for the holder")
    request.action(async (options: RequestOptions, self: Command) =>
      requestGrant(await contextOf(self), options, purpose),
    )
    readingCommands(command, name)
    editCommand(command)
    decidingCommands(command, name)
    if (name === "case") lookCommand(command)
  }
}

async function requestGrant(
  context: Context,
  options: RequestOptions,
  purpose: "release" | "reveal",
): Promise<void> {
  const filled = await filledIn(context, options, purpose)
  const { comment_commitment: _, ...terms } = termsFrom(filled, purpose)
  const { comment } = options
  if (options.try === true) return tryRequest(context, { ...terms, comment_commitment: null })
  const added = await context.client.json<{ grant: string; entry: number }>({
    method: "POST",
    path: "/v1/grants",
    statement: comment === undefined ? { ...terms, comment_commitment: null } : terms,
    ...(comment === undefined ? {} : { names: { comment } }),
  })
  answer(context.voice, added, [`${added.grant}  asked for, log entry ${added.entry}`])
  tell(
    context.voice,
    `next: two people of different offices, neither requester nor holder: sallyport ${purpose === "release" ? "grant" : "case"} approve ${added.grant}`,
  )
}

/** The request with its five fields: as given, or asked for on a terminal. */
async function filledIn(
  context: Context,
  options: RequestOptions,
  purpose: "release" | "reveal",
): Promise<Filled> {
  const given = await withDefaults(context, options, purpose)
  if (isWhole(given)) return given
  const ask = purpose === "release" ? askerOf(context) : null
  if (ask === null) throw new Fault("INVALID", "--purpose, --work-order, --lane and --images are needed")
  return fillIn(context, given, ask).finally(() => ask.close())
}

async function tryRequest({ client, voice }: Context, statement: Statement): Promise<void> {
  const tried = await client.json<Tried>({ method: "POST", path: "/v1/grants/trial", statement })
  answer(voice, tried, [tried.refusal === null ? "no rule refuses this" : sentenceOf(tried)])
  if (tried.refusal !== null) process.exitCode = faults[tried.refusal][1]
}

function decidingCommands(command: Command, name: string): void {
  for (const decision of ["approve", "deny"] as const) {
    command
      .command(`${decision} <id>`)
      .description(`${decision} the terms, which are shown and digested here, not by the server`)
      .action(async (id: string, _options: unknown, self: Command) => {
        const { client, voice } = await contextOf(self)
        const { terms, version } = await fetchGrant(client, id)
        for (const line of termsLines(terms)) tell(voice, line)
        const statement = { version, terms_sha256: termsDigest(terms), decision }
        const done = await client.json<{ entry: number }>({
          method: "POST",
          path: `/v1/grants/${encodeURIComponent(id)}/approvals`,
          statement,
        })
        const after = await fetchGrant(client, id)
        const lines = [
          `${id}  ${decision === "approve" ? "approved" : "denied"}, log entry ${done.entry}; now ${after.state}, signed by ${after.approvals.map(each => each.office).join(" and ") || "nobody"}`,
        ]
        answer(voice, { ...done, state: after.state }, lines)
      })
  }
  command
    .command(`${name === "grant" ? "revoke" : "close"} <id>`)
    .action(async (id: string, _options: unknown, self: Command) => {
      const { client, voice } = await contextOf(self)
      const { terms } = await fetchGrant(client, id)
      const path = `/v1/grants/${encodeURIComponent(id)}/revocation`
      const done = await client.json<{ entry: number }>({
        method: "POST",
        path,
        statement: { terms_sha256: termsDigest(terms) },
      })
      answer(voice, done, [
        `${id}  ${name === "grant" ? "revoked" : "closed"}, log entry ${done.entry}; no permit follows it`,
      ])
    })
}
