"""Events more than a day ahead of our clock are rejected, so that no campaign is in 2099."""

from datetime import UTC, datetime, timedelta

import pytest
from support import ses
from support.world import START, World

DAY = timedelta(days=1)


def ahead(by):
    """Return a time this far ahead of the world's clock."""
    at = datetime.fromtimestamp(START, UTC) + by
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"


@pytest.mark.parametrize(
    "event_at",
    [lambda at: ses.a_send(at=at), lambda at: ses.an_open(at=at), lambda at: ses.a_click(at=at)],
    ids=["Send", "Open", "Click"],
)
@pytest.mark.parametrize(
    ("by", "taken"),
    [
        (timedelta(0), True),
        (DAY - timedelta(milliseconds=1), True),
        (DAY, True),
        (DAY + timedelta(milliseconds=1), False),
        (2 * DAY, False),
        (9 * DAY, False),
    ],
    ids=str,
)
def test_an_event_more_than_a_day_ahead_goes_to_the_dead_letter_queue(event_at, by, taken):
    world = World()
    world.arrive(event_at(ahead(by)))

    world.drain()

    assert (world.counted() != {}) == taken
    assert [reason for _, reason in world.dead] == ([] if taken else ["future_time"])
