"""The HTTP/1.1 parser: each request gets its own response or an error, for any division of bytes."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.responses import interim, ok, responses, split_anywhere

from chalicelib.aws.http11 import (
    MAX_HEADER_BYTES,
    MAX_HEADERS,
    ProtocolError,
    ResponseParser,
    StatusParser,
    is_success,
    parse_url,
)
from chalicelib.errors import ConfigError

H = b"HTTP/1.1 "
NEXT = H + b"200 OK\r\ncontent-length: 4\r\n\r\nnext"


def parsed(*pieces, max_body=1000):
    """Return the responses that each piece completes."""
    parser = ResponseParser(max_body)
    return [parser.feed(piece) for piece in pieces]


def feed_all(parser, pieces):
    """Feed pieces, the last of which completes the only response."""
    *before, last = [parser.feed(piece) for piece in pieces]
    assert before == [None] * len(before)
    return last


@given(st.lists(responses(), min_size=1, max_size=5), st.data())
def test_each_request_gets_its_own_response_however_bytes_arrive(sequence, data):
    parser = ResponseParser(1000)
    for response in sequence:
        found = feed_all(parser, data.draw(split_anywhere(response.raw)))

        assert (found.status, found.body) == (response.status, response.body)
        assert found.header("x-id") == response.id
        assert found.header("x-trailer") == ""
        assert not parser.has_begun


@given(responses(), st.binary(min_size=1, max_size=20) | responses().map(lambda it: it.raw))
def test_bytes_after_a_response_are_an_error(response, rest):
    with pytest.raises(ProtocolError):
        parsed(response.raw + rest)


@given(responses(), st.data())
def test_a_truncated_response_is_incomplete(response, data):
    end = data.draw(st.integers(1, len(response.raw) - 1))
    parser = ResponseParser(1000)

    assert parser.feed(response.raw[:end]) is None
    assert parser.has_begun


@pytest.mark.parametrize("status", [100, 102, 103, 199])
def test_an_interim_response_is_skipped(status):
    [found] = parsed(interim(status) + ok(b"own"))

    assert (found.status, found.body) == (200, b"own")
    assert found.header("x-interim") == ""


def test_an_interim_response_alone_is_incomplete():
    parser = ResponseParser(1000)

    assert parser.feed(interim(100)) is None
    assert parser.has_begun, "the request has arrived, so it is not sent again"


@pytest.mark.parametrize(
    "head",
    [
        b"101 Switching Protocols\r\n\r\n",
        b"101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
        b"000 None\r\ncontent-length: 0\r\n\r\n",
        b"099 None\r\ncontent-length: 0\r\n\r\n",
        b"200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        b"200 OK\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\n",
        b"200 OK\r\ncontent-length: 1, 1\r\n\r\n",
        b"200 OK\r\ncontent-length: -1\r\n\r\n",
        b"200 OK\r\ncontent-length: +1\r\n\r\n",
        b"200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
        b"200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 1\r\n\r\n",
        b"200 OK\ncontent-length: 0\n\n",
        b"200 OK\r\nx: y\r\n folded\r\ncontent-length: 0\r\n\r\n",
        b"200 OK\r\nx y: z\r\ncontent-length: 0\r\n\r\n",
        b"200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nab\r\n",
    ],
)
def test_a_malformed_or_ambiguous_response_is_an_error(head):
    with pytest.raises(ProtocolError):
        parsed(H + head)


@pytest.mark.parametrize(
    "head",
    [
        b"204 No Content\r\ncontent-length: 5\r\n\r\n",
        b"304 Not Modified\r\ncontent-length: 5\r\n\r\n",
        b"204 No Content\r\ntransfer-encoding: chunked\r\n\r\n",
    ],
)
def test_a_response_without_a_body_ends_with_its_headers(head):
    first, second = parsed(H + head, NEXT)

    assert (first.body, second.body) == (b"", b"next")


def test_an_interim_response_has_no_body_despite_its_headers():
    [found] = parsed(H + b"103 Early Hints\r\ncontent-length: 5\r\n\r\n" + NEXT)

    assert found.body == b"next"


@pytest.mark.parametrize(
    ("head", "keeps_alive"),
    [
        (b"HTTP/1.1 200 OK\r\n", True),
        (b"HTTP/1.1 200 OK\r\nconnection: close\r\n", False),
        (b"HTTP/1.0 200 OK\r\n", False),
    ],
)
def test_a_response_determines_whether_its_connection_is_reusable(head, keeps_alive):
    [found] = parsed(head + b"content-length: 0\r\n\r\n")

    assert found.keeps_alive is keeps_alive


def test_a_body_delimited_by_connection_close_is_never_complete():
    assert parsed(H + b"200 OK\r\n\r\n", b"some", b"more") == [None] * 3


def test_a_body_of_the_maximum_length_is_accepted():
    [found] = parsed(ok(b"x" * 1000))
    assert len(found.body) == 1000

    with pytest.raises(ProtocolError, match="longer than 1000 bytes"):
        parsed(ok(b"x" * 1001))


CHUNKED = H + b"200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


def test_a_chunked_body_has_the_same_limit():
    chunk = b"64\r\n" + b"x" * 100 + b"\r\n"
    *_, found = parsed(CHUNKED, *[chunk] * 10, b"0\r\n\r\n")
    assert len(found.body) == 1000

    with pytest.raises(ProtocolError, match="longer than 1000 bytes"):
        parsed(CHUNKED, *[chunk] * 11)


def accepted(parser, start, piece):
    """Feed a piece repeatedly; return the number of accepted bytes."""
    with suppress(ProtocolError):
        parser.feed(start)
        for number in range(10 * MAX_HEADER_BYTES // len(piece)):
            accepted = number * len(piece)
            parser.feed(piece)
    return accepted


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (H + b"200 OK\r\nx: ", b"y" * 1000),  # one value
        (H + b"200 OK\r\n", b"y" * 1000),  # one name
        (H + b"200 ", b"y" * 1000),  # the reason
        (H + b"200 OK\r\n", b"x: y\r\n"),  # headers
        (H + b"100 Continue\r\n\r\n", H + b"100 Continue\r\n\r\n"),  # interim responses
        (CHUNKED + b"0\r\n", b"x: y\r\n"),  # trailers
        (CHUNKED + b"0\r\nx: ", b"y" * 1000),  # a trailer
        (CHUNKED + b"1;x=", b"y" * 1000),  # a chunk extension
        (b"\r\n", b"\r\n" * 1000),  # line endings before the response
    ],
)
def test_headers_and_chunk_metadata_have_a_limit(start, piece):
    assert accepted(ResponseParser(1000), start, piece) <= MAX_HEADER_BYTES
    assert accepted(StatusParser(1000), start, piece) <= MAX_HEADER_BYTES + 1000


def test_a_discarded_body_has_a_limit():
    start = H + b"200 OK\r\ncontent-length: 1000000\r\n\r\n"

    assert accepted(StatusParser(1000), start, b"x" * 100) <= MAX_HEADER_BYTES + 1000


@given(st.lists(responses(), min_size=1, max_size=5), st.data())
def test_each_request_gets_the_status_of_its_own_response(sequence, data):
    parser = StatusParser(1000)
    for response in sequence:
        found = feed_all(parser, data.draw(split_anywhere(response.raw)))

        assert found.status == response.status


def test_the_number_of_headers_is_limited():
    def with_headers(number):
        return H + b"200 OK\r\ncontent-length: 0\r\n" + b"x: y\r\n" * (number - 1) + b"\r\n"

    [found] = parsed(with_headers(MAX_HEADERS))
    assert len(found.headers) == MAX_HEADERS

    with pytest.raises(ProtocolError, match=f"more than {MAX_HEADERS} headers"):
        parsed(with_headers(MAX_HEADERS + 1))


@pytest.mark.parametrize(
    ("status", "succeeds"),
    [(100, False), (199, False), (200, True), (299, True), (300, False), (500, False)],
)
def test_only_200_to_299_succeed(status, succeeds):
    assert is_success(status) is succeeds


def test_a_url_without_an_http_scheme_is_refused():
    with pytest.raises(ConfigError, match="set an http or https URL"):
        parse_url("ftp://example.com")
