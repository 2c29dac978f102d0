import { assert } from "../fault.ts"
import { units, type Part, type Unit } from "./scope.ts"
import {
  Sources,
  type ClockLine,
  type Piece,
  type Section,
  type Statement,
  type StatementAsk,
} from "./statement.ts"

/** What each unit is called. They are never added up. */
export const unitNames: Readonly<Record<Unit, readonly [one: string, many: string]>> = {
  files: ["file", "files"],
  images: ["different picture", "different pictures"],
  merged: ["picture after near copies are counted once", "pictures after near copies are counted once"],
  crossings: ["crossing", "crossings"],
  plates: ["license plate", "license plates"],
  vehicles: ["vehicle", "vehicles"],
  people: ["person", "people"],
}

const pictures = unitNames.images
/** Who is in a picture with his face hidden or missed is not among them. */
const byFaces: Sentence = ["People are counted by the faces that were found."]
const mostParts = 20

const accounting = "5 U.S.C. 552a(c)"

/**
 * The statement for press, Congress and individuals. The same ask gives the same bytes.
 * What is not known is said as unknown; every line of law is for counsel to confirm.
 */
export function writeStatement(ask: StatementAsk): Statement {
  const sources = new Sources(ask)
  const of = { ask, sources }
  const texts = {
    press: [happened(of), left(of, "short"), whereAndWhen(of), unknown(of), check(of), contact(of)],
    congress: [
      ...[happened(of), left(of, "whole"), refusedAndOpen(of), whereAndWhen(of), holders(of)],
      ...[duties(of), unknown(of), check(of), contact(of)],
    ],
    individuals: [
      yourPicture(),
      happened(of),
      aboutAll(of),
      yourRights(of),
      unknown(of),
      letterCheck(of),
      contact(of),
    ],
  }
  for (const section of Object.values(texts).flat()) assertSourced(section)
  const { result, scope, as_of, facts, clocks, thresholds } = ask
  return {
    ...{ v: 1, format: "sallyport-statement/1", incident: result.incident, as_of },
    ...{
      checkpoint: result.checkpoint,
      scope,
      facts,
      clocks,
      thresholds,
      references: sources.references,
      texts,
    },
  }
}

interface Of {
  readonly ask: StatementAsk
  readonly sources: Sources
}

type Sentence = readonly Piece[]

/** Words alone carry no number. */
function assertSourced({ heading, sentences }: Section): void {
  const words = [heading, ...sentences.flat().filter(piece => typeof piece === "string")]
  for (const each of words) assert(!/\d/.test(each), `a number without its source: ${each}`)
}

function happened({ ask, sources }: Of): Section {
  const { happened: what, doing } = ask.facts
  return {
    heading: "What happened",
    sentences: [
      what === null ? ["We do not yet know how it happened."] : [sources.text("facts", "/happened")],
      [
        "We looked at what left our vault from ",
        sources.moment("/query/from"),
        " until ",
        sources.moment("/query/until"),
        ".",
      ],
      doing === null ? ["What we do about it is not settled yet."] : [sources.text("facts", "/doing")],
    ],
  }
}

/** The units in the order of the result; a unit that nobody counted has the bounds that always hold. */
function left({ sources }: Of, length: "short" | "whole"): Section {
  const named: readonly Unit[] = length === "short" ? ["images", "files", "plates", "people"] : units
  return {
    heading: "What left",
    sentences: [
      ["Each line counts another thing, and no line can stand for another."],
      ...named.map((unit): Sentence => ["We count ", sources.count(`/left/${unit}`, unitNames[unit]), "."]),
      byFaces,
    ],
  }
}

function refusedAndOpen({ ask, sources }: Of): Section {
  const grants = ask.result.live_grants.length
  const held: Sentence =
    grants === 0
      ? ["No live grant lets them take more."]
      : [
          "They could still take ",
          sources.count("/takeable/images", pictures),
          " under grants that run now; those are to be suspended first.",
        ]
  return {
    heading: "What did not leave",
    sentences: [
      ["They asked for ", sources.count("/refused/images", pictures), " and never got them."],
      held,
    ],
  }
}

function whereAndWhen({ ask, sources }: Of): Section {
  const { port, capture_day, release_day, level } = ask.result.left_by
  const days = (parts: readonly Part[], name: string, words: string): Sentence[] => {
    const ordered = [...parts.entries()].sort(([, a], [, b]) => (a.key < b.key ? -1 : 1))
    const [first, last] = [ordered[0], ordered.at(-1)]
    if (first === undefined || last === undefined) return []
    const day = ([i]: readonly [number, Part]) => sources.moment(`/left_by/${name}/${i}/key`)
    return first === last
      ? [[`${words} on `, day(first), "."]]
      : [[`${words} from `, day(first), " to ", day(last), "."]]
  }
  return {
    heading: "Where and when",
    sentences: [
      ...partsSaid({ ask, sources }, { parts: port, name: "port", before: "Taken at " }),
      ...days(capture_day, "capture_day", "The pictures were taken"),
      ...days(release_day, "release_day", "They left the vault"),
      ...level
        .slice(0, mostParts)
        .map((_, i): Sentence => [
          "At level ",
          sources.text("scope", `/left_by/level/${i}/key`),
          " they had ",
          sources.number(
            `/left_by/level/${i}/images`,
            pictures,
            "Distinct pictures at this level; levels overlap.",
          ),
          ".",
        ]),
    ],
  }
}

