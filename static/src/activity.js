/** The events behind a counter. Pure. */

import { isPrevented } from "./reputation.js";

/** @typedef {import("./protocol.js").Activity} Activity */

/** @type {Record<string, Record<string, string>>} filters of `listActivity` */
const LIMITS = {
  all: {},
  readers: { engager: "human" },
  opens: { type: "Open" },
  human_opens: { type: "Open", engager: "human" },
  machine_opens: { type: "Open", engager: "machine" },
  clicks: { type: "Click" },
  human_clicks: { type: "Click", engager: "human" },
  machine_clicks: { type: "Click", engager: "machine" },
  hard_bounces: { type: "Bounce", bounce_type: "Permanent" },
  soft_bounces: { type: "Bounce", bounce_type: "Transient" },
  undetermined_bounces: { type: "Bounce", bounce_type: "Undetermined" },
  prevented: { type: "Bounce" },
  complaints: { type: "Complaint" },
  complaints_not_spam: { type: "Complaint" },
  complaints_prevented: { type: "Complaint" },
  unsubscribes: { type: "Subscription" },
  delivery_delays: { type: "DeliveryDelay" },
  rejects: { type: "Reject" },
  rendering_failures: { type: "Rendering Failure" },
};

/** Bounces and complaints are listed by type, but only some of a type count. @type {Record<string, (one: Activity) => boolean>} */
const COUNTED = {
  hard_bounces: ({ detail }) => !isPrevented(detail),
  prevented: ({ detail }) => isPrevented(detail),
  complaints: (one) => !isNotSpam(one) && !isPrevented(one.subtype),
  complaints_not_spam: (one) => isNotSpam(one) && !isPrevented(one.subtype),
  complaints_prevented: ({ subtype }) => isPrevented(subtype),
};

/** @param {Activity} one */
const isNotSpam = ({ detail }) => detail === "not-spam";

/** Counters whose events can be listed; of sends and deliveries, only totals are stored. */
export const LISTED = Object.keys(LIMITS);

/**
 * @param {{counter: string, link?: string | null, kind?: string | null}} route
 * @returns {{limits: Record<string, string>, once: boolean, counts: (one: Activity) => boolean} | null}
 *   `once`: each message counts once; `counts`: whether an event is one of the counter's; null if
 *   the events cannot be listed
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
    once: counter.startsWith("unique_") || counter === "readers",
    counts: (!kind && COUNTED[counter]) || (() => true),
  };
}
