/**
 * Letters and digits that pass for a Latin letter, after lower-casing: those of Cyrillic and Greek in the everyday fonts
 * (after Unicode UTS #39, confusables), and l, i, 1, o, 0 among themselves.
 */
const passesFor: Readonly<Record<string, string>> = {
  ...{
    а: "a",
    в: "b",
    с: "c",
    ԁ: "d",
    е: "e",
    н: "h",
    һ: "h",
    і: "l",
    ј: "j",
    к: "k",
    м: "m",
    о: "o",
    р: "p",
  },
  ...{ ԛ: "q", ѕ: "s", т: "t", у: "y", ѵ: "v", ԝ: "w", х: "x", ӏ: "l" },
  ...{
    α: "a",
    β: "b",
    ε: "e",
    η: "n",
    ι: "l",
    κ: "k",
    ν: "v",
    ο: "o",
    ρ: "p",
    τ: "t",
    υ: "u",
    χ: "x",
    ω: "w",
  },
  ...{ i: "l", "1": "l", "0": "o", ı: "l" },
}

/** What a name looks like at a glance: two names that fold to the same text can be taken for each other. */
export function lookOf(name: string): string {
  const plain = name.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase()
  const letters = Array.from(plain, letter => passesFor[letter] ?? letter).join("")
  return letters
    .replace(/[^\p{L}\p{N}]/gu, "")
    .replaceAll("rn", "m")
    .replaceAll("vv", "w")
}

/** Whether a name shows all that it is: nothing invisible, nothing that turns the direction, at least one letter or digit. */
export function isPlain(name: string): boolean {
  return name.normalize("NFC") === name && !/[\p{C}\p{Zl}\p{Zp}]/u.test(name) && lookOf(name) !== ""
}
