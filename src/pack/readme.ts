import type { ScopeResult } from "../incident/scope.ts"
import { boundsSaid } from "../incident/statement.ts"

/** For the inspector: what is here, and how to check it without us. */
export function readmeOf(
  result: ScopeResult,
  of: { readonly log: "whole" | "none"; readonly isStated: boolean; readonly size: number },
): string {
  const { incident, query, left, checkpoint } = result
  const whole = of.log === "whole"
  return `EVIDENCE PACK, incident ${incident}
Log ${checkpoint.origin}; the scope was counted at ${checkpoint.size} entries, this pack is of ${of.size}.

VERIFY IT, offline, with a policy file that you pinned yourself:
  sallyport incident verify-pack FILE --policy POLICY
  python3 verify_pack.py FILE POLICY        (examples/verify_pack.py, verify_receipt.py beside it; nothing but Python)
The policy in this pack is for comparison: take the log's key and its witnesses from their owners.

THE SCOPE
Cause: ${query.cause.of}; released from ${query.from} until ${query.until}.
What left: ${boundsSaid(left.images, ["different picture", "different pictures"])}; ${boundsSaid(left.files, ["file", "files"])}; ${boundsSaid(left.people, ["person", "people"])}.
The units are never added up. What nobody can know stands in scope/result.json under "unknowns".

WHAT IS HERE, under the three recommendations of the Inspector General's report OIG-20-71
1. Mitigation: removable media and encryption
   Nothing left in the clear but through permits of this log. scope/result.json counts them by level, port, day and holder.
   ${whole ? "log/ has every entry: keys of days and epochs, destroyed days, alerts of readers with USB devices." : "Alerts of readers (USB devices, enclosures) are in the log, which is not in this pack."}
2. The same controls at every site
   Each permit names its lane, terms, approvals of two offices, and the decision that the log leads to.
   ${whole ? "sallyport log verify --from log --policy POLICY judges every one of them again." : "entries/ has each permit with its grant's history; log/tile proves that it is in the signed tree."}
3. Routine assessment of third parties
   Organizations, contracts with their attestations and devices, suspensions and revocations are entries of the log.
   sallyport report sample --releases 25 draws releases and does each again from the log.

FILES
policy                  the log's key and witnesses, as the vault gave them
log/checkpoint          the signed tree with its witnesses' cosignatures
log/tile/…              ${whole ? "every entry and hash up to it" : "the hashes that prove the entries"} (c2sp.org/tlog-tiles)
entries/0000.ndjson …   ${whole ? "the incident's own entries" : "every entry concerned"}, a line each
scope/query.json        what was asked
scope/result.json       what was answered; its digest is in the entry incident.scoped
people/plan.json        which pairs of faces people looked at, where a number of people is estimated
scope/consistency.json  that the tree of the scope is the beginning of the signed one
${of.isStated ? "statement/…             machine file, three texts, PDF, and frozen.json, whose digest two people signed\n" : ""}manifest.json           size and SHA-256 of every other file
${whole ? "" : "\nNOT PROVED BY THIS PACK: that no permit was left out. Get the pack with the log, or check against the log itself:\n  sallyport incident verify-pack FILE --policy POLICY --from MIRROR\n"}`
}
