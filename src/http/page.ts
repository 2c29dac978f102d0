import { pageHeaders, escapeHtml } from "../html.ts"
import type { House } from "../custody/house.ts"
import { parseEntry, type Entry } from "../log/kinds.ts"
import { names } from "../log/state.ts"
import type { Route } from "./route.ts"
import { sentenceOf } from "./sentences.ts"
import { styles } from "./styles.ts"

/** The running totals and the log's head, for everyone; no name, plate or picture. */
export interface Now {
  readonly origin: string
  readonly as_of: string
  readonly admitted: number
  readonly examined: number
  /** Captures that wait for their examination, and when the oldest of them was captured. */
  readonly unexamined: number
  readonly oldest_unexamined_at: string | null
  readonly permits: number
  readonly delivered: number
  readonly refused: number
  readonly open_alerts: number
  /** Whether what the watch says is held. */
  readonly watch: "on" | "observe"
  readonly size: number
  readonly checkpoint: string
  /** How far the witnesses have seen the log, as a sentence. */
  readonly witnessed: string
  readonly stopped: string | null
  readonly newest: readonly {
    readonly index: number
    readonly at: string
    readonly kind: string
    readonly sentence: string
  }[]
}

export function pageRoutes(house: House): Route[] {
  return [
    {
      method: "GET",
      url: "/v1/now",
      summary: "Totals and the log's head",
      access: "public",
      answer: () => now(house),
    },
    {
      method: "GET",
      url: "/",
      summary: "The same as a page",
      access: "public",
      answer: async (_, reply) => {
        void reply.headers(pageHeaders(styles))
        return pageOf(await now(house))
      },
    },
  ]
}

function witnessedOf({ log }: House, opened: number): string {
  if (log.witnesses === null) return "No witness is asked."
  const refusal = log.witnesses.refusal(opened)
  if (refusal !== null) return `Nothing leaves now: ${refusal}.`
  const { newest } = log.witnesses
  const names = log.witnesses.presence().filter(each => each.problem === null && each.size !== null)
  return `Seen by ${names.map(each => each.name).join(", ")}: ${(newest?.size ?? 0).toLocaleString("en-US")} entries, at ${new Date(newest?.at_ms ?? 0).toISOString()}.`
}

async function now(house: House): Promise<Now> {
  const total = (kind: Entry["kind"]) => house.ledger.counter(names.total(kind))
  const head = await house.log.head()
  const [oldest] = await house.ledger.captures({ examined: false, limit: 1 })
  const rows = await house.ledger.newestEntries({ limit: 16 })
  const newest = rows.flatMap(row => {
    const entry = parseEntry(row.bytes)
    return entry === null
      ? []
      : [{ index: row.index, at: entry.at, kind: entry.kind, sentence: sentenceOf(entry) }]
  })
  return {
    origin: house.log.origin,
    as_of: new Date(house.log.clock()).toISOString(),
    admitted: await total("admitted"),
    examined: await total("examined"),
    unexamined: await house.ledger.counter(names.unexamined),
    oldest_unexamined_at: oldest === undefined ? null : new Date(oldest.capturedAt_ms).toISOString(),
    permits: await total("permit"),
    delivered: await total("delivered"),
    refused: await total("refused"),
    watch: house.log.watch,
    open_alerts: await house.ledger.counter(names.openAlerts),
    witnessed: witnessedOf(house, await house.ledger.counter(names.opened)),
    size: head.size,
    checkpoint: await house.log.checkpoint(),
    stopped: house.vault.gate.stopped,
    newest,
  }
}

function pageOf(now: Now): string {
  const state =
    now.stopped === null
      ? `<p class="state">${now.delivered === 0 ? "No image has ever left this vault." : `${count(now.delivered)} left this vault, each under a permit in the log.`}</p>`
      : `<p class="state stopped" role="alert">The vault is stopped: ${escapeHtml(now.stopped)}</p>`
  const totals = [
    ["captures sealed in", now.admitted],
    ["examined", now.examined],
    ["wait to be examined", now.unexamined],
    ["images delivered", now.delivered],
    ["refused", now.refused],
    ["open alerts", now.open_alerts],
    ["log entries", now.size],
  ] as const
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="5"><title>Sallyport · ${escapeHtml(now.origin)}</title><style>${styles}</style></head>
<body><header><h1>Sallyport</h1><p>${escapeHtml(now.origin)} <span class="quiet">as of ${escapeHtml(now.as_of)}</span></p></header>
<main>${state}
<p class="quiet">${escapeHtml(now.witnessed)} ${now.watch === "on" ? "The watch judges each request before it is charged." : "The watch only observes: it refuses nothing."}</p>
<section aria-label="Totals"><dl class="totals">${totals.map(([name, value]) => `<div><dt>${name}</dt><dd>${value.toLocaleString("en-US")}</dd></div>`).join("")}</dl></section>
<section><h2>Newest entries</h2>${entriesOf(now)}</section>
<section><h2>The log's head</h2><pre>${escapeHtml(now.checkpoint)}</pre>
<p class="quiet">Anyone may check it: <code>/log/checkpoint</code>, <code>/log/tile/…</code>, <code>/log/policy</code>. Pin the policy's key; do not trust it from here.</p></section>
<section><h2>Try next</h2><pre>bin/sallyport grant ls   --key DIR/people/engineer.key
bin/sallyport draw       --key DIR/people/engineer.key --grant grt_… --count 5 --out draw
bin/sallyport receipt verify draw/*.tlog-proof --policy DIR/policy
bin/sallyport log verify --key DIR/people/auditor.key --policy DIR/policy</pre>
<p class="quiet">DIR is the data folder that the terminal names.</p></section></main></body></html>
`
}

function entriesOf({ newest }: Now): string {
  if (newest.length === 0) return `<p>The first entry appears when the vault is made.</p>`
  const rows = newest.map(
    ({ index, at, kind, sentence }) =>
      `<tr><td class="number">${index}</td><td><time datetime="${escapeHtml(at)}">${escapeHtml(at.slice(11, 19))}</time></td><td><span class="kind ${escapeHtml(kind.replace(".", "-"))}">${escapeHtml(kind)}</span></td><td>${escapeHtml(sentence)}</td></tr>`,
  )
  return `<table><thead><tr><th class="number" scope="col">entry</th><th scope="col">time (UTC)</th><th scope="col">kind</th><th scope="col">what it says</th></tr></thead><tbody>${rows.join("")}</tbody></table>`
}

function count(images: number): string {
  return images === 1 ? "1 image" : `${images.toLocaleString("en-US")} images`
}
