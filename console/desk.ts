import { startRegistration, type PublicKeyCredentialCreationOptionsJSON } from "@simplewebauthn/browser"
import type { Event } from "../src/custody/history.ts"
import type { Preview } from "../src/custody/preview.ts"
import type { GrantState } from "../src/grant/decide.ts"
import { differencesOf } from "../src/grant/edit.ts"
import { extentWords } from "../src/grant/level.ts"
import { isAgencyOffice, type Office } from "../src/grant/office.ts"
import { termsDigest, unusual, type Terms } from "../src/grant/terms.ts"
import { element, factsOf, rowsOf, silhouetteOf } from "./draw.ts"
import { incidentSection } from "./incident.ts"
import { button, desk, show, tell } from "./page.ts"
import { act, hasSignIn, open, read, Refusal, sessionKey, type Passkey } from "./requests.ts"

interface Me {
  readonly person: string
  readonly office: Office
  readonly keys: readonly {
    readonly key: string
    readonly kind: string
    readonly credential: string | null
  }[]
}

type Grant = GrantState & { readonly state: string; readonly images_used: number }

async function start(): Promise<void> {
  const fragment = new URLSearchParams(location.hash.slice(1))
  const unknown = fragment.get("unknown")
  history.replaceState(null, "", "/desk")
  if (unknown !== null) return showUnknown(unknown)
  const me = await read<Me>("/v1/me").catch((error: unknown) => {
    if (error instanceof Refusal) return null
    throw error
  })
  if (me === null) return showSignIn(fragment.has("refused"))
  await showGrants(me)
}

function showSignIn(wasRefused: boolean): void {
  const refused = element(
    "p",
    { class: "state stopped", role: "alert" },
    "The identity provider did not sign you in.",
  )
  const none = element(
    "p",
    {},
    "Sign-in is not set up here: sign_in in config.json names the agency's identity provider.",
  )
  show(
    ...(wasRefused ? [refused] : []),
    element("h2", {}, "Sign in"),
    element("p", { class: "quiet" }, "A session reads. What counts is signed with your passkey, each time."),
    hasSignIn ? button("Sign in at the agency", signIn, { id: "sign-in" }) : none,
  )
}

async function signIn(): Promise<void> {
  const { publicKey } = await sessionKey()
  const { url } = await open<{ url: string }>("/v1/sessions", { key: publicKey })
  location.assign(url)
}

function showUnknown(subject: string): void {
  show(
    element("h2", {}, "Nobody here signs in this way yet"),
    element("p", {}, "Give this line to a custodian; a second person signs it."),
    element("pre", { id: "line" }, `sallyport person add-key PERSON --sign-in --public-key ${subject}`),
    button("Sign in again", signIn, { id: "sign-in" }),
  )
}

function passkeysOf(me: Me): Passkey[] {
  return me.keys.flatMap(({ key, kind, credential }) =>
    kind === "passkey" && credential !== null ? [{ key, credential }] : [],
  )
}

async function showGrants(me: Me): Promise<void> {
  const who = document.getElementById("who")
  if (who !== null) who.textContent = `${me.office} ${me.person}`
  const { data } = await read<{ data: Grant[] }>("/v1/grants?limit=200")
  const rank = (grant: Grant) => (grant.state === "pending" ? 0 : grant.state === "approved" ? 1 : 2)
  const rows = [...data]
    .sort((a, b) => rank(a) - rank(b))
    .map(grant => [
      button(grant.grant, () => showGrant(me, grant.grant), { class: "link" }),
      grant.state,
      grant.terms.purpose,
      grant.terms.level,
      `${grant.images_used} of ${grant.terms.images}`,
      grant.terms.ends_at,
    ])
  const alerts = isAgencyOffice(me.office) ? await alertSection() : []
  const desks = { back: () => showGrants(me), grant: (id: string) => showGrant(me, id) }
  const incidents = isAgencyOffice(me.office) ? await incidentSection(desks) : []
  const waiting = data.filter(grant => grant.state === "pending").length
  const state = waiting === 0 ? "Nothing waits for a signature." : `${waiting} waiting for signatures.`
  show(
    ...incidents,
    element("p", { class: "state", id: "state" }, state),
    rows.length === 0
      ? element("p", {}, "No grant yet: sallyport grant request")
      : rowsOf(["grant", "state", "purpose", "level", "images", "ends"], rows),
    ...alerts,
    ...passkeySection(me),
    button("Sign out", async () => {
      await open("/v1/sessions/end")
      showSignIn(false)
    }),
  )
}

interface Alert {
  readonly alert: string
  readonly rule: string
  readonly count: number
  readonly last_at: string
  readonly reader?: string
  readonly subject?: string
}

/** What waits for a person to look: readers, whom the watch asked or suspended, and who was not told. */
async function alertSection(): Promise<Node[]> {
  const { data } = await read<{ data: Alert[] }>("/v1/alerts?status=open&limit=50")
  const rows = data.map(each => [
    ...[each.alert, each.rule, each.reader ?? each.subject ?? "", String(each.count), each.last_at],
  ])
  return [
    element("h2", { id: "alerts" }, data.length === 0 ? "No open alert" : `${data.length} open alerts`),
    ...(rows.length === 0 ? [] : [rowsOf(["alert", "what", "about", "times", "last"], rows)]),
    element(
      "p",
      { class: "quiet" },
      "Why, and what came of it: ",
      element("code", {}, "sallyport alert show ALERT; alert ack ALERT; watch show PERSON"),
    ),
  ]
}

