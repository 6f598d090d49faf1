// Builds the console into `dist`, which the binary embeds. Hashed names let browsers keep files for ever.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

import { defineConfig, type Plugin } from "vite";

/** What several pages need and changes seldom: browsers keep it while our own text changes. */
const SHARED: [string, RegExp][] = [
  ["react", /node_modules\/(react|react-dom|scheduler)\//],
  ["look", /node_modules\/(@emotion|stylis|@mui\/(system|styled-engine|utils|private-theming)|@mui\/material\/styles)/],
];

/** Puts each file beside itself compressed, once and for all: the binary then need not at every request. */
const COMPRESSED: Plugin = {
  name: "compressed",
  apply: "build",
  writeBundle({ dir = "dist" }) {
    for (const file of readdirSync(`${dir}/assets`)) {
      writeFileSync(`${dir}/assets/${file}.gz`, gzipSync(readFileSync(`${dir}/assets/${file}`), { level: 9 }));
    }
  },
};

export default defineConfig({
  plugins: [COMPRESSED],
  esbuild: { jsx: "automatic" },
  build: {
    outDir: "dist",
    emptyOutDir: true,
    sourcemap: false,
    rollupOptions: {
      output: { manualChunks: (id) => SHARED.find(([, part]) => part.test(id))?.[0] },
      // Libraries mark what must not run on a server; nothing of this page ever does.
      onwarn: (warning, warn) => warning.code !== "MODULE_LEVEL_DIRECTIVE" && warn(warning),
    },
  },
  server: { proxy: { "/api": "http://127.0.0.1:8080" } },
  preview: { proxy: { "/api": "http://127.0.0.1:8080" } },
});
