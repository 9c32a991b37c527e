/** CSV for spreadsheets. Pure, except for `download` and `save`. */

/** Text that a spreadsheet would run as a formula; links and addresses are untrusted input. */
const FORMULA = /^\s*[=+\-@\t\r]/;

/** @param {unknown} value */
function cell(value) {
  let text = value === null || value === undefined ? "" : String(value);
  if (typeof value === "string" && FORMULA.test(text)) text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** @param {unknown[][]} rows the first row has the column names */
export const csv = (rows) => rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("");

/** @param {string} name of the file, without .csv @param {unknown[][]} rows */
export const download = (name, rows) => save(name, [csv(rows)]);

/** @param {string} name of the file, without .csv @param {BlobPart[]} parts of the text in CSV */
export function save(name, parts) {
  const link = document.createElement("a");
  // Excel needs the byte order mark to recognize UTF-8.
  link.href = URL.createObjectURL(new Blob(["\ufeff", ...parts], { type: "text/csv" }));
  link.download = `${name}.csv`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
