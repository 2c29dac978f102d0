import { costs, type Costs } from "./mark-cost.ts"
import { collusionOf, type CollusionOptions, type CollusionRow } from "./mark-collusion.ts"
import { leaksOf, type LeakOptions, type PictureRow } from "./mark-leaks.ts"
import { pictureOf, type Source } from "./mark-pictures.ts"

/** One of the processes among which `mark.ts` shares out the work: a task comes in, what it found goes back. */

export type Task =
  | ({ readonly kind: "leaks"; readonly source: Source } & LeakOptions)
  | ({ readonly kind: "collusion"; readonly source: Source } & CollusionOptions)
  | { readonly kind: "costs" }

export type Found =
  | { readonly kind: "leaks"; readonly source: Source; readonly row: PictureRow }
  | { readonly kind: "collusion"; readonly rows: readonly CollusionRow[] }
  | { readonly kind: "costs"; readonly costs: Costs }

async function done(task: Task): Promise<Found> {
  if (task.kind === "costs") return { kind: "costs", costs: await costs() }
  const picture = await pictureOf(task.source)
  if (task.kind === "collusion") return { kind: "collusion", rows: await collusionOf(picture, task) }
  return { kind: "leaks", source: task.source, row: await leaksOf(picture, task) }
}

process.on("message", (task: Task) => {
  done(task).then(
    found => process.send?.(found),
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
      process.exit(1)
    },
  )
})
