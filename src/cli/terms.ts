import type { Command } from "commander"
import { Fault } from "../fault.ts"
import { levelOf, wide_px, type Level, type Region } from "../grant/level.ts"
import { purposes, type Purpose, type Terms } from "../grant/terms.ts"
import { endOf } from "./times.ts"

/** What terms are typed as. */
export interface TermsOptions {
  readonly purpose: string
  readonly workOrder: string
  readonly contract?: string
  readonly lane: string[]
  readonly hours: string
  readonly dates?: string
  /** Without it what is usual for the purpose. */
  readonly level?: string
  readonly region?: string
  readonly images: string
  readonly releases?: string
  readonly people?: string
  readonly open?: true
  readonly onlyDevice?: string
  readonly capture?: string[]
  readonly starts: string
  readonly ends: string
  readonly destroy: string
}

/** The options that every request for images takes. */
export function termsOptions(command: Command): Command {
  return command
    .option(
      "--purpose <purpose>",
      "calibrate-reader, repair-reader, verify-reads, dispute-crossing, audit, incident",
    )
    .option("--work-order <number>", "work order or case file")
    .option("--lane <lane...>", "lanes, repeatable")
    .option("--hours <from-until>", "port-local hours of the day", "0-24")
    .option("--dates <first..last>", "port-local dates of capture; without it yesterday to today")
    .option("--level <level>", "L1 to L4; without it what is usual for the purpose")
    .option(
      "--region <region>",
      `what L2 shows around plates: wide, about ${wide_px.toLocaleString("en-US")} pixels, or close, of which fewer leaks can be traced; without it wide`,
    )
    .option("--images <number>", "how many distinct images")
    .option("--releases <number>", "how often they leave in all, re-reading included; 3 for each image")
    .option(
      "--people <number>",
      "at most so many people: faces found, added up; without it they are not counted",
    )
    .option("--open", "also captures that come after the approval; without it the selection is frozen there")
    .option("--only-device <key>", "the public key of the one device that may take the images")
    .option("--capture <capture...>", "a manifest: only these captures")
    .option("--starts <time>", "now, RFC 3339, or a span", "now")
    .option("--ends <time>", "RFC 3339, or a span from now", "1d")
    .option(
      "--destroy <time>",
      "until when copies must be destroyed: RFC 3339, or a span from the end",
      "30d",
    )
}

/** The terms that the options say. @throws Fault INVALID naming the option. */
export function termsFrom(
  options: TermsOptions & { readonly holder: string },
  as: "release" | "reveal",
): Terms {
  const now_ms = Date.now()
  const ends_at = endOf(options.ends, now_ms)
  if (!Object.hasOwn(purposes, options.purpose))
    throw new Fault("INVALID", `--purpose is one of ${Object.keys(purposes).join(", ")}`)
  const known = options.purpose as Purpose
  const level = levelOf(options.level ?? purposes[known].usual)
  const hours = /^(\d{1,2})-(\d{1,2})$/.exec(options.hours)
  const day = (back: number) => new Date(now_ms - back * 86_400_000).toISOString().slice(0, 10)
  const [first = "", last = first] = (options.dates ?? `${day(1)}..${day(0)}`).split("..")
  if (level === null) throw new Fault("INVALID", "--level is L1, L2, L3 or L4")
  if (hours === null) throw new Fault("INVALID", "--hours is FROM-UNTIL, such as 6-22")
  wholeOf("images", options.images)
  return {
    for: as,
    purpose: known,
    work_order: options.workOrder,
    contract: options.contract ?? null,
    holder: options.holder,
    device: options.onlyDevice ?? null,
    lanes: [...options.lane].sort(),
    hours: { from: Number(hours[1]), until: Number(hours[2]) },
    dates: { first, last },
    level,
    ...regionTerm(options.region ?? usualRegion(level)),
    selection: options.open === true ? "open" : "frozen",
    captures: options.capture === undefined ? null : [...options.capture].sort(),
    images: Number(options.images),
    releases:
      options.releases === undefined ? 3 * Number(options.images) : wholeOf("releases", options.releases),
    people: options.people === undefined ? null : wholeOf("people", options.people),
    starts_at: endOf(options.starts, now_ms),
    ends_at,
    destroy_by: as === "reveal" ? ends_at : endOf(options.destroy, Date.parse(ends_at)),
    comment_commitment: null,
  }
}

/** The region that is typed, as terms have it. @throws Fault INVALID. */
export function regionTerm(text: string): Pick<Terms, "region"> {
  if (text === "close") return {}
  if (text !== "wide") throw new Fault("INVALID", "--region is close or wide")
  return { region: text }
}

/** What is asked for where nobody says a region: at L2 one out of which a trace names somebody (decision 0027). */
export function usualRegion(level: Level): Region {
  return level === "L2" ? "wide" : "close"
}

function wholeOf(option: string, text: string): number {
  if (!/^\d{1,7}$/.test(text)) throw new Fault("INVALID", `--${option} is a whole number`)
  return Number(text)
}
