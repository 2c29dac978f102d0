import { textOf, utf8 } from "../bytes.ts"
import { canonical } from "../canonical.ts"
import { Fault } from "../fault.ts"
import { clockWords, thresholdWords } from "../incident/clock-say.ts"
import type { Evaluation } from "../incident/clocks.ts"
import { withEstimate } from "../incident/with-estimate.ts"
import type { ScopeResult } from "../incident/scope.ts"
import type { ClockLine, StatementFacts } from "../incident/statement.ts"
import { writeStatement } from "../incident/write-statement.ts"
import type { IncidentState } from "../log/incidents.ts"
import type { Member } from "../pack/archive.ts"
import { freeze, statementFiles, type Frozen } from "../pack/frozen.ts"
import { sha256Hex } from "../vault/vault.ts"
import { estimateOf } from "./adjudication.ts"
import { recordOf } from "./caller.ts"
import type { House } from "./house.ts"
import { standingClocks } from "./incident-clocks.ts"
import { incidentOf } from "./incident-record.ts"
import { codeTable, digestOfLetters, lettersOf, tableName } from "./letters.ts"
import { statementPdf } from "./statement-pdf.ts"

/** What people say of an incident for its statement. */
export type Said = Pick<StatementFacts, "contact" | "check_url" | "happened" | "doing">

export interface Made {
  readonly frozen: Frozen
  /** What two people sign: SHA-256 of `frozen.json`, and of the letters. */
  readonly statement_sha256: string
  readonly letters_sha256: string | null
  readonly files: readonly Member[]
}

/**
 * Writes an incident's statement from its newest scope and clocks, and its letters, and keeps them under their digest. Nothing of
 * it is published, or in the log, before two people sign that digest (`sign-statement`).
 * @throws Fault CONFLICT for a scope of an earlier version; NOT_FOUND without one; of `scopeOf`.
 */
export async function makeStatement(house: House, incident: string, said: Said): Promise<Made> {
  const held = await incidentOf(house, incident)
  const letters = await lettersOf(house, held)
  const { scoped, version } = held
  if (scoped === null || scoped.version !== version)
    throw new Fault("CONFLICT", "the newest scope is of an earlier version of the incident", {
      next: `sallyport incident scope ${incident}`,
    })
  const estimate = await estimateOf(house, held)
  const result = withEstimate(letters.result, estimate)
  const standing = await standingClocks(house, held)
  const statement = writeStatement({
    ...{ result, as_of: scoped.at, facts: await factsOf(house, said, result) },
    scope: { query_sha256: scoped.query_sha256, result_sha256: scoped.result_sha256 },
    clocks: clockLines(standing),
    thresholds: standing.thresholds.map(each => ({ ...each, says: thresholdWords(each) })),
  })
  const pdf = await statementPdf(statement, sha256Hex(utf8(canonical(statement))))
  const files = statementFiles(statement, pdf)
  const digests = letters.count === 0 ? null : digestOfLetters(letters)
  const { frozen, bytes, sha256 } = freeze(files, {
    ...{ incident, scoped: scoped.entry, letters: digests },
    estimated: estimate?.interval == null ? null : { linkage: estimate.linkage, entry: estimate.entry },
  })
  const whole = [...files, { name: "frozen.json", bytes }]
  for (const member of whole)
    await house.objects.putIfAbsent(fileName(incident, sha256, member.name), member.bytes)
  if (digests !== null)
    await house.objects.putIfAbsent(tableName(incident, digests.ndjson_sha256), codeTable(house, letters))
  return { frozen, statement_sha256: sha256, letters_sha256: digests?.ndjson_sha256 ?? null, files: whole }
}

function fileName(incident: string, statement_sha256: string, name: string): string {
  return `incidents/${incident}/statement-${statement_sha256}/${name}`
}

/** The statement that two people signed, held against what they signed. @throws Fault NOT_FOUND, VAULT_OBJECT */
export async function signedFiles(
  house: House,
  { incident, signed }: IncidentState,
): Promise<readonly Member[]> {
  if (signed === null) throw new Fault("NOT_FOUND", "no statement of this incident was signed by two people")
  const of = (name: string) => house.objects.get(fileName(incident, signed.statement_sha256, name))
  const bytes = await of("frozen.json")
  const differs = new Fault("VAULT_OBJECT", "the stored statement is not the one that was signed")
  if (bytes === null || sha256Hex(bytes) !== signed.statement_sha256) throw differs
  const frozen = JSON.parse(textOf(bytes) ?? "") as Frozen
  const files: Member[] = []
  for (const [name, sha256] of Object.entries(frozen.files)) {
    const file = await of(name)
    if (file === null || sha256Hex(file) !== sha256) throw differs
    files.push({ name, bytes: file })
  }
  return [...files, { name: "frozen.json", bytes }]
}

/** Names of the ports, and of which organization each holder is: of those that the result names, and of nobody else. */
async function factsOf(house: House, said: Said, { left_by }: ScopeResult): Promise<StatementFacts> {
  const names: Record<string, string> = {}
  for (const { key } of left_by.port) names[key] = (await recordOf(house, "port", key))?.name ?? key
  for (const { key } of left_by.holder) {
    const of = (await recordOf(house, "person", key))?.organization ?? ""
    names[key] = `${(await recordOf(house, "organization", of))?.name ?? of}, person ${key}`
  }
  const own = (await recordOf(house, "vault", "vault"))?.organization ?? ""
  const agency = (await recordOf(house, "organization", own))?.name ?? house.log.origin
  return { agency, ...said, names }
}

function clockLines({ clocks }: Evaluation): readonly ClockLine[] {
  return clocks.map(clock => ({
    rule: `${clock.pack.id}/${clock.rule.id}`,
    citation: clock.rule.citation.text,
    party: clock.party,
    recipient: clock.rule.recipients.map(({ name }) => name).join(" and "),
    triggered: clock.status.state !== "not_triggered",
    says: clockWords(clock),
  }))
}
