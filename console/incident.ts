import { clockWords, spanWords } from "../src/incident/clock-say.ts"
import type { Clock, Evaluation } from "../src/incident/clocks.ts"
import { causeWords, counted, countWords, discoveredWords, number } from "../src/incident/scope-words.ts"
import { unitWords, urgentFirst } from "../src/incident/scope-words.ts"
import { units, type ScopeResult } from "../src/incident/scope.ts"
import { estimateIn, withEstimate } from "../src/incident/with-estimate.ts"
import type { LinkageState } from "../src/log/linkages.ts"
import type { IncidentState } from "../src/log/incidents.ts"
import { element, factsOf, rowsOf, wide } from "./draw.ts"
import { button, show } from "./page.ts"
import { dayPlot } from "./plot.ts"
import { read } from "./requests.ts"

/** An incident at the desk: it is only read here. */

/** Where one goes from an incident. */
export interface Ways {
  readonly back: () => Promise<void>
  readonly grant: (id: string) => Promise<void>
}

const heading = (text: string, id?: string) => element("h2", id === undefined ? {} : { id }, text)
const quiet = (...text: readonly (Node | string)[]) => element("p", { class: "quiet" }, ...text)
const command = (text: string) => element("code", {}, text)

/** Open incidents, for the first page. */
export async function incidentSection(ways: Ways): Promise<Node[]> {
  const { data, has_more } = await read<{ data: IncidentState[]; has_more: boolean }>(
    "/v1/incidents?status=open&limit=50",
  )
  if (data.length === 0) return [quiet("No open incident. ", command("sallyport incident declare"))]
  const rows = data.map(each => [
    button(each.incident, () => showIncident(each.incident, ways), { class: "link" }),
    ...[each.statement.title, each.status, each.declared_at.slice(0, 16).replace("T", " ")],
    each.scoped === null ? "not counted" : number(each.scoped.left),
  ])
  const open = `${counted(data.length, "open incident", "open incidents")}${has_more ? ", and more" : ""}`
  return [
    element("p", { class: "state stopped", id: "incidents" }, open),
    rowsOf(["incident", "title", "status", "since (UTC)", "images left"], rows),
  ]
}

async function showIncident(id: string, ways: Ways): Promise<void> {
  const path = `/v1/incidents/${encodeURIComponent(id)}`
  const held = await read<IncidentState>(path)
  const [result, standing, files] = await Promise.all([
    held.scoped === null ? null : read<ScopeResult>(`${path}/scope`),
    read<Evaluation>(`${path}/clocks`),
    held.signed === null
      ? []
      : read<{ files: readonly SignedFile[] }>(`${path}/statement`).then(of => of.files),
  ])
  const linkage =
    held.linkage === null
      ? null
      : await read<LinkageState>(`/v1/linkages/${encodeURIComponent(held.linkage)}`)
  const estimate = linkage === null ? null : estimateIn(linkage, held)
  const stated = result === null ? null : withEstimate(result, estimate)
  show(
    heading(`${id}: ${held.statement.title}`, "incident"),
    ...firstSection(held, standing),
    ...knownSection(held),
    ...stopSection(held, result, ways),
    ...scopeSection(held, stated),
    ...clockSection(held, standing),
    ...statementSection(held, files),
    button("Back", ways.back),
    button("Read again", () => showIncident(id, ways)),
  )
}

/** The first thing that is seen: how long there is until the next clock is due, and which were missed. */
function firstSection({ status, closed }: IncidentState, standing: Evaluation): Node[] {
  if (status === "closed") return [element("p", { class: "state" }, `Closed: ${closed?.outcome ?? ""}.`)]
  const leading = urgentFirst(standing).shown.filter(({ leads }) => leads)
  const missed = leading.filter(clock => clock.status.state === "missed")
  const next = leading.find(clock => dueOf(clock) !== null)
  return [...nextNodes(next, standing), ...missedNodes(missed)]
}

function dueOf({ status }: Clock): string | null {
  return status.state === "running" ? status.run.due_at : null
}

const nameOf = ({ party, pack, rule }: Clock) => `${party}, ${pack.id}/${rule.id}`

function nextNodes(next: Clock | undefined, { at }: Evaluation): Node[] {
  const due_at = next === undefined ? null : dueOf(next)
  if (next === undefined || due_at === null)
    return [element("p", { class: "state", id: "left" }, "No clock runs to a fixed time.")]
  // By the vault's clock, whatever this machine's says.
  const ahead_ms = Date.parse(at) - Date.now()
  const left = element("p", { class: "left", id: "left" })
  const tick = () => {
    const left_ms = Date.parse(due_at) - Date.now() - ahead_ms
    left.textContent = left_ms > 0 ? `${spanWords(left_ms)} left` : "due now"
  }
  tick()
  const timer = setInterval(() => (left.isConnected ? tick() : clearInterval(timer)), 1000)
  return [left, element("p", {}, `until the next clock is due: ${nameOf(next)}. ${next.rule.title}.`)]
}

function missedNodes(missed: readonly Clock[]): Node[] {
  const late = missed.map(clock => (clock.status.state === "missed" ? clock.status.late_by_ms : 0))
  const longest = missed[late.indexOf(Math.max(...late))]
  if (longest === undefined) return []
  const by = `by ${spanWords(Math.max(...late))}: ${nameOf(longest)}`
  const text =
    missed.length === 1 ? `1 clock is missed, ${by}` : `${missed.length} clocks are missed, the longest ${by}`
  return [element("p", { class: "state stopped", id: "missed", role: "alert" }, text)]
}

