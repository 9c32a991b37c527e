"""Recognition of times in the format of `Event.at`."""

import pytest

from chalicelib.ses.times import is_time


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-23T10:00:00.000Z", True),
        ("2028-02-29T23:59:59.999Z", True),
        ("2026-02-29T10:00:00.000Z", False),
        ("2010-12-31T23:59:59.999Z", False),  # before SES
        ("2026-11-23T24:00:00.000Z", False),
        ("2026-11-23T10:00:00Z", False),
        ("2026-11-23T10:00:00.000+00:00", False),
        ("2026-11-23T10:00:00.000Z\n", False),
        ("", False),
    ],
)
def test_valid_and_invalid_times_are_distinguished(text, expected):
    assert is_time(text) is expected
