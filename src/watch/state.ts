import { base64, fromBase64 } from "../bytes.ts"

/**
 * What the watch remembers of one person: a fixed number of whole numbers, whatever he asks for. Assessing changes it in
 * place; who may have to take that back keeps `formatPerson` of before.
 */
export interface PersonState {
  readonly cells: Float64Array
}

/** What the watch remembers of one organization. */
export interface OrganizationState {
  readonly cells: Float64Array
}

/** The bets of the model: three sizes of stake, three running sums of evidence. */
export const betCount = 3

/** How one stands: asked means that a step-up waits for its answer. */
export const standings = ["calm", "asked", "answered", "suspended"] as const
export type Standing = (typeof standings)[number]

/** Slots of a person's bounded memory. */
export const slots = { tickets: 32, cells: 24, ports: 32, networks: 8, devices: 8 } as const

/** Where each number of a person lies. Sums are micronats; times are milliseconds since 1970; names are fingerprints. */
export const at = {
  requests: 0,
  standing: 1,
  sums: 2,
  newest_ms: 5,
  network: 6,
  device: 7,
  nextCell: 8,
  /** Requests that gave evidence, in all. */
  evident: 9,
  /** Since the sums last rose from nothing: when, images in all, and images by scope. */
  rose_ms: 10,
  images: 11,
  scopes: 12,
  otherKinds: 18,
  /** What requests and session beginnings gave since then, by the stake that leads. */
  parts: 19,
  /** What of the person's evidence is counted in the organization. */
  counted: 21,
  /** The newest two times he was asked, as numbers of evident requests; 0 for none. */
  asked: 22,
  cells: 24,
  ports: 24 + slots.cells,
  networks: 24 + slots.cells + 2 * slots.ports,
  devices: 24 + slots.cells + 2 * slots.ports + 2 * slots.networks,
  tickets: 24 + slots.cells + 2 * slots.ports + 2 * slots.networks + 2 * slots.devices,
} as const

/** Where each number of a ticket lies in its slot. `symbol` is one more than the newest; 0 is "none yet". */
export const ofTicket = {
  name: 0,
  used: 1,
  sums: 2,
  symbol: 5,
  image: 6,
  cell: 7,
  place: 8,
  newest_ms: 9,
} as const

export const ticket_cells = 10
const person_cells = at.tickets + slots.tickets * ticket_cells
const organization_cells = 4

/** Bytes that one person takes in memory, at most and always. */
export const person_bytes = person_cells * 8

export function emptyPerson(): PersonState {
  return { cells: new Float64Array(person_cells) }
}

/** Where each number of an organization lies; its standing lies where a person's does. */
export const ofOrganization = { total: 2, settled: 3 } as const

export function emptyOrganization(): OrganizationState {
  return { cells: new Float64Array(organization_cells) }
}

export function standingOf({ cells }: PersonState | OrganizationState): Standing {
  return standings[cells[at.standing] ?? 0] ?? "calm"
}

/** The person answered the step-up with passkey or key. The evidence stands: the next crossing is of h. */
export function answered({ cells }: PersonState | OrganizationState): void {
  if (cells[at.standing] === 1) cells[at.standing] = 2
}

/**
 * Two people lifted the person's suspension: evidence begins anew from nothing, his organization's without his; what is
 * remembered of habits stays.
 */
export function liftedPerson({ cells }: PersonState, organization: OrganizationState): void {
  cells[at.standing] = 0
  count(organization, -(cells[at.counted] ?? 0))
  cells.fill(0, at.sums, at.sums + betCount)
  cells.fill(0, at.rose_ms, at.cells)
  for (let slot = 0; slot < slots.tickets; slot += 1) {
    const sums = at.tickets + slot * ticket_cells + ofTicket.sums
    cells.fill(0, sums, sums + betCount)
  }
}

/** Two people lifted the organization's suspension: what its people had against them until now is settled for it. */
export function liftedOrganization({ cells }: OrganizationState): void {
  cells[at.standing] = 0
  cells[ofOrganization.settled] = cells[ofOrganization.total] ?? 0
}

/** Adds to what an organization's people have against them; what is settled never exceeds it. */
export function count({ cells }: OrganizationState, micronats: number): void {
  const total = (cells[ofOrganization.total] ?? 0) + micronats
  cells[ofOrganization.total] = total
  cells[ofOrganization.settled] = Math.min(cells[ofOrganization.settled] ?? 0, total)
}

/** Base64 of the numbers, each as LEB128 (7 bits a byte, low first) after zigzag; trailing zeros are left out: one text for one state. */
export function formatState({ cells }: PersonState | OrganizationState): string {
  let end = cells.length
  while (end > 0 && cells[end - 1] === 0) end -= 1
  const bytes: number[] = []
  for (let i = 0; i < end; i += 1) {
    const value = cells[i] ?? 0
    let rest = value < 0 ? -2 * value - 1 : 2 * value
    for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
    bytes.push(rest)
  }
  return base64(Uint8Array.from(bytes))
}

/** The state that `formatState` wrote, or `null` for any other text. */
export function parsePerson(text: string): PersonState | null {
  return parsed(text, emptyPerson())
}

/** The state that `formatState` wrote, or `null` for any other text. */
export function parseOrganization(text: string): OrganizationState | null {
  return parsed(text, emptyOrganization())
}

function parsed<T extends PersonState | OrganizationState>(text: string, state: T): T | null {
  const bytes = fromBase64(text)
  if (bytes === null) return null
  let [place, value, scale] = [0, 0, 1]
  for (const byte of bytes) {
    value += (byte & 127) * scale
    scale *= 128
    if (value > Number.MAX_SAFE_INTEGER) return null
    if (byte >= 128) continue
    if (place >= state.cells.length) return null
    state.cells[place] = value % 2 === 1 ? -(value + 1) / 2 : value / 2
    ;[place, value, scale] = [place + 1, 0, 1]
  }
  return formatState(state) === text ? state : null
}
