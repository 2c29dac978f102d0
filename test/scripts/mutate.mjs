import { spawnSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

/**
 * Deletes each row of each table of checks in turn and runs the tests that hold it: a row whose deletion no test notices is
 * a survivor. Prints the list; exits 1 when there is a survivor. The files are put back whatever happens.
 * Run: `npm run mutate`, or `npm run mutate -- WORD` for those alone whose name holds the word.
 */
const root = fileURLToPath(new URL("../..", import.meta.url))

/** File, name of the table, and the tests that hold it. */
const targets = [
  { file: "src/grant/decide.ts", table: "decisionTable", tests: ["src/grant/decide.test.ts"] },
  { file: "src/grant/terms.ts", table: "termsRules", tests: ["src/grant/terms.test.ts"] },
  { file: "src/vault/checks.ts", table: "permitTable", tests: ["test/attack/withdraw.test.ts"] },
  { file: "src/vault/checks.ts", table: "receiptTable", tests: ["test/attack/withdraw.test.ts"] },
  { file: "src/vault/checks.ts", table: "captureTable", tests: ["test/attack/withdraw.test.ts"] },
  { file: "src/watch/guard.ts", table: "denialTable", tests: ["src/watch/guard.test.ts"] },
  { file: "src/watch/model.ts", table: "modelRules", tests: ["src/watch/model.test.ts"] },
  { file: "src/log/watch-scope.ts", table: "scopeTable", tests: ["src/log/watch-scope.test.ts"] },
  { file: "src/log/mutes.ts", table: "muteTable", tests: ["test/paths/mutes.test.ts"] },
  { file: "src/log/verify.ts", table: "receiptChecks", tests: ["src/log/verify.test.ts"] },
  { file: "src/log/verify.ts", table: "deliveryChecks", tests: ["src/log/verify.test.ts"] },
]

/** Checks that are no row of a table: each is replaced by what lets everything pass. */
const edits = [
  [
    "src/outbox/guard.ts",
    "contains(inside, address) && !contains(allowed, address)",
    "address === host && allowed === inside",
    "outbox: addresses inside are not reached",
    ["src/outbox/guard.test.ts"],
  ],
  [
    "src/outbox/post.ts",
    "const agent = { agent: false, lookup, signal, ...ca }",
    "const agent = { agent: false, signal, ...ca }",
    "outbox: the address that was judged is the one",
    ["test/paths/outbox.test.ts"],
  ],
  [
    "src/ledger/messages.ts",
    '.whereRef("e.id", "<", "m.id")',
    '.whereRef("e.id", "<", "e.id")',
    "outbox: one subject in order",
    ["src/ledger/sqlite.test.ts"],
  ],
  [
    "src/log/messages.ts",
    "event.vendors && isOf(",
    "isOf(",
    "outbox: a vendor hears of no event of the agency's",
    ["src/log/messages.test.ts"],
  ],
  [
    "src/outbox/pump.ts",
    "destination.rung > 0 && (await isTaken(house, message))",
    "destination.rung > 4 && (await isTaken(house, message))",
    "outbox: an acknowledgement ends the escalation",
    ["test/paths/outbox.test.ts"],
  ],
  [
    "src/outbox/pump.ts",
    "if (isOver) await abandon(house, message)",
    "",
    "outbox: what is given up is an entry",
    ["test/paths/outbox.test.ts"],
  ],
  [
    "src/vault/vault.ts",
    "if (permit.mark_sha256 !== markCommitment(keys))",
    "if (permit.by.person === null)",
    "mark: the permit commits to the codeword",
    ["test/attack/withdraw.test.ts"],
  ],
  [
    "src/log/traces.ts",
    "held.originals < originalsPerFile * held.files.length",
    "held.originals >= 0",
    "mark: few originals for a trace",
    ["src/log/traces.test.ts"],
  ],
  [
    "src/log/traces.ts",
    "held.verdicts === null && draft.verdicts.length === held.files.length",
    "held.verdicts === null",
    "mark: a verdict for each file",
    ["src/log/traces.test.ts"],
  ],
  [
    "src/log/traces.ts",
    'if (new Set(files).size !== files.length) return "INVALID"',
    "",
    "mark: no file twice in a trace",
    ["src/log/traces.test.ts"],
  ],
  [
    "src/watch/assess.ts",
    "if (before === 0 || now - before >= patience_images) return",
    "if (before >= 0) return",
    "watch: nobody is asked for ever",
    ["src/watch/assess.test.ts"],
  ],
  [
    "src/watch/assess.ts",
    "Math.min(alone, mostCounted_micronats)",
    "alone",
    "watch: one person's flood stops nobody else",
    ["src/watch/assess.test.ts"],
  ],
  [
    "src/watch/assess.ts",
    "addTo(cells, at.tickets + observation.slot * ticket_cells + ofTicket.sums, given)",
    "",
    "watch: a grant has its own sums",
    ["src/watch/assess.test.ts"],
  ],
  [
    "src/watch/symbols.ts",
    "if (isAgain) return null",
    "",
    "watch: an image is evidence once",
    ["src/watch/assess.test.ts"],
  ],
  [
    "src/watch/train.ts",
    'if (found.length > 0 && leaveOut === "nobody")',
    "if (found.length < 0)",
    "watch: a poisoned log trains nothing",
    ["src/watch/train.test.ts"],
  ],
  [
    "src/mark/verdict.ts",
    "bound + log10Tried(tried)",
    "bound",
    "mark: what was tried is paid for",
    ["src/mark/score.test.ts"],
  ],
  [
    "src/mark/embed.ts",
    "if (kept[start + x] === 0) continue\n    const change",
    "const change",
    "mark: what is not kept stays solid",
    ["src/mark/embed.test.ts"],
  ],
  [
    "src/vault/gate.ts",
    "if (await this.#isConsistent(checkpoint)) return",
    "return",
    "a tree that contradicts the accepted one",
    ["test/attack/withdraw.test.ts"],
  ],
  [
    "src/vault/gate.ts",
    'if (this.#stopped !== null) throw new Fault("VAULT_STOPPED", this.#stopped)\n    while',
    "while",
    "a vault that is stopped",
    ["test/attack/withdraw.test.ts"],
  ],
  [
    "src/vault/gate.ts",
    'opened.kind === "ok" ? parseCheckpoint(opened.text) : null',
    'parseCheckpoint(note.slice(0, note.indexOf("\\n\\n") + 1))',
    "the checkpoint's signature",
    ["test/attack/withdraw.test.ts"],
  ],
  [
    "src/log/receipt.ts",
    "if (!isIncluded({ index, bytes: extra.bytes, proof }, checkpoint)) {",
    "if (index < 0) {",
    "the entry's inclusion",
    ["test/attack/withdraw.test.ts"],
  ],
  [
    "src/log/receipt.ts",
    "if (extra.permit !== null && !isIncluded(extra.permit, checkpoint)) {",
    "if (index < 0) {",
    "the permit's inclusion",
    ["src/log/verify.test.ts"],
  ],
  [
    "src/vault/vault.ts",
    "!== row.bodySha256",
    '=== ""',
    "the body's digest",
    ["test/attack/withdraw.test.ts"],
  ],
  [
    "src/vault/vault.ts",
    "if (entry.capture !== row.id || !isCommitted) {",
    "if (findings === null) {",
    "the findings' commitment",
    ["test/attack/withdraw.test.ts"],
  ],
  [
    "src/grant/decide.ts",
    "others.some(a => others.some(b => a.person !== b.person && a.office !== b.office)) &&",
    "others.length > 1 &&",
    "two people of different offices",
    ["src/grant/decide.test.ts"],
  ],
  [
    "src/grant/decide.ts",
    "if (brokenPolicy(policy) !== null) return false",
    "",
    "openbao#3666: a policy that is empty or malformed",
    ["src/grant/decide.test.ts"],
  ],
  [
    "src/log/motion-rules.ts",
    'return brokenPolicy(statement) === null ? null : "POLICY"',
    "return null",
    "openbao#3666: such a policy is proposed",
    ["test/paths/grants.test.ts"],
  ],
  [
    "src/log/motion-rules.ts",
    'return (statement.organization === agency) === isAgencyOffice(statement.office) ? null : "OFFICE"',
    "return agency === undefined ? null : null",
    "openbao#3841: an office of the same name in another organization",
    ["test/paths/history.test.ts"],
  ],
  [
    "src/log/motion-rules.ts",
    'if (person.person === motion.proposer || person.person === concerned) return "APPROVAL_SELF"',
    'if (concerned === "nobody") return "APPROVAL_SELF"',
    "infisical#6988: nobody seconds what he proposed, or what concerns him",
    ["test/paths/grants.test.ts", "test/paths/history.test.ts"],
  ],
  [
    "src/log/motion-rules.ts",
    '(needsSecond(draft, state) ? "MOTION" : null)',
    "null",
    "infisical#7252: one custodian makes himself no second approver",
    ["test/paths/grants.test.ts"],
  ],
  [
    "src/log/grant-rules.ts",
    'if (draft.person === grant.requester || draft.person === grant.terms.holder) return "APPROVAL_SELF"',
    "",
    "infisical#7252: nobody approves what he asked for",
    ["test/paths/paths.test.ts"],
  ],
  [
    "src/log/effects.ts",
    "return widens(held.terms, terms) ?",
    "return held.version < 0 ?",
    "infisical#6988, solana-improvement-documents#107: widening voids approvals",
    ["test/paths/grants.test.ts"],
  ],
  [
    "src/log/grant-rules.ts",
    'if (draft.statement.version !== grant.version) return "GRANT_VERSION"',
    "",
    "solana-improvement-documents#107: an approval of a version that is not in force",
    ["test/paths/grants.test.ts"],
  ],
  [
    "src/log/grant-rules.ts",
    'if (draft.statement.terms_sha256 !== grant.terms_sha256) return "APPROVAL_DIGEST"',
    "",
    "solana-improvement-documents#107: an approval of another digest",
    ["test/paths/grants.test.ts"],
  ],
  [
    "src/grant/decide.ts",
    "return grant.glass === null ? approvalsSuffice(grant, policy) : hasTwoKeys(grant)",
    "return approvalsSuffice(grant, policy)",
    "infisical#3878: a break-glass needs no approvals of the policy",
    ["test/paths/glass.test.ts"],
  ],
  [
    "src/grant/glass.ts",
    "return glass !== null && glass.second !== requester",
    "return glass !== null && requester !== null",
    "infisical#3878: a break-glass with one key",
    ["src/grant/decide.test.ts"],
  ],
  [
    "src/custody/opening.ts",
    ": decide(ask, facts, now_ms)",
    ": null",
    "teleport#7663: a door that does not ask the decision table",
    ["test/paths/doors.test.ts"],
  ],
  [
    "src/log/standing.ts",
    "!moved.some(each => each.person === person && each.at > entry)",
    'person !== "" || entry < 0 || moved.length < 0',
    "an approval of somebody who has another office now",
    ["test/paths/history.test.ts"],
  ],
  [
    "src/log/facts.ts",
    "now_ms < Date.parse(grant.terms.ends_at) &&",
    "now_ms > 0 &&",
    "a copy on its way when its grant ends",
    ["test/paths/grants.test.ts"],
  ],
  [
    "src/vault/vault.ts",
    "if (permit.by !== null && permit.faces !== (findings?.faces?.length ?? null))",
    "if (findings?.width_px === -1)",
    "a permit that counts other faces than were found",
    ["test/attack/withdraw.test.ts"],
  ],
  [
    "src/tlog/witness.ts",
    "if (known.length === 0) return",
    "if (known.length < 0) return",
    "an origin that nobody trusts",
    ["src/tlog/witness.test.ts"],
  ],
  [
    "src/tlog/witness.ts",
    "if (oldSize > size) return",
    "if (oldSize < 0) return",
    "an old size over the checkpoint's",
    ["src/tlog/witness.test.ts"],
  ],
  [
    "src/tlog/witness.ts",
    "if (oldSize !== lastSize)",
    "if (oldSize < 0)",
    "another old size than the last",
    ["src/tlog/witness.test.ts"],
  ],
  [
    "src/tlog/witness.ts",
    "if (size === 0 && !equal(root, emptyRoot()))",
    "if (size < 0)",
    "an empty tree with another root",
    ["src/tlog/witness.test.ts"],
  ],
  [
    "src/tlog/witness.ts",
    "if (oldSize === 0 && proof.length > 0)",
    "if (oldSize < 0)",
    "a proof from the empty tree",
    ["src/tlog/witness.test.ts"],
  ],
  [
    "src/tlog/witness.ts",
    "if (!isGrowth)",
    "if (size < 0)",
    "a tree that does not extend the cosigned one",
    ["src/tlog/witness.test.ts"],
  ],
  [
    "src/tlog/note.ts",
    "if (time_s === null || time_s === 0) return false",
    "if (time_s === null) return false",
    "a cosignature of time 0",
    ["src/tlog/witness.test.ts"],
  ],
  [
    "src/custody/opening.ts",
    "if (told.unwitnessed !== null) return unwitnessed(",
    "if (now_ms < 0) return unwitnessed(",
    "the witnesses' bound",
    ["src/log/witnesses.test.ts"],
  ],
  [
    "src/log/witnesses.ts",
    "if (age_ms > maxAge_ms)",
    "if (age_ms < 0)",
    "the age of the newest cosigned checkpoint",
    ["src/log/witnesses.test.ts"],
  ],
  [
    "src/log/witnesses.ts",
    "return beyond < maxImages",
    "return beyond >= 0",
    "the images beyond it",
    ["src/log/witnesses.test.ts"],
  ],
  [
    "src/log/witnesses.ts",
    "if (checkpoint === null || (await isOurs(checkpoint))) return",
    "if (checkpoint === null || checkpoint.size >= 0) return",
    "a contradiction that a witness holds",
    ["test/attack/hide-the-breach.slow.test.ts"],
  ],
  [
    "src/custody/release.ts",
    "if (house.log.witnesses?.strict === true)",
    "if (house.log.witnesses?.strict === null)",
    "strict mode",
    ["src/log/witnesses.test.ts"],
  ],
  [
    "src/custody/floods.ts",
    "if (this.#nonces.has(nonce))",
    'if (nonce === "")',
    "a request that somebody sends again",
    ["test/attack/flood.test.ts"],
  ],
  [
    "src/custody/floods.ts",
    "if (!isPaced || this.#rates.take(person, performance.now())) return",
    'if (person !== "") return',
    "the rate",
    ["test/attack/flood.test.ts"],
  ],
  [
    "src/log/reading.ts",
    "if (await isExtended(source, older, newer)) return",
    "return",
    "a log of today that contradicts what was kept",
    ["test/attack/hide-the-breach.slow.test.ts"],
  ],
  [
    "src/reading/agreement.ts",
    "(await isRead(recogniser, pixels, largest))",
    "true",
    "examination: a claim's text is read, not only seen",
    ["src/reading/agreement.test.ts"],
  ],
  [
    "src/reading/agreement.ts",
    "if (text.width_px < limits.across * claim.width_px || text.height_px < limits.down * claim.height_px)\n    return null",
    "",
    "examination: the text fills its claim",
    ["src/reading/agreement.test.ts"],
  ],
  [
    "src/reading/look.ts",
    "beside.some(face => overlap(face, box))",
    "beside.length < 0",
    "examination: text beside a face is no plate",
    ["src/reading/look.test.ts"],
  ],
  [
    "src/custody/findings.ts",
    "claim !== undefined && isWithin(box, claim)",
    "claim !== undefined",
    "examination: never more than the claim",
    ["src/custody/findings.test.ts"],
  ],
  [
    "src/custody/findings.ts",
    "isTrusted ? event.plates.map(plate => plate.box) : []",
    "event.plates.map(plate => plate.box)",
    "examination: who is not trusted claims nothing",
    ["src/custody/findings.test.ts"],
  ],
  [
    "src/custody/findings.ts",
    'plate.state === "unread" ? null',
    "plate.box === null ? null",
    "examination: what is unread is no plate",
    ["src/custody/findings.test.ts"],
  ],
  [
    "src/custody/findings.ts",
    "score >= surelyFace",
    "score > 1",
    "examination: a face called a plate is told",
    ["src/custody/findings.test.ts"],
  ],
  [
    "src/picture/level.ts",
    "people.every(face => isBelow(plate, face)) ? grow(plate) : plate",
    "grow(plate)",
    "examination: beside people the bare plate",
    ["src/picture/level.test.ts"],
  ],
  [
    "src/picture/level.ts",
    "[...findings.plates, ...findings.doubted.plates]",
    "findings.plates",
    "examination: what is doubted hides",
    ["src/picture/level.test.ts"],
  ],
  [
    "src/vault/vault.ts",
    "boxes !== null && boxes.entry > index",
    "boxes !== null && boxes.entry < 0",
    "examination: boxes set after the permit",
    ["test/paths/examine.test.ts"],
  ],
  [
    "src/custody/admit.ts",
    "if (waiting < pictures.finders.mostWaiting) return",
    "if (waiting >= 0) return",
    "examination: the backlog has an end",
    ["test/paths/examine.test.ts"],
  ],
  [
    "src/custody/motions.ts",
    'if (act === "set-boxes") await assertBoxes(house, statement as Boxes)',
    "",
    "examination: boxes that would not count are refused",
    ["test/paths/examine.test.ts"],
  ],
]

/** The rows of `export const TABLE … = [ … ]`: each starts with two spaces and a brace. */
function rowsOf(text, table) {
  const start = text.indexOf("[\n", text.indexOf(`export const ${table}`)) + 2
  const end = text.indexOf("\n]\n", start) + 1
  const starts = [...text.slice(start, end).matchAll(/^ {2}\{/gm)].map(match => start + match.index)
  return starts.map((from, i) => {
    const until = starts[i + 1] ?? end
    const row = text.slice(from, until)
    const name = /(?:refuse|broken|deny|says):\s*"([^"]+)"/.exec(row)?.[1] ?? row.slice(0, 40)
    return { from, until, name: `${i + 1} ${name}` }
  })
}