function passkeySection(me: Me): Node[] {
  const count = passkeysOf(me).length
  return [
    element("h2", {}, "Your passkeys"),
    element("p", { class: "quiet" }, count === 0 ? "None is enrolled yet." : `${count} enrolled.`),
    button("Make a passkey", () => makePasskey(me), { id: "make-passkey" }),
  ]
}

async function makePasskey(me: Me): Promise<void> {
  const optionsJSON = await open<PublicKeyCredentialCreationOptionsJSON>("/v1/passkeys/options")
  const { key, credential } = await open<Passkey>("/v1/passkeys", await startRegistration({ optionsJSON }))
  const line = `sallyport person add-key ${me.person} --public-key ${key} --credential=${credential}`
  desk.append(
    element(
      "p",
      {},
      "It is made, and signs nothing before two people enroll it. Give this line to a custodian:",
    ),
    element("pre", { id: "line" }, line),
  )
}

async function showGrant(me: Me, id: string): Promise<void> {
  const path = `/v1/grants/${encodeURIComponent(id)}`
  const [grant, preview, history] = await Promise.all([
    read<Grant>(path),
    read<Preview>(`${path}/preview`),
    read<{ data: readonly Event[] }>(`${path}/history`),
  ])
  const { terms } = grant
  const odd = unusual(terms).map(sentence => element("li", {}, sentence))
  show(
    element("h2", { id: "grant" }, `${id}: ${grant.state}, version ${grant.version}`),
    termsTable(terms),
    element("h2", {}, "Beyond the usual"),
    odd.length === 0 ? element("p", {}, "Nothing.") : element("ul", { id: "unusual" }, ...odd),
    ...changeSection(history.data),
    ...previewSection(preview),
    element("h2", {}, "Signed so far"),
    grant.approvals.length === 0
      ? element("p", {}, "By nobody.")
      : rowsOf(
          ["office", "person", "version"],
          grant.approvals.map(each => [each.office, each.person, String(each.version)]),
        ),
    ...decisionSection(me, grant),
    button("Back", () => showGrants(me)),
    element(
      "p",
      { class: "quiet" },
      "The same on the command line: ",
      element("code", {}, `sallyport grant approve ${id}`),
    ),
  )
}

function termsTable(terms: Terms): HTMLElement {
  const rows: [string, string][] = [
    ["purpose", `${terms.purpose}, work order ${terms.work_order}`],
    ["holder", `${terms.holder}${terms.device === null ? "" : `, on one device`}`],
    ["what", `${terms.images} distinct images at ${extentWords(terms)}, ${terms.releases} releases in all`],
    ["lanes", terms.lanes.join(", ")],
    [
      "captured",
      `${terms.dates.first} to ${terms.dates.last}, hours ${terms.hours.from} to ${terms.hours.until}`,
    ],
    ["selection", terms.selection === "frozen" ? "as it is when approved" : "open: also what comes later"],
    ["live", `${terms.starts_at} to ${terms.ends_at}; copies destroyed by ${terms.destroy_by}`],
  ]
  return factsOf(rows)
}

/** What the newest edit changed: the approver sees what is new, not only what is. */
function changeSection(history: readonly Event[]): Node[] {
  const [was, is] = history.flatMap(({ terms }) => (terms === null ? [] : [terms])).slice(-2)
  if (was === undefined || is === undefined) return []
  const rows = differencesOf(was, is).map(each => [
    ...[each.term, each.was, each.is],
    each.widens ? "widens: earlier approvals are void" : "narrows",
  ])
  return [
    element("h2", { id: "changed" }, "What the newest edit changed"),
    rowsOf(["term", "was", "is", ""], rows),
  ]
}

function previewSection({ selected, would_leave, if_breached, silhouettes }: Preview): Node[] {
  const faces = if_breached.faces === null ? "faces were not counted" : `${if_breached.faces} faces`
  return [
    element("h2", {}, "What would leave"),
    element("p", { id: "preview" }, `At most ${would_leave} of ${selected} captures.`),
    element("div", { class: "silhouettes" }, ...silhouettes.map(silhouetteOf)),
    element(
      "p",
      { class: "stopped" },
      `If this vendor is breached tomorrow: ${if_breached.images} images (${if_breached.held_already} it holds already), at least ${if_breached.crossings} crossings, ${faces}.`,
    ),
  ]
}

/** The digest is computed here, of the terms that are shown, not taken from the server. */
function decisionSection(me: Me, { grant, version, terms, state, approvals }: Grant): Node[] {
  if (state !== "pending") return []
  if (approvals.some(each => each.person === me.person))
    return [element("p", { id: "signed" }, "You have signed it; a person of another office signs too.")]
  const path = `/v1/grants/${encodeURIComponent(grant)}/approvals`
  const decide = (decision: "approve" | "deny", passkey: Passkey) => async () => {
    const statement = { version, terms_sha256: termsDigest(terms), decision }
    await act(path, statement, passkey)
    await showGrant(me, grant)
  }
  const passkeys = passkeysOf(me)
  // The key's name is part of what is signed, so each passkey has its own button.
  const buttons = passkeys.flatMap((passkey, i) => {
    const which = passkeys.length === 1 ? "your passkey" : `passkey …${passkey.credential.slice(-6)}`
    return [
      button(`Approve with ${which}`, decide("approve", passkey), i === 0 ? { id: "approve" } : {}),
      button(`Deny with ${which}`, decide("deny", passkey), i === 0 ? { id: "deny" } : {}),
    ]
  })
  const none = element(
    "p",
    {},
    "You have no passkey here yet: make one on the page before, or use the command line.",
  )
  return [element("h2", {}, "Your signature"), ...(buttons.length === 0 ? [none] : buttons)]
}

start().catch((error: unknown) => tell(error))
