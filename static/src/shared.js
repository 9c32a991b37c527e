/**
 * What several parts of the page need. The build puts this into every part, so that all of it is in
 * one file: without, each pair of parts that shares something would have a file of its own.
 */

import "./format.js";
import "./html.js";
import "./outline.js";
import "./protocol.js";
import "./ranking.js";
import "./route.js";
import "./start.js";
import "./words.js";
import "./views/count.js";
import "./views/heading.js";
import "./views/health-link.js";
import "./views/notice.js";
import "./views/status.js";
import "./views/term.js";
