import { expect, test } from "vitest"
import { isPlain, lookOf } from "./lookalike.ts"

test("names that pass for one another fold to the same text", () => {
  const alike = ["Vendor P", "VENDOR P", "vendor-p", "Vеndоr Р", "Ｖendor P", "Véndor P", "Vendοr Ρ"]
  expect(new Set(alike.map(lookOf)).size).toBe(1)
  expect(lookOf("Modern")).toBe(lookOf("Modem"))
  expect(lookOf("Lane 1")).toBe(lookOf("Lane l"))
  expect(lookOf("Lane I")).toBe(lookOf("Lane l"))
})

test("names that are told apart stay apart", () => {
  const apart = ["Vendor P", "Vendor Q", "Lane 1", "Lane 2", "Lane 10", "Prime U", "Norte", "Ångström"]
  expect(new Set(apart.map(lookOf)).size).toBe(apart.length)
})

test("a name with something that nobody sees is not plain", () => {
  for (const name of ["Ven\u200bdor", "\u202erodneV", "Vendor\u00ad", "e\u0301", "---", " "])
    expect(isPlain(name), JSON.stringify(name)).toBe(false)
  for (const name of ["Vendor P (demo)", "Oficina de Información", "Lane 1", "税関"])
    expect(isPlain(name)).toBe(true)
})
