"""The code that runs in Lambda: pure modules, and the tables, clients and functions around them."""
