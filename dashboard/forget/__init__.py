"""Erase a recipient: rewrite what is stored about them."""
