"""Read email header values: encoded words, folded lines, addresses and display names."""

import re
from functools import lru_cache

_ADDRESS = re.compile(r"<([^<>]*)>[^<>]*\Z")
_FOLD = re.compile(r"[ \t]*\r?\n[ \t]*|[\r\n]+")


@lru_cache(maxsize=1000)  # a campaign has few subjects and senders
def decoded(value: str) -> str:
    """Return a header's value as text: unfolded, and with its encoded words decoded (RFC 2047).

    A value that cannot be decoded is returned as it is.
    """
    text = _FOLD.sub(" ", value).strip()
    if "=?" not in text:
        return text
    # Imported only here, because it takes long to import and few headers need it.
    from email.errors import HeaderParseError  # noqa: PLC0415
    from email.header import decode_header, make_header  # noqa: PLC0415

    try:
        return str(make_header(decode_header(text))).encode("utf-8", "replace").decode().strip()
    except (HeaderParseError, LookupError, ValueError):
        return text


@lru_cache(maxsize=1000)
def mailbox(value: str) -> tuple[str, str]:
    """Return the display name, decoded, and the address of a mailbox such as `Ada <ada@b.org>`.

    The name is empty if there is none.
    """
    text = _FOLD.sub(" ", value).strip()
    found = _ADDRESS.search(text)
    if found is None:
        return "", text
    name = decoded(text[: found.start()].strip().strip('"'))
    return name.strip('"'), found[1].strip()


@lru_cache(maxsize=1000)  # an email's events arrive close together
def normalised_address(value: str) -> str:
    """Return a mailbox's address without its display name and brackets, in lower case.

    The local part is case-sensitive by RFC 5321, section 2.4, but no mailbox provider treats it so,
    and bounce reports spell addresses as receiving servers do.
    """
    _, address = mailbox(value)
    return address.lower()


def domain(address: str) -> str:
    """Return the domain of a normalised address; empty if it has none."""
    return address.rpartition("@")[2] if "@" in address else ""
