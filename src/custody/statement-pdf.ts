import { createRequire } from "node:module"
import PDFDocument from "pdfkit"
import { audiences, sentenceSaid, sourceLines, type Audience, type Statement } from "../incident/statement.ts"

const require = createRequire(import.meta.url)
const fontOf = (weight: 400 | 600) =>
  require.resolve(`@fontsource/barlow-condensed/files/barlow-condensed-latin-${weight}-normal.woff`)

const titles: Readonly<Record<Audience, string>> = {
  press: "For the press",
  congress: "For Congress",
  individuals: "For each person: the text of the letter",
}

/**
 * The statement for people: the three texts, with the number of its source behind each figure, and the page of sources. The same
 * statement gives the same bytes: its own time in place of today's, fonts in the file, nothing compressed.
 * @param statement_sha256  of the machine file, printed on every page.
 */
export async function statementPdf(statement: Statement, statement_sha256: string): Promise<Uint8Array> {
  const at = new Date(statement.as_of)
  const document = new PDFDocument({
    ...{ size: "LETTER", margin: 54, compress: false, lang: "en-US", displayTitle: true },
    ...{ autoFirstPage: false, font: fontOf(400), pdfVersion: "1.7" },
    info: {
      ...{ Title: `Incident ${statement.incident}`, Author: statement.facts.agency, Producer: "Sallyport" },
      ...{ Creator: "Sallyport", CreationDate: at, ModDate: at },
    },
  })
  const chunks: Uint8Array[] = []
  const done = new Promise<void>((resolve, reject) => {
    document
      .on("data", (chunk: Uint8Array) => chunks.push(chunk))
      .on("end", resolve)
      .on("error", reject)
  })
  document.registerFont("plain", fontOf(400)).registerFont("strong", fontOf(600))
  const foot = `${statement.incident}   as of ${statement.as_of}   machine file SHA-256 ${statement_sha256}`
  const sheet = new Sheet(document, foot)
  for (const audience of audiences) written(sheet, statement, audience)
  document.end()
  await done
  return Buffer.concat(chunks)
}

type Document = InstanceType<typeof PDFDocument>

/** A document whose pages have a foot; what runs over to the next page goes on as it was. */
class Sheet {
  readonly document: Document
  readonly #foot: string
  #style: readonly ["plain" | "strong", number] = ["plain", 11]

  constructor(document: Document, foot: string) {
    this.document = document
    this.#foot = foot
    document.on("pageAdded", () => this.#footed())
  }

  as(...style: readonly ["plain" | "strong", number]): Document {
    this.#style = style
    return this.document.font(style[0]).fontSize(style[1])
  }

  /** Below the margin. */
  #footed(): void {
    const { document } = this
    const { bottom } = document.page.margins
    document.page.margins.bottom = 0
    document
      .font("plain")
      .fontSize(7)
      .text(this.#foot, 54, document.page.height - 40, { lineBreak: false })
    document.page.margins.bottom = bottom
    document.text("", 54, 54)
    this.as(...this.#style)
  }
}

function written(sheet: Sheet, statement: Statement, audience: Audience): void {
  const { document } = sheet
  document.addPage()
  sheet.as("strong", 18).text(statement.facts.agency)
  sheet.as("strong", 13).text(`${titles[audience]}, incident ${statement.incident}`)
  for (const { heading, sentences } of statement.texts[audience]) {
    document.moveDown(0.7)
    sheet.as("strong", 12).text(heading)
    sheet.as("plain", 11)
    for (const sentence of sentences)
      document.text(sentenceSaid(statement, sentence, "numbers"), { paragraphGap: 2 })
  }
  document.addPage()
  sheet.as("strong", 13).text(`Sources of each number: ${titles[audience].toLowerCase()}`)
  sheet.as("plain", 8)
  for (const line of sourceLines(statement, audience)) document.text(line, { paragraphGap: 2 })
  const { query_sha256, result_sha256 } = statement.scope
  document
    .moveDown()
    .text(`Scope query SHA-256 ${query_sha256}`)
    .text(`Scope result SHA-256 ${result_sha256}`)
  const { origin, size, root } = statement.checkpoint
  document.text(`Checkpoint of ${origin}: ${size} entries, root ${root}`)
}
