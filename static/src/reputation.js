/** When a bounce or complaint rate is an alarm, and which bounces count. Pure. */

/**
 * Rates of an account from which Amazon may review it, and from which it may pause its sending.
 * https://docs.aws.amazon.com/ses/latest/dg/reputationdashboardmessages.html
 */
const LINES = { bounce: [0.1, 0.05], complaint: [0.005, 0.001] };

/** The least denominator that supports an alarm. */
const ENOUGH = 200;

/** 97.5th percentile of the normal distribution, for an interval of 95%. */
const Z = 1.959964;

/** The subtype under which automatic replies are counted. */
export const AUTO_REPLY = "AutoReply";

const PREVENTED = ["OnAccountSuppressionList", "OnTenantSuppressionList", "EmailValidationSuppressed", "UnsubscribedRecipient"];

/** Whether SES did not send the email, so that it is not a bounce. @param {string | null} subtype of a bounce */
export const isPrevented = (subtype) => PREVENTED.includes(subtype ?? "");

/**
 * @typedef {"bounce" | "complaint"} Reputation
 *
 * `bad`: above a line of SES, and the sample supports it. `watch`: above it, but too few to judge.
 * `line`: the highest line that is exceeded, as a fraction of 1.
 * @typedef {{level: "ok", line: null} | {level: "watch" | "bad", line: number}} Verdict
 */

/**
 * @param {Reputation} rate
 * @param {number} count
 * @param {number} total of which `count` is a part
 * @returns {Verdict}
 */
export function judge(rate, count, total) {
  const exceeded = LINES[rate].filter((line) => total > 0 && count / total > line);
  const supported = exceeded.find((line) => total >= ENOUGH && lowerBound(count, total) > line);
  if (supported !== undefined) return { level: "bad", line: supported };
  const [line] = exceeded;
  return line === undefined ? { level: "ok", line: null } : { level: "watch", line };
}

/**
 * The verdict on a campaign, with the numbers that it compares. There is none while more emails are
 * delivered than sent, because SES did not report all sends.
 * @param {Reputation} rate
 * @param {import("./protocol.js").Counts | undefined} counts
 * @returns {Verdict & {count: number, total: number}}
 */
export function judgeCampaign(rate, counts) {
  const attempted = counts ? counts.sends - (counts.prevented ?? 0) : 0;
  const [count, total] = !counts ? [0, 0] : rate === "complaint" ? [counts.complaints, counts.deliveries]
    : counts.deliveries > attempted ? [0, 0] : [counts.hard_bounces, attempted];
  return { ...judge(rate, count, total), count, total };
}

/**
 * The lower end of the Wilson score interval of a proportion, at 95%.
 * @param {number} count
 * @param {number} total
 */
export function lowerBound(count, total) {
  const share = count / total;
  const middle = share + Z ** 2 / (2 * total);
  const margin = Z * Math.sqrt((share * (1 - share)) / total + Z ** 2 / (4 * total ** 2));
  return Math.max(0, (middle - margin) / (1 + Z ** 2 / total));
}
