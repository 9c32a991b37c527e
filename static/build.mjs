/**
 * Bundles the page into `dist/assets/`, under names that hold a hash of the content, and
 * writes `dist/manifest.json`: from source names to built ones, as
 * {"main.js": "assets/main-AB12CD34.js", "style.css": …, "chart.js": …, "favicon.svg": …}.
 */

import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "dist");

/**
 * Markup is indented for its readers only: htm drops white space around a line's end.
 * @type {import("esbuild").Plugin}
 */
const unindent = {
  name: "unindent",
  setup: ({ onLoad }) => onLoad({ filter: /src[\\/]views[\\/].*\.js$/ }, async ({ path }) => ({
    contents: (await readFile(path, "utf8")).replace(/\n\s+/g, "\n"),
  })),
};

const { metafile, outputFiles } = await build({
  absWorkingDir: here,
  entryPoints: ["src/main.js", "src/style.css", "src/favicon.svg"],
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

/** @type {Record<string, string>} */
const manifest = {};
for (const [output, { entryPoint, inputs }] of Object.entries(metafile.outputs)) {
  const source = entryPoint ?? Object.keys(inputs)[0];
  if (source === undefined) throw new Error(`${output} has no source: what did esbuild make it of?`);
  const name = entryPoint === undefined && output.endsWith(".js") ? basename(output) : basename(source);
  manifest[name] = relative(dist, join(here, output)).replaceAll("\\", "/");
}

await rm(dist, { recursive: true, force: true });
await mkdir(join(dist, "assets"), { recursive: true });
for (const { path, contents } of outputFiles) {
  await writeFile(path, contents);
  console.log(`${relative(dist, path).padEnd(36)} ${String(gzipSync(contents, { level: 9 }).length).padStart(7)} bytes gzip`);
}
await writeFile(join(dist, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
