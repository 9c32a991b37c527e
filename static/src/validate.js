/**
 * Validators for the values of a message: each returns the typed value, or throws an error with the
 * path, the expected type, and the value. Pure.
 */

/** An invalid frame. `requestId` is that of the request that it answers, if known. */
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
  const shown = (JSON.stringify(value) ?? "nothing").slice(0, 120);
  throw new ProtocolError(`${path}: expected ${expected}, got ${shown}`);
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
  ? Number(value) : fail(path, "a non-negative integer", value));

/** A boolean; false if missing. @type {Check<boolean>} */
export const flag = (value) => value === true;

/** A counter that is 0 may be omitted. @type {Check<number>} */
export const counter = (value, path) => count(value ?? 0, path);

/** @type {Check<number>} */
export const rate = (value, path) => (typeof value === "number" && value >= 0
  ? value : fail(path, "a non-negative number or null", value));

/** In milliseconds since 1970. @type {Check<number>} */
export function time(value, path) {
  const at = Date.parse(string(value, path));
  return Number.isNaN(at) ? fail(path, "an RFC 3339 time", value) : at;
}

/**
 * An object with names of any kind.
 * @template T
 * @param {Check<T>} check of each value
 * @returns {Check<Record<string, T>>}
 */
export const byName = (check) => (value, path) =>
  Object.fromEntries(Object.entries(object(value, path)).map(([name, one]) => [name, check(one, `${path}.${name}`)]));

/**
 * A value that may be null or missing.
 * @template T
 * @param {Check<T>} check
 * @returns {Check<T | null>}
 */
export const optional = (check) => (value, path) => (value === null || value === undefined ? null : check(value, path));

/**
 * An array; empty if missing.
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
 * An object with these members, each validated; others are dropped.
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
