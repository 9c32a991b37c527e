"""Mask the parts of a text that identify a person: addresses, UUIDs and tokens.

Links and SMTP replies contain such parts, and both are shown to everyone who may see a campaign,
including the holders of share links.
"""

import re

MASK = "*"

_ADDRESS = r"[^\s/?&=#<>()\[\]\"',;:*]+@[^\s/?&=#<>()\[\]\"',;:@*]+"
_UUID = r"[0-9A-Fa-f]{8}-?(?:[0-9A-Fa-f]{4}-?){3}[0-9A-Fa-f]{12}"
_JWT = r"eyJ[\w-]*(?:\.[\w-]*){2,4}"
_IDENTIFYING = re.compile(f"{_ADDRESS}|{_UUID}|{_JWT}")

_SHORTEST_TOKEN = 16
_RUN = re.compile(rf"[A-Za-z0-9_-]{{{_SHORTEST_TOKEN},}}=*")
# A word of a slug, such as those of `10-tips-for-2026` and `iphone15-pro-max`.
_WORD = re.compile(r"[a-z]+\d{0,2}|[A-Z][a-z]+|\d{1,4}[a-z]{0,2}|(?:19|20)\d{6}")
_LETTERS = re.compile(r"[A-Za-z]{3}")


def masked(text: str) -> str:
    """Return a text with `*` for each email address, UUID, JWT and token.

    A token has at least 16 characters of hex or base64url, with digits, and is not a slug of words.
    """
    return _RUN.sub(_without_token, _IDENTIFYING.sub(MASK, text))


def _without_token(run: re.Match[str]) -> str:
    return MASK if _is_token(run[0]) else run[0]


def _is_token(run: str) -> bool:
    if not any(map(str.isdigit, run)):
        return False
    words = [word for word in re.split("[-_]", run) if word]
    is_slug = (
        len(words) > 1 and all(map(_WORD.fullmatch, words)) and any(map(_LETTERS.match, words))
    )
    return not is_slug
