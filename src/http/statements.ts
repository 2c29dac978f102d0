import { Readable } from "node:stream"
import { Type } from "typebox"
import { base64 } from "../bytes.ts"
import type { House } from "../custody/house.ts"
import { incidentOf } from "../custody/incident-record.ts"
import { lettersAs, lettersOf } from "../custody/letters.ts"
import { makeStatement, signedFiles, type Said } from "../custody/statements.ts"
import type { Member } from "../pack/archive.ts"
import { allow } from "./door.ts"
import { callerOf, parameter, type Route } from "./route.ts"

const sentence = Type.Union([Type.String({ minLength: 1, maxLength: 500 }), Type.Null()])
const said = Type.Object(
  {
    contact: Type.String({ minLength: 1, maxLength: 200 }),
    check_url: Type.String({ pattern: "^https?://[!-~]{1,180}$" }),
    happened: sentence,
    doing: sentence,
  },
  { additionalProperties: false },
)

/** What is said of an incident: written here, signed by two people elsewhere. */
export function statementRoutes(house: House): Route[] {
  return [
    {
      method: "POST",
      url: "/v1/incidents/:id/statements",
      summary:
        "Write the statement and letters of the newest scope; in effect once two people sign their digests",
      access: "signed",
      status: 201,
      body: said,
      answer: async request => {
        await allow(house, callerOf(request), "declare")
        const made = await makeStatement(house, parameter(request, "id"), request.body as Said)
        return { ...made, files: encoded(made.files) }
      },
    },
    {
      method: "GET",
      url: "/v1/incidents/:id/statement",
      summary: "The statement that two people signed",
      access: "signed",
      answer: async request => {
        await allow(house, callerOf(request), "read log")
        return { files: encoded(await signedFiles(house, await incidentOf(house, parameter(request, "id")))) }
      },
    },
    {
      method: "GET",
      url: "/v1/incidents/:id/letters",
      summary: "Letters of the newest scope, one for each image that left: no image, no plate, no name",
      access: "signed",
      query: { format: Type.Optional(Type.String({ pattern: "^(csv|ndjson)$" })) },
      answer: async (request, reply) => {
        await allow(house, callerOf(request), "declare")
        const { format = "ndjson" } = request.query as { format?: "csv" | "ndjson" }
        const letters = await lettersOf(house, await incidentOf(house, parameter(request, "id")))
        void reply.type(format === "csv" ? "text/csv; charset=utf-8" : "application/x-ndjson")
        return reply.send(Readable.from(lettersAs(format, letters)))
      },
    },
  ]
}

/** Files as JSON carries them. */
function encoded(files: readonly Member[]): { readonly name: string; readonly base64: string }[] {
  return files.map(({ name, bytes }) => ({ name, base64: base64(bytes) }))
}
