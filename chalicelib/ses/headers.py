"""Read email header values: encoded words, folded lines, addresses and display names."""

import binascii
import codecs
import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby

_LONGEST = 4000  # the rest of a value is ignored
_MAILBOX = re.compile(r"<([^<>]*)>*[^<>]*\Z")
_FOLD = re.compile(r"[ \t]*\r?\n[ \t]*|[\r\n]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_OVERRIDE = re.compile("[\u202d\u202e]")  # they reverse the letters of what follows

# Charset, encoding and text. RFC 2047 does not allow the spaces and question marks that some
# senders leave in the text, or encoded words in quotes or within a word.
_ENCODED_WORD = re.compile(r"=\?([^?*\s]+)(?:\*[^?\s]*)?\?([BbQq])\?(.*?)\?=")
# Charsets that are known by another name, or that senders confuse with a superset.
_CHARSETS = {
    "iso-8859-1": "cp1252",
    "unknown-8bit": "utf-8",
    "iso-8859-8-i": "iso8859-8",
    "windows-874": "cp874",
    "gb2312": "gb18030",
    "ks_c_5601-1987": "cp949",
    "shift_jis": "cp932",
    "x-sjis": "cp932",
}
# Codecs of Python that are no charsets.
_NOT_CHARSETS = {"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined"}

_COMMENT = re.compile(r"\([^()]*\)")
_AROUND_ADDRESS = " \t\xa0\u200b\ufeff<>,;"
_ADDRESS_TYPE = re.compile(r"(?:rfc822|smtp|mailto)\s*[;:]", re.IGNORECASE)
_AT = re.compile(r"\s*@\s*")


@lru_cache(maxsize=1000)  # a campaign has few subjects and senders
def decoded(value: str) -> str:
    """Return a header's value as text: unfolded, and with its encoded words decoded (RFC 2047).

    Encoded words that cannot be decoded remain as they are. Control characters become spaces.
    """
    text = _FOLD.sub(" ", value[:_LONGEST])
    if "=?" in text:
        text = "".join(_without_encoded_words(text)).encode("utf-8", "replace").decode()
    return _OVERRIDE.sub("", _CONTROL.sub(" ", text)).strip()


@lru_cache(maxsize=1000)
def mailbox(value: str) -> tuple[str, str]:
    """Return the display name, decoded, and the address of a mailbox such as `Ada <ada@b.org>`.

    The name is empty if there is none.
    """
    text = _FOLD.sub(" ", value[:_LONGEST]).strip()
    if "=?" in text and "<" not in text:
        text = decoded(text)
    found = _MAILBOX.search(text)
    if found is None:
        return "", _without_decoration(text)
    name = decoded(text[: found.start()].strip(' "<'))
    return re.sub(r"\\(.)", r"\1", name.strip(' "')), _without_decoration(found[1])


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


def _without_encoded_words(text: str) -> Iterator[str]:
    """Yield the parts of a text, decoded.

    Adjacent words of one charset are decoded together, because some senders split characters.
    """
    parts: list[tuple[str | None, bytes, str]] = []  # charset, bytes, and the text as it is
    end = 0
    for word in _ENCODED_WORD.finditer(text):
        between = text[end : word.start()]
        if between.strip() or not parts:
            parts.append((None, b"", between))
        parts.append((word[1].lower(), _bytes_of(word), word[0]))
        end = word.end()
    parts.append((None, b"", text[end:]))
    for charset, words in groupby(parts, key=lambda part: part[0]):
        _, encoded, unchanged = zip(*words, strict=True)
        known = None if charset is None else _text_of(b"".join(encoded), charset)
        yield "".join(unchanged) if known is None else known


def _bytes_of(word: re.Match[str]) -> bytes:
    data = word[3].encode("utf-8", "replace")
    if word[2] in "Qq":
        return binascii.a2b_qp(data, header=True)
    digits = re.sub(rb"[^A-Za-z0-9+/]", b"", data)
    return binascii.a2b_base64(digits[: len(digits) - (len(digits) % 4 == 1)] + b"==")


def _text_of(encoded: bytes, charset: str) -> str | None:
    """Return a text; None if the charset is not known and the text is not UTF-8 either."""
    for name in (_CHARSETS.get(charset, charset), "utf-8"):
        try:
            return _decoded_as(name, encoded, "strict")
        except (LookupError, ValueError):
            continue
    try:
        return _decoded_as(_CHARSETS.get(charset, charset), encoded, "replace")
    except (LookupError, ValueError):
        return None


def _decoded_as(charset: str, encoded: bytes, errors: str) -> str:
    name = codecs.lookup(charset).name
    if name.replace("_", "-") in _NOT_CHARSETS:
        raise LookupError(name)
    return encoded.decode(name, errors)


def _without_decoration(address: str) -> str:
    """Return an address without what receiving servers and senders write around it."""
    before, text = "", address
    while text != before:
        before = text
        text = _COMMENT.sub("", text).strip(_AROUND_ADDRESS)
        text = text[found.end() :] if (found := _ADDRESS_TYPE.match(text)) else text
        if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
            text = text[1:-1]
        text = _AT.sub("@", text).rstrip(".")
    return text or address
