/**
 * The script beside the module `from`, for a child process or a thread, which loads it by itself. Of the .ts sources, as a test
 * runner has them, it is the built one.
 * @param name  without its ending.
 */
export function builtScript(name: string, from: string): URL {
  const folder = from.replace(/\/src\/([^/]+)\/[^/]+\.ts$/, "/dist/$1/")
  return new URL(`./${name}.js`, folder)
}
