"""Items of the tables as text, in which tests look for what must not be stored."""

import json
import zlib


def text_of(item):
    """Return an item of boto3 as lower-case text, with its compressed pages decompressed.

    Other bytes are in hexadecimal digits: as characters, they spell any short name sooner or later.
    """
    return json.dumps(item, default=_text_of_bytes).lower()


def _text_of_bytes(value):
    try:
        return zlib.decompress(value).decode()
    except zlib.error:
        return value.hex()