function holders(of: Of): Section {
  const { holder } = of.ask.result.left_by
  const none: Sentence[] = holder.length === 0 ? [["Nobody had a copy in these times."]] : []
  return {
    heading: "Who had them",
    sentences: [...none, ...partsSaid(of, { parts: holder, name: "holder", before: "In the hands of " })],
  }
}

/** A sentence for each part, the first twenty; that there are more is said. */
function partsSaid(
  { ask, sources }: Of,
  {
    parts,
    name,
    before,
  }: { readonly parts: readonly Part[]; readonly name: "port" | "holder"; readonly before: string },
): Sentence[] {
  const lines = parts.slice(0, mostParts).map(({ key }, i): Sentence => {
    const isNamed = Object.hasOwn(ask.facts.names, key)
    const who = isNamed
      ? sources.text("facts", `/names/${key}`)
      : sources.text("scope", `/left_by/${name}/${i}/key`)
    return [
      before,
      who,
      ": ",
      sources.number(`/left_by/${name}/${i}/images`, pictures, "Distinct pictures of this part."),
      ".",
    ]
  })
  return parts.length > mostParts ? [...lines, ["The rest stands in the scope's result."]] : lines
}

function unknown({ ask, sources }: Of): Section {
  const { unknowns } = ask.result
  const isNone = unknowns.some(({ count }) => count === 0)
  return {
    heading: "What we do not know",
    sentences: [
      ...unknowns.flatMap(({ count }, i): Sentence[] =>
        count === 0 ? [] : [[sources.text("scope", `/unknowns/${i}/sentence`)]],
      ),
      ...(isNone ? [["Other things that could be unknown were looked for, and there are none."]] : []),
      [
        "If the true dates lie a month off, the count of pictures lies between ",
        sources.number("/window_30d/narrower", pictures, "The window made shorter by 30 days at each end."),
        " and ",
        sources.number("/window_30d/wider", pictures, "The window made longer by 30 days at each end."),
        ".",
      ],
    ],
  }
}

function duties({ ask, sources }: Of): Section {
  return {
    heading: "Duties and clocks",
    sentences: [
      ["Every line here is for counsel to confirm."],
      ...ask.thresholds.map((_, i) => thresholdSaid({ ask, sources }, i)),
      ...ask.clocks.flatMap(({ triggered }, i) => (triggered ? [clockSaid(sources, i)] : [])),
      ...(ask.clocks.some(({ triggered }) => triggered) ? [] : [["No clock runs that we know of."]]),
      ...(ask.clocks.some(({ triggered }) => !triggered)
        ? [["Other duties are not triggered; the machine file says why for each."]]
        : []),
    ],
  }
}

function thresholdSaid({ ask, sources }: Of, i: number): Sentence {
  const field = (name: string) => sources.text("thresholds", `/${i}/${name}`)
  const cited = ask.thresholds[i]?.citations.map((_, n) => field(`citations/${n}`)) ?? []
  const laws = cited.flatMap((each, n) => (n === 0 ? [each] : ["; ", each]))
  return ["A law that sets a number, ", ...laws, ": ", field("says"), "."]
}

function clockSaid(sources: Sources, i: number): Sentence {
  const field = (name: keyof ClockLine) => sources.text("clocks", `/${i}/${name}`)
  return [field("party"), " to ", field("recipient"), ", under ", field("citation"), ": ", field("says"), "."]
}

function yourPicture(): Section {
  return {
    heading: "Why we write to you",
    sentences: [
      ["A picture that may show you left our vault."],
      ["It was taken at ", { letter: "port" }, ", in the hour ", { letter: "hour" }, "."],
      ["This could be seen in it: ", { letter: "visible" }, "."],
      ["We do not print the picture or the plate here."],
    ],
  }
}

function aboutAll({ sources }: Of): Section {
  return {
    heading: "How many",
    sentences: [
      ["In all, we count ", sources.count("/left/images", pictures), "."],
      ["They show ", sources.count("/left/people", unitNames.people), "."],
      byFaces,
    ],
  }
}

function yourRights({ sources }: Of): Section {
  return {
    heading: "What you can ask for",
    sentences: [
      ["You can ask us who had pictures of your crossing, when, and why."],
      ["Tell us the port and the time of your crossing; we do not search by face."],
      [
        "The law that we think gives you this right: ",
        sources.rule(accounting),
        " (for counsel to confirm).",
      ],
    ],
  }
}

function letterCheck({ sources }: Of): Section {
  return {
    heading: "Is this letter ours?",
    sentences: [
      ["Your letter's code is ", { letter: "code" }, "."],
      ["Type it in at ", sources.text("facts", "/check_url"), "."],
      ["The page says whether the code is ours, and nothing about you."],
    ],
  }
}

function check({ sources }: Of): Section {
  return {
    heading: "How to check these numbers",
    sentences: [
      ["Anyone who has the log can count again and must get the same numbers."],
      [
        "The count stands on the first ",
        sources.number(
          "/checkpoint/size",
          ["entry", "entries"],
          "Size of the tree that the checkpoint signs.",
        ),
        " of the log of ",
        sources.text("scope", "/checkpoint/origin"),
        ".",
      ],
      ["The log's root then was ", sources.text("scope", "/checkpoint/root"), "."],
    ],
  }
}

function contact({ sources }: Of): Section {
  return {
    heading: "Questions",
    sentences: [["Ask ", sources.text("facts", "/agency"), ": ", sources.text("facts", "/contact"), "."]],
  }
}
