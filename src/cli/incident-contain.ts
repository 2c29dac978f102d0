import type { Command } from "commander"
import { Fault } from "../fault.ts"
import { termsDigest } from "../grant/terms.ts"
import type { Cause, ScopeResult } from "../incident/scope.ts"
import type { Records } from "../log/state.ts"
import type { Client } from "./client.ts"
import { contextOf } from "./context.ts"
import { incidentAt, resultAt } from "./incident-asking.ts"
import { answer, progress, tell } from "./say.ts"

interface Stopped {
  readonly what: string
  readonly id: string
  readonly entry: number | null
  readonly why: string | null
}

/** contain: whoever is the cause is suspended, and every live grant under which he could take more is revoked. */
export function containCommand(incident: Command): void {
  incident
    .command("contain <id>")
    .description(
      "suspend the organizations or people that an incident is known by, and revoke every live grant of its scope",
    )
    .option("--keep-grants", "suspend only: a suspension can be lifted, a revocation cannot")
    .action(async (id: string, options: { keepGrants?: true }, self: Command) => {
      const { client, voice } = await contextOf(self)
      const held = await incidentAt(client, id)
      const result = await resultAt(client, held)
      if (result === null)
        throw new Fault("CONFLICT", "what can still be taken was not counted yet", {
          notDone: "Nothing was stopped.",
          next: `sallyport incident scope ${id}, then the same again`,
        })
      const steps = [
        ...suspensionsOf(held.statement.cause, client),
        ...(options.keepGrants === true ? [] : revocationsOf(result, client)),
      ]
      const stopped: Stopped[] = []
      for (const step of steps) {
        stopped.push(await step())
        progress(voice, stopped.length, steps.length, "stopped")
      }
      const failed = stopped.filter(({ entry }) => entry === null)
      const document = { incident: id, stopped, remaining: failed.length }
      answer(voice, document, stopped.length === 0 ? ["nothing is left to stop"] : stopped.map(lineOf))
      tell(voice, `count again what can be taken: sallyport incident scope ${id}`)
      if (failed.length > 0) process.exitCode = 10
    })
}

function lineOf({ what, id, entry, why }: Stopped): string {
  return entry === null ? `${id}  not ${what}: ${why ?? ""}` : `${id}  ${what}, log entry ${entry}`
}

type Step = () => Promise<Stopped>

function suspensionsOf(cause: Cause, client: Client): Step[] {
  const statement = { suspended: true }
  const of = (resource: string, ids: readonly string[]) =>
    ids.map(
      (id): Step =>
        () =>
          stop("suspended", id, () =>
            client.json<{ entry: number }>({
              method: "POST",
              path: `/v1/${resource}/${id}/suspension`,
              statement,
            }),
          ),
    )
  if (cause.of === "organizations") return of("orgs", cause.organizations)
  return cause.of === "people" ? of("people", cause.people) : []
}

function revocationsOf({ live_grants }: ScopeResult, client: Client): Step[] {
  return live_grants.map(
    ({ grant }) =>
      () =>
        stop("revoked", grant, async () => {
          const path = `/v1/grants/${grant}`
          const { terms } = await client.json<Records["grant"]>({ method: "GET", path })
          const statement = { terms_sha256: termsDigest(terms) }
          return client.json<{ entry: number }>({ method: "POST", path: `${path}/revocation`, statement })
        }),
  )
}

/** One that cannot be stopped does not hold up the others. */
async function stop(
  what: string,
  id: string,
  work: () => Promise<{ readonly entry: number }>,
): Promise<Stopped> {
  try {
    return { what, id, entry: (await work()).entry, why: null }
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    return { what, id, entry: null, why: error.message }
  }
}
