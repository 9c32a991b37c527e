/** A counter that leads to the list of what it counts. */

import { html } from "../html.js";
import { activityHash } from "../lead.js";
import { Count } from "./count.js";

/**
 * @param {{id: string, name: import("../protocol.js").Counter,
 *          summary: import("../protocol.js").Summary | null, format: import("../format.js").Format}} props
 */
export function Leading({ id, name, summary, format }) {
  return html`
    <a class="leads" href=${activityHash(id, name)}>
      <${Count} name=${name} value=${summary?.counts[name]} format=${format} />
    </a>`;
}
