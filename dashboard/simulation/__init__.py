"""Simulated campaigns: the events that SES would publish, their times, and their playback.

    campaign → mail_life → arrivals → player → the SNS topic
               (audience, payloads)   demo: endless, many campaigns

All modules but `player` are pure: they take seed and time, so the same settings yield the same
events.
"""
