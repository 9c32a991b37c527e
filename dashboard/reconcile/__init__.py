"""Our numbers beside those of SES: reading both, and showing what `reconcile` found."""
