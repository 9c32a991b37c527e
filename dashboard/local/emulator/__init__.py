"""The process that stands in for AWS on this machine."""
