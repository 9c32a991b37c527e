"""SES's events: parse what a queue message holds."""
