"""Read exported SES events: bytes → text → JSON values → queue messages, each step a generator."""
