"""The recipients of campaigns: an index that aggregate appends to, and the list read from it."""
