/**
 * Words that `index.html` holds, each under a key: definitions, reasons, what is wrong. They are
 * written once, in Python (dashboard/deploy/glossary.py).
 */

/** @type {Map<string, string> | undefined} */
let known;

function read() {
  const template = /** @type {HTMLTemplateElement | null} */ (document.getElementById("words"));
  return new Map([...template?.content.querySelectorAll("dd") ?? []].map(
    (entry) => [entry.getAttribute("data-key") ?? "", entry.textContent ?? ""],
  ));
}

/**
 * @param {string} key such as "rate.bounce"
 * @param {Record<string, unknown>} [values] by the names that stand in the text, as `{name}`
 * @returns {string | undefined} undefined for what nothing is said of
 */
export function say(key, values = {}) {
  known ??= read();
  return known.get(key)?.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}
