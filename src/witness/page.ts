import { escapeHtml } from "../html.ts"
export interface WitnessNow {
  readonly name: string
  readonly vkey: string
  readonly as_of: string
  readonly logs: readonly {
    readonly origin: string
    readonly size: number | null
    readonly cosigned_at: string | null
    readonly checkpoint: string | null
  }[]
}

/** The page's one style sheet; its digest is in the content security policy. */
export const pageStyles = `
:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.4rem}table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #8886}
.number{text-align:right;font-variant-numeric:tabular-nums}pre{white-space:pre-wrap;overflow-wrap:anywhere;border:1px solid #8886;padding:.75rem;font-size:.85rem}
`

/** Which logs this witness follows and how far it has seen each. */
export function statusPage({ name, vkey, as_of, logs }: WitnessNow): string {
  const rows = logs.map(
    ({ origin, size, cosigned_at }) =>
      `<tr><td>${escapeHtml(origin)}</td><td class="number">${size?.toLocaleString("en-US") ?? "–"}</td><td>${cosigned_at === null ? "not yet" : `<time datetime="${cosigned_at}">${cosigned_at}</time>`}</td></tr>`,
  )
  const body =
    rows.length === 0
      ? `<p>No log is witnessed yet: <code>sallyport witness add VKEY --data DIR</code> on this machine.</p>`
      : `<table><thead><tr><th scope="col">log</th><th scope="col" class="number">entries seen</th><th scope="col">cosigned at (UTC)</th></tr></thead><tbody>${rows.join("")}</tbody></table>`
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta http-equiv="refresh" content="10">
<title>Witness ${escapeHtml(name)}</title><style>${pageStyles}</style></head>
<body><h1>Witness ${escapeHtml(name)}</h1><p>As of ${escapeHtml(as_of)}. A log that shows this witness a tree which does not extend the one below is refused.</p>
${body}
<h2>Its key</h2><p>For the policy file of a log, or of anyone who verifies one:</p><pre>witness ${escapeHtml(name)} ${escapeHtml(vkey)}</pre>
${logs.map(({ origin, checkpoint }) => (checkpoint === null ? "" : `<h2>${escapeHtml(origin)}</h2><pre>${escapeHtml(checkpoint)}</pre>`)).join("")}
</body></html>
`
}
