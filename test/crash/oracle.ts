import type { Ledger } from "../../src/ledger/ledger.ts"
import { parseEntry, type Entry, type EntryOf } from "../../src/log/kinds.ts"

type Permit = EntryOf<"permit">

interface PolicySeen {
  readonly approvals: readonly { readonly office: string; readonly people: number }[]
  readonly person_day: number
  readonly organization_30d: number
  readonly vault_day: number
}

interface GrantSeen {
  terms: EntryOf<"grant.requested">["statement"]
  isOver: boolean
  /** Offices whose approval stands, by person. */
  readonly approvals: Map<string, string>
  readonly images: Set<string>
  /** Faces in them. */
  people: number
  releases: number
  /** Two keys opened it, and no policy's approvals. */
  readonly isGlass: boolean
}

/**
 * Reads the log as a stranger would, with plain counting and none of the vault's own rules, and says which permit broke a
 * budget or left outside of live terms.
 */
export class Oracle {
  readonly broken: string[] = []
  permits = 0
  /** Whom or what the watch stopped. */
  suspensions = 0
  readonly #grants = new Map<string, GrantSeen>()
  readonly #offices = new Map<string, string>()
  readonly #organizations = new Map<string, string>()
  readonly #parents = new Map<string, string | null>()
  readonly #suspended = new Set<string>()
  /** Whom the watch asked why, and who has not answered. */
  readonly #asked = new Set<string>()
  readonly #stopped = new Set<string>()
  readonly #motions = new Map<string, EntryOf<"motion.proposed">>()
  readonly #days = new Map<string, number>()
  readonly #faces = new Map<string, number | null>()
  #policy: PolicySeen = { approvals: [], person_day: 500, organization_30d: 5000, vault_day: 2000 }

  async read(ledger: Ledger): Promise<void> {
    const { size } = await ledger.head()
    for (let at = 0; at < size; at += 4096)
      for (const row of await ledger.entries(at, Math.min(at + 4096, size)))
        this.#entry(parseEntry(row.bytes)!, row.index)
  }

