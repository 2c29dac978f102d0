import { Fault } from "../fault.ts"

/** Host and port of `HOST:PORT`. @throws Fault INVALID. */
export function addressOf(listen: string): { readonly host: string; readonly port: number } {
  const match = /^(.+):(\d{1,5})$/.exec(listen)
  const port = Number(match?.[2])
  if (match === null || port > 65_535)
    throw new Fault("INVALID", "an address is HOST:PORT, such as 127.0.0.1:7300")
  return { host: (match[1] ?? "").replace(/^\[|\]$/g, ""), port }
}
