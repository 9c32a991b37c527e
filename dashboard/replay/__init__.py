"""Read exported SES events."""
