"""Sign-in by an issuer's tokens, and share links."""
