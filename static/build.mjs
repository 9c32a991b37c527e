/**
 * Bundles the page into `dist/assets/`, under names that hold a hash of the content, and
 * writes `dist/manifest.json` with the paths that `index.html` needs: {"main.js": "assets/main-AB12CD34.js",
 * "sign-in.js": …, "style.css": …, "favicon.svg": …, "preloads": {"main.js": ["assets/…"], …}}.
 */

import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { minify } from "terser";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "dist");

/**
 * Remove the indentation of markup and the line breaks next to its tags and values, which htm ignores.
 * @type {import("esbuild").Plugin}
 */
const unindent = {
  name: "unindent",
  setup: ({ onLoad }) => onLoad({ filter: /src[\\/]views[\\/].*\.js$/ }, async ({ path }) => ({
    contents: (await readFile(path, "utf8")).replace(/\n\s+/g, "\n").replace(/(?<=>)\s*\n|\s*\n(?=<|\$\{)/g, ""),
  })),
};

const { metafile, outputFiles } = await build({
  absWorkingDir: here,
  entryPoints: ["src/main.js", "src/sign-in.js", "src/style.css", "src/favicon.svg"],
  inject: ["src/shared.js"],
  outdir: dist,
  bundle: true,
  splitting: true,
  format: "esm",
  minify: true,
  target: ["chrome111", "firefox115", "safari16.4"],
  entryNames: "assets/[name]-[hash]",
  chunkNames: "assets/[name]-[hash]",
  loader: { ".svg": "copy" },
  plugins: [unindent],
  metafile: true,
  write: false,
});

/** @param {string} output */
const address = (output) => relative(dist, join(here, output)).replaceAll("\\", "/");

const NAMED = ["main.js", "sign-in.js", "style.css", "favicon.svg"];
/** @type {Record<string, string | Record<string, string[]>>} */
const manifest = {};
/** @type {Record<string, string[]>} */
const preloads = manifest.preloads = {};
for (const [output, { entryPoint, inputs, imports }] of Object.entries(metafile.outputs)) {
  const name = basename(entryPoint ?? Object.keys(inputs)[0] ?? "");
  if (!NAMED.includes(name)) continue;
  manifest[name] = address(output);
  if (name.endsWith(".js")) {
    preloads[name] = imports.filter(({ kind }) => kind === "import-statement").map(({ path }) => address(path));
  }
}

await rm(dist, { recursive: true, force: true });
await mkdir(join(dist, "assets"), { recursive: true });
for (const { path, text, contents: built } of outputFiles) {
  // terser saves another 5% after esbuild.
  const { code } = path.endsWith(".js") ? await minify(text, { module: true, ecma: 2020, compress: { passes: 3 } }) : {};
  const contents = code === undefined ? built : Buffer.from(code);
  await writeFile(path, contents);
  console.log(`${relative(dist, path).padEnd(36)} ${String(gzipSync(contents, { level: 9 }).length).padStart(7)} bytes gzip`);
}
await writeFile(join(dist, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
