/**
 * The tables of the second engine, and how an entry's JSON fills them. Nothing here knows the types of entries or shares code
 * with the first engine: `?1` is the entry's text, `?2` its index.
 */
export const tables = `
create table organization (id text primary key, parent text) without rowid;
create table person (id text primary key, organization text) without rowid;
create table image (capture text primary key, port text, lane text, day text, clock integer, admitted integer, kind text,
  plates integer, faces integer, examined integer, added integer not null default 0) without rowid;
create table opening (i integer primary key, at text, capture text, sight integer, kind text, person text, organization text,
  grant_id text, device text, network text, people_after integer);
create index opening_grant on opening (grant_id, capture);
create table delivery (i integer primary key, permit integer);
create index delivery_permit on delivery (permit);
create table refusal (i integer primary key, at text, person text, device text, network text);
create table asked (refusal integer, capture text);
create table motion (id text primary key, act text, subject text, statement text) without rowid;
create table terms (grant_id text primary key, text text, frozen_at integer) without rowid;
create table found (trace text, n integer, capture text, people integer);
create table accused (trace text, person text);
create table beside (capture text primary key, header text, findings text) without rowid;
create table stop (scope text primary key) without rowid;
create table canary (capture text primary key) without rowid;
`

const sight = (level: string) =>
  `case ${level} when 'L0' then 0 when 'L1' then 1 when 'L2' then 3 when 'L3' then 5 else 15 end`

/** Statements by the kind of entry. */
export const fills: Readonly<Record<string, readonly string[]>> = {
  genesis: [
    "insert into organization values (?1 ->> '$.organization', null)",
    "insert into person values (?1 ->> '$.person', ?1 ->> '$.organization')",
  ],
  "organization.added": [
    "insert into organization values (?1 ->> '$.organization', ?1 ->> '$.statement.parent')",
  ],
  "person.enrolled": ["insert into person values (?1 ->> '$.person', ?1 ->> '$.statement.organization')"],
  "motion.proposed": [
    "insert into motion values (?1 ->> '$.motion', ?1 ->> '$.act', ?1 ->> '$.subject', ?1 -> '$.statement')",
  ],
  "motion.seconded": [
    `insert into person select subject, statement ->> '$.organization' from motion
       where act = 'enroll' and id = ?1 ->> '$.motion' and ?1 ->> '$.statement.decision' = 'second'`,
    `insert into terms select subject, statement -> '$.terms', ?2 from motion
       where act = 'break-glass' and id = ?1 ->> '$.motion' and ?1 ->> '$.statement.decision' = 'second'`,
    `delete from stop where scope in (select statement ->> '$.scope' from motion
       where act = 'resume' and id = ?1 ->> '$.motion' and ?1 ->> '$.statement.decision' = 'second')`,
    `update image set plates = json_array_length(m.statement, '$.plates'),
       faces = coalesce(faces, 0) - added + json_array_length(m.statement, '$.faces'),
       added = json_array_length(m.statement, '$.faces')
       from motion m where m.act = 'set-boxes' and m.id = ?1 ->> '$.motion'
         and ?1 ->> '$.statement.decision' = 'second' and capture = m.statement ->> '$.capture'`,
  ],
  "stop.ordered": ["insert or ignore into stop values (?1 ->> '$.scope')"],
  admitted: [
    `insert into image (capture, port, lane, day, clock, admitted, kind) values (?1 ->> '$.capture', ?1 ->> '$.port',
       ?1 ->> '$.lane', substr(?1 ->> '$.hour', 1, 10), cast(substr(?1 ->> '$.hour', 12, 2) as integer), ?2,
       ?1 ->> '$.captured')`,
  ],
  examined: [
    `update image set plates = ?1 ->> '$.plates', faces = ?1 ->> '$.faces', examined = ?2
       where capture = ?1 ->> '$.capture'`,
  ],
  permit: [
    `insert into opening select ?2, ?1 ->> '$.at', ?1 ->> '$.capture', ${sight("?1 ->> '$.level'")}, ?1 ->> '$.for',
       ?1 ->> '$.by.person', ?1 ->> '$.by.organization', ?1 ->> '$.by.grant', ?1 ->> '$.asked.device.key',
       ?1 ->> '$.by.network', ?1 ->> '$.by.people_after' where ?1 ->> '$.by' is not null`,
  ],
  delivered: ["insert into delivery values (?2, ?1 ->> '$.permit')"],
  refused: [
    `insert into refusal select ?2, ?1 ->> '$.at', ?1 ->> '$.person', ?1 ->> '$.asked.device.key', ?1 ->> '$.network'
       where ?1 ->> '$.of' in ('release', 'reveal', 'draw')`,
    `insert into asked select ?2, ?1 ->> '$.capture'
       where ?1 ->> '$.of' in ('release', 'reveal') and ?1 ->> '$.capture' is not null`,
    `insert into asked select ?2, value from json_each(?1, '$.statement.captures')
       where ?1 ->> '$.of' = 'draw' and type = 'text'`,
  ],
  "grant.requested": ["insert into terms values (?1 ->> '$.grant', ?1 -> '$.statement', -1)"],
  "grant.edited": ["update terms set text = ?1 -> '$.statement.terms' where grant_id = ?1 ->> '$.grant'"],
  "grant.approved": ["update terms set frozen_at = ?2 where grant_id = ?1 ->> '$.grant'"],
  "trace.closed": [
    `insert into found select ?1 ->> '$.trace', key, value ->> '$.capture', json_array_length(value, '$.people')
       from json_each(?1, '$.verdicts')`,
    `insert into accused select distinct ?1 ->> '$.trace', p.value ->> '$.person'
       from json_each(?1, '$.verdicts') v, json_each(v.value, '$.people') p`,
  ],
}

/** What one cause hits: openings, refusals and grants' holders; `?1` is its list as a JSON array. */
export const causes: Readonly<Record<string, { readonly openings: string; readonly refusals: string }>> = {
  organizations: {
    openings: "organization in (select id from tree)",
    refusals: "person in (select person.id from person join tree on tree.id = organization)",
  },
  people: {
    openings: "person in (select value from json_each(?1))",
    refusals: "person in (select value from json_each(?1))",
  },
  devices: {
    openings: "device in (select value from json_each(?1))",
    refusals: "device in (select value from json_each(?1))",
  },
  networks: {
    openings: "network in (select value from json_each(?1))",
    refusals: "network in (select value from json_each(?1))",
  },
  files: {
    openings: `(person in (select person from accused where trace in (select value from json_each(?1)))
      or capture in (select capture from found where people = 0 and trace in (select value from json_each(?1))))`,
    refusals: "person in (select person from accused where trace in (select value from json_each(?1)))",
  },
}

/** Every organization of the list with all below it. */
export const tree = `with recursive tree (id) as (
  select value from json_each(?1) union select organization.id from organization join tree on parent = tree.id)`
