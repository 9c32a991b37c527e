/**
 * Checks of single values in a message: each gives the value back in its type, or throws with
 * the path, what was expected and what was there. Pure.
 */

/** A frame that the page cannot read. `requestId` is of the request that it answers, if known. */
export class ProtocolError extends Error {
  /** @type {import("./protocol.js").RequestId} */
  requestId = null;
}

/** @param {unknown} value @param {string} path @returns {Record<string, unknown>} */
export function object(value, path) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return fail(path, "an object", value);
  }
  return /** @type {Record<string, unknown>} */ (value);
}

/**
 * @template T
 * @param {unknown} value an array; left out, it is empty
 * @param {string} path
 * @param {(item: unknown, path: string) => T} read
 * @returns {T[]}
 */
export function list(value, path, read) {
  if (value === undefined) return [];
  if (!Array.isArray(value)) return fail(path, "an array", value);
  return value.map((item, index) => read(item, `${path}[${index}]`));
}

/** @param {unknown} value @param {string} path */
export function string(value, path) {
  return typeof value === "string" ? value : fail(path, "a string", value);
}

/** @param {unknown} value @param {string} path */
export function optional(value, path) {
  return value === null || value === undefined ? null : string(value, path);
}

/** @param {unknown} value @param {string} path */
export function count(value, path) {
  const whole = Number.isSafeInteger(value) && /** @type {number} */ (value) >= 0;
  return whole ? /** @type {number} */ (value) : fail(path, "a whole number of 0 or more", value);
}

/** @param {unknown} value @param {string} path */
export function rate(value, path) {
  if (value === null || (typeof value === "number" && value >= 0)) return value;
  return fail(path, "a fraction or null", value);
}

/** @param {unknown} value @param {string} path */
export function time(value, path) {
  if (value === null || value === undefined) return null;
  const at = Date.parse(string(value, path));
  return Number.isNaN(at) ? fail(path, "an RFC 3339 time", value) : at;
}

/** @param {unknown} value @returns {import("./protocol.js").RequestId} */
export function identifier(value) {
  return typeof value === "string" || typeof value === "number" ? value : null;
}

/**
 * @param {string} path
 * @param {string} expected
 * @param {unknown} value
 * @returns {never}
 */
export function fail(path, expected, value) {
  const shown = (JSON.stringify(value) ?? "left out").slice(0, 120);
  throw new ProtocolError(`${path} should be ${expected}, but is ${shown}`);
}
