import type { Unknown } from "../incident/scope.ts"
import type { Figures, Windows } from "../scope/figures.ts"
import type { Known } from "./scope-beside.ts"
import type { Hit } from "./scope-cause.ts"
import type { ReadLog } from "./scope-reading.ts"
import type { PermitRow, RefusedRow } from "./scope-rows.ts"
import type { ScopeAsk } from "./scope.ts"

/** What a scope was asked and came to, for the list of what it cannot say. */
export interface Unsaid {
  readonly ask: ScopeAsk
  readonly hit: Hit
  readonly windows: Windows
  readonly verified: ReadLog
  readonly figures: Figures
  readonly known: ReadonlyMap<string, Known>
  readonly canaries: readonly string[]
}

const figure = (count: number) => count.toLocaleString("en-US")

function unknown(what: string, count: number | null, sentence: string): Unknown {
  return { what, sentence, count }
}

/** What cannot be known, always in this order and never empty; figures of the set `left` unless they say otherwise. */
export function unknownsOf(unsaid: Unsaid): Unknown[] {
  return [
    ...always(unsaid),
    ...counted(unsaid),
    ...ofRefusals(unsaid),
    ...ofCause(unsaid),
    ...ofCanaries(unsaid),
  ]
}

function always({ figures, verified }: Unsaid): Unknown[] {
  const { narrower, wider } = figures.window_30d
  const { images } = figures.left
  return [
    unknown(
      "screens",
      null,
      "What was photographed off a screen, printed or copied on after its delivery is in no log.",
    ),
    unknown(
      "before_sallyport",
      null,
      `Of before the log's first entry (${verified.rows.first_at}), and of copies that never came through Sallyport, nothing is known.`,
    ),
    unknown(
      "window",
      wider - images,
      `If T1 and T2 are each 30 days off, ${figure(narrower)} to ${figure(wider)} images left instead of ${figure(images)}.`,
    ),
  ]
}

function counted({ figures, verified, known }: Unsaid): Unknown[] {
  const { left } = figures
  const missing = [...verified.register.records.values()]
    .flatMap(({ key, body }) =>
      key.kind === "reader" ? [body as { reader: string; last_sequence: number }] : [],
    )
    .reduce(
      (sum, { reader, last_sequence }) => sum + last_sequence - (verified.rows.taken.get(reader) ?? 0),
      0,
    )
  const notDelivered = left.files - left.files_delivered
  const all = [...known.values()]
  const headless = all.filter(({ headerJson }) => headerJson === null).length
  const unfound = all.filter(({ findingsJson }) => findingsJson === null).length
  return [
    unknown(
      "no_face_found",
      left.without_face,
      `In ${figure(left.without_face)} images no face was found; a face that the finder missed is counted nowhere.`,
    ),
    unknown(
      "faces_undetermined",
      left.undetermined,
      `In ${figure(left.undetermined)} images nothing looked for faces.`,
    ),
    unknown(
      "plates_unread",
      left.plates.unknown,
      `At most ${figure(left.plates.unknown)} plates have no sure text.`,
    ),
    unknown(
      "sequence_gaps",
      missing,
      `${figure(missing)} numbers of readers stand for no capture here: what they were, and where it is, is not known.`,
    ),
    unknown(
      "charged_not_delivered",
      notDelivered,
      `${figure(notDelivered)} permits have no delivery: the vault opened for them, and the log does not say that a copy left.`,
    ),
    unknown(
      "headers_missing",
      headless,
      `Of ${figure(headless)} images of the three sets the signed header was not at hand.`,
    ),
    unknown(
      "findings_missing",
      unfound,
      `Of ${figure(unfound)} images of the three sets no findings were at hand: not examined, or gone.`,
    ),
  ]
}

function ofRefusals({ hit, windows, verified }: Unsaid): Unknown[] {
  const isIn = (at: string) => windows.from <= at && at < windows.until
  const { rows, register } = verified
  const mine = rows.refused.filter(row => isIn(row.at) && hit.refused(row))
  const strange = new Set(
    mine.flatMap(({ captures }) => captures.filter(id => register.capture(id) === null)),
  ).size
  const unnamed = mine.reduce((sum, row) => sum + row.unnamed, 0)
  const folded = rows.folded
    .filter(({ at, person }) => isIn(at) && hit.refused({ ...nowhere, at, person }))
    .reduce((sum, { count }) => sum + count, 0)
  return [
    unknown(
      "refusals_folded",
      folded,
      `${figure(folded)} requests beyond the rate were counted and not listed: for which images they asked is not known.`,
    ),
    unknown(
      "draws_refused",
      unnamed,
      `Refused draws asked for ${figure(unnamed)} images without naming one.`,
    ),
    unknown("asked_for_none", strange, `${figure(strange)} ids that were asked for are of no capture here.`),
  ]
}

const nowhere: Omit<RefusedRow, "at" | "person"> = { captures: [], unnamed: 0, device: null, network: null }

function ofCause({ ask, hit, windows, verified }: Unsaid): Unknown[] {
  if (hit.files !== null) {
    const { found, foreign, nobody } = hit.files
    return [
      unknown(
        "files_of_no_original",
        foreign,
        `${figure(foreign)} of ${figure(found)} found files are of no original here, or could not be read.`,
      ),
      unknown(
        "files_of_nobody",
        nobody,
        `${figure(nobody)} of ${figure(found)} found files led to an original and to nobody: everybody who had it is in the scope.`,
      ),
    ]
  }
  const { of } = ask.query.cause
  if (of !== "devices" && of !== "networks") return []
  const unstated = verified.rows.permits.filter(permit => {
    const isUnstated = of === "devices" ? permit.device === null : permit.network === null
    return isUnstated && windows.from <= permit.at && permit.at < windows.until
  }).length
  return [
    of === "devices"
      ? unknown(
          "device_not_stated",
          unstated,
          `${figure(unstated)} permits of that time, to anybody, name no device.`,
        )
      : unknown(
          "network_not_known",
          unstated,
          `${figure(unstated)} permits of that time, to anybody, came from no network that a contract names.`,
        ),
  ]
}

/** Permits of the cause within T1 and T2 for canaries. */
export function canaryPermits({
  canaries,
  verified,
  hit,
  windows,
}: Pick<Unsaid, "canaries" | "verified" | "hit" | "windows">): readonly PermitRow[] {
  const planted = new Set(canaries)
  return verified.rows.permits.filter(
    permit =>
      planted.has(permit.capture) &&
      hit.permit(permit) &&
      windows.from <= permit.at &&
      permit.at < windows.until,
  )
}

function ofCanaries(unsaid: Unsaid): Unknown[] {
  if (unsaid.canaries.length === 0) return []
  const left = canaryPermits(unsaid).length
  return [
    unknown(
      "canaries",
      left,
      `${figure(left)} permits were for planted pictures of nobody; they are in no set and no count.`,
    ),
  ]
}
