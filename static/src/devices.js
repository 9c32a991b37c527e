/** Devices and mail programs of a campaign: what the page shows of them. Pure. */

/**
 * @typedef {import("./protocol.js").Devices["classes"][number]} DeviceClass
 * @typedef {{device: string, opens: number, clicks: number, rows: DeviceClass[]}} Device
 * @typedef {{opens: number, clicks: number, devices: Device[]}} DeviceTable
 */

/** The order of the devices: those that hide theirs come last. */
const ORDER = ["phone", "desktop", "tablet", "unknown", "proxy"];

/**
 * @param {readonly DeviceClass[]} classes
 * @returns {DeviceTable} by device, with the sums
 */
export function tableOf(classes) {
  const devices = [...new Set(classes.map(({ device }) => device))]
    .sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b))
    .map((device) => {
      const rows = classes.filter((one) => one.device === device);
      return { device, ...sumOf(rows), rows };
    });
  return { ...sumOf(classes), devices };
}

/** @param {readonly DeviceClass[]} classes */
function sumOf(classes) {
  return {
    opens: classes.reduce((sum, one) => sum + one.unique_human_opens, 0),
    clicks: classes.reduce((sum, one) => sum + one.unique_human_clicks, 0),
  };
}

/**
 * @param {import("./protocol.js").Counts | undefined} counts
 * @returns {{hidden: number, bots: number} | null} the emails without a human open or click: those that only Apple's
 *   privacy proxy opened, and the others; null if an earlier release counted the campaign
 */
export function withoutHumans(counts) {
  const { unique_engaged: engaged = null, readers = null, unique_private_opens: hidden = null } = counts ?? {};
  if (engaged === null || readers === null || hidden === null) return null;
  return { hidden, bots: Math.max(0, engaged - readers - hidden) };
}
