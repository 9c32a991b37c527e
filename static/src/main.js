/** The page's entry. */

import "./start.js";
