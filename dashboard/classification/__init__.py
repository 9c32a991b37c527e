"""Classify opens and clicks without AWS: events → spooled facts → evidence → classes, counters."""
