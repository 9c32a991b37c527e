"""Remove a stage, with or without its data."""