const [word = ""] = process.argv.slice(2)
let survivors = 0
for (const { file, table, tests } of targets) {
  const path = join(root, file)
  const original = readFileSync(path, "utf8")
  const rows = rowsOf(original, table)
  if (rows.length === 0) throw new Error(`${file}: no rows found in ${table}`)
  for (const { from, until, name } of rows) {
    try {
      writeFileSync(path, original.slice(0, from) + original.slice(until))
      report(`${file} ${table} ${name}`, tests)
    } finally {
      writeFileSync(path, original)
    }
  }
}
for (const [file, from, to, name, tests] of edits) {
  const path = join(root, file)
  const original = readFileSync(path, "utf8")
  if (!original.includes(from)) throw new Error(`${file}: not found: ${from}`)
  try {
    writeFileSync(path, original.replace(from, to))
    report(`${file} ${name}`, tests)
  } finally {
    writeFileSync(path, original)
  }
}
process.stdout.write(`survivors ${survivors}\n`)
process.exitCode = survivors === 0 ? 0 : 1

/** Runs the tests on the changed file and says which went red first. */
function report(what, tests) {
  if (!what.includes(word)) return
  const options = [
    "vitest",
    "run",
    "--project",
    "quick",
    "--project",
    "slow",
    "--bail",
    "1",
    "--reporter",
    "json",
    ...tests,
  ]
  const killer = failedTest(spawnSync("npx", options, { cwd: root, encoding: "utf8" }).stdout)
  if (killer === null) survivors += 1
  process.stdout.write(
    `${killer === null ? "SURVIVOR" : "killed  "}  ${what}${killer === null ? "" : `  by: ${killer}`}\n`,
  )
}

/** The first test that went red, or `null`. A run that could not start at all counts as no test. */
function failedTest(output) {
  const result = JSON.parse(output.slice(output.indexOf("{")))
  return (
    result.testResults.flatMap(each => each.assertionResults).find(each => each.status === "failed")
      ?.fullName ?? null
  )
}
