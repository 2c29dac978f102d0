/** A node with its attributes and children; text goes in as text, never as markup. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value)
  node.append(...children)
  return node
}

/** A table; where the page is narrower than it, it is moved within its own frame. */
export function rowsOf(heads: readonly string[], rows: readonly (readonly (Node | string)[])[]): HTMLElement {
  const head = element("tr", {}, ...heads.map(text => element("th", { scope: "col" }, text)))
  const body = rows.map(cells => element("tr", {}, ...cells.map(cell => element("td", {}, cell))))
  return wide(element("table", {}, element("thead", {}, head), element("tbody", {}, ...body)))
}

/** Names and what they are, one line each. */
export function factsOf(rows: readonly (readonly [string, string])[]): HTMLElement {
  const lines = rows.map(([name, value]) =>
    element("tr", {}, element("th", { scope: "row" }, name), element("td", {}, value)),
  )
  return element("table", { class: "facts" }, ...lines)
}

export function wide(node: Element): HTMLElement {
  return element("div", { class: "wide" }, node)
}

const svg = "http://www.w3.org/2000/svg"

/** The same of a drawing. */
export function graphic<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string | number>> = {},
  ...children: readonly (Node | string)[]
): SVGElementTagNameMap[K] {
  const node = document.createElementNS(svg, tag)
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value))
  node.append(...children)
  return node
}

export interface Box {
  readonly x_px: number
  readonly y_px: number
  readonly width_px: number
  readonly height_px: number
}

export interface Silhouette {
  readonly capture: string
  readonly width_px: number
  readonly height_px: number
  readonly keep: readonly Box[]
  readonly solid: readonly Box[]
}

/** What would be seen of one capture: light is shown, dark stays solid. No picture is behind it. */
export function silhouetteOf({ capture, width_px, height_px, keep, solid }: Silhouette): SVGElement {
  const label = `what would be shown of ${capture}: ${keep.length} regions`
  const frame = graphic("svg", { viewBox: `0 0 ${width_px} ${height_px}`, role: "img", "aria-label": label })
  const whole = { x_px: 0, y_px: 0, width_px, height_px }
  for (const [box, fill] of [
    [whole, "#22303f"] as const,
    ...keep.map(each => [each, "#ffbe2e"] as const),
    ...solid.map(each => [each, "#22303f"] as const),
  ])
    frame.append(
      graphic("rect", { x: box.x_px, y: box.y_px, width: box.width_px, height: box.height_px, fill }),
    )
  return frame
}
