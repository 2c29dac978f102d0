import { Fault, faults, type FaultCode } from "../fault.ts"
import type { Admitted } from "./send.ts"

const timeout_ms = 60_000
const tries = 5

/**
 * Sends a capture file to the vault; tries again, with longer and longer waits, while the vault is away or busy. Sending
 * the same bytes twice admits them once.
 * @throws Fault with the vault's own code when it refuses; NO_SERVER after the last try.
 */
export async function postCapture(server: string, capture: Uint8Array): Promise<Admitted> {
  for (let left = tries - 1; ; left -= 1) {
    const response = await fetch(`${server.replace(/\/$/, "")}/v1/captures`, {
      method: "POST",
      headers: { "content-type": "application/vnd.sallyport.capture" },
      body: Buffer.from(capture),
      signal: AbortSignal.timeout(timeout_ms),
    }).catch((cause: unknown) => {
      if (left === 0)
        throw new Fault("NO_SERVER", `no vault answers at ${server}; the capture was not admitted`, { cause })
      return null
    })
    if (response?.ok === true) return (await response.json()) as Admitted
    if (response !== null && (response.status < 500 || left === 0)) throw await refusalOf(response)
    await response?.body?.cancel()
    await new Promise(resolve => setTimeout(resolve, 200 * 2 ** (tries - left)))
  }
}

async function refusalOf(response: Response): Promise<Fault> {
  const { code, detail } = (await response.json().catch(() => ({}))) as { code?: string; detail?: string }
  const isKnown = code !== undefined && Object.hasOwn(faults, code)
  return new Fault(
    isKnown ? (code as FaultCode) : "INTERNAL",
    detail ?? `the vault answered ${response.status}`,
  )
}
