"""Run Mailpulse on this machine."""
