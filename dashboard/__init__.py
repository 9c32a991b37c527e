"""What an operator runs: python -m dashboard COMMAND."""
