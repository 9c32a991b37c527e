"""Compare stored counters with the facts."""
