"""SES events: parse the messages of the queue."""
