/** Devices and mail programs of human opens and clicks, and the emails that hide or have none. */

import { tableOf, withoutHumans } from "../devices.js";
import { text } from "../glossary.js";
import { html } from "../html.js";

/** @typedef {import("../devices.js").DeviceClass} DeviceClass */

/** @param {{data: import("../state.js").CampaignData, format: import("../format.js").Format}} props */
export function DevicesView({ data, format }) {
  const classes = data.devices?.classes ?? [];
  if (classes.length === 0) return null;
  const table = tableOf(classes);
  const counts = data.summary?.counts;
  const others = withoutHumans(counts);
  const hidden = table.devices.find(({ device }) => device === "proxy")?.opens ?? 0;
  const earlier = (counts?.unique_human_opens ?? 0) - table.opens;
  /** @param {"opens" | "clicks"} what @param {number} count @param {boolean} bar */
  const cell = (what, count, bar) => html`
    <td role="cell" class="number">
      ${count > 0 && html`<span class="of">${format.percent(count / table[what])}</span> `}${format.count(count)}
      ${bar && html`<span class="share ${what}" aria-hidden="true"><span style=${{ width: `${(count / (table[what] || 1)) * 100}%` }}></span></span>`}
    </td>`;
  /** @param {string} name @param {number} emails */
  const apart = (name, emails) => html`
    <tr role="row" key=${name}>
      <th role="rowheader" scope="row" colspan="2">${text(`devices.${name}`)}<span class="subject">${text(`devices.${name}_help`)}</span></th>
      <td role="cell" class="number">${format.count(emails)}</td>
    </tr>`;
  return html`
    <section class="panel" aria-labelledby="devices">
      <h2 id="devices">${text("devices.title")}</h2>
      <p class="covered">${text("devices.covers", { opens: format.count(table.opens), clicks: format.count(table.clicks) })}
        ${hidden > 0 && ` ${text("devices.hidden", { count: format.count(hidden), share: format.percent(hidden / table.opens) })}`}
        ${earlier > 0 && ` ${text("devices.earlier", { count: format.count(earlier) })}`}</p>
      <table class="devices" role="table" aria-labelledby="devices">
        <thead role="rowgroup">
          <tr role="row">
            <th role="columnheader" scope="col">${text("devices.client")}</th>
            ${["opens", "clicks"].map((what) => html`<th role="columnheader" scope="col" class="number" key=${what}>${text(`devices.${what}`)}</th>`)}
          </tr>
        </thead>
        ${table.devices.map(({ device, opens, clicks, rows }) => html`
          <tbody role="rowgroup" key=${device}>
            <tr role="row" class="device">
              <th role="rowheader" scope="row">${text(`device.${device}`)}</th>
              ${cell("opens", opens, true)}${cell("clicks", clicks, true)}
            </tr>
            ${rows.map((one) => html`
              <tr role="row" key=${one.client}>
                <th role="rowheader" scope="row">${one.client === "other" ? text("devices.other") : one.client}</th>
                ${cell("opens", one.unique_human_opens, false)}${cell("clicks", one.unique_human_clicks, false)}
              </tr>`)}
          </tbody>`)}
        ${others && others.hidden + others.bots > 0 && html`
          <tbody role="rowgroup" class="apart">
            <tr role="row" class="device">
              <th role="rowheader" scope="row" colspan="2">${text("devices.not_human")}</th>
              <td role="cell" class="number">${text("devices.emails")}</td>
            </tr>
            ${apart("private", others.hidden)}${apart("bots", others.bots)}
          </tbody>`}
      </table>
      <p class="foot">${text("devices.hint")}</p>
    </section>`;
}
