"""Authentication with tokens of an OpenID Connect issuer, and share links."""