  #entry(entry: Entry, index: number): void {
    if (entry.kind === "permit" && entry.by !== null) return this.#permit(entry, entry.by, index)
    if (entry.kind === "refused" && entry.watch !== undefined) this.#watched(entry, entry.watch)
    if (entry.kind === "watch.answered") this.#asked.delete(entry.person)
    if (entry.kind === "genesis") {
      this.#enroll(entry.person, entry)
      this.#parents.set(entry.organization, null)
    }
    if (entry.kind === "person.enrolled") this.#enroll(entry.person, entry.statement)
    if (entry.kind === "organization.added") this.#parents.set(entry.organization, entry.statement.parent)
    if (entry.kind === "person.suspended") this.#mark(entry.person, entry.statement.suspended)
    if (entry.kind === "organization.suspended") this.#mark(entry.organization, entry.statement.suspended)
    if (entry.kind === "examined") this.#faces.set(entry.capture, entry.faces)
    if (entry.kind === "stop.ordered") this.#stopped.add(entry.scope)
    if (entry.kind === "motion.proposed") this.#motions.set(entry.motion, entry)
    if (entry.kind === "motion.seconded" && entry.statement.decision === "second") this.#carried(entry)
    if (entry.kind.startsWith("grant.")) this.#grant(entry as Extract<Entry, { kind: `grant.${string}` }>)
  }

  #enroll(person: string, of: { readonly office: string; readonly organization: string }): void {
    this.#offices.set(person, of.office)
    this.#organizations.set(person, of.organization)
  }

  /** What the watch said of a request that was refused: whom it asked, and whom it stopped. */
  #watched({ person }: EntryOf<"refused">, { verdict, about }: NonNullable<Permit["watch"]>): void {
    const by = person!
    if (about === "person" && verdict === "step-up") this.#asked.add(by)
    if (verdict !== "suspend") return
    this.suspensions += 1
    this.#suspended.add(about === "person" ? by : this.#chain(this.#organizations.get(by)!).at(-1)!)
  }

  #mark(id: string, suspended: boolean): void {
    if (suspended) this.#suspended.add(id)
    else this.#suspended.delete(id)
  }

  #carried({ motion, person }: EntryOf<"motion.seconded">): void {
    const { act, statement, subject } = this.#motions.get(motion)!
    if (act === "break-glass") {
      const { terms } = statement as unknown as Pick<GrantSeen, "terms">
      const keys = [terms.holder, person].map(each => [each, this.#offices.get(each)!] as const)
      const fresh = { isOver: false, isGlass: true, images: new Set<string>(), releases: 0, people: 0 }
      this.#grants.set(subject!, { terms, approvals: new Map(keys), ...fresh })
    }
    if (act === "policy") this.#policy = statement as unknown as PolicySeen
    const { person: lifted, organization } = statement as { person?: string; organization?: string }
    if (act === "lift-person") {
      this.#suspended.delete(lifted!)
      this.#asked.delete(lifted!)
    }
    if (act === "lift-organization") this.#suspended.delete(organization!)
    if (act === "resume") this.#stopped.delete((statement as { scope: string }).scope)
    if (act === "enroll") this.#enroll(subject!, statement as EntryOf<"person.enrolled">["statement"])
  }

  #grant(entry: Extract<Entry, { kind: `grant.${string}` }>): void {
    if (entry.kind === "grant.requested") {
      const fresh = {
        isOver: false,
        isGlass: false,
        approvals: new Map(),
        images: new Set<string>(),
        releases: 0,
        people: 0,
      }
      this.#grants.set(entry.grant, { terms: entry.statement, ...fresh })
      return
    }
    const grant = this.#grants.get(entry.grant)!
    if (entry.kind === "grant.denied" || entry.kind === "grant.revoked") grant.isOver = true
    if (entry.kind === "grant.approved") grant.approvals.set(entry.person, this.#offices.get(entry.person)!)
    if (entry.kind === "grant.edited") {
      const { terms } = entry.statement
      // The steps edit numbers only.
      if (terms.images > grant.terms.images || terms.releases > grant.terms.releases) grant.approvals.clear()
      grant.terms = terms
    }
  }

  #permit(permit: Permit, by: NonNullable<Permit["by"]>, index: number): void {
    this.permits += 1
    const grant = this.#grants.get(by.grant)!
    const says = (holds: boolean, what: string) => {
      if (!holds) this.broken.push(`entry ${index}: ${what}`)
    }
    const offices = [...grant.approvals.values()]
    says(!grant.isOver, "the grant was over")
    says(new Set(offices).size >= 2, "two offices had not approved")
    if (grant.isGlass)
      says(grant.terms.images <= 10 && grant.terms.for === "reveal", "more than a break-glass")
    for (const { office, people } of grant.isGlass ? [] : this.#policy.approvals)
      says(offices.filter(each => each === office).length >= people, `the policy asked for ${office}`)
    says(grant.terms.holder === by.person, "another person than the holder")
    says(grant.terms.region === permit.region, "another region than agreed")
    says(grant.terms.starts_at <= permit.at && permit.at < grant.terms.ends_at, "outside of its time")
    says(this.#stopped.size === 0, "a stop was in force")
    const chain = this.#chain(by.organization)
    says(![by.person, ...chain].some(id => this.#suspended.has(id)), "somebody was suspended")
    says(!this.#asked.has(by.person), "the watch had asked, and nobody had answered")
    const { captures } = grant.terms
    says(captures === null || captures.includes(permit.capture), "outside of the manifest")
    grant.releases += 1
    says(grant.releases <= grant.terms.releases, "more releases than agreed")
    if (!grant.images.has(permit.capture)) this.#charge(permit, by, chain.at(-1)!, says)
    grant.images.add(permit.capture)
  }

  #charge(
    { at, capture }: Permit,
    by: NonNullable<Permit["by"]>,
    root: string,
    says: (holds: boolean, what: string) => void,
  ): void {
    const grant = this.#grants.get(by.grant)!
    says(grant.images.size < grant.terms.images, `the grant's budget is exceeded by ${capture}`)
    const faces = this.#faces.get(capture) ?? null
    grant.people += faces ?? 0
    const isBounded = grant.terms.people !== null
    says(!isBounded || faces !== null, "nobody had counted the people")
    says(!isBounded || grant.people <= grant.terms.people!, "more people than agreed")
    const isReveal = grant.terms.for === "reveal"
    for (const user of [by.person, "vault", ...(isReveal ? [] : [root])]) {
      const key = `${user} ${at.slice(0, 10)}`
      this.#days.set(key, (this.#days.get(key) ?? 0) + 1)
    }
    const day = (user: string, back = 0) =>
      this.#days.get(`${user} ${new Date(Date.parse(at) - back * 86_400_000).toISOString().slice(0, 10)}`) ??
      0
    const month = Array.from({ length: 30 }, (_, back) => day(root, back)).reduce((a, b) => a + b, 0)
    says(day(by.person) <= this.#policy.person_day, "the person's day is exceeded")
    if (isReveal) return says(day("vault") <= this.#policy.vault_day, "the vault's day is exceeded")
    says(month <= this.#policy.organization_30d, "the organization's 30 days are exceeded")
    says(day(root) <= Math.floor(this.#policy.vault_day / 2), "one vendor has more than half of the day")
    says(day("vault") <= this.#policy.vault_day, "the vault's day is exceeded")
  }

  #chain(organization: string): string[] {
    const parent = this.#parents.get(organization) ?? null
    return parent === null ? [organization] : [organization, ...this.#chain(parent)]
  }
}
