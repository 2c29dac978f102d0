import { BlockList, isIP } from "node:net"

/** An address that was checked, and that is the one to connect to; or why nobody connects. */
export type Reach = { readonly address: string; readonly family: 4 | 6 } | { readonly why: string }

/**
 * Address blocks that are not the public internet, and 6to4 and NAT64, which lead to IPv4 addresses of any kind.
 * Source: IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890); multicast RFC 5771 and RFC 4291.
 */
const special: readonly string[] = [
  ...["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"],
  ...["192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15"],
  ...["198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"],
  ...["::/128", "::1/128", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32"],
  ...["2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8"],
]

const inside = blocks(special)

function blocks(networks: readonly string[]): BlockList {
  const list = new BlockList()
  for (const network of networks) {
    const [address = "", prefix = ""] = network.split("/")
    list.addSubnet(address, Number(prefix), isIP(address) === 6 ? "ipv6" : "ipv4")
  }
  return list
}

function contains(list: BlockList, address: string): boolean {
  return list.check(address, isIP(address) === 6 ? "ipv6" : "ipv4")
}

/** An IPv4 address that is written as an IPv6 one (`::ffff:127.0.0.1`, `::ffff:7f00:1`) as itself. */
function plain(address: string): string {
  const mapped = /^::ffff:(?:([0-9.]+)|([0-9a-f]{1,4}):([0-9a-f]{1,4}))$/i.exec(address)
  if (mapped === null) return address
  const [, dotted, high = "0", low = "0"] = mapped
  if (dotted !== undefined) return dotted
  const bits = (Number.parseInt(high, 16) << 16) | Number.parseInt(low, 16)
  return [24, 16, 8, 0].map(shift => (bits >>> shift) & 255).join(".")
}

/**
 * Resolves a host and judges every address of the answer: one that is inside a house (private, loopback, link-local with the
 * clouds' metadata service at 169.254.169.254, and every other special block) is not connected to unless `allowed` has it.
 * Who connects then takes the very address that was judged, so that a name which answers differently the second time gains
 * nothing.
 * @param host  a name or an address literal, without brackets.
 * @param allowed  networks, such as 127.0.0.0/8, that this destination may be in.
 */
export async function reach(
  host: string,
  of: { readonly allowed: readonly string[]; readonly lookup: (host: string) => Promise<readonly string[]> },
): Promise<Reach> {
  const found = isIP(host) > 0 ? [host] : await of.lookup(host).catch(() => [])
  const addresses = found.map(plain).filter(address => isIP(address) > 0)
  const [first] = addresses
  if (first === undefined) return { why: `${host} does not resolve` }
  const allowed = blocks(of.allowed)
  const closed = addresses.find(address => contains(inside, address) && !contains(allowed, address))
  if (closed !== undefined)
    return { why: `${host} is at ${closed}, which is no public address; outbox_networks can allow it` }
  return { address: first, family: isIP(first) === 6 ? 6 : 4 }
}

/** Whether the address is one that only `outbox_networks` lets through. */
export function isInside(address: string): boolean {
  return contains(inside, plain(address))
}
