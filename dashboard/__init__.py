"""The operator's command line: python -m dashboard COMMAND."""
