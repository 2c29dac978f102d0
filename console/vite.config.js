import { defineConfig } from "vite"
import { fileURLToPath } from "node:url"

/** One script without source maps or chunks: its digest is in the page. */
export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  build: {
    emptyOutDir: false,
    lib: { entry: "desk.ts", formats: ["es"], fileName: () => "desk.js" },
  },
})
