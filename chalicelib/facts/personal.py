"""Mask the parts of a text that identify a person: addresses, UUIDs and tokens.

Links, SMTP replies and subjects contain such parts, and they are shown to everyone who may see a
campaign, including the holders of share links.
"""

import re
from base64 import urlsafe_b64decode
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import unquote

MASK = "*"

_OF_LOCAL_PART = r"[^\s/?&#<>()\[\]\",;:*]"
_ADDRESS = (
    rf"(?:\"[^\"\n]*\"|(?<!{_OF_LOCAL_PART}){_OF_LOCAL_PART}+)[@\uff20]"
    r"(?:\[[^\]\s]*\]|[^\s/?&=#<>()\[\]\"',;:@*]+)"
)
_UUID = r"[0-9A-Fa-f]{8}-?(?:[0-9A-Fa-f]{4}-?){3}[0-9A-Fa-f]{12}"
_JWT = r"(?<![\w-])eyJ[\w-]*(?:\.[\w-]*){2,4}"
_IDENTIFYING = re.compile(f"{_ADDRESS}|{_UUID}|{_JWT}")
_ADDRESSES = re.compile(_ADDRESS)
# A recipient in the local part of a sender's address, such as bounces+ada=example.com@example.org.
_RECIPIENT_OF_SENDER = re.compile(r"[^\s@+<=]*=[^\s@]*(?=@)")

_RUN = re.compile(r"[A-Za-z0-9_-]{16,}=*")
# Base64 with + or /, which are also the separators of words and paths.
_LONG_RUN = re.compile(r"[A-Za-z0-9+/]{20,}={0,2}")
_ENCODED = re.compile(r"[A-Za-z0-9]{8,}={0,2}")
_ADDRESS_IN_BYTES = re.compile(rb"[^\s@]@[^\s@]")
# A word of a slug, such as those of `10-tips-for-2026` and `iphone15-pro-max`.
_WORD = re.compile(r"[a-z]+\d{0,2}|[A-Z][a-z]+|\d{1,4}[a-z]{0,2}|(?:19|20)\d{6}")
_NAME_WITH_YEAR = re.compile(r"[A-Za-z]{3,}(?:19|20)\d{2}[A-Za-z]*")
_LETTERS = re.compile(r"[A-Za-z]{3}")
_NAME = re.compile(r"[A-Z]?[a-z]{2,}|[A-Z]{3,}")
# The number of an article or product in a slug: `world-europe-66754321`, `air-max-90-ct2302`.
_SHORT_CODE = re.compile(r"\d{1,10}|\w{1,7}")
_PIECE = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")

_ENCODED_PERCENT = re.compile("%(?:25)+(?=[0-9A-Fa-f]{2})")
_MOST_ENCODINGS = 10


def plain(text: str) -> str:
    """Return a text without percent-encoding, however often it was encoded; `*` for too often."""
    for _ in range(_MOST_ENCODINGS):
        if "%" not in text:
            return text
        decoded = unquote(_ENCODED_PERCENT.sub("%", text))
        if decoded == text:
            return text
        text = decoded
    return MASK


def masked(text: str) -> str:
    """Return a text with `*` for each email address, UUID, JWT and token.

    Tokens have at least 16 characters of hex, base64 or base64url, with digits; slugs of words are
    none. Encoded addresses are masked, too. A text without personal parts is returned unchanged;
    others lose their percent-encoding.
    """
    decoded = plain(text)
    if decoded == MASK:
        return MASK
    hidden = _IDENTIFYING.sub(MASK, decoded)
    hidden = _ENCODED.sub(_or_mask(_contains_address), hidden)
    hidden = _LONG_RUN.sub(_or_mask(_is_base64), hidden)
    hidden = _RUN.sub(lambda run: _without_tokens(run[0]), hidden)
    return text if hidden == decoded else hidden


def without_addresses(name: str) -> str:
    """Return a name that a sender has chosen, such as a campaign's, with `*` for each address.

    Encoded addresses are masked, too. UUIDs and tokens, which may be all of a name, are not.
    """
    decoded = plain(name)
    hidden = _ADDRESSES.sub(MASK, decoded)
    hidden = _ENCODED.sub(_or_mask(_contains_address), hidden)
    return name if hidden == decoded else hidden


def masked_sender(sender: str) -> str:
    """Return a sender's name or address with `*` for a recipient in its local part."""
    return _RECIPIENT_OF_SENDER.sub(MASK, sender)


def _or_mask(is_personal: Callable[[str], bool]) -> Callable[[re.Match[str]], str]:
    return lambda run: MASK if is_personal(run[0]) else run[0]


def _contains_address(run: str) -> bool:
    """Return whether a run of letters and digits is an address in base64 or hex."""
    run = run.rstrip("=")
    decoded = [_from_base64(run)]
    with suppress(ValueError):
        decoded.append(bytes.fromhex(run))
    return any(_ADDRESS_IN_BYTES.search(one) and _is_readable(one) for one in decoded)


def _from_base64(run: str) -> bytes:
    whole = run[:-1] if len(run) % 4 == 1 else run
    return urlsafe_b64decode(whole + "=" * (-len(whole) % 4))


def _is_readable(decoded: bytes) -> bool:
    try:
        return decoded.decode().isprintable()
    except UnicodeDecodeError:
        return False


def _is_base64(run: str) -> bool:
    if not any(map(str.isdigit, run)) or not ("+" in run or "/" in run):
        return False
    return 3 * len(_PIECE.findall(run)) > len(run)


def _without_tokens(run: str) -> str:
    """Return a run without its tokens: `*` unless it is a slug."""
    if not any(map(str.isdigit, run)):
        return run
    words = [word for word in re.split("[-_=]", run) if word]
    if len(words) == 1:
        return run if _NAME_WITH_YEAR.fullmatch(words[0]) or _is_url(words[0]) else MASK
    if all(map(_is_word, words)) and any(map(_LETTERS.match, words)):
        return run
    names = [word for word in words if _NAME.fullmatch(word)]
    least = 0.6 if run.isupper() else 0.3  # codes are often groups of capitals
    if len(names) > 1 and len("".join(names)) >= least * len("".join(words)):
        return re.sub("[A-Za-z0-9]+", _without_code, run)
    return MASK


def _is_url(run: str) -> bool:
    """Return whether a run is a URL in base64, without personal parts, as redirectors have it."""
    decoded = _from_base64(run)
    if not decoded.startswith((b"http://", b"https://")) or not _is_readable(decoded):
        return False
    return masked(decoded.decode()) == decoded.decode()


def _is_word(text: str) -> bool:
    return bool(_WORD.fullmatch(text) or _NAME_WITH_YEAR.fullmatch(text))


def _without_code(found: re.Match[str]) -> str:
    word = found[0]
    is_kept = word.isalpha() or _is_word(word) or _SHORT_CODE.fullmatch(word)
    return word if is_kept else MASK
