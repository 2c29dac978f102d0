import { element } from "./draw.ts"
import { Refusal } from "./requests.ts"

/** The one place on the page in which everything is shown. */

export const desk = document.getElementById("desk") ?? document.body

export function show(...nodes: readonly (Node | string)[]): void {
  desk.replaceChildren(...nodes)
}

export function button(
  text: string,
  work: () => Promise<void>,
  attributes: Record<string, string> = {},
): HTMLButtonElement {
  const made = element("button", { type: "button", ...attributes }, text)
  made.addEventListener("click", () => {
    made.disabled = true
    void work()
      .catch((error: unknown) => tell(error))
      .finally(() => (made.disabled = false))
  })
  return made
}

/** What happened, what was not done, what would work: the vault's own sentence. */
export function tell(error: unknown): void {
  const problem = error instanceof Refusal ? error.problem : {}
  const text = error instanceof Error ? error.message : String(error)
  const said = [problem.code, text, problem.not_done, problem.next]
    .filter(part => part !== undefined)
    .join("  ")
  let place = document.getElementById("told")
  if (place === null) {
    place = element("p", { id: "told", class: "state stopped", role: "alert" })
    desk.prepend(place)
  }
  place.textContent = said
}
