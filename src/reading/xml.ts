import { SaxesParser } from "saxes"
import { Fault } from "../fault.ts"
import { maxDepth, type Json } from "./json.ts"

const maxElements = 10_000
const maxText = 1024 * 1024

interface Element {
  readonly children: Map<string, Json[]>
  text: string
}

/**
 * An XML document as plain data: an element without children is its text, others are objects by local name, a name that
 * occurs again is a list. Attributes are `@name`. Nothing is expanded but the five entities of XML itself and characters
 * by number: a document type is refused before it is read, so no entity can be declared and nothing outside is fetched.
 * @throws Fault READER_EVENT for a document type, an entity, an encoding other than UTF-8, a depth over 32, over 10,000
 * elements, over a million characters, or what is not well-formed.
 */
export function parseXml(text: string): Json {
  if (text.length > maxText) throw refused("the event's XML is over a million characters")
  if (/<!(DOCTYPE|ENTITY)/i.test(text))
    throw refused("the event's XML declares a document type or entities, which no reader needs")
  const building = new Building()
  const parser = new SaxesParser({ xmlns: false })
  parser.on("error", () => {
    throw refused("the event is not well-formed XML, or names an entity that XML itself does not know")
  })
  parser.on("doctype", () => {
    throw refused("the event's XML declares a document type")
  })
  parser.on("xmldecl", ({ encoding }) => {
    if (encoding !== undefined && !/^(utf-8|us-ascii)$/i.test(encoding))
      throw refused("the event's XML is in another encoding than UTF-8")
  })
  parser.on("opentag", ({ name, attributes }) => building.open(localName(name), attributes))
  parser.on("text", part => building.add(part))
  parser.on("cdata", part => building.add(part))
  parser.on("closetag", ({ name }) => building.close(localName(name)))
  parser.write(text).close()
  return building.whole()
}

class Building {
  readonly #stack: Element[] = [{ children: new Map(), text: "" }]
  #count = 0

  open(_name: string, attributes: Readonly<Record<string, string>>): void {
    this.#count += 1
    if (this.#count > maxElements) throw refused("the event's XML holds over 10,000 elements")
    if (this.#stack.length > maxDepth) throw refused("the event's XML nests deeper than 32")
    const named = Object.entries(attributes).filter(([name]) => !name.startsWith("xmlns"))
    const children = new Map(named.map(([name, value]) => [`@${name}`, [value as Json]]))
    this.#stack.push({ children, text: "" })
  }

  add(text: string): void {
    const top = this.#stack.at(-1)
    if (top !== undefined) top.text += text
  }

  close(name: string): void {
    const closed = this.#stack.pop()
    const into = this.#stack.at(-1)?.children
    if (closed === undefined || into === undefined) return
    const value = valueOf(closed)
    const before = into.get(name)
    if (before === undefined) into.set(name, [value])
    else before.push(value)
  }

  /** The document as an object with its root element. */
  whole(): Json {
    const [document] = this.#stack
    return document === undefined ? {} : valueOf(document)
  }
}

function valueOf({ children, text }: Element): Json {
  if (children.size === 0) return text.trim()
  const entries = [...children].map(([name, values]) => [name, values.length === 1 ? values[0] : values])
  return Object.fromEntries(entries) as Json
}

function localName(name: string): string {
  return name.slice(name.indexOf(":") + 1)
}

function refused(why: string): Fault {
  return new Fault("READER_EVENT", `${why}; nothing was sealed`, {
    next: "let the reader send plain XML in UTF-8",
  })
}
