/**
 * The current view, from the URL's hash: `#/`, `#/?<query>`, `#/health`, `#/campaign/<id>`, `#/campaign/<id>?<query>`,
 * `#/campaign/<id>/<counter>`, `#/campaign/<id>/recipients`, `#/report/<id>`, `#/wall`, `#/wall/<id>/<id>?<query>`,
 * `#/compare/<id>/<id>`. Pure.
 */

/**
 * `counter`: whose events are listed; `all` for every event. `link` and `kind` (of a bounce, such as
 * "Transient/MailboxFull") are further filters. `state`: of the recipients that are listed; `recipient`:
 * whose history is shown instead. `query`: what the list shows, see list-query.js; of a campaign, what its
 * timeline shows, see views/timeline.js; of a wall screen, see rotation.js. `ids`: the campaigns that are compared, the
 * reference first, or that a wall screen shows; any number.
 * @typedef {{view: "list", query: string} | {view: "health"} | {view: "unknown"} | {view: "campaign", id: string, query: string}
 *   | {view: "report", id: string} | {view: "wall", ids: string[], query: string} | {view: "compare", ids: string[], query: string}
 *   | {view: "activity", id: string, counter: string, link: string | null, kind: string | null}
 *   | {view: "recipients", id: string, state: string, recipient: string | null}} Route
 */

/** @param {string} hash @returns {Route} */
export function parseRoute(hash) {
  const [path = "", query = ""] = hash.replace(/^#?\/?/, "").split(/\?(.*)/s);
  if (path === "") return { view: "list", query };
  if (path === "health") return { view: "health" };
  const [view, ...names] = path.split("/");
  const [, kind, encoded, counter] = /^(campaign|report)\/([^/]+)(?:\/(\w+))?$/.exec(path) ?? [];
  try {
    if (view === "wall" || view === "compare") return { view, ids: names.map(decodeURIComponent), query };
    if (encoded === undefined || (kind === "report" && counter)) return { view: "unknown" };
    const id = decodeURIComponent(encoded);
    if (kind === "report") return { view: "report", id };
    if (counter === undefined) return { view: "campaign", id, query };
    const limits = new URLSearchParams(query);
    if (counter === "recipients") {
      return { view: "recipients", id, state: limits.get("state") ?? "all", recipient: limits.get("recipient") };
    }
    return { view: "activity", id, counter, link: limits.get("link"), kind: limits.get("kind") };
  } catch {
    return { view: "unknown" }; // a stray % is an invalid escape
  }
}

/** @param {string} id the campaign's id */
export const campaignHash = (id) => `#/campaign/${encodeURIComponent(id)}`;
