/** Rows as CSV, for a spreadsheet. Pure, but for `download`. */

/** What a spreadsheet would take for a formula: anybody can put one into a link or an address. */
const FORMULA = /^[=+\-@\t\r]/;

/** @param {unknown} value */
function cell(value) {
  let text = value === null || value === undefined ? "" : String(value);
  if (typeof value === "string" && FORMULA.test(text)) text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** @param {unknown[][]} rows the first one holds the columns' names */
export const csv = (rows) => rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("");

/** @param {string} name of the file, without .csv @param {unknown[][]} rows */
export function download(name, rows) {
  const link = document.createElement("a");
  // With its byte order mark, without which Excel takes UTF-8 for something else.
  link.href = URL.createObjectURL(new Blob(["\ufeff", csv(rows)], { type: "text/csv" }));
  link.download = `${name}.csv`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
