/** The closed lists of the language of clocks, each word with what it stands for in a sentence (docs/formats/clock-pack.md). */

/** A body in the chain of notice, by its place in it. */
export const parties = ["subcontractor", "prime", "agency"] as const
export type Party = (typeof parties)[number]

/** What a party is before the law; a party can be several. What is not named of a party is not so. */
export const roles = {
  federal_agency: "a federal agency",
  dhs_component: "a component of DHS",
  federal_contractor: "a federal contractor, of any tier",
  dhs_contractor: "a contractor of DHS, of any tier",
  criminal_justice_agency: "an agency of criminal justice",
  state_body: "a body of a state, or of a part of it",
  texas_public_body: "a public body of Texas",
  police_or_court: "a police department, a sheriff or a court of a state",
  business: "a business",
  data_owner: "the owner or licensee of the data",
  data_processor: "a processor that holds the data for another",
  eu_controller: "a controller under the GDPR",
  eu_processor: "a processor under the GDPR",
  eu_competent_authority: "a competent authority under the LED",
  canada_federal_institution: "a federal institution of Canada",
} as const
export type Role = keyof typeof roles

/** Times from which clocks run, each the party's own. */
export const moments = {
  discovered: "when it knew or suspected",
  determined: "when it determined that it is a breach",
  major_concluded: "when it had a reasonable basis to conclude that the incident is major",
  notice_directed: "when the contracting officer directed it to notify",
  monitoring_directed: "when the contracting officer directed it to provide credit monitoring",
  individuals_notified: "when it notified the individuals",
} as const
export type Moment = keyof typeof moments

/** What kinds of data are involved. */
export const elements = {
  pii: "personally identifiable information",
  spii: "sensitive personally identifiable information",
  plate_image: "images of license plates",
  face_image: "images of faces",
  alpr_data: "data from automated license plate recognition",
  face_recognition: "face images used or stored for face recognition",
  biometric_online_login: "biometric data used to authenticate to an online account",
  biometric_access: "automatic measurements of an identified person, used to authenticate access",
  name_linked: "a name linked to the data, or joinable to them",
  social_security_number: "social security numbers",
  license_or_id_number: "numbers of driver's licenses or identity cards",
  account_number: "numbers of financial accounts",
  health: "health data",
  listed_arizona: "another element that the law of Arizona lists",
  listed_new_mexico: "another element that the law of New Mexico lists",
  criminal_justice_information: "criminal justice information (CJI)",
} as const
export type Element = keyof typeof elements

/** What people of the agency find, and no count can tell. */
export const findings = {
  demonstrable_harm: "demonstrable harm",
  high_risk: "a high risk to people",
  material: "a material breach",
} as const
export type Finding = keyof typeof findings

/** Where people live, as far as plates or papers tell. */
export const places = {
  "US-TX": "Texas",
  "US-AZ": "Arizona",
  "US-NM": "New Mexico",
  "US-CA": "California",
} as const
export type Place = keyof typeof places

/** How well a fact in a pack is known, weakest last. */
export const confidences = {
  verified: "read in a source",
  verified_secondary: "read in a secondary source",
  general_knowledge: "from general knowledge, not re-read: to be checked",
  inference: "inference: to be checked",
} as const
export type Confidence = keyof typeof confidences

/** What stands beside every line: clocks are reckoned, not legal advice. */
export const forCounsel = "for counsel to confirm"

/** The words of a list, typed. */
export function keysOf<K extends string>(list: Readonly<Record<K, unknown>>): readonly K[] {
  return Object.keys(list) as K[]
}
