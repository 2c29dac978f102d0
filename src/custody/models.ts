import { Fault } from "../fault.ts"
import { parseEntry, type Draft, type EntryOf } from "../log/kinds.ts"
import { mustHold } from "../log/standing.ts"
import type { Records } from "../log/state.ts"
import { modelOf, newestModel, shippedModels, takeModel, withThresholds } from "../log/watch-models.ts"
import type { Model, ModelFile } from "../watch/model.ts"
import { recordOf, recordsOf, type Caller } from "./caller.ts"
import type { House } from "./house.ts"
import { propose } from "./propose.ts"
import type { Registered } from "./register.ts"

/** The row that says by which model and thresholds the watch judges. */
export const rulesKey = { kind: "rules", id: "rules" } as const

/** Puts a model's file into the log. It judges nothing before two people put it in force. */
export async function keepModel(house: House, caller: Caller): Promise<Registered> {
  const statement = caller.statement as EntryOf<"model.kept">["statement"]
  const { model } = statement
  const { asked, person } = caller
  const draft: Draft = { kind: "model.kept", model, person: person.person, asked, statement }
  const { index } = await propose(house, caller, {
    of: "watch",
    draft,
    records: [{ kind: "model", id: model }],
  })
  return { id: model, entry: index }
}

/**
 * The model with this digest: one that came along, or that the log holds, which may be by another server's hand.
 * @throws Fault WATCH_MODEL where the ledger does not have the entry that the model's row names.
 */
export async function learnModel(house: House, digest: string): Promise<Model | null> {
  const known = modelOf(digest)
  const held = known === null ? await recordOf(house, "model", digest) : null
  if (held === null) return known
  const [row] = await house.ledger.entries(held.entry, held.entry + 1)
  const entry = row === undefined ? null : parseEntry(row.bytes)
  const found = entry?.kind === "model.kept" ? takeModel(digest, entry.statement.gzip) : null
  if (found !== null) return found
  throw new Fault("WATCH_MODEL", `entry ${held.entry} does not hold the model ${digest}`, {
    next: "sallyport log fsck",
  })
}

/** By what the watch judges. */
export interface InForce {
  readonly model: string
  readonly thresholds: ModelFile["thresholds"]
  /** The motion by which two people put it in force; `null` for what comes along. */
  readonly motion: string | null
  /** The model with these thresholds. */
  readonly judging: Model
}

export async function rulesInForce(house: House): Promise<InForce> {
  const rules = await recordOf(house, "rules", "rules")
  const model = rules?.model ?? newestModel()
  const found = mustHold(await learnModel(house, model))
  const thresholds = rules?.thresholds ?? found.file.thresholds
  return { model, thresholds, motion: rules?.motion ?? null, judging: withThresholds(found, thresholds) }
}

/** A model that may be in force, and where it comes from. */
export interface ShownModel {
  readonly model: string
  readonly in_force: boolean
  /** The file that came along, or `null` for one that the log holds. */
  readonly file: string | null
  readonly entry: number | null
  readonly trained_at: string
  readonly requests: number
  readonly people: number
  readonly thresholds: ModelFile["thresholds"]
}

/** Every model that could be put in force: those that came along, then those of the log by digest. */
export async function modelsOf(house: House): Promise<readonly ShownModel[]> {
  const inForce = await rulesInForce(house)
  const shown = async (model: string, from: Pick<ShownModel, "file" | "entry">): Promise<ShownModel> => {
    const { provenance, thresholds } = mustHold(await learnModel(house, model)).file
    const { trained_at, requests, people } = provenance
    const isInForce = model === inForce.model
    const by = isInForce ? inForce.thresholds : thresholds
    return { model, in_force: isInForce, ...from, trained_at, requests, people, thresholds: by }
  }
  const all: ShownModel[] = []
  for (const { file, digest } of shippedModels()) all.push(await shown(digest, { file, entry: null }))
  for await (const { model, entry } of recordsOf(house, "model"))
    all.push(await shown(model, { file: null, entry }))
  return all
}

/** @throws Fault NOT_FOUND */
export async function backTestOf(house: House, result: string): Promise<Records["backtest"]> {
  const held = await recordOf(house, "backtest", result)
  if (held === null)
    throw new Fault("NOT_FOUND", "there is no such back test in the log", {
      next: "sallyport watch backtest",
    })
  return held
}
