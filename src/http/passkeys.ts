import {
  generateRegistrationOptions,
  verifyRegistrationResponse,
  type RegistrationResponseJSON,
} from "@simplewebauthn/server"
import { convertCOSEtoPKCS } from "@simplewebauthn/server/helpers"
import { p256 } from "@noble/curves/nist.js"
import { randomBytes } from "node:crypto"
import { Type } from "typebox"
import { base64, equal } from "../bytes.ts"
import type { House } from "../custody/house.ts"
import { Fault } from "../fault.ts"
import { clientDataOf, fromBase64url } from "../grant/passkey.ts"
import type { Asked } from "../grant/request.ts"
import type { Route } from "./route.ts"
import { cookies, sealed, unsealed } from "./session.ts"
import { mustHaveWeb, relyingParty, type Web } from "./web.ts"

const es256 = -7
const timeout_ms = 120_000

/** The browser's answer to the making of a passkey; the library judges what is inside. */
const made = Type.Object({
  id: Type.String({ maxLength: 1024 }),
  rawId: Type.String({ maxLength: 1024 }),
  type: Type.Literal("public-key"),
  response: Type.Object({
    clientDataJSON: Type.String({ maxLength: 8192 }),
    attestationObject: Type.String({ maxLength: 16_384 }),
  }),
})

/**
 * Making a passkey. Nothing is stored and nobody is enrolled: the answer is the public key, which a custodian proposes for
 * its person and a second one signs, like any other key.
 */
export function passkeyRoutes(house: House, web: Web | null): Route[] {
  return [
    {
      method: "POST",
      url: "/v1/passkeys/options",
      summary: "What a browser needs to make a passkey for this vault",
      access: "public",
      answer: async (_, reply) => {
        const page = mustHaveWeb(web)
        const options = await generateRegistrationOptions({
          rpName: `Sallyport ${house.log.origin}`,
          rpID: relyingParty(page).id,
          userName: `Sallyport ${house.log.origin}`,
          userID: new Uint8Array(randomBytes(16)),
          attestationType: "none",
          authenticatorSelection: { residentKey: "preferred", userVerification: "required" },
          supportedAlgorithmIDs: [es256],
          timeout: timeout_ms,
        })
        const value = { challenge: options.challenge }
        const now_ms = house.log.clock()
        void reply.header("set-cookie", await sealed(page, cookies.registration, { value, now_ms }))
        return options
      },
    },
    {
      method: "POST",
      url: "/v1/passkeys",
      summary: "The public key of the passkey that was made, to be enrolled by two people",
      access: "public",
      body: made,
      answer: async request => {
        const page = mustHaveWeb(web)
        const of = { header: request.headers.cookie, now_ms: house.log.clock() }
        const begun = await unsealed(page, cookies.registration, of)
        if (begun === null)
          throw new Fault("INVALID", "no passkey is being made in this browser; begin again")
        return keyOf(page, request.body as RegistrationResponseJSON, begun.challenge)
      },
    },
  ]
}

async function keyOf(
  web: Web,
  response: RegistrationResponseJSON,
  expectedChallenge: string,
): Promise<{ key: string; credential: string }> {
  const checked = await verifyRegistrationResponse({
    response,
    expectedChallenge,
    expectedOrigin: web.origin,
    expectedRPID: relyingParty(web).id,
    requireUserVerification: true,
    supportedAlgorithmIDs: [es256],
  }).catch((cause: unknown) => {
    throw new Fault("INVALID", "the browser's answer is not that of a new passkey for this vault", { cause })
  })
  if (!checked.verified) throw new Fault("INVALID", "the passkey's registration does not verify")
  const { id, publicKey } = checked.registrationInfo.credential
  const point = p256.Point.fromBytes(convertCOSEtoPKCS(publicKey))
  return { key: base64(point.toBytes(true)), credential: id }
}

/**
 * Whether a passkey's words were said on this vault's own page; the signature itself is judged with every other.
 * @throws Fault SIGNATURE_INVALID for another page's, or where this vault has none.
 */
export function assertOwnPage({ passkey }: Asked, web: Web | null): void {
  if (passkey === null) return
  const data = fromBase64url(passkey.authenticator_data)
  const client = fromBase64url(passkey.client_data)
  const said = client === null ? null : clientDataOf(client)
  const isOwn =
    web !== null &&
    said?.origin === web.origin &&
    data !== null &&
    equal(data.subarray(0, 32), relyingParty(web).idHash)
  if (!isOwn) throw new Fault("SIGNATURE_INVALID", "the passkey signed on another page than this vault's")
}
