/** A person's one office. The first five are the agency's; the last two a vendor's. */
export type Office = "custodian" | "cor" | "privacy" | "analyst" | "auditor" | "manager" | "engineer"

export const offices: readonly Office[] = [
  "custodian",
  "cor",
  "privacy",
  "analyst",
  "auditor",
  "manager",
  "engineer",
]

/** What a person can ask of the vault; who may do which is one table. */
export type Act =
  | "register" // organizations, contracts, people, ports, lanes, readers, recipients
  | "suspend"
  | "request"
  | "approve"
  | "revoke"
  | "draw"
  | "open case"
  | "list captures"
  | "read log"
  | "destroy opening"
  | "stop" // all releases of a port or the vault
  | "second" // what another person proposed
  | "edit"
  | "acknowledge" // an alert
  | "trace" // found files
  | "know canaries" // and plan them, and know who touched one
  | "declare" // an incident, its scope and clocks
  | "adjudicate" // whether two faces of what left are one person's
  | "report" // a breach of the own organization
  | "sign off" // counsel's word on a clock
  | "account" // to a traveler, for what left of him
  | "tune" // what the watch judges by: tried by one, put in force by two

const allowed: Readonly<Record<Act, readonly Office[]>> = {
  register: ["custodian"],
  suspend: ["custodian", "privacy", "analyst"],
  request: ["custodian", "cor", "manager", "engineer"],
  approve: ["custodian", "cor", "privacy"],
  revoke: ["custodian", "cor", "privacy", "analyst"],
  draw: ["manager", "engineer"],
  "open case": ["custodian", "privacy", "analyst"],
  "list captures": ["custodian", "cor", "privacy", "analyst", "auditor"],
  "read log": ["custodian", "cor", "privacy", "analyst", "auditor"],
  "destroy opening": ["custodian", "privacy"],
  stop: ["custodian", "cor", "privacy", "analyst"],
  second: ["custodian", "cor", "privacy"],
  acknowledge: ["custodian", "cor", "privacy", "analyst"],
  trace: ["custodian", "privacy", "analyst", "auditor"],
  "know canaries": ["custodian", "privacy", "analyst"],
  account: ["privacy"],
  tune: ["custodian", "privacy", "analyst"],
  edit: ["custodian", "cor", "privacy", "analyst", "manager", "engineer"],
  declare: ["custodian", "cor", "privacy", "analyst"],
  // Those who may look at captures under a case.
  adjudicate: ["custodian", "privacy", "analyst"],
  report: ["manager", "engineer"],
  "sign off": ["privacy"],
}

const vendor: readonly Office[] = ["manager", "engineer"]

/** Whether that office may do this. */
export function may(office: Office, act: Act): boolean {
  return allowed[act].includes(office)
}

/** Whether the office belongs to the agency itself. */
export function isAgencyOffice(office: Office): boolean {
  return !vendor.includes(office)
}
