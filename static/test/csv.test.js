import assert from "node:assert/strict";
import { test } from "node:test";
import { csv } from "../src/csv.js";

test("cells are quoted where necessary", () => {
  assert.equal(csv([["a", "b"], ["x,y", 'say "hi"'], ["two\nlines", null]]), 'a,b\r\n"x,y","say ""hi"""\r\n"two\nlines",\r\n');
});

test("text that a spreadsheet would run as a formula is escaped, and numbers stay numbers", () => {
  assert.equal(csv([["=1+1", "@a", "+41", "-x", -5, 0]]), "'=1+1,'@a,'+41,'-x,-5,0\r\n");
  assert.equal(csv([[" =1+1", "\n@a", "\t1", " a = b"]]), '\' =1+1,"\'\n@a",\'\t1, a = b\r\n', "as in the CSV of reports");
});
