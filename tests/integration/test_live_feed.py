"""`live` follows a campaign by pushes, and by the tables while it has no connection."""

import json
from contextlib import closing, contextmanager
from itertools import islice

import pytest
from msgspec.structs import replace
from support import ses
from websockets.exceptions import ConnectionClosedError

from chalicelib.errors import AwsError, CommandError
from chalicelib.live.permissions import Connection
from chalicelib.stats.incidents import Incident
from dashboard.live import feed
from dashboard.live.connector import Connector
from dashboard.live.feed import Feed

SPRING = "spring"


class Clock:
    """Time that passes only while the feed waits."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def wait(self, seconds):
        self.now += seconds


class Server:
    """Connections that the functions answer.

    Attributes:
        opened: number of connections that were opened.
        refuses: what opening a connection raises; None if it succeeds.
        arriving: frames and errors that arrive after the responses.
    """

    def __init__(self, pipeline, clock):
        self._pipeline = pipeline
        self._clock = clock
        self._frames = []
        self.opened = 0
        self.refuses = None
        self.silent = False
        self.requests = []
        self.arriving = []

    @contextmanager
    def open(self):
        if self.refuses is not None:
            raise self.refuses
        self.opened += 1
        self._frames = []
        yield self

    def send(self, text):
        request = json.loads(text)
        self.requests.append(request)
        if self.silent:
            return
        viewer = Connection("viewer-1", "api-1/api", connected_at=0)
        self._frames += map(json.dumps, self._pipeline.ask(viewer, **request))

    def recv(self, timeout):
        arrived = self._frames or self.arriving
        if not arrived:
            self._clock.wait(timeout)
            raise TimeoutError
        frame = arrived.pop(0)
        if isinstance(frame, Exception):
            raise frame
        return frame


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def server(pipeline, clock):
    return Server(pipeline, clock)


@pytest.fixture
def views(installation, server, clock, monkeypatch):
    """Return the views of the campaign; the waiting time before reconnecting is its bound."""
    monkeypatch.setattr(feed.random, "uniform", lambda _, most: most)
    found = Feed(installation, SPRING, server.open, monotonic=clock, pause=clock.wait).views()
    with closing(found):
        yield found


def until(views, condition, most=50):
    return next(one for one in islice(views, most) if condition(one))


def sends(view):
    return view.stats["counts"]["sends"]


def a_push(pipeline, *events):
    """Count events, and return the pushed frames."""
    assert pipeline.ingest(*events) == []
    pipeline.aggregate()
    pipeline.publish()
    frames = pipeline.connections.sent.pop("viewer-1")
    return list(map(json.dumps, frames))


def test_pushes_change_the_numbers(pipeline, server, views):
    pipeline.run(ses.a_send("m-1", campaign=SPRING))
    first = next(views)
    assert (first.connection, sends(first)) == ("connecting", 1)
    assert sends(until(views, lambda one: one.connection == "live")) == 1

    server.arriving += a_push(pipeline, ses.a_send("m-2", campaign=SPRING))

    assert sends(until(views, lambda one: sends(one) == 2)) == 2
    assert server.opened == 1


def test_the_activity_is_read_after_a_change(pipeline, server, views):
    pipeline.run(ses.a_send("m-1", campaign=SPRING))
    assert until(views, lambda one: one.connection == "live").activity == ()

    server.arriving += a_push(pipeline, ses.an_open("m-1", campaign=SPRING))

    [opened] = until(views, lambda one: one.activity).activity
    assert opened["type"] == "Open"


def test_incidents_are_read_because_a_share_link_has_none(pipeline, installation, server, views):
    pipeline.run(ses.a_send("m-1", campaign=SPRING))
    assert until(views, lambda one: one.connection == "live").stats["incidents"] == []

    incident = Incident("bounces", "bounces", "", 29_665_440, 92, 1000)
    installation.stats_table.remarks.put_incident(SPRING, incident)

    [shown] = until(views, lambda one: one.stats["incidents"]).stats["incidents"]
    assert (shown["incident"], shown["ended_at"]) == ("bounces", None)
    assert server.opened == 1


def test_the_tables_are_read_while_the_connection_is_refused(pipeline, server, views):
    server.refuses = ConnectionRefusedError("Connection refused")
    pipeline.run(ses.a_send("m-1", campaign=SPRING))
    refused = until(views, lambda one: one.problem)
    assert (refused.connection, refused.problem) == ("polling", "Connection refused")
    assert sends(refused) == 1

    pipeline.run(ses.a_send("m-2", campaign=SPRING))
    assert until(views, lambda one: sends(one) == 2).connection == "polling"

    server.refuses = None
    assert until(views, lambda one: one.connection == "live").problem == ""


def test_a_lost_connection_is_opened_again(server, views):
    until(views, lambda one: one.connection == "live")
    server.arriving.append(ConnectionClosedError(None, None))

    lost = until(views, lambda one: one.connection == "polling")
    assert lost.problem
    assert until(views, lambda one: one.connection == "live").problem == ""
    assert server.opened == 2


def test_a_server_that_does_not_respond_is_connected_to_again(server, views):
    server.silent = True

    assert "does not respond" in until(views, lambda one: one.problem).problem


def test_a_quiet_connection_is_kept_alive_by_a_ping(server, views, clock):
    until(views, lambda one: one.connection == "live")
    asked = until(views, lambda _: clock.now > 310, most=400)

    assert [one["action"] for one in server.requests] == ["subscribe", "ping"]
    assert asked.connection == "live"
    until(views, lambda _: clock.now > 350, most=400)
    assert server.opened == 1


@pytest.mark.parametrize(
    ("frame", "problem"),
    [
        ("no json", "the server sent 7 characters that are not JSON"),
        ("[]", "the server sent a list instead of an object"),
        (
            json.dumps({"action": "ping", "error": {"code": "internal", "message": "try again"}}),
            "the server rejected the request: try again",
        ),
    ],
)
def test_a_frame_that_cannot_be_used_ends_the_connection(server, views, frame, problem):
    until(views, lambda one: one.connection == "live")
    server.arriving.append(frame)

    assert until(views, lambda one: one.problem).problem == problem


def test_numbers_stay_while_the_tables_cannot_be_read(pipeline, installation, server, views):
    pipeline.run(ses.a_send("m-1", campaign=SPRING))
    server.refuses = OSError("no network")
    assert sends(next(views)) == 1

    def fail(*_, **__):
        raise AwsError("ThrottlingException", "query failed: too many requests")

    installation.stats_table._items._dynamo.call = fail

    unread = until(views, lambda one: "too many requests" in one.problem)
    assert sends(unread) == 1


def test_without_a_key_for_share_links_the_reason_is_named(installation):
    installation.config = replace(installation.config, issuer="https://issuer.example.com")

    with pytest.raises(CommandError, match="no key for share links: run `deploy` again"):
        Connector(installation, SPRING).open()


def test_reading_once_needs_no_connection(pipeline, installation):
    pipeline.run(ses.a_send("m-1", campaign=SPRING), ses.an_open("m-1", campaign=SPRING))

    view = feed.read(installation, SPRING)

    assert (view.connection, sends(view), len(view.activity)) == (None, 1, 1)
