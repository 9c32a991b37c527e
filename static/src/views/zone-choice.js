/** The time zone of all times, to choose. */

import { isUtc } from "../format.js";
import { text } from "../glossary.js";
import { html } from "../html.js";

const LOCAL = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** @param {{page: import("./app.js").Page}} props */
export function ZoneChoice({ page: { format, chooseZone } }) {
  if (isUtc(LOCAL)) return html`<span class="zone">${text("page.zone", { zone: format.zone })}</span>`;
  return html`
    <label class="zone">${text("page.times_in")}${" "}
      <select onChange=${(/** @type {any} */ event) => chooseZone(event.target.value === "UTC" ? "UTC" : undefined)}>
        ${[LOCAL, "UTC"].map((zone) => html`<option value=${zone} selected=${isUtc(zone) === isUtc(format.zone)}>${zone}</option>`)}
      </select>
    </label>`;
}
