"""Facts, each stored and counted exactly once, and the classes of opens and clicks."""
