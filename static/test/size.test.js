import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

const DIST = new URL("../dist/", import.meta.url);
const ASSETS = new URL("assets/", DIST);
const KB = 1024;

const files = readdirSync(ASSETS);

/** @param {string} name such as "list" */
const built = (name) => files.find((file) => file.startsWith(`${name}-`) && file.endsWith(".js")) ?? assert.fail(`no ${name} in dist`);

/** Return the gzipped size of these files and their imports, in bytes. @param {string[]} names */
function weight(...names) {
  const all = new Set(names.map(built));
  for (const file of all) {
    const code = readFileSync(new URL(file, ASSETS), "utf8");
    for (const [, other] of code.matchAll(/(?:from|import)\s*"\.\/([\w-]+\.js)"/g)) if (other) all.add(other);
  }
  return [...all].reduce((sum, file) => sum + gzipSync(readFileSync(new URL(file, ASSETS)), { level: 9 }).length, 0);
}

test("the list needs at most 26 KB of JavaScript", () => {
  assert.ok(weight("main", "list") <= 26 * KB, `${weight("main", "list")} bytes`);
});

test("a campaign with its charts, links and problems needs at most 33 KB", () => {
  const all = weight("main", "campaign", "details");
  assert.ok(all <= 33 * KB, `${all} bytes`);
});

test("sign-in needs at most 8 KB more", () => {
  const more = weight("sign-in", "list") - weight("main", "list");
  assert.ok(more <= 8 * KB, `${more} bytes`);
});

for (const entry of ["main.js", "sign-in.js"]) {
  test(`the imports of ${entry} are preloaded`, () => {
    const { preloads, [entry]: path } = JSON.parse(readFileSync(new URL("manifest.json", DIST), "utf8"));
    const needed = [...readFileSync(new URL(path, DIST), "utf8").matchAll(/"\.\/([\w-]+\.js)"/g)].map(([, file]) => `assets/${file}`);

    assert.deepEqual(preloads[entry], [...new Set(needed)]);
  });
}
