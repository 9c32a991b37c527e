/** A counter that links to the list of its events. */

import { html } from "../html.js";
import { activityHash } from "../leader.js";
import { Count } from "./count.js";

/**
 * @param {{id: string, name: import("../protocol.js").Counter,
 *          summary: import("../protocol.js").Summary | null, format: import("../format.js").Format}} props
 */
export function CountLink({ id, name, summary, format }) {
  return html`
    <a class="count-link" href=${activityHash(id, name)}>
      <${Count} name=${name} value=${summary?.counts[name]} format=${format} />
    </a>`;
}
