"""What the counters of a campaign mean: beside earlier campaigns, between variants, for alarms.

Pure functions of counters. They need no AWS, no clock and only the standard library.
"""
