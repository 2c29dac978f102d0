import { createHash } from "node:crypto"
import { describe, expect, test } from "vitest"
import { planOf, type PlanInput } from "./adjudication.ts"
import { planFrom, type Plan } from "./plan-shape.ts"
import { Answers, findingsOf, intervalOf, nextFor, outcomeOf, type AnswerWord } from "./answers.ts"
import { sampleOf } from "./sampling-plan.ts"

const faces = Array.from({ length: 400 }, (_, i) => `face-${i}`)
const clusterOf = new Map(faces.map((face, i) => [face, Math.floor(i / 2)]))
const input: PlanInput = {
  seed: "seed of this test",
  clusterOf,
  sample: 120,
  neighboursOf: face => {
    const i = Number(face.slice(5))
    return [2, 4, 6].map(step => `face-${(i + step) % 400}`)
  },
  duplicates: Array.from({ length: 60 }, (_, i) => [`face-${i}`, `again-${i}`] as const),
  foils: Array.from({ length: 60 }, (_, i) => [`face-${i}`, `elsewhere-${i}`] as const),
}
const plan = planOf(input)

/** Who knows the truth: clusters are right. */
function truth({ kind }: Plan["pairs"][number]): AnswerWord {
  return kind === "inside" || kind === "duplicate" ? "same" : "different"
}

function answerAll(answers: Answers, by: string, say: (pair: Plan["pairs"][number]) => AnswerWord): number {
  for (let given = 0; ; given += 1) {
    const nth = nextFor(plan, answers, { by, needed: 2 })
    if (nth === null) return given
    const pair = plan.pairs[nth]!
    answers.add({ subject: pair.subject, other: pair.other, by, answer: say(pair) })
  }
}

describe("a sample", () => {
  test("is the ids whose SHA-256 after the seed is smallest, whatever their order", () => {
    const hash = (id: string) => createHash("sha256").update(`s\n${id}`).digest("hex")
    const expected = [...faces].sort((a, b) => (hash(a) < hash(b) ? -1 : 1)).slice(0, 10)
    expect(sampleOf("s", faces, 10)).toEqual(expected)
    expect(sampleOf("s", [...faces].reverse(), 4)).toEqual(expected.slice(0, 4))
    expect(sampleOf("t", faces, 10)).not.toEqual(expected)
  })
})

describe("a plan", () => {
  test("is the same for the same input, and read back from JSON", () => {
    expect(planOf(input)).toEqual(plan)
    expect(planFrom(JSON.parse(JSON.stringify(plan)))).toEqual(plan)
    expect(planFrom({ ...plan, pairs: [...plan.pairs, plan.pairs[0]] })).toBeNull()
    expect(planFrom({ ...plan, v: 2 })).toBeNull()
  })
  test("shows every sampled face with its cluster and its neighbours, no pair twice, controls throughout", () => {
    const first = plan.sampled[0]!
    const own = plan.pairs.filter(({ subject, other }) => subject === first.face || other === first.face)
    expect(own.filter(({ kind }) => kind === "inside")).toHaveLength(1)
    expect(own.filter(({ kind }) => kind === "outside").length).toBeGreaterThanOrEqual(3)
    const controls = plan.pairs.flatMap(({ kind }, i) => (kind === "duplicate" || kind === "foil" ? [i] : []))
    expect(controls).toHaveLength(120)
    const half = plan.pairs.length / 2
    expect(controls.filter(i => i < half).length).toBeGreaterThan(40)
    expect(controls.filter(i => i >= half).length).toBeGreaterThan(40)
  })
})

describe("answers", () => {
  const inside = { subject: "a", other: "b", kind: "inside" as const }
  const outside = { subject: "a", other: "b", kind: "outside" as const }
  test("against the machine count once two people gave them", () => {
    expect(outcomeOf(inside, ["same"], 2)).toBe("same")
    expect(outcomeOf(inside, ["different"], 2)).toBeNull()
    expect(outcomeOf(inside, ["different", "different"], 2)).toBe("different")
    expect(outcomeOf(outside, ["same", "different"], 2)).toBe("different")
    expect(outcomeOf(outside, ["same", "same"], 2)).toBe("same")
    expect(outcomeOf(outside, ["same", "unsure"], 2)).toBe("unsure")
    expect(outcomeOf(outside, ["unsure"], 1)).toBe("unsure")
  })
  test("the second person is asked of controls and of what the first held against the machine, and of nothing else", () => {
    const answers = new Answers()
    const odd = plan.pairs.find(({ kind }) => kind === "outside")
    expect(answerAll(answers, "ada", pair => (pair === odd ? "same" : truth(pair)))).toBe(plan.pairs.length)
    expect(findingsOf(plan, answers, 2).sampled.length).toBeLessThan(120)
    expect(answerAll(answers, "ben", truth)).toBe(121)
    const found = findingsOf(plan, answers, 2)
    expect(found.sampled).toHaveLength(120)
    expect(found.sampled.every(({ inside, outside }) => inside.same === 1 && outside.same === 0)).toBe(true)
    expect(found.controls.foils).toEqual({ pairs: 60, looks: 120, wrong: 0, bothWrong: 0 })
    expect(found.open).toBe(0)
    expect(found.agreement).toEqual({ pairs: 120, agreed: 120, kappa: 1 })
    const interval = intervalOf(plan, found, { needed: 2, dependence: "tested", searched: null })!
    expect(interval.point).toBe(200)
    expect(interval.low).toBeLessThan(200)
    const early = findingsOf(plan, new Answers(), 2)
    expect(intervalOf(plan, early, { needed: 2, dependence: "tested", searched: null })).toBeNull()
  })
  test("kappa is Cohen's", () => {
    const answers = new Answers()
    const duplicates = plan.pairs.filter(({ kind }) => kind === "duplicate").slice(0, 50)
    // The textbook's table: 20 both yes, 5 and 10 apart, 15 both no; kappa 0.4.
    const table = [
      [20, "same", "same"],
      [5, "same", "different"],
      [10, "different", "same"],
      [15, "different", "different"],
    ] as const
    let at = 0
    for (const [count, one, other] of table)
      for (let i = 0; i < count; i += 1, at += 1)
        for (const [by, answer] of [
          ["ada", one],
          ["ben", other],
        ] as const)
          answers.add({ subject: duplicates[at]!.subject, other: duplicates[at]!.other, by, answer })
    expect(findingsOf(plan, answers, 2).agreement.kappa).toBeCloseTo(0.4, 12)
  })
  test("what two people call nobody is asked of no more, and counts as no face", () => {
    const answers = new Answers()
    const [first] = plan.sampled
    const say = (pair: Plan["pairs"][number]) => (pair.subject === first!.face ? "no-face" : truth(pair))
    answerAll(answers, "ada", say)
    answerAll(answers, "ben", say)
    const found = findingsOf(plan, answers, 2)
    expect(found.sampled[0]).toMatchObject({ isFace: false })
    expect(found.sampled.slice(1).every(({ isFace }) => isFace)).toBe(true)
    expect(found.open).toBe(0)
  })
  test("a face whose pairs have not ended ends the sample there", () => {
    const answers = new Answers()
    answerAll(answers, "ada", truth)
    answerAll(answers, "ben", truth)
    const last = plan.pairs.find(
      ({ kind, subject }) => kind === "inside" && subject === plan.sampled[50]!.face,
    )
    if (last !== undefined)
      answers.add({ subject: last.subject, other: last.other, by: "ada", answer: "different" })
    expect(findingsOf(plan, answers, 2).sampled.length).toBeLessThanOrEqual(50)
  })
})
