/** Why a rate is unknown. Pure. */

/**
 * @typedef {import("./protocol.js").Summary} Summary
 * @typedef {import("./protocol.js").RateName} RateName
 */

/** The numerator of a rate, and the kind of event that its denominator counts. */
const PARTS = /** @type {const} */ ({
  delivery: ["deliveries", "Send"], bounce: ["hard_bounces", "Send"],
  open: ["unique_opens", "Delivery"], read: ["readers", "Delivery"], human_open: ["unique_human_opens", "Delivery"],
  click: ["unique_clicks", "Delivery"], human_click: ["unique_human_clicks", "Delivery"],
  complaint: ["complaints", "Delivery"], unsubscribe: ["unsubscribes", "Delivery"],
});

/**
 * @param {keyof typeof PARTS} rate
 * @param {Pick<Summary, "rates"> & {counts: import("./protocol.js").Totals} | null} summary
 * @returns {"Send" | "Delivery" | null} the kind of event that SES did not report, or not all of it
 */
export function missingEvent(rate, summary) {
  if (rate === "bounce" && missingEvent("delivery", summary)) return "Send";
  const [part, event] = PARTS[rate];
  return summary && summary.rates[rate] === null && summary.counts[part] ? event : null;
}

/**
 * Compute rates as the server does; null if the denominator is 0, unknown, or smaller than the numerator.
 * @param {import("./protocol.js").Totals} counts
 * @returns {Record<keyof typeof PARTS, number | null>}
 */
export function ratesOf(counts) {
  const { sends, prevented, deliveries } = counts;
  const attempted = sends === null || prevented === null ? null : sends - prevented;
  return /** @type {any} */ (Object.fromEntries(Object.entries(PARTS).map(([rate, [part, event]]) => {
    const [above, below] = [counts[part], event === "Send" ? attempted : deliveries];
    return [rate, above === null || !below || above > below ? null : above / below];
  })));
}

/**
 * @param {RateName} rate
 * @param {Pick<Summary, "rates"> & {counts: import("./protocol.js").Totals} | null} summary
 * @returns {number | null} as it is shown: there is no bounce rate if sends are missing
 */
export function shownRate(rate, summary) {
  if (rate === "bounce" && missingEvent("delivery", summary)) return null;
  return summary?.rates[rate] ?? null;
}

/**
 * Whether emails bounced after the recipient's server had accepted them.
 * @param {import("./protocol.js").Counts} counts
 */
export function bouncedAfterDelivery({ sends, prevented, deliveries, hard_bounces: hard, soft_bounces: soft, undetermined_bounces: other }) {
  const attempted = sends - (prevented ?? 0);
  return deliveries <= attempted && deliveries + hard + soft + other > attempted;
}
