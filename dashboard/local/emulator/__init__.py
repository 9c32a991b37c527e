"""The process that emulates AWS on this machine."""
