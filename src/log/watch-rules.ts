import type { FaultCode } from "../fault.ts"
import { canonical } from "../canonical.ts"
import { isThresholds, type ModelFile } from "../watch/model.ts"
import type { Draft, EntryOf } from "./kinds.ts"
import { mustHold, record } from "./standing.ts"
import { names, type Effects, type State } from "./state.ts"
import { isShipped, modelInForce, modelOf, takeModel } from "./watch-models.ts"

/** What the watch judges by: models that the log holds, what they would have done, and which one two people put in force. */

export interface ModelState {
  readonly model: string
  /** The entry that holds its file. */
  readonly entry: number
  readonly at: string
}

export interface BackTestState {
  readonly result_sha256: string
  readonly model: string
  readonly thresholds: ModelFile["thresholds"]
  /** Of the log that it was made over. */
  readonly size: number
  readonly at: string
  readonly entry: number
}

export interface RulesState {
  readonly model: string
  readonly thresholds: ModelFile["thresholds"]
  readonly motion: string
  /** The second person's signature. */
  readonly entry: number
}

type DraftOf<K extends Draft["kind"]> = Extract<Draft, { kind: K }>

/** A log holds so many models at most. */
const mostModels = 256

/** The file is the model that it is called, and stands once. */
export function keptRule({ model, statement }: DraftOf<"model.kept">, state: State): FaultCode | null {
  if (statement.model !== model) return "INVALID"
  if (state.record("model", model) !== null || isShipped(model)) return "CONFLICT"
  if (state.counter(names.total("model.kept")) >= mostModels) return "CONFLICT"
  return takeModel(model, statement.gzip) === null ? "WATCH_MODEL" : null
}

/** Whoever follows the log can judge by the model from here on, whether he judged its entry or not. */
export function keptModel(
  { model, statement, at }: EntryOf<"model.kept">,
  entry: number,
): Effects["records"] {
  takeModel(model, statement.gzip)
  return [record("model", model, { model, entry, at })]
}

/** Whether the log holds this model, or it comes along. */
function isKnown(model: string, state: State): boolean {
  return (state.record("model", model) !== null || isShipped(model)) && modelOf(model) !== null
}

/** The result itself is not judged: whoever has the log computes it anew. */
export function backTestRule(draft: DraftOf<"watch.backtested">, state: State): FaultCode | null {
  const { model, thresholds, statement } = draft
  const isAsked = canonical({ model, thresholds, size: statement.size }) === canonical(statement)
  if (!isAsked || (statement.size !== null && statement.size !== draft.size)) return "INVALID"
  if (!isKnown(model, state)) return "WATCH_MODEL"
  return areThresholds(thresholds) ? null : "WATCH_THRESHOLDS"
}

export function backTested(entry: EntryOf<"watch.backtested">, index: number): Effects["records"] {
  const { result_sha256, model, thresholds, size, at } = entry
  // What is computed again, over the log as it stood, makes the first one no younger.
  if (entry.statement.size !== null) return []
  return [record("backtest", result_sha256, { result_sha256, model, thresholds, size, at, entry: index })]
}

const areThresholds = ({ person, organization }: ModelFile["thresholds"]) =>
  isThresholds(person) && isThresholds(organization)

type Adoption = Extract<
  DraftOf<"motion.proposed">["statement"],
  { readonly thresholds: unknown; readonly backtest: unknown }
>

/** How old a back test may be when what it tried is proposed. */
export const backTestLife_ms = 24 * 3_600_000

/** What is put in force was tried, and lately. @param proposed_ms  when it was, or is, proposed. */
export function adoptionRule(statement: object, state: State, proposed_ms: number): FaultCode | null {
  const { model, thresholds, backtest } = statement as Adoption
  if (!isKnown(model, state)) return "WATCH_MODEL"
  if (!areThresholds(thresholds)) return "WATCH_THRESHOLDS"
  const tried = state.record("backtest", backtest)
  const isTried =
    tried !== null &&
    canonical({ model, thresholds }) === canonical({ model: tried.model, thresholds: tried.thresholds })
  if (!isTried || proposed_ms - Date.parse(tried.at) > backTestLife_ms) return "WATCH_BACKTEST"
  const isSame =
    modelInForce(state) === model && canonical(thresholds) === canonical(thresholdsInForce(state))
  return isSame ? "CONFLICT" : null
}

/** Where the watch asks and suspends on this state. */
export function thresholdsInForce(state: State): ModelFile["thresholds"] {
  return state.record("rules", "rules")?.thresholds ?? mustHold(modelOf(modelInForce(state))).file.thresholds
}

export function adopted(
  statement: object,
  { motion, entry }: { readonly motion: string; readonly entry: number },
): Effects["records"] {
  const { model, thresholds } = statement as Adoption
  return [record("rules", "rules", { model, thresholds, motion, entry })]
}
