/** The texts of the page, which `index.html` embeds from dashboard/deploy/glossary.py. */

/** @type {Map<string, string> | undefined} */
let texts;

function read() {
  const template = /** @type {HTMLTemplateElement | null} */ (document.getElementById("glossary"));
  return new Map([...template?.content.querySelectorAll("dd") ?? []].map(
    (entry) => [entry.getAttribute("data-key") ?? "", entry.textContent ?? ""],
  ));
}

/**
 * @param {string} key such as "rate.bounce"
 * @param {Record<string, unknown>} [values] replace the placeholders, such as `{name}`
 * @returns {string | undefined} undefined if the glossary has no such key
 */
export function text(key, values = {}) {
  texts ??= read();
  return texts.get(key)?.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}