function knownSection({ statement, status, reported, version, stated_entry }: IncidentState): Node[] {
  const { cause, from, until, discovered } = statement
  const by = reported && status !== "reported" ? ", reported by the vendor" : ""
  const rows: [string, string][] = [
    ["status", `${status}${by}; version ${version}, log entry ${stated_entry}`],
    ["known by", causeWords(cause)],
    [
      "released",
      `from ${from ?? "the log's first entry"} until ${until ?? "now: it is not known to be over"}`,
    ],
    ["discovered", discoveredWords(discovered).join("; ")],
  ]
  return [heading("What is known"), factsOf(rows)]
}

/** What could still be taken comes before what is gone. */
function stopSection({ incident }: IncidentState, result: ScopeResult | null, ways: Ways): Node[] {
  if (result === null) return []
  const rows = result.live_grants.map(({ grant, holder, images_left, takeable }) => [
    button(grant, () => ways.grant(grant), { class: "link" }),
    ...[holder, number(images_left), number(takeable)],
  ])
  if (rows.length === 0)
    return [
      heading("Live grants to stop"),
      element("p", { id: "live" }, "No live grant lets them take more."),
    ]
  return [
    heading("Live grants to stop"),
    element(
      "p",
      { class: "stopped", id: "live" },
      `${counted(rows.length, "live grant lets", "live grants let")} them take more.`,
    ),
    rowsOf(["grant", "holder", "images left to take", "images it reaches"], rows),
    quiet(
      "It suspends whom the incident is known by, and revokes each: ",
      command(`sallyport incident contain ${incident}`),
    ),
  ]
}

function scopeSection(held: IncidentState, result: ScopeResult | null): Node[] {
  const { incident, scoped, version } = held
  if (result === null || scoped === null)
    return [
      heading("What left"),
      element("p", { id: "scope" }, "Nothing is counted yet, so nothing is known of what left. "),
      quiet(command(`sallyport incident scope ${incident}`)),
    ]
  const old = scoped.version === version ? "" : ` It is of version ${scoped.version}: count anew.`
  const rows = units.map(unit => [
    unitWords[unit],
    ...[result.left[unit], result.refused[unit], result.takeable[unit]].map(countWords),
  ])
  const unknown = result.unknowns.filter(({ count }) => count !== 0)
  const days = result.left_by.release_day
  return [
    heading("What left", "scope"),
    quiet(
      `Counted at log entry ${scoped.entry}, ${scoped.at}, by two engines that agree. Where two numbers stand, it is at least the first and at most the second.${old}`,
    ),
    rowsOf(["", "left", "refused, and never left", "can still be taken"], rows),
    ...peopleNodes(result, incident),
    heading("Not known"),
    element("ul", { id: "unknowns" }, ...unknown.map(({ sentence }) => element("li", {}, sentence))),
    quiet(
      `${number(result.unknowns.length - unknown.length)} other things that could be unknown were looked for, and there are none.`,
    ),
    heading("Images that left, by the day of their release (UTC)"),
    ...(days.length === 0
      ? [element("p", {}, "None left in the window.")]
      : [wide(dayPlot(days)), quiet("An image that left on two days is counted on each.")]),
  ]
}

/** How the estimate of people was made, or what makes one. */
function peopleNodes({ left }: ScopeResult, incident: string): Node[] {
  const { estimate } = left.people
  if (estimate !== undefined) return [quiet(`People: ${estimate.method}`)]
  return [quiet("People are not estimated: ", command(`sallyport incident link ${incident}`))]
}

function clockSection({ incident, clocks }: IncidentState, standing: Evaluation): Node[] {
  const { shown, waiting, quiet: others } = urgentFirst(standing)
  const rows = shown.map(clock => [
    element("span", { class: clock.status.state === "missed" ? "refused" : "" }, clock.status.state),
    ...[clock.party, `${clock.pack.id}/${clock.rule.id}`],
    `${clockWords(clock)}${clock.leads ? "" : "; a stricter one leads"}`,
  ])
  const none = "No clock runs by what is known."
  return [
    heading("Clocks", "clocks"),
    rows.length === 0 ? element("p", {}, none) : rowsOf(["clock", "whose", "rule", ""], rows),
    quiet(
      `As of ${standing.at}. ${counted(waiting, "clock waits", "clocks wait")} for facts, ${number(others)} are not triggered; every line is for counsel to confirm. ${clocks === null ? "None was started yet, so nobody is reminded: " : "Why: "}`,
      command(`sallyport incident clocks ${incident} ${clocks === null ? "--start" : "--all"}`),
    ),
  ]
}

interface SignedFile {
  readonly name: string
  readonly base64: string
}

function statementSection({ incident, signed }: IncidentState, files: readonly SignedFile[]): Node[] {
  if (signed === null)
    return [
      heading("Statement"),
      element("p", { id: "statement" }, "None was signed by two people yet."),
      quiet(command(`sallyport incident statement ${incident}`)),
    ]
  const links = files.map(({ name, base64 }) => {
    const bytes = Uint8Array.from(atob(base64), letter => letter.charCodeAt(0))
    const href = URL.createObjectURL(new Blob([bytes]))
    return element("li", {}, element("a", { href, download: name }, name))
  })
  return [
    heading("Statement"),
    element("p", { id: "statement" }, `Signed by two people, log entry ${signed.entry}.`),
    element("ul", {}, ...links),
    quiet("Who has a letter checks its code at ", element("a", { href: "/notice" }, "/notice"), "."),
  ]
}
