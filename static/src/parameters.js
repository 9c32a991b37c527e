/** The parameters of a view, from the part of the URL's hash after `?`. Pure. */

/**
 * A parameter of a URL that cannot be used; `text` is the key of its explanation in the glossary.
 * @typedef {{name: string, value: string, text: string}} Problem
 * By parameter: the member that it sets, whether a value is valid, and the value of the member.
 * @typedef {Record<string, [string, (value: string) => boolean, ((value: string) => any)?]>} Parameters
 */

/**
 * @param {string} text
 * @param {Parameters} parameters those of the view
 * @param {string} view the group of its texts in the glossary, such as "list"
 * @returns {{values: Record<string, any>, problems: Problem[]}} the members that valid parameters set, and a
 *   problem for each invalid one
 */
export function parseParameters(text, parameters, view) {
  /** @type {Record<string, any>} */
  const values = {};
  /** @type {Problem[]} */
  const problems = [];
  const seen = new Set();
  for (const [name, value] of new URLSearchParams(text)) {
    const [member, isValid, read] = Object.hasOwn(parameters, name) ? parameters[name] ?? [] : [];
    const problem = !member || !isValid ? "unknown" : seen.has(name) ? "repeated" : isValid(value) ? null : name;
    seen.add(name);
    if (problem) problems.push({ name, value, text: `${view}.bad_${problem}` });
    else values[String(member)] = read ? read(value) : value;
  }
  return { values, problems };
}
