/** One counter, also machine-readable. */

import { html } from "../html.js";

/**
 * @param {{name: import("../protocol.js").Counter, value: number | null | undefined,
 *          format: import("../format.js").Format}} props `value`: undefined while it is loading, null
 *   if it is unknown
 */
export function Count({ name, value, format }) {
  return html`<data class="count" value=${value} data-metric=${name} data-value=${value}>${format.count(value)}</data>`;
}
