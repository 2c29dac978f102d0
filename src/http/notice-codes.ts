import { Type } from "typebox"
import type { CodeAnswer } from "../custody/notice-codes.ts"
import { NoticeCodes } from "../custody/notice-codes.ts"
import type { House } from "../custody/house.ts"
import { Fault } from "../fault.ts"
import { escapeHtml, pageHeaders } from "../html.ts"
import { RateLimit } from "../rate.ts"
import { parameter, type Route } from "./route.ts"
import { styles } from "./styles.ts"

/** Who asks one code after another is slowed; 80 bits are not guessed at any rate. */
const each = { perSecond: 0.5, burst: 10 }
const all = { perSecond: 20, burst: 100 }

/** Every answer takes this long, and has this many bytes, whatever the code is. */
const answer_ms = 250
const json_bytes = 512
const page_bytes = 8192

/** The page on which anybody checks the code of a letter, and learns nothing else. */
export function noticeCodeRoutes(house: House): Route[] {
  const codes = new NoticeCodes(house)
  const [one, everybody] = [new RateLimit(each), new RateLimit(all)]
  const check = async (code: string, address: string): Promise<CodeAnswer> => {
    const now_ms = performance.now()
    if (!one.take(address, now_ms) || !everybody.take("all", now_ms))
      throw new Fault("RATE", "too many codes were asked for; try again in a minute")
    const [answer] = await Promise.all([
      codes.check(code),
      new Promise(resolve => setTimeout(resolve, answer_ms)),
    ])
    return answer
  }
  return [
    {
      method: "GET",
      url: "/v1/notice-codes/:code",
      summary:
        "Whether a letter's code is one of this agency's, of which incident, signed when; nothing else",
      access: "public",
      answer: async (request, reply) => {
        const answer = await check(parameter(request, "code"), request.ip)
        void reply.type("application/json; charset=utf-8").header("cache-control", "no-store")
        return JSON.stringify({ object: "notice_code", ...answer }).padEnd(json_bytes)
      },
    },
    {
      method: "GET",
      url: "/notice",
      summary: "The same as a page",
      access: "public",
      query: { code: Type.Optional(Type.String({ maxLength: 200 })) },
      answer: async (request, reply) => {
        const { code } = request.query as { code?: string }
        const answer = code === undefined ? null : await check(code, request.ip)
        void reply.headers(pageHeaders(styles, { form: "self" }))
        return padded(pageOf(answer))
      },
    },
  ]
}

/** Letters of one byte alone, so characters are bytes. */
function padded(page: string): string {
  return `${page}<!--${" ".repeat(Math.max(0, page_bytes - page.length - 7))}-->`
}

function pageOf(answer: CodeAnswer | null): string {
  const of =
    answer?.ours === true
      ? ` Incident ${answer.incident ?? ""}; letters signed on ${answer.signed_on ?? ""}.`
      : ""
  const said =
    answer === null
      ? `<p class="quiet">Type the code that stands in your letter.</p>`
      : `<p class="state${answer.ours ? "" : " stopped"}" role="status">${escapeHtml(answer.says + of)}</p>`
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Is this letter ours?</title><style>${styles}</style></head>
<body><header><h1>Is this letter ours?</h1></header><main>${said}
<form method="get" action="/notice"><label>Code of the letter <input name="code" autocomplete="off" spellcheck="false" maxlength="40" required></label> <button>Check</button></form>
<p class="quiet">This page says whether the code is ours. It knows no name, no plate and no picture, and keeps nothing of what you type.</p>
</main></body></html>
`
}
