"""Counters: the contributions of facts to the items of the stats table."""
