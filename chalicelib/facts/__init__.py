"""Facts, each stored and counted exactly once, and the classification of opens and clicks."""
