import { Fault } from "../fault.ts"
import { wanting, type KeyOf } from "../ledger/ledger.ts"
import { judge } from "../log/judge.ts"
import type { EntryOf } from "../log/kinds.ts"
import { names } from "../log/state.ts"
import type { Withdrawn } from "../vault/vault.ts"
import type { House } from "./house.ts"

type Permit = EntryOf<"permit">

/** What the system opens an original for, which somebody asked for before; and the records by which that is judged. */
export interface Errand {
  readonly of:
    { readonly for: "trace"; readonly trace: string } | { readonly for: "link"; readonly linkage: string }
  readonly records: readonly KeyOf[]
}

/**
 * An original, opened by the system itself under a permit like anyone's; `null` where its key or body is gone.
 * @throws Fault of the rule that refuses, where the errand is over; of `Vault.withdraw`.
 */
export async function openedFor(
  house: House,
  { of, records }: Errand,
  capture: string,
): Promise<Withdrawn | null> {
  const row = await house.ledger.capture(capture)
  if (row === null) return null
  const entry: Omit<Permit, "v" | "at"> = {
    ...{ kind: "permit", capture, lane: row.lane, hour: row.hour, level: "L4", ...of },
    ...{ admitted: row.admitted, examined: row.examined, faces: row.faces, by: null, examiner: null },
    ...{ asked: null, statement: null },
  }
  const members = of.for === "link" ? [{ set: names.linked(of.linkage), member: capture }] : []
  const appended = await house.log.append({
    wanted: wanting({ captures: [capture], records, members }),
    draft: (state, now_ms) => {
      const code = judge(entry, state, now_ms)
      if (code !== null) throw new Fault(code, `what ${capture} was to be opened for is over`)
      return { entry }
    },
  })
  try {
    return await house.vault.withdraw(capture, await house.log.receipt(appended))
  } catch (error) {
    if (error instanceof Fault && (error.code === "CAPTURE_PURGED" || error.code === "VAULT_OBJECT"))
      return null
    throw error
  }
}
