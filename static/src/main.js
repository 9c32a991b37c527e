/** The page's entry point without sign-in. */

import { openShareLink } from "./share-link.js";
import { start } from "./start.js";

if (!openShareLink()) start();
