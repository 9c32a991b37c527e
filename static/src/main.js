/** The page's entry where nobody signs in. */

import { start } from "./start.js";

start();
