import { Answers, findingsOf, intervalOf, type Answer, type Findings } from "./answers.ts"
import type { Plan } from "./plan-shape.ts"
import type { Controls, Dependence } from "./looks.ts"
import type { Interval } from "./people.ts"

/** What two people's answers make of a count of people. */

/** Of how many people an answer against the machine's is needed, in a vault. */
export const looksNeeded = 2

/** What a plan and answers come to. The same in, the same out: whoever has both judges it again. */
export function estimated(
  plan: Plan,
  answers: readonly Answer[],
  of: { readonly dependence: Dependence; readonly searched: Controls["searched"] },
): { readonly findings: Findings; readonly interval: Interval | null } {
  const findings = findingsOf(plan, new Answers(answers), looksNeeded)
  return { findings, interval: intervalOf(plan, findings, { needed: looksNeeded, ...of }) }
}
