"""What the counters of a campaign mean: compared with earlier campaigns, or between variants.

Pure functions of counters. They need no AWS, no clock and only the standard library.
"""
