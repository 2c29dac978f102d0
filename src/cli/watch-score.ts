import { objectOf } from "../watch/log-lines.ts"
import type { Replayed } from "../watch/replay.ts"
import { textLines } from "./request-log.ts"
import { table } from "./say.ts"

/** What a simulated log says of its requests, read only after the replay is over. */
export interface Truth {
  readonly seq: number
  readonly principal: number
  readonly image: number
  readonly family: string
}

/** How a replay did against the truth. */
export interface Score {
  /** Attacks of the log: how many images of the attack left, how many were tried. */
  readonly attackers: readonly {
    readonly principal: number
    readonly family: string
    readonly tried: number
    readonly leaked: number
    readonly stepped_up: boolean
    readonly suspended: boolean
  }[]
  readonly leaked: number
  /** People without an attack in the log: how many were asked, how many were stopped by what they did themselves or by their organization. */
  readonly honest: { readonly people: number; readonly step_ups: number; readonly suspended: number }
}

/** The attacks of a file, by the `gt` of its `req` lines. */
export async function readTruth(file: string): Promise<Truth[]> {
  const truths: Truth[] = []
  let seq = 0
  for await (const { text } of textLines(file)) {
    const fields = objectOf(text)
    if (fields?.k !== "req") continue
    const truth = fields.gt as { a?: unknown; family?: unknown } | undefined
    if (truth?.a === 1) {
      const family = typeof truth.family === "string" ? truth.family : "attack"
      truths.push({ seq, principal: Number(fields.principal), image: Number(fields.image), family })
    }
    seq += 1
  }
  return truths
}

/** @param given  whether the request of each index let an image out. */
export function scoreOf(
  people: readonly Replayed[],
  truths: readonly Truth[],
  given: readonly boolean[],
): Score {
  const byPrincipal = new Map<number, Truth[]>()
  for (const truth of truths)
    byPrincipal.set(truth.principal, [...(byPrincipal.get(truth.principal) ?? []), truth])
  const attackers = people.flatMap(person => {
    const own = byPrincipal.get(person.principal)
    if (own === undefined) return []
    const leaked = new Set(own.filter(({ seq }) => given[seq] === true).map(({ image }) => image))
    return [
      {
        principal: person.principal,
        family: own[0]?.family ?? "attack",
        tried: new Set(own.map(({ image }) => image)).size,
        leaked: leaked.size,
        stepped_up: person.stepUp_seq !== null,
        suspended: person.suspended_seq !== null,
      },
    ]
  })
  const honest = people.filter(({ principal }) => !byPrincipal.has(principal))
  return {
    attackers,
    leaked: attackers.reduce((sum, each) => sum + each.leaked, 0),
    honest: {
      people: honest.length,
      step_ups: honest.reduce((sum, { stepUps }) => sum + stepUps, 0),
      suspended: honest.filter(({ suspended_seq }) => suspended_seq !== null).length,
    },
  }
}

export function scoreLines({ attackers, leaked, honest }: Score): string[] {
  const rows = attackers.map(each => [
    each.principal,
    each.family,
    each.tried,
    each.leaked,
    each.suspended ? "suspended" : each.stepped_up ? "asked" : "not noticed",
  ])
  return [
    "",
    ...(rows.length === 0
      ? ["no attack in this log"]
      : table(["attacker", "family", "tried", "leaked", "outcome"], rows)),
    `${leaked} images leaked; of ${honest.people} others ${honest.step_ups} times somebody was asked, and ${honest.suspended} were suspended`,
  ]
}
