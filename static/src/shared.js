/**
 * Modules that several entry points and views share. The build injects this file everywhere, so that
 * they end up in one bundle instead of one for each pair of views that shares something.
 */

import "./format.js";
import "./html.js";
import "./sparkline.js";
import "./protocol.js";
import "./parameters.js";
import "./leader.js";
import "./ranking.js";
import "./route.js";
import "./start.js";
import "./share-link.js";
import "./glossary.js";
import "./rates.js";
import "./reputation.js";
import "./select.js";
import "./health.js";
import "./arrival.js";
import "./zone.js";
import "./views/count.js";
import "./views/heading.js";
import "./views/health-link.js";
import "./views/notice.js";
import "./views/status.js";
import "./views/definition.js";
