/** Opens share links, with or without sign-in. */

const PREFIX = "#/share/";

const isShared = () => location.hash.startsWith(PREFIX);

/** @returns {boolean} whether the URL is a share link, whose campaign is then shown */
export function openShareLink() {
  // Opening or leaving a share link in this tab requires a reload.
  const opened = isShared();
  addEventListener("hashchange", () => { if (opened || isShared()) location.reload(); });
  if (opened) import("./share-page.js").then(({ showShared }) => showShared(location.hash.slice(PREFIX.length).replace(/\?.*/s, "")));
  return opened;
}
