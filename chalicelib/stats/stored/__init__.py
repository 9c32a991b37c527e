"""The kinds of items in the stats table: what reads and writes each."""
