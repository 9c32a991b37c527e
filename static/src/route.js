/** Where the page is, from the address's hash: `#/`, `#/campaign/<id>` or `#/health`. Pure. */

/** @typedef {{view: "list"} | {view: "campaign", id: string} | {view: "health"} | {view: "unknown"}} Route */

/** @param {string} hash @returns {Route} */
export function parseRoute(hash) {
  const path = hash.replace(/^#?\/?/, "");
  if (path === "") return { view: "list" };
  if (path === "health") return { view: "health" };
  const id = /^campaign\/([^/]+)$/.exec(path)?.[1];
  if (id === undefined) return { view: "unknown" };
  try {
    return { view: "campaign", id: decodeURIComponent(id) };
  } catch {
    return { view: "unknown" }; // a stray % is no escape: nobody has made such a link
  }
}

/** @param {string} id the campaign's id */
export const campaignHash = (id) => `#/campaign/${encodeURIComponent(id)}`;
