/** The page's entry point without sign-in. */

import { start } from "./start.js";

start();
