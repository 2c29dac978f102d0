import { expect, test } from "vitest"
import { signerOfRequest } from "./standing.ts"
import { Register, type Records } from "./state.ts"

test("a key or passkey signs for its person, a sign-in at the identity provider for nobody", () => {
  const person: Records["person"] = {
    ...{ person: "per_1", organization: "org_1", office: "cor", key: "a", suspended: false },
  }
  const key = (kind: Records["key"]["kind"]) => ({ person: "per_1", reader: null, kind, credential: null })
  const register = new Register()
  const records = [
    { kind: "person", id: "per_1", body: person },
    { kind: "key", id: "a", body: key("ed25519") },
    { kind: "key", id: "b", body: key("passkey") },
    { kind: "key", id: "c", body: key("subject") },
  ] as const
  register.apply({ records, counters: [], members: [], captures: [], messages: [] }, 0)
  expect(["a", "b", "c", "d"].map(each => signerOfRequest(each, register)?.person ?? null)).toEqual([
    "per_1",
    "per_1",
    null,
    null,
  ])
})
