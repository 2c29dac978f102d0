/** How alike two plates' texts are, as readers err: characters that look alike are exchanged more often than others. */

/** Characters that readers take for each other, each row one shape. */
const shapes = [
  "0OQD",
  "1IL",
  "2Z",
  "5S",
  "6G",
  "8B",
  "4A",
  "7T",
  "VY",
  "MN",
  "EF",
  "PR",
  "UV",
  "CG",
] as const

/** Each character's shape for looking up: the first row that has it. Rows may share a character; likeness asks all. */
const shapeOf = new Map<string, string>()
for (const shape of shapes)
  for (const character of shape) if (!shapeOf.has(character)) shapeOf.set(character, shape.charAt(0))

export function isLookAlike(a: string, b: string): boolean {
  return shapes.some(shape => shape.includes(a) && shape.includes(b))
}

/** From likest to least. */
export const likenesses = ["same", "one-alike", "more-alike", "one-unlike", "one-missing"] as const
export type Likeness = (typeof likenesses)[number]

/** How two texts differ, or `null` where it is by more than readers err. */
export function likenessOf(a: string, b: string): Likeness | null {
  if (a === b) return "same"
  if (a.length !== b.length) return isOneMissing(a, b) ? "one-missing" : null
  const differing = [...a].flatMap((character, i) => {
    const other = b.charAt(i)
    return character === other ? [] : [isLookAlike(character, other)]
  })
  const unlike = differing.filter(alike => !alike).length
  if (unlike === 1 && differing.length <= 2) return "one-unlike"
  if (unlike > 0 || differing.length > 3) return null
  return differing.length === 1 ? "one-alike" : "more-alike"
}

/** Whether the longer is the shorter with one character more, look-alikes taken as equal. */
function isOneMissing(a: string, b: string): boolean {
  const [short, long] = a.length < b.length ? [a, b] : [b, a]
  if (long.length !== short.length + 1) return false
  return Array.from({ length: long.length }, (_, i) => i).some(left => {
    const rest = long.slice(0, left) + long.slice(left + 1)
    return [...short].every(
      (character, i) => character === rest.charAt(i) || isLookAlike(character, rest.charAt(i)),
    )
  })
}

/**
 * Keys of which two texts that are alike share one: the text in its shapes' first characters, and that with any one
 * character left out. One key for each character and one more.
 */
export function keysOf(text: string): string[] {
  const skeleton = [...text].map(character => shapeOf.get(character) ?? character).join("")
  const keys = Array.from({ length: skeleton.length }, (_, i) => skeleton.slice(0, i) + skeleton.slice(i + 1))
  return [...new Set([skeleton, ...keys])]
}
