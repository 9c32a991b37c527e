/** The events behind a counter. Pure. */

/** @type {Record<string, Record<string, string>>} filters of `listActivity` */
const LIMITS = {
  all: {},
  opens: { type: "Open" },
  human_opens: { type: "Open", engager: "human" },
  machine_opens: { type: "Open", engager: "machine" },
  clicks: { type: "Click" },
  human_clicks: { type: "Click", engager: "human" },
  machine_clicks: { type: "Click", engager: "machine" },
  hard_bounces: { type: "Bounce", bounce_type: "Permanent" },
  soft_bounces: { type: "Bounce", bounce_type: "Transient" },
  undetermined_bounces: { type: "Bounce", bounce_type: "Undetermined" },
  complaints: { type: "Complaint" },
  unsubscribes: { type: "Subscription" },
  delivery_delays: { type: "DeliveryDelay" },
  rejects: { type: "Reject" },
  rendering_failures: { type: "Rendering Failure" },
};

/** Counters whose events can be listed; of sends and deliveries, only totals are stored. */
export const LISTED = Object.keys(LIMITS);

/**
 * @param {{counter: string, link?: string | null, kind?: string | null}} route
 * @returns {{limits: Record<string, string>, once: boolean} | null} `once`: each message counts once;
 *   null if the events cannot be listed
 */
export function filterOf({ counter, link, kind }) {
  const limits = LIMITS[counter.replace("unique_", "")];
  if (!limits) return null;
  const [bounceType, subtype] = kind?.split("/") ?? [];
  return {
    limits: {
      ...limits,
      ...(link && { link }),
      ...(bounceType && subtype && { bounce_type: bounceType, bounce_subtype: subtype }),
    },
    once: counter.startsWith("unique_"),
  };
}
