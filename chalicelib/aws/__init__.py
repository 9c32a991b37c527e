"""Signed requests to AWS over a connection pool, and the services built on them."""
