"""Hypothesis strategies for valid HTTP responses, and for splitting them."""

from typing import NamedTuple

from hypothesis import strategies as st

_INTERIM = (100, 102, 103)
_WITHOUT_BODY = (204, 304)


class Sent(NamedTuple):
    """A response as a server sends it, after its interim responses."""

    raw: bytes
    status: int
    id: str
    body: bytes


def interim(status):
    return f"HTTP/1.1 {status} Wait\r\nx-interim: yes\r\n\r\n".encode()


def ok(body):
    return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)


@st.composite
def responses(draw, status=None, identity=None):
    """Draw a valid response that keeps its connection open."""
    if status is None:
        status = draw(st.sampled_from([200, 201, 204, 299, 304, 400, 410, 429, 500, 503]))
    identity = identity or draw(st.text("abcdef0123456789", min_size=1, max_size=8))
    # Bodies that look like responses or line endings must not be parsed as such.
    body = draw(
        st.binary(max_size=60)
        | st.sampled_from([b"\r\n", b"\r\n\r\n", b"0\r\n\r\n", ok(b""), interim(100)])
    )
    head = [f"HTTP/1.1 {status} {draw(st.sampled_from(['OK', '', 'Not Found']))}"]
    head.append(f"{draw(st.sampled_from(['x-id', 'X-Id']))}: {identity}")
    if status in _WITHOUT_BODY:
        body = content = b""
    elif draw(st.booleans()):
        head.append("transfer-encoding: chunked")
        content = _chunked(body, draw(st.integers(1, 20)), trailer=draw(st.booleans()))
    else:
        head.append(f"content-length: {len(body)}")
        content = body
    before = draw(st.lists(st.sampled_from(_INTERIM).map(interim), max_size=3))
    raw = b"".join(before) + "\r\n".join([*head, "", ""]).encode() + content
    return Sent(raw, status, identity, body)


def _chunked(body, size, *, trailer):
    chunks = [body[start : start + size] for start in range(0, len(body), size)]
    written = b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in chunks)
    return written + b"0\r\n" + (b"x-trailer: late\r\n" if trailer else b"") + b"\r\n"


@st.composite
def split_anywhere(draw, raw):
    """Split bytes at arbitrary positions."""
    ends = sorted(draw(st.sets(st.integers(1, len(raw) - 1), max_size=8)))
    return [raw[start:end] for start, end in zip([0, *ends], [*ends, len(raw)], strict=True)]
