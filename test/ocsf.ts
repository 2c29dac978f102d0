import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { sharedData } from "./beside.ts"

interface Attribute {
  readonly requirement?: string
  readonly type?: string
  readonly is_array?: boolean
  readonly enum?: Readonly<Record<string, unknown>>
  readonly profile?: string | null
}

interface Definition {
  readonly name?: string
  readonly extends?: string
  readonly uid?: number
  readonly category?: string
  readonly attributes: Readonly<Record<string, Attribute>>
  readonly constraints?: { readonly at_least_one?: readonly string[]; readonly just_one?: readonly string[] }
}

const read = (path: string) => JSON.parse(readFileSync(sharedData(join("ocsf", path)), "utf8")) as Definition

/**
 * Everything that is wrong with an event by the schema's own files: unknown and missing attributes, types, arrays, enumerated
 * values, constraints, and the numbers that follow from others. Written from the schema, without a line of the product's.
 */
export function ocsfProblems(event: Readonly<Record<string, unknown>>): string[] {
  const schema = loaded()
  const found = [...schema.classes.values()].find(
    each => classUid(each, schema) === event.class_uid && each.uid !== undefined,
  )
  if (found === undefined) return [`no class ${String(event.class_uid)}`]
  const { class_uid, category_uid, activity_id, type_uid } = event as Record<string, number>
  const numbers = [
    ...(type_uid === class_uid! * 100 + activity_id!
      ? []
      : ["type_uid does not follow from class and activity"]),
    ...(category_uid === Math.floor(class_uid! / 1000) ? [] : ["category_uid is not the class's"]),
  ]
  const whole = resolved(found, schema.classes)
  return [...numbers, ...problems(event, whole, { schema, at: "" })]
}

interface Schema {
  readonly dictionary: Definition
  readonly classes: ReadonlyMap<string, Definition>
  readonly objects: ReadonlyMap<string, Definition>
  readonly categories: Definition
}

let held: Schema | null = null

function loaded(): Schema {
  held ??= {
    dictionary: read("dictionary.json"),
    categories: read("categories.json"),
    objects: folder("objects"),
    classes: new Map([
      ["base_event", read("events/base_event.json")] as const,
      ...["findings", "iam"].flatMap(name => [...folder(`events/${name}`)]),
    ]),
  }
  return held
}

function folder(path: string): Map<string, Definition> {
  const files = readdirSync(sharedData(join("ocsf", path))).filter(name => name.endsWith(".json"))
  return new Map(files.map(name => [name.slice(0, -5), read(join(path, name))]))
}

function classUid(definition: Definition, schema: Schema): number {
  const category = categoryOf(definition, schema.classes)
  const { uid = 0 } = (schema.categories.attributes[category] ?? {}) as { uid?: number }
  return uid * 1000 + (definition.uid ?? 0)
}

function categoryOf(definition: Definition, all: ReadonlyMap<string, Definition>): string {
  const parent = definition.extends === undefined ? undefined : all.get(definition.extends)
  return definition.category ?? (parent === undefined ? "other" : categoryOf(parent, all))
}

/** With what it inherits: an attribute that is said again keeps what it does not say. */
function resolved(definition: Definition, all: ReadonlyMap<string, Definition>): Definition {
  const parent = definition.extends === undefined ? undefined : all.get(definition.extends)
  if (parent === undefined) return definition
  const above = resolved(parent, all)
  const attributes: Record<string, Attribute> = { ...above.attributes }
  for (const [name, own] of Object.entries(definition.attributes)) {
    const inherited = attributes[name] ?? {}
    const both = { ...(inherited.enum ?? {}), ...(own.enum ?? {}) }
    attributes[name] = { ...inherited, ...own, ...(Object.keys(both).length === 0 ? {} : { enum: both }) }
  }
  const constraints = definition.constraints ?? above.constraints
  return { ...definition, attributes, ...(constraints === undefined ? {} : { constraints }) }
}

function problems(
  value: Readonly<Record<string, unknown>>,
  definition: Definition,
  of: { readonly schema: Schema; readonly at: string },
): string[] {
  const { schema, at } = of
  const missing = Object.entries(definition.attributes)
    .filter(([name, { requirement, profile }]) => requirement === "required" && !profile && !(name in value))
    .map(([name]) => `${at}${name} is missing`)
  const anyOf = definition.constraints?.at_least_one ?? []
  const none =
    anyOf.length > 0 && !anyOf.some(name => name in value) ? [`${at}: none of ${anyOf.join(", ")}`] : []
  const own = Object.entries(value).flatMap(([name, each]) => {
    const attribute = definition.attributes[name]
    const known = schema.dictionary.attributes[name]
    if (attribute === undefined || known === undefined) return [`${at}${name} is unknown`]
    return valueProblems(each, { ...known, ...attribute }, { schema, at: `${at}${name}` })
  })
  return [...missing, ...none, ...own]
}

const plain: Readonly<Record<string, (value: unknown) => boolean>> = {
  boolean_t: value => typeof value === "boolean",
  integer_t: Number.isInteger,
  long_t: Number.isSafeInteger,
  timestamp_t: value => Number.isSafeInteger(value) && Number(value) > 1_000_000_000_000,
  string_t: value => typeof value === "string",
  url_t: value => typeof value === "string" && URL.canParse(value),
}

function valueProblems(
  value: unknown,
  attribute: Attribute,
  { schema, at }: { readonly schema: Schema; readonly at: string },
): string[] {
  if (attribute.is_array === true) {
    if (!Array.isArray(value)) return [`${at} is no array`]
    return value.flatMap(each => valueProblems(each, { ...attribute, is_array: false }, { schema, at }))
  }
  // The base event lists its own class alone; those of the others follow from numbers, which are judged above.
  const isNumbered = at === "class_uid" || at === "category_uid"
  if (!isNumbered && attribute.enum !== undefined && !(String(value) in attribute.enum))
    return [`${at} is no value of its list`]
  const { type = "" } = attribute
  if (type === "object") return typeof value === "object" ? [] : [`${at} is no object`]
  const object = schema.objects.get(type)
  if (object !== undefined)
    return problems(value as Record<string, unknown>, resolved(object, schema.objects), {
      schema,
      at: `${at}.`,
    })
  const check = plain[type]
  if (check === undefined) return typeof value === "string" ? [] : [`${at} is of the unknown type ${type}`]
  return check(value) ? [] : [`${at} is no ${type}`]
}
