/** Markup for the views: `html` tagged templates become Preact elements. */

import htm from "htm";
import { h } from "preact";

/** @typedef {import("preact").ComponentChildren} Markup */

export const html = htm.bind(h);
