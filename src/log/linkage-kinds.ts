import { Type } from "typebox"
import { by, closed, count, id, index, kind, nullable, oneOf, sha256Hex } from "./shapes.ts"

/** Entries about a linkage: which faces, and which plate reads, of what left are one person's or one vehicle's. */

export const linkageLimits = {
  /** Originals that one linkage opens. */
  images: 200_000,
  /** Faces that are compared with each other. */
  faces: 20_000,
  sample: 5_000,
  /** Answers in one entry, and such entries of one linkage. */
  answers: 500,
  entries: 10_000,
} as const

const version = Type.Integer({ minimum: 1, maximum: 1000 })

export const linkageStatements = {
  /** Of which version of the incident; how many faces are drawn for people to look at. */
  opening: closed({
    version,
    sample: Type.Integer({ minimum: 1, maximum: linkageLimits.sample }),
  }),
  /** What one person says of pairs, by their places in the plan, from 0. */
  answers: closed({
    answers: Type.Array(
      closed({
        pair: Type.Integer({ minimum: 0, maximum: 2_000_000 }),
        answer: oneOf(["same", "different", "unsure", "no-face"]),
      }),
      { minItems: 1, maxItems: linkageLimits.answers },
    ),
  }),
  /** Of how many entries with answers, and whether two people's errors may be taken as independent unless the controls speak against it. */
  estimate: closed({ answered: index, dependence: oneOf(["tested", "measured"]) }),
}

const own = { linkage: id("lnk"), incident: id("inc") }

export const linkageKinds = {
  /** The set is fixed by the entry `incident.scoped`; only then is the seed drawn. */
  "linkage.opened": kind("linkage.opened", {
    ...{ ...own, person: id("per") },
    scoped: index,
    /** Distinct images that left, as that entry says. */
    images: count,
    seed: sha256Hex,
    ...by(linkageStatements.opening),
  }),
  /** What the machine found, and what people are to look at. No descriptor is kept. */
  "linkage.planned": kind("linkage.planned", {
    ...own,
    /** Faces that were compared, and the groups that the machine made of them. */
    faces: count,
    clusters: count,
    /** Faces that were not: too small, or of an image that opens no more. */
    unclustered: count,
    /** Images in which nothing looked for faces. */
    undetermined: count,
    /** Images that open no more, and those that do not decode. */
    gone: count,
    unreadable: count,
    pairs: count,
    /** Pairs known to be one person's, and of how many the search for likenesses found the other. */
    searched: closed({ found: count, of: count }),
    /** Of the plan in canonical JSON. */
    plan_sha256: sha256Hex,
    /** Of the plates' texts: bounds that hold, and what linking them makes likely. `null` without a text. */
    vehicles: nullable(
      closed({
        ...{ reads: count, texts: count, at_least: count, at_most: count },
        ...{ low: count, point: count, high: count },
      }),
    ),
  }),
  "linkage.answered": kind("linkage.answered", {
    ...{ ...own, person: id("per") },
    ...by(linkageStatements.answers),
  }),
  /** How many people there are among the faces that were compared, 95 %; `null` while answers or controls are too few. */
  "linkage.estimated": kind("linkage.estimated", {
    ...{ ...own, person: id("per") },
    scoped: index,
    /** Sampled faces of which every pair has its end. */
    sampled: count,
    interval: nullable(closed({ point: count, low: count, high: count })),
    ...by(linkageStatements.estimate),
  }),
} as const
