import type { Breakdown, Part } from "../incident/scope.ts"
import type { LiveFigures } from "./figures.ts"

/** The longer questions of the second engine, on the tables that `sql.ts` made. */

type All = (text: string) => unknown[]

const part = (key: string, from: string) =>
  `select ${key} as key, count(distinct capture) as images, count(*) as files from ${from} group by key order by key`

const rootOf = `with recursive up (id, root, parent) as (
  select id, id, parent from organization
  union all select up.id, o.id, o.parent from up join organization o on o.id = up.parent)`

const roots = `root as materialized (select id, root from up where parent is null)`

const orOf = (sight: string) =>
  `(max(${sight} & 1) | max(${sight} & 2) | max(${sight} & 4) | max(${sight} & 8))`

/** The level that shows all of a sight: 1 silhouette, 2 plate, 4 face, 8 the rest. */
const whole = (sight: string) => `case when ${sight} in (0, 1, 3, 5) then ${sight} else 15 end`

const levelOf = (sight: string) =>
  `case ${sight} when 0 then 'L0' when 1 then 'L1' when 3 then 'L2' when 5 then 'L3' else 'L4' end`

/** By which key images left; of `gone`. */
export function breakdownIn(all: All): Breakdown {
  const parts = (text: string) => all(text) as Part[]
  const placed = "gone join image using (capture)"
  return {
    port: parts(part("port", placed)),
    lane: parts(part("lane", placed)),
    capture_day: parts(part("day", placed)),
    release_day: parts(part("substr(at, 1, 10)", "gone")),
    both_days: all(
      `select day as captured, substr(at, 1, 10) as released, count(distinct capture) as images from ${placed}
         group by 1, 2 order by 1, 2`,
    ) as Breakdown["both_days"],
    level: parts(`${rootOf}, ${roots}, seen as (
        select capture, count(*) as files, ${orOf("sight")} as sight from gone join root on root.id = organization
          group by root, capture)
      select ${levelOf("sight")} as key, count(distinct capture) as images, sum(files) as files from seen
        group by key order by key`),
    holder: parts(part("person", "gone")),
  }
}

/** Every image that a live grant reaches, with the grant. Budgets that come back by themselves are not asked. */
export const takeableOf = `${rootOf}, ${roots},
grants as materialized (
  select grant_id, frozen_at, text,
    text ->> '$.for' as purpose, text ->> '$.holder' as holder, text ->> '$.selection' as selection,
    text ->> '$.images' as images, text ->> '$.people' as people, text ->> '$.releases' as releases,
    text ->> '$.dates.first' as first, text ->> '$.dates.last' as last,
    text ->> '$.hours.from' as from_hour, text ->> '$.hours.until' as until_hour,
    case text ->> '$.level' when 'L0' then 0 when 'L1' then 1 when 'L2' then 3 when 'L3' then 5 else 15 end as sight,
    (select root from person join root on root.id = organization where person.id = text ->> '$.holder') as root,
    (select count(distinct capture) from opening o where o.grant_id = terms.grant_id) as taken,
    (select count(*) from opening o where o.grant_id = terms.grant_id) as openings,
    (select coalesce(max(people_after), 0) from opening o where o.grant_id = terms.grant_id) as faces_taken
  from terms where grant_id in (select grant_id from live)),
held as materialized (
  select root.root, capture, ${orOf("sight")} as sight from opening join root on root.id = organization
    where kind = 'release' group by 1, 2)
select g.grant_id, image.capture from grants g join image on
  image.lane in (select value from json_each(g.text, '$.lanes'))
  and day between first and last and clock >= from_hour and clock < until_hour
  and (selection = 'open' or admitted < frozen_at)
  and (g.text ->> '$.captures' is null or image.capture in (select value from json_each(g.text, '$.captures')))
  left join held h on h.root = g.root and h.capture = image.capture and purpose = 'release'
where openings < releases and g.sight > 0
  and ((${whole("coalesce(h.sight, 0) | 1")}) & g.sight) = (${whole("coalesce(h.sight, 0) | 1")})
  and (exists (select 1 from opening o where o.grant_id = g.grant_id and o.capture = image.capture)
    or (taken < g.images and (people is null or (faces is not null and faces_taken + faces <= people))))
  and image.capture not in (select capture from canary) and image.port not in (select scope from stop)`

/** Of each live grant what is left of its images, and what it reaches. */
export function liveIn(all: All): LiveFigures[] {
  return all(`select l.grant_id as "grant",
      max(0, (text ->> '$.images') - (select count(distinct capture) from opening o where o.grant_id = l.grant_id)) as images_left,
      (select count(*) from reached r where r.grant_id = l.grant_id and capture in (select capture from set_takeable)) as takeable
    from live l join terms using (grant_id) order by 1`) as LiveFigures[]
}
