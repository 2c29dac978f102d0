import { failpoint } from "../failpoint.ts"
import { assert, Fault } from "../fault.ts"
import { isInForce } from "../log/facts.ts"
import type { EntryOf } from "../log/kinds.ts"
import type { Appended, Proposal } from "../log/sequencer.ts"
import { sha256Hex } from "../vault/vault.ts"
import { chainKeys, stateOf, stopKeys, type Caller } from "./caller.ts"
import { wanting } from "../ledger/ledger.ts"
import type { House } from "./house.ts"
import type { Strength } from "../mark/policy.ts"
import type { Label } from "../picture/label.ts"
import { permit } from "./opening.ts"

/** One image on its way out, with the receipt that binds these bytes. */
export interface Delivery {
  readonly capture: string
  readonly bytes: Uint8Array
  readonly mediaType: "image/png" | "image/jpeg"
  /** The `.tlog-proof` of the entry `delivered`, with its permit. */
  readonly receipt: string
  /** Indexes of both entries. */
  readonly permit: number
  readonly delivered: number
  /** Distinct images left under the grant. */
  readonly imagesUsed: number
  /** How strongly it is marked for its holder; `null` where no pixel of the picture is shown. */
  readonly mark: Strength | null
  readonly by: NonNullable<EntryOf<"permit">["by"]>
  readonly lane: string
}

/**
 * Person → bytes. Decide and charge, log, open the inner door with the receipt, keep the level's regions, mark them for the
 * holder, encode, log what is delivered, and only then answer. Bytes that are lost after the log over-state; nothing
 * under-states.
 * @throws Fault; a refusal of the decision table is in the log.
 */
export async function release(house: House, caller: Caller): Promise<Delivery> {
  const permitted = await permit(house, caller, "release")
  failpoint("release.permitted")
  return deliver(house, permitted, null)
}

/**
 * The second half, the same for a release and a reveal. Level, region and holder are the permit's, never the request's again.
 * @param label  written over the copy for all to see.
 */
export async function deliver(house: House, permitted: Appended, label: Label | null): Promise<Delivery> {
  assert(permitted.entry.kind === "permit", "only a permit delivers")
  const { capture, by, lane } = permitted.entry
  assert(by !== null, "a permit for people names one")
  const withdrawn = await house.vault.withdraw(capture, await house.log.receipt(permitted))
  failpoint("release.withdrawn")
  const { picture, findings, markKeys: keys } = withdrawn
  assert(keys !== null, "a copy for people is marked")
  const marking = { keys, policy: house.pictures.markPolicy, label }
  const { level, region } = withdrawn.permit
  const copy = await house.pictures.keepRegions(picture, { level, region }, findings, marking)
  const delivered = await house.log.append({
    wanted: await standingRows(house, { by, lane }),
    draft: (state, now_ms) => {
      // What was revoked, suspended or stopped since the permit, or has ended, does not leave any more.
      if (!isInForce({ by, lane }, state, now_ms))
        throw new Fault(
          "GRANT_REVOKED",
          "it was revoked, suspended, stopped or over before the copy was ready",
          {
            notDone: "Nothing was released; the permit stays in the log and is charged.",
          },
        )
      return {
        entry: {
          kind: "delivered",
          permit: permitted.index,
          capture,
          sha256: sha256Hex(copy.bytes),
          size_bytes: copy.bytes.length,
          media_type: copy.mediaType,
          mark: copy.mark,
        },
      }
    },
  })
  failpoint("release.delivered")
  // In strict mode the quorum has seen both entries before a byte leaves.
  if (house.log.witnesses?.strict === true) await house.log.witnesses.reach(delivered.index + 1)
  return {
    capture,
    bytes: copy.bytes,
    mediaType: copy.mediaType,
    receipt: await house.log.deliveryReceipt(delivered, permitted),
    permit: permitted.index,
    delivered: delivered.index,
    imagesUsed: by.images_after,
    mark: copy.mark,
    by,
    lane,
  }
}

/** Whether what a delivery rests on stands at this moment. */
export async function isStanding(house: House, delivery: Pick<Delivery, "by" | "lane">): Promise<boolean> {
  const state = await stateOf(house, await standingRows(house, delivery))
  return isInForce(delivery, state, house.log.clock())
}

async function standingRows(
  house: House,
  { by, lane }: Pick<Delivery, "by" | "lane">,
): Promise<Proposal["wanted"]> {
  return wanting({
    records: [
      { kind: "person", id: by.person },
      { kind: "grant", id: by.grant },
      ...(await chainKeys(house, by.organization)),
      ...(await stopKeys(house, lane)),
    ],
  })
}
