/** The running incidents of a campaign: what happens, with the numbers when it began, and what to do. */

import { html } from "../html.js";
import { text } from "../glossary.js";

/** @typedef {import("../protocol.js").Incident} Incident */

/**
 * @param {{incidents: ReadonlyMap<string, Incident> | undefined, format: import("../format.js").Format}} props
 */
export function IncidentsView({ incidents, format }) {
  const running = [...incidents?.values() ?? []].filter(({ ended_at }) => ended_at === null);
  return running
    .sort((a, b) => Number(b.level === "critical") - Number(a.level === "critical") || b.began_at - a.began_at)
    .map(({ incident, kind, level, began_at, snoozed, values }) => html`
      <p key=${incident} class="notice incident" role="alert" data-level=${level}>
        <strong>${text(`incident_title.${kind}`, values)}.</strong>
        ${" "}${text(`incident_happened.${kind}`, {
          provider: values.provider, affected: format.count(values.affected), total: format.count(values.total),
          window: sentIn(began_at, values.since),
        })}
        ${" "}${text(`incident_to_do.${kind}`, values)}
        ${" "}<span class="when">${text("incident.since", { time: format.clock(began_at) })} ${snoozed && text("incident.snoozed")}</span>
      </p>`);
}

/** @param {number} began @param {number | null} since @returns {string} since when the emails were sent */
function sentIn(began, since) {
  const minutes = since === null ? 0 : Math.round((began - since) / 60_000);
  if (minutes < 1) return "";
  return text(minutes > 1 ? "incident.window" : "incident.window_of_a_minute", { minutes }) ?? "";
}
