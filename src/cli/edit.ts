import type { Command } from "commander"
import { Fault } from "../fault.ts"
import { differencesOf } from "../grant/edit.ts"
import { levelOf } from "../grant/level.ts"
import { termsDigest, type Terms } from "../grant/terms.ts"
import { contextOf } from "./context.ts"
import { fetchGrant } from "./grant-reading.ts"
import { answer, table, tell } from "./say.ts"
import { regionTerm, usualRegion } from "./terms.ts"
import { endOf } from "./times.ts"

interface EditOptions {
  readonly images?: string
  readonly releases?: string
  readonly people?: string
  readonly level?: string
  readonly region?: string
  readonly lane?: string[]
  readonly hours?: string
  readonly dates?: string
  readonly ends?: string
  readonly frozen?: true
}

/** narrow, which keeps the approvals, and extend, which voids them: one edit, signed against the terms in force. */
export function editCommand(command: Command): void {
  for (const verb of ["narrow", "extend"] as const)
    command
      .command(`${verb} <id>`)
      .description(
        verb === "narrow"
          ? "less, shorter, lower: approvals stay"
          : "more: every approval is void, and the approvers see what changed",
      )
      .option("--images <number>")
      .option("--releases <number>")
      .option("--people <number>")
      .option("--level <level>")
      .option("--region <region>", "close or wide")
      .option("--lane <lane...>")
      .option("--hours <from-until>")
      .option("--dates <first..last>")
      .option("--ends <time>")
      .option("--frozen", "only captures that were in before the approval")
      .action((id: string, options: EditOptions, self: Command) => edit(self, id, { options, verb }))
}

async function edit(
  self: Command,
  id: string,
  { options, verb }: { readonly options: EditOptions; readonly verb: "narrow" | "extend" },
): Promise<void> {
  const { client, voice } = await contextOf(self)
  const { terms: was, version } = await fetchGrant(client, id)
  const terms = edited(was, options)
  const differences = differencesOf(was, terms)
  const wider = differences.filter(each => each.widens).map(each => each.term)
  if (verb === "narrow" && wider.length > 0)
    throw new Fault("GRANT_WIDER", `this widens ${wider.join(", ")}`, {
      notDone: "Nothing was changed.",
      next: `sallyport grant extend ${id} …, which voids the approvals`,
    })
  const rows = differences.map(each => [each.term, each.was, each.is, each.widens ? "widens" : "narrows"])
  for (const line of table(["term", "was", "is", ""], rows)) tell(voice, line)
  const done = await client.json<{ entry: number }>({
    method: "POST",
    path: `/v1/grants/${encodeURIComponent(id)}/edits`,
    statement: { version, terms_sha256: termsDigest(was), terms },
  })
  const after = wider.length > 0 ? "its approvals are void" : "its approvals stay"
  answer(voice, { ...done, version: version + 1, differences }, [
    `${id}  version ${version + 1}, log entry ${done.entry}; ${after}`,
  ])
}

function edited({ region, ...was }: Terms, options: EditOptions): Terms {
  const hours = options.hours === undefined ? null : /^(\d{1,2})-(\d{1,2})$/.exec(options.hours)
  const [first, last] = options.dates?.split("..") ?? []
  const level = levelOf(options.level ?? was.level)
  if (level === null) throw new Fault("INVALID", "--level is L1, L2, L3 or L4")
  const ends_at = options.ends === undefined ? was.ends_at : endOf(options.ends, Date.now())
  const images = options.images === undefined ? was.images : Number(options.images)
  // Fewer images are re-read less often; more images leave at least once each.
  const usual = images < was.images ? Math.min(was.releases, 3 * images) : Math.max(was.releases, images)
  const releases = options.releases === undefined ? usual : Number(options.releases)
  return {
    ...was,
    level,
    ...regionTerm(options.region ?? (level === was.level ? (region ?? "close") : usualRegion(level))),
    images,
    releases,
    people: options.people === undefined ? was.people : Number(options.people),
    lanes: options.lane === undefined ? was.lanes : [...options.lane].sort(),
    hours: hours === null ? was.hours : { from: Number(hours[1]), until: Number(hours[2]) },
    dates: first === undefined ? was.dates : { first, last: last ?? first },
    ends_at,
    // A shorter grant leaves the copies as long as was agreed; a case leaves none.
    destroy_by: was.for === "reveal" || was.destroy_by < ends_at ? ends_at : was.destroy_by,
    selection: options.frozen === true ? "frozen" : was.selection,
  }
}
