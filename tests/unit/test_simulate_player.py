"""The player publishes each event when it is due, and the demo never ends."""

import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice, pairwise

import pytest

from chalicelib.errors import CommandError
from dashboard.local import demo
from dashboard.simulation.demo import campaigns, together
from dashboard.simulation.player import play

START = datetime(2026, 11, 23, 10, tzinfo=UTC)


@dataclass
class Due:
    """The attributes of an Arrival that the player reads."""

    due: float

    @property
    def text(self):
        return f"due at {self.due}"


class Clock:
    """Time that passes only while the player waits for an event that is never set."""

    def __init__(self, stop_at=float("inf")):
        self.time = 0.0
        self.stop_at = stop_at

    def now(self):
        return self.time

    def wait(self, seconds):
        self.time += seconds
        return self.is_set()

    def is_set(self):
        return self.time >= self.stop_at


def played(dues, clock):
    published, told = [], []
    play(
        [Due(due) for due in dues],
        lambda texts: published.append((round(clock.time, 2), texts)),
        now=clock.now,
        stop=clock,
        published=told.append,
    )
    return published, [batch for batch in told if batch]


def test_each_event_is_published_when_it_is_due():
    published, told = played([0, 1, 5], Clock())

    assert published == [(0, ["due at 0"]), (1, ["due at 1"]), (5, ["due at 5"])]
    assert [[one.due for one in batch] for batch in told] == [[0], [1], [5]]


def test_events_due_at_about_the_same_time_are_published_together():
    published, _ = played([1.0, 1.01, 1.02, 1.04, 2.0], Clock())

    assert [len(texts) for _, texts in published] == [1, 3, 1]


def test_overdue_events_are_published_in_large_batches():
    clock = Clock()
    clock.time = 10_000

    published, _ = played(range(1200), clock)

    assert [len(texts) for _, texts in published] == [500, 500, 200]


def test_a_stop_takes_effect_between_two_batches():
    published, told = played([0, 1, 2, 3], Clock(stop_at=1.5))

    assert [texts for _, texts in published] == [["due at 0"], ["due at 1"]]
    assert len(told) == 2


def test_progress_is_reported_while_no_event_is_due():
    clock, told = Clock(), []

    play([Due(3)], print, now=clock.now, stop=clock, published=told.append)

    assert told.count(()) >= 5


def test_a_failure_to_publish_ends_the_simulation():
    def fail(_texts):
        raise CommandError("no topic")

    with pytest.raises(CommandError, match="no topic"):
        play([Due(0)], fail, now=lambda: 1, stop=threading.Event(), published=print)


def test_the_demo_starts_several_campaigns_one_after_the_other():
    planned = list(islice(campaigns(7, START), 20))

    assert len({campaign.id for campaign in planned}) == 20
    assert len({campaign.subject for campaign in planned[:12]}) == 12
    for campaign, following in pairwise(planned):
        assert 60 < (following.start - campaign.start).total_seconds() < 450


def test_the_demo_publishes_a_few_events_per_second():
    minutes = [0] * 20
    for arrival in together(campaigns(7, START), START):
        if arrival.due >= 20 * 60:
            break
        minutes[int(arrival.due // 60)] += 1

    assert min(minutes) >= 60
    assert max(minutes) <= 8 * 60


def test_the_demo_publishes_events_in_the_order_they_are_due():
    dues = [arrival.due for arrival in islice(together(campaigns(7, START), START), 10_000)]

    assert dues == sorted(dues)


def test_the_demo_is_the_same_with_the_same_seed():
    def texts(seed):
        return [one.text for one in islice(together(campaigns(seed, START), START), 500)]

    assert texts(1) == texts(1)
    assert texts(1) != texts(2)


def test_merging_ends_when_all_campaigns_have_ended():
    planned = list(islice(campaigns(7, START), 2))

    merged = list(together(planned, START))

    assert {one.happening.mail.tags["campaign"] for one in merged} == {one.id for one in planned}


def test_the_demo_reports_a_failure_to_publish_and_retries(monkeypatch, capsys):
    monkeypatch.setattr(demo, "_RETRY_SECONDS", 0)
    stop, attempts = threading.Event(), []

    def publish(texts):
        attempts.append(list(texts))
        if len(attempts) <= 3:
            raise CommandError("the topic is away")
        stop.set()

    demo.play_endlessly(publish, seed=1, stop=stop)

    assert len(attempts) == 4
    assert attempts[0] == attempts[3]
    assert capsys.readouterr().err == (
        "The demo is waiting: the topic is away\nThe demo continues.\n"
    )


def test_the_demo_can_be_stopped_while_it_waits():
    stop = threading.Event()

    def publish(_texts):
        stop.set()
        raise CommandError("the topic is gone for good")

    demo.play_endlessly(publish, seed=1, stop=stop)


def test_a_demo_that_is_far_behind_starts_over():
    stream = [Due(0), Due(10), Due(20)]
    times = iter([5, 60, 200])

    assert list(demo._until_behind(stream, lambda: next(times))) == stream[:2]
