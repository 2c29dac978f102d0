import { createInterface } from "node:readline/promises"
import { Fault, type FaultCode } from "../fault.ts"
import { purposes, type Purpose } from "../grant/terms.ts"
import type { ContractState } from "../grant/decide.ts"
import type { Context } from "./context.ts"
import { tell } from "./say.ts"
import { termsFrom, type TermsOptions } from "./terms.ts"

/** Options as they were given: the five fields of a request may be missing. */
export type Given = Omit<TermsOptions, "purpose" | "workOrder" | "lane" | "images"> &
  Partial<Pick<TermsOptions, "purpose" | "workOrder" | "lane" | "images">> & { readonly holder?: string }

export type Filled = TermsOptions & { readonly holder: string }

/** What `POST /v1/grants/trial` answers. */
export interface Tried {
  readonly refusal: FaultCode | null
  readonly why: string | null
  readonly next: string | null
}

export type Asker = (question: string) => Promise<string>

interface Lane {
  readonly lane: string
  readonly name: string
}

/** The holder is who asks, and the contract the one that there is, where neither is given. @throws Fault INVALID. */
export async function withDefaults(context: Context, given: Given, as: "release" | "reveal"): Promise<Given> {
  const holder = given.holder ?? context.id
  if (as === "reveal" || given.contract !== undefined) return { ...given, holder }
  const contracts = (await contractsOf(context)).filter(
    each => given.purpose === undefined || each.purposes.includes(given.purpose as Purpose),
  )
  const [only] = contracts
  if (only === undefined || contracts.length > 1)
    throw new Fault("INVALID", "--contract is needed: there is not exactly one that this could rest on", {
      next: contracts.map(each => `--contract ${each.contract}`).join(", or ") || "sallyport contract ls",
    })
  return { ...given, holder, contract: only.contract }
}

async function contractsOf({ client }: Context): Promise<readonly ContractState[]> {
  const path = "/v1/me/contracts"
  return (await client.json<{ data: readonly ContractState[] }>({ method: "GET", path })).data
}

export function isWhole(given: Given): given is Filled {
  const { purpose, workOrder, lane, images, holder } = given
  return [purpose, workOrder, lane, images, holder].every(value => value !== undefined)
}

/** Asks on this terminal. @returns `null` where nobody can be asked. */
export function askerOf({ voice, globals }: Context): (Asker & { close(): void }) | null {
  const isAsked = globals.input !== false && !voice.json && process.stdin.isTTY && process.stderr.isTTY
  if (!isAsked) return null
  const reader = createInterface({ input: process.stdin, output: process.stderr })
  return Object.assign((question: string) => reader.question(question), { close: () => reader.close() })
}

/**
 * Fills in what is missing of the five fields (purpose, work order, lanes, images, end), one question each. Every answer is
 * tried against the vault's rules at once: what would be refused is said, with what would pass, and asked again.
 */
export async function fillIn(context: Context, given: Given, ask: Asker): Promise<Filled> {
  const [contract] = (await contractsOf(context)).filter(each => each.contract === given.contract)
  const { data: lanes } = await context.client.json<{ data: readonly Lane[] }>({
    method: "GET",
    path: "/v1/lanes?limit=200",
  })
  const allowed = contract?.purposes ?? (Object.keys(purposes) as Purpose[])
  const form: Form = { context, ask, lanes, filled: draftOf(given, { allowed, lanes }) }
  if (given.purpose === undefined)
    await field(form, `Purpose (${allowed.join(", ")}): `, text => ({ purpose: text }))
  if (given.workOrder === undefined) await field(form, "Work order: ", text => ({ workOrder: text }))
  if (given.lane === undefined) {
    for (const [i, { lane, name }] of lanes.entries()) tell(context.voice, `  ${i + 1}  ${name}  ${lane}`)
    await field(form, "Lanes (numbers, or all): ", text => ({ lane: lanesOf(text, lanes) }))
  }
  if (given.images === undefined) await field(form, "How many distinct images: ", text => ({ images: text }))
  await field(form, `Until when (${form.filled.ends}): `, text => (text === "" ? {} : { ends: text }))
  return form.filled
}

interface Form {
  readonly context: Context
  readonly ask: Asker
  readonly lanes: readonly Lane[]
  filled: Filled
}

/** What is not answered yet, as something that no rule refuses. */
function draftOf(
  given: Given,
  of: { readonly allowed: readonly Purpose[]; readonly lanes: readonly Lane[] },
): Filled {
  const blank = { purpose: of.allowed[0] ?? "", workOrder: "WO", images: "1", holder: "" }
  return { ...blank, lane: of.lanes.slice(0, 1).map(each => each.lane), ...given }
}

async function field(form: Form, question: string, of: (text: string) => Partial<Filled>): Promise<void> {
  for (;;) {
    const text = (await form.ask(question)).trim()
    const refusal = await trial(form, of, text)
    if (refusal === null) return
    tell(form.context.voice, `  ${refusal}`)
  }
}

/** Takes the answer on unless it would be refused. @returns why, with what would pass, or `null`. */
async function trial(
  form: Form,
  of: (text: string) => Partial<Filled>,
  text: string,
): Promise<string | null> {
  try {
    const filled = { ...form.filled, ...of(text) }
    const statement = { ...termsFrom(filled, "release") }
    const path = "/v1/grants/trial"
    const tried = await form.context.client.json<Tried>({ method: "POST", path, statement })
    if (tried.refusal !== null) return sentenceOf(tried)
    form.filled = filled
    return null
  } catch (error) {
    if (error instanceof Fault && error.code === "INVALID") return error.message
    throw error
  }
}

/** Which rule would refuse, and what would pass. */
export function sentenceOf({ refusal, why, next }: Tried): string {
  return `would be refused: ${refusal ?? ""}: ${why ?? ""}${next === null ? "" : `  What would pass:  ${next}`}`
}

function lanesOf(text: string, lanes: readonly Lane[]): string[] {
  if (text === "all") return lanes.map(each => each.lane)
  const words = text.split(/[\s,]+/).filter(word => word !== "")
  const chosen = words.map(word => (/^\d{1,3}$/.test(word) ? lanes[Number(word) - 1]?.lane : word))
  if (chosen.length === 0 || chosen.includes(undefined))
    throw new Fault("INVALID", `give numbers from 1 to ${lanes.length}, or all`)
  return [...new Set(chosen as string[])]
}
