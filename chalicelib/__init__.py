"""What runs in Lambda: a pure core with its edges, wired together in handlers."""
