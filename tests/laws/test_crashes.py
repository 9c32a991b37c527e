"""The process crashes before and after every write of the functions, one crash per run.

The crash points are found by running the scenario once and listing every write to a table, every
item of a batch, every message to the dead-letter queue and every frame to a viewer. Writes before
the crash persist; the queue and the streams redeliver the rest.
"""

import pytest
from support import reference, ses
from support.world import Crash, World

SPRING = "stats/email-campaign/spring"
POISON = "Hello"
EVENTS = [
    ses.a_send("m-1"),
    ses.a_send("m-2", to=["ada@example.com", "bob@example.com"]),
    ses.a_delivery("m-1"),
    ses.a_delivery("m-2", to=["ada@example.com", "bob@example.com"]),
    ses.a_bounce("m-3", campaign="autumn"),
    ses.a_complaint("m-1"),
    ses.an_open("m-1"),
    ses.an_open("m-1", at="2026-11-23T10:06:05.000Z"),
    ses.a_click("m-1", link="https://example.com/1", at="2026-11-23T10:06:00.000Z"),
    ses.a_click("m-1", link="https://example.com/2", at="2026-11-23T10:06:01.000Z"),
    # The third link makes a sweep: earlier classifications change.
    ses.a_click("m-1", link="https://example.com/3", at="2026-11-23T10:06:02.000Z"),
    ses.a_click("m-2", link="https://example.com/1"),
]


class Moments:
    """Counts the moments at which a process can crash, and crashes it at one of them."""

    def __init__(self, world, fatal=None):
        self.world = world
        self.fatal = fatal
        self.names = []
        world.dynamo.before_write = lambda table, key: self._pass("before", f"{table} {_kind(key)}")
        world.dynamo.after_write = lambda table, key: self._pass("after", f"{table} {_kind(key)}")
        world.before_send = lambda to: self._pass("before", f"sending to {to}")
        world.after_send = lambda to: self._pass("after", f"sending to {to}")

    def _pass(self, side, what):
        role = self.world.current.name if self.world.current else "session"
        self.names.append(f"{len(self.names):03} {role}, {side} {what}")
        if len(self.names) - 1 == self.fatal:
            raise Crash


def _kind(key):
    """Return the kind of an item, without the parts that differ between runs."""
    return key[1].split("#")[0] if not key[0].startswith(("stats/", "connection/")) else "row"


def ask(viewer, action, **fields):
    """Send a request, and retry it if there is no response."""
    try:
        viewer.ask(action, **fields)
    except Crash:
        viewer.ask(action, **fields)


def run_scenario(fatal=None):
    """Run the scenario, with a crash at one moment or without."""
    world = World()
    moments = Moments(world, fatal)
    viewer = world.subscribe()
    ask(viewer, "subscribe", id=SPRING)
    viewer.refuses = 2  # one push is missed
    for start in range(0, len(EVENTS), 5):
        world.arrive(*EVENTS[start : start + 5], POISON)
        world.drain()
    ask(viewer, "ping")
    return world, viewer, moments


_, _, FOUND = run_scenario()


def test_every_kind_of_write_is_a_crash_point():
    roles = {name.split(" ", 1)[1].split(",")[0] for name in FOUND.names}
    targets = {" ".join(name.split()[3:]) for name in FOUND.names if " before " in name}

    assert roles == {"ingest", "count", "publish", "publish_batch", "session"}
    assert {"EventsTable Send", "EventsTable Click", "EventsTable ~state"} <= targets
    assert {"StatsTable summary", "StatsTable minute", "StatsTable link"} <= targets
    assert {"StatsTable subjects", "StatsTable health", "SubscriptionsTable row"} <= targets
    assert {"sending to dead letters", "sending to viewer-0"} <= targets


@pytest.mark.parametrize("fatal", range(len(FOUND.names)), ids=FOUND.names)
def test_a_crash_at_any_write_loses_and_duplicates_nothing(fatal):
    world, viewer, moments = run_scenario(fatal)

    assert len(moments.names) > fatal, "the process has crashed at this moment"
    assert world.counted() == reference.stats(EVENTS)
    assert {body for body, _ in world.dead} == {POISON}
    assert viewer.topics[SPRING].shown == world.snapshot(SPRING).shown
