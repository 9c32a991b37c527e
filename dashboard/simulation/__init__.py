"""Campaigns that never were: the events that SES would publish, when, and how they are played.

    campaign → mail_life → arrivals → player → the SNS topic
               (audience, payloads)   demo: endless, many campaigns

All but `player` is pure: seed and time come in, so the same settings give the same events.
"""
