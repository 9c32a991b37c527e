"""The Lambda functions, one module each, named as in app.py."""
