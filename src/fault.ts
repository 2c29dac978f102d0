/**
 * Every way in which Sallyport refuses, with the HTTP status and the exit code of the command line.
 * The set is closed: a new refusal gets its line here. Exit codes: 2 usage, 3 denied by policy, 4 sign-in needed,
 * 5 pending, 6 not found, 7 verification failed, 8 conflict, 9 budget exhausted, 75 try later.
 */
export const faults = {
  // what was sent
  INVALID: [400, 2, "The request is malformed"],
  TOO_LARGE: [413, 2, "The body is larger than this door takes"],
  MEDIA_TYPE: [415, 2, "The body is of a type that this door does not take"],
  NOT_FOUND: [404, 6, "There is no such thing here"],
  NAME: [409, 8, "The name is taken, looks like one that is, or has characters that nobody sees"],
  CONFLICT: [409, 8, "Something else stands in its place already"],
  IDEMPOTENCY: [422, 8, "This idempotency key was used for another request"],
  // who is asking
  SIGNATURE_MISSING: [401, 4, "The request is not signed"],
  SIGNATURE_INVALID: [401, 4, "The request's signature does not hold"],
  SIGNATURE_STALE: [401, 4, "The request was signed too long ago, or in the future"],
  REPLAY: [401, 4, "This signed request was used before"],
  KEY_UNKNOWN: [401, 4, "No person or reader with this key is enrolled"],
  SESSION_BOUND: [401, 4, "A session is good only in the browser that it was begun in"],
  SESSION_READS: [403, 4, "A session reads; what counts is signed with a passkey or a key"],
  SIGN_IN: [401, 4, "The identity provider did not sign this person in"],
  OFFICE: [403, 3, "This person's office does not allow this"],
  PERSON_SUSPENDED: [403, 3, "The person is suspended"],
  RATE: [429, 75, "This person asks faster than the rate that is answered"],
  // captures and sealing
  SEAL_FORMAT: [400, 2, "Not a sealed capture"],
  SEAL_RECIPIENT: [400, 2, "Not sealed to a recipient of this vault for that day"],
  SEAL_KEY: [422, 7, "The key does not open this"],
  SEAL_BODY: [422, 7, "The sealed body was changed or cut"],
  CAPTURE_HEADER: [400, 2, "The capture header is malformed"],
  CAPTURE_SIGNATURE: [401, 4, "The reader's signature over the capture does not hold"],
  CAPTURE_READER: [403, 3, "No such reader is enrolled on that lane"],
  CAPTURE_SEQUENCE: [409, 8, "The sequence number was used before with other bytes"],
  CAPTURE_DAY: [422, 3, "The capture's day is outside the days this door takes"],
  CAPTURE_PURGED: [410, 6, "The capture is purged"],
  READER_EVENT: [422, 2, "Not an event that is understood of this kind of reader"],
  READER_PICTURE: [422, 2, "A picture of the reader's event is broken, or none"],
  READER_TIME: [422, 2, "The reader's time is missing, has no zone, or cannot be right"],
  PICTURE: [422, 2, "Not a picture that this vault can decode"],
  PICTURE_SIZE: [422, 2, "The picture has more pixels or bytes than this vault decodes"],
  MODEL: [500, 7, "A model file is missing, or is not the one that it must be"],
  // grants and cases
  GRANT_TERMS: [422, 2, "The terms do not hold together"],
  GRANT_UNKNOWN: [404, 6, "There is no such grant"],
  GRANT_PENDING: [403, 5, "The grant is not approved by two people of different offices"],
  GRANT_DENIED: [403, 3, "The grant was denied"],
  GRANT_REVOKED: [403, 3, "The grant is revoked"],
  GRANT_HOLDER: [403, 3, "The grant is held by another person"],
  GRANT_NOT_STARTED: [403, 3, "The grant has not started"],
  GRANT_EXPIRED: [403, 3, "The grant has ended"],
  GRANT_CONTRACT: [403, 3, "The contract has ended or does not allow this purpose"],
  GRANT_ORGANIZATION: [403, 3, "The organization is suspended"],
  GRANT_LEVEL: [403, 3, "The level is higher than the grant's"],
  GRANT_LANE: [403, 3, "The lane is outside the grant"],
  GRANT_HOURS: [403, 3, "The hour of the capture is outside the grant"],
  GRANT_DATES: [403, 3, "The date of the capture is outside the grant"],
  GRANT_LEVEL_SUM: [
    403,
    3,
    "Together with what this organization holds of the capture, the level is higher than the grant's",
  ],
  GRANT_SELECTION: [403, 3, "The capture is not among those that the grant was approved for"],
  GRANT_PEOPLE: [
    403,
    9,
    "The grant's number of people is used up, or nothing has counted the faces in this capture",
  ],
  GRANT_RELEASES: [403, 9, "The grant's number of releases, re-reading included, is used up"],
  GRANT_VERSION: [409, 8, "The terms were changed meanwhile"],
  GRANT_WIDER: [403, 3, "Only who asked for the grant may widen its terms"],
  GRANT_DEVICE: [403, 3, "The request does not come from the device that the grant or its contract names"],
  GRANT_NETWORK: [403, 3, "The request does not come from a network that the contract names"],
  REVEAL_SECOND: [403, 5, "At L4 a second person signs for each look"],
  GLASS: [403, 3, "The glass cannot be broken for this"],
  GLASS_REVIEW: [
    403,
    3,
    "An earlier break-glass was not reviewed in time; nobody breaks another before that",
  ],
  ATTESTATION: [403, 3, "An attestation of the contract has expired"],
  BUDGET_PERSON: [403, 9, "The person's number of images for the day is used up"],
  BUDGET_ORGANIZATION: [
    403,
    9,
    "The number of images for 30 days of the organization and all under its prime is used up",
  ],
  BUDGET_VENDOR: [403, 9, "One vendor can take no more than half of the vault's images of a day"],
  BUDGET_VAULT: [403, 9, "The vault's number of images for the day is used up"],
  POLICY: [422, 2, "The policy is malformed or empty, and allows nothing"],
  STOPPED: [503, 3, "An emergency stop holds"],
  MUTE: [403, 3, "This may not be muted so"],
  DESTINATION: [403, 3, "That organization may not be told of this"],
  MOTION: [403, 5, "This needs a second person of another office"],
  GRANT_BUDGET: [403, 9, "The grant's number of distinct images is used up"],
  APPROVAL_SELF: [403, 3, "Neither requester nor holder may approve"],
  APPROVAL_OFFICE: [403, 3, "The two approvers must be of different offices"],
  APPROVAL_DIGEST: [409, 8, "The approval signs other terms than those in force"],
  APPROVAL_SIGNATURE: [422, 7, "The approval's signature does not hold"],
  // the log and its receipts
  LOG_STOPPED: [503, 75, "The log does not take entries now"],
  LOG_UNKNOWN_OUTCOME: [503, 75, "Whether the entry was stored is not known; the log reloads"],
  LOG_UNWITNESSED: [503, 75, "The witnesses are behind the log; nothing leaves until they have seen it"],
  LOG_BEHIND: [503, 75, "The clock is behind the log"],
  LOG_INVALID: [500, 7, "The log does not verify"],
  LEDGER_IN_USE: [503, 75, "Another process holds this ledger"],
  LEDGER_DIFFERS: [503, 7, "The ledger differs from the log"],
  SCOPE_DIFFERS: [500, 7, "Two computations of an incident's scope differ"],
  RECEIPT_FORMAT: [422, 7, "Not a receipt"],
  RECEIPT_CHECKPOINT: [422, 7, "The receipt's checkpoint is not signed by the log's key"],
  RECEIPT_WITNESS: [422, 7, "The receipt's checkpoint lacks the witnesses that the policy asks for"],
  RECEIPT_INCLUSION: [422, 7, "The receipt's entry is not in the tree it names"],
  RECEIPT_FORK: [
    503,
    7,
    "The receipt's tree contradicts the tree that this vault accepted; the vault is stopped",
  ],
  RECEIPT_NOT_PERMIT: [403, 7, "The receipt's entry is not a permit"],
  RECEIPT_CAPTURE: [403, 7, "The permit is for another capture"],
  RECEIPT_AGE: [403, 7, "The permit is too old, or from the future"],
  RECEIPT_USED: [403, 7, "The permit was used before"],
  RECEIPT_REQUEST: [403, 7, "The permit's signed request does not hold"],
  RECEIPT_KEY: [403, 7, "The permit's key is not enrolled in the log"],
  RECEIPT_TERMS: [403, 7, "The log holds no grant with these terms"],
  RECEIPT_APPROVAL: [403, 7, "The log does not hold two valid approvals of these terms"],
  RECEIPT_DECISION: [403, 7, "The log does not lead to this decision"],
  RECEIPT_FILE: [422, 7, "The file is not the one that the receipt's delivered entry names"],
  RECEIPT_POLICY: [422, 2, "Not a policy file"],
  VAULT_STOPPED: [503, 7, "The vault is stopped"],
  VAULT_OBJECT: [500, 7, "The stored object is not the one that was admitted"],
  // the watch
  WATCH_STEP_UP: [403, 4, "The watch asks who asks for this, and why"],
  WATCH_SUSPENDED: [403, 3, "The watch suspended the person or the organization"],
  WATCH_MODEL: [422, 7, "Not a model that the watch can take"],
  WATCH_THRESHOLDS: [422, 2, "The watch asks somewhere above nothing, and suspends above that"],
  WATCH_BACKTEST: [
    409,
    8,
    "What is put in force is tried before, over this log and in the last 24 hours, by the same model and thresholds",
  ],
  WATCH_TRAINING: [422, 7, "These requests cannot train the watch"],
  WATCH_LOG: [422, 2, "Not a log of requests"],
  // incidents
  INCIDENT_WINDOW: [422, 2, "The times of the incident cannot be"],
  INCIDENT_OWN: [403, 3, "A vendor reports a breach of his own organization, and of no other"],
  INCIDENT_TRACE: [409, 8, "A trace that the incident rests on is not closed"],
  INCIDENT_VERSION: [409, 8, "The incident was stated anew meanwhile"],
  INCIDENT_CLOCKS: [409, 8, "Clocks of the incident run, or were never started"],
  CLOCK_PACK: [422, 2, "Not a clock pack, or it does not go with the others"],
  CLOCK_FACTS: [422, 2, "Not facts that clocks can be reckoned from"],
  // witnesses and followers
  WITNESS_LOG: [404, 6, "This witness does not know the log"],
  LOG_FORK: [409, 7, "Two signed trees of this log contradict each other"],
  LOG_STALLED: [503, 7, "The log has not grown, or not been cosigned, for longer than allowed"],
  // evidence
  PACK: [422, 7, "The evidence pack does not verify"],
  // the machine
  OBJECT_EXISTS: [409, 8, "An object of this name is stored already"],
  STORE_FULL: [503, 75, "The store is full"],
  BUSY: [503, 75, "Too much is under way"],
  NO_SERVER: [503, 75, "The server does not answer"],
  METHOD: [405, 2, "This door does not take that method"],
  READER_ADDRESS: [403, 3, "Events are not taken from this address"],
  RECIPIENTS_OUT: [503, 75, "No day's key is left to seal to"],
  PLAIN_HTTP: [400, 2, "Without TLS only loopback is spoken to"],
  CONFIG: [400, 2, "The configuration is wrong"],
  INTERNAL: [500, 1, "Something unexpected happened"],
} as const satisfies Record<string, readonly [status: number, exitCode: number, title: string]>

export type FaultCode = keyof typeof faults

/** What a refusal can add to its sentence. None of it ever carries an image, a plate, a name, a key or a token. */
export interface FaultExtras {
  /** What was not done, as a sentence: "Nothing was released." */
  readonly notDone?: string
  /** A command line or an act that would work. */
  readonly next?: string
  /** The log entry that records the refusal. */
  readonly entry?: number
  readonly cause?: unknown
}

/** We refuse: one place turns it into an HTTP problem (RFC 9457), one into a sentence and an exit code. */
export class Fault extends Error {
  readonly code: FaultCode
  readonly extras: FaultExtras

  constructor(code: FaultCode, detail: string, extras: FaultExtras = {}) {
    super(detail, extras.cause === undefined ? undefined : { cause: extras.cause })
    this.name = "Fault"
    this.code = code
    this.extras = extras
  }

  get status(): number {
    return faults[this.code][0]
  }

  get exitCode(): number {
    return faults[this.code][1]
  }

  get title(): string {
    return faults[this.code][2]
  }
}

/** We are wrong: `sentence` says what had to hold. It is never caught to go on. */
export function assert(holds: boolean, sentence: string): asserts holds {
  if (!holds) throw new Error(`assertion: ${sentence}`)
}
