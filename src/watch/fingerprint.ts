/**
 * 32 bits that stand for a name in the watch's state: FNV-1a over its UTF-16 code units, never 0 (0 is "none").
 * Not a secret and not proof against collisions: two names that meet are taken for one, which costs evidence of novelty
 * once in 4·10⁹ pairs and never a budget. Source: draft-eastlake-fnv-21 §3.
 */
export function fingerprint(name: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < name.length; i += 1) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193)
  return hash >>> 0 || 1
}
