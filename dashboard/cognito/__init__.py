"""The users of a stage's user pool."""
