import { createHash } from "node:crypto"
import { readFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import type { House } from "../custody/house.ts"
import { Fault } from "../fault.ts"
import { escapeHtml, pageHeaders } from "../html.ts"
import type { Route } from "./route.ts"
import { styles } from "./styles.ts"
import { mustHaveWeb, relyingParty, type Web } from "./web.ts"

/** The script as it was bundled: beside this file in the built program, in `dist` when the sources run. */
const places = ["../console/desk.js", "../../dist/console/desk.js"].map(place =>
  fileURLToPath(new URL(place, import.meta.url)),
)

/** The desk: one page where people of the agency sign in, see what waits for them, and sign it with a passkey. */
export function deskRoutes(house: House, web: Web | null): Route[] {
  let script: Promise<string> | null = null
  const read = () => (script ??= readScript())
  return [
    {
      method: "GET",
      url: "/desk",
      summary: "The desk: sign in, see what waits, approve with a passkey",
      access: "public",
      answer: async (_, reply) => {
        const page = mustHaveWeb(web)
        const integrity = createHash("sha256")
          .update(await read())
          .digest("base64")
        void reply.headers(pageHeaders(styles, { script: integrity }))
        return pageOf(house.log.origin, page, integrity)
      },
    },
    {
      method: "GET",
      url: "/desk.js",
      summary: "The desk's script",
      access: "public",
      answer: async (_, reply) => {
        void reply.type("text/javascript; charset=utf-8").header("cache-control", "no-cache")
        return read()
      },
    },
  ]
}

async function readScript(): Promise<string> {
  for (const place of places) {
    const text = await readFile(place, "utf8").catch(() => null)
    if (text !== null) return text
  }
  throw new Fault("NOT_FOUND", "the desk's script is not built: node scripts/ready.mjs")
}

function pageOf(vault: string, web: Web, integrity: string): string {
  const attributes = `data-vault="${escapeHtml(vault)}" data-party="${escapeHtml(relyingParty(web).id)}" data-sign-in="${web.signIn === null ? "no" : "yes"}"`
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sallyport desk · ${escapeHtml(vault)}</title><style>${styles}</style></head>
<body ${attributes}><header><h1>Sallyport</h1><p>${escapeHtml(vault)} <span class="quiet" id="who"></span></p></header>
<main id="desk"><noscript><p class="state stopped">The desk signs in your browser and needs its script. The command line does the same: sallyport grant approve GRANT</p></noscript></main>
<script type="module" src="/desk.js" integrity="sha256-${integrity}"></script></body></html>
`
}
