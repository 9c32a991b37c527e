/**
 * Checks of values in a message: each gives the value back in its type, or throws with the path,
 * what was expected and what was there. Pure.
 */

/** A frame that the page cannot read. `requestId` is of the request that it answers, if known. */
export class ProtocolError extends Error {
  /** @type {import("./protocol.js").RequestId} */
  requestId = null;
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

/**
 * @template T
 * @typedef {(value: unknown, path: string) => T} Check
 */

/** @type {Check<Record<string, unknown>>} */
export const object = (value, path) => (typeof value === "object" && value && !Array.isArray(value)
  ? /** @type {Record<string, unknown>} */ (value) : fail(path, "an object", value));

/** @type {Check<string>} */
export const string = (value, path) => (typeof value === "string" ? value : fail(path, "a string", value));

/** @type {Check<number>} */
export const count = (value, path) => (Number.isSafeInteger(value) && Number(value) >= 0
  ? Number(value) : fail(path, "a whole number of 0 or more", value));

/** A counter that is 0 may be left out. @type {Check<number>} */
export const counter = (value, path) => count(value ?? 0, path);

/** @type {Check<number>} */
export const rate = (value, path) => (typeof value === "number" && value >= 0
  ? value : fail(path, "a fraction or null", value));

/** In milliseconds since 1970. @type {Check<number>} */
export function time(value, path) {
  const at = Date.parse(string(value, path));
  return Number.isNaN(at) ? fail(path, "an RFC 3339 time", value) : at;
}

/**
 * What may be null, or left out.
 * @template T
 * @param {Check<T>} check
 * @returns {Check<T | null>}
 */
export const optional = (check) => (value, path) => (value === null || value === undefined ? null : check(value, path));

/**
 * An array; left out, it is empty.
 * @template T
 * @param {Check<T>} check of each element
 * @returns {Check<T[]>}
 */
export const list = (check) => (value, path) => {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) return fail(path, "an array", value);
  return value.map((item, index) => check(item, `${path}[${index}]`));
};

/**
 * An object with these members, each checked; others are dropped.
 * @template {Record<string, Check<any>>} Members
 * @param {Members} members
 * @returns {Check<{[Name in keyof Members]: ReturnType<Members[Name]>}>}
 */
export const shape = (members) => (value, path) => {
  const body = object(value, path);
  return /** @type {any} */ (Object.fromEntries(
    Object.entries(members).map(([name, check]) => [name, check(body[name], `${path}.${name}`)]),
  ));
};

/** @param {unknown} value @returns {import("./protocol.js").RequestId} */
export const identifier = (value) => (typeof value === "string" || typeof value === "number" ? value : null);
