import { BlockList, isIP } from "node:net"

/** An address as it is compared: IPv4 that was mapped into IPv6 is IPv4. */
function plain(address: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address
}

/** The first of these CIDR networks that the address is in, or `null`; a malformed one contains nothing. */
export function networkOf(address: string | null, networks: readonly string[]): string | null {
  const at = address === null ? "" : plain(address)
  const family = isIP(at)
  if (family === 0) return null
  return networks.find(network => contains(network, at, family === 4 ? "ipv4" : "ipv6")) ?? null
}

/**
 * What stands for the network that an address is in, where nobody says which: its /24, or /48 of IPv6, as text. What is no
 * address stands for itself.
 */
export function neighbourhoodOf(address: string): string {
  const at = plain(address)
  if (isIP(at) === 4) return at.split(".").slice(0, 3).join(".")
  if (isIP(at) !== 6) return at
  const [head = "", tail] = at.toLowerCase().split("::")
  const groups = head === "" ? [] : head.split(":")
  const missing = tail === undefined ? 0 : 8 - groups.length - (tail === "" ? 0 : tail.split(":").length)
  const all = [...groups, ...Array.from({ length: missing }, () => "0"), ...(tail ?? "").split(":")]
  return all
    .slice(0, 3)
    .map(group => group.replace(/^0+(?=.)/, ""))
    .join(":")
}

/** Whether a text is a network: an address and the number of its leading bits. */
export function isNetwork(text: string): boolean {
  const [address = "", bits = ""] = text.split("/")
  const family = isIP(address)
  return family !== 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128)
}

function contains(network: string, address: string, family: "ipv4" | "ipv6"): boolean {
  const [base = "", bits = ""] = network.split("/")
  if (!isNetwork(network) || (isIP(base) === 4 ? "ipv4" : "ipv6") !== family) return false
  const list = new BlockList()
  list.addSubnet(base, Number(bits), family)
  return list.check(address, family)
}
