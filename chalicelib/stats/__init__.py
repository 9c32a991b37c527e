"""Counters: what facts contribute to the items of the stats table."""
