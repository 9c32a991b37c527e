"""Signed requests to AWS over a connection pool, and the services that are called by them."""
