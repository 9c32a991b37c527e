"""Follow a campaign: by its pushes, and by reading the tables while there is no connection."""

import json
import random
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct
from websockets.exceptions import WebSocketException

from chalicelib.errors import AwsError, CommandError
from chalicelib.live.activity import Activity
from chalicelib.live.frames import Message
from chalicelib.live.protocol import CAMPAIGN_TOPIC_PREFIX
from dashboard.figures import reading
from dashboard.figures.campaign import Stats
from dashboard.installation import Installation
from dashboard.live.merging import MergedCampaign

_TICK_SECONDS = 1.0
# A cold start takes a few seconds.
_REPLY_SECONDS = 15.0
# API Gateway closes a connection that has been idle for ten minutes.
_PING_SECONDS = 300.0
_BACKOFF_SECONDS = 0.5, 30.0
_HEALTH_SECONDS = 15.0
_UNSHARED_SECONDS = 15.0
_ACTIVITY_SECONDS = 2.0

_REJECTED = (AwsError, BotoCoreError, ClientError)
# Reasons for which there is no connection at the moment.
_LOST = (*_REJECTED, CommandError, WebSocketException, OSError)
# The same request may succeed later.
_RETRYABLE = {"internal", "rate_limited"}


class Socket(Protocol):
    """The part of a WebSocket connection that is used."""

    def send(self, message: str) -> None:
        """Send a frame."""

    def recv(self, timeout: float | None = None) -> str | bytes:
        """Receive a frame, or raise TimeoutError."""


Connection = Literal["connecting", "live", "polling"]

Opens = Callable[[], AbstractContextManager[Socket]]


class View(Struct, frozen=True):
    """A campaign as it is known at one moment.

    Attributes:
        stats: its snapshot; None until it is known.
        health: the snapshot of the topic `stats/health`; None until it is known.
        activity: its newest activity, newest first.
        connection: `connecting` before the first connection, `live` while pushes arrive, `polling`
            while the tables are read instead; None if they were read once.
        problem: why there is no connection, or why something could not be read; empty if nothing
            is wrong.
        now: the current time.
    """

    stats: Stats | None
    health: Message | None
    activity: tuple[Message, ...]
    connection: Connection | None
    problem: str
    now: datetime


def read(installation: Installation, campaign: str) -> View:
    """Return a campaign as it is now.

    Raises:
        AwsError: a table could not be read.
    """
    found = reading.read(installation, campaign)
    newest = _newest(installation, campaign)
    return View(found.stats, found.health, newest, None, "", found.as_of)


def _newest(installation: Installation, campaign: str) -> tuple[Message, ...]:
    """Return the newest entries of a campaign's activity."""
    source = Activity(installation.stats_table, installation.events_table)
    return tuple(source.newest(campaign))


class Feed:
    """The views of a campaign over time.

    Args:
        installation: read while there is no connection, and for health and activity.
        campaign: the campaign's id.
        opens: opens a WebSocket connection.
        monotonic: returns seconds.
        pause: waits for seconds.
    """

    def __init__(
        self,
        installation: Installation,
        campaign: str,
        opens: Opens,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._installation = installation
        self._campaign = campaign
        self._opens = opens
        self._monotonic = monotonic
        self._pause = pause
        self._stats: Stats | None = None
        self._health: Message | None = None
        self._activity: tuple[Message, ...] = ()
        self._unshared: Message = {}
        self._connection: Connection = "connecting"
        self._disconnected = ""
        self._unread = ""
        self._due = {"health": 0.0, "unshared": 0.0, "activity": 0.0}
        self._activity_of = -1

    def views(self) -> Generator[View, None, None]:
        """Yield the campaign after each change, and at least about once a second, forever."""
        self._poll()
        yield self._view()
        failures = 0
        while True:
            try:
                with self._opens() as socket:
                    for _ in self._follow(socket):
                        self._connection, self._disconnected, failures = "live", "", 0
                        yield self._view()
            except _LOST as error:
                # Some errors have no message.
                self._connection, self._disconnected = "polling", str(error) or repr(error)
            failures += 1
            first, most = _BACKOFF_SECONDS
            bound = min(most, first * 2 ** min(failures, 10))
            until = self._monotonic() + random.uniform(0, bound)  # noqa: S311 - jitter
            while True:
                self._poll()
                yield self._view()
                if self._monotonic() >= until:
                    break
                self._pause(_TICK_SECONDS)

    def _follow(self, socket: Socket) -> Iterator[None]:
        """Subscribe, merge what arrives, and yield after each change and about once a second.

        Raises:
            ConnectionError: the server did not respond in time, or could not process a request.
            CommandError: the server rejected the subscription, or sent an unreadable message.
            WebSocketException, OSError: the connection was lost.
        """
        merged = MergedCampaign()
        self._request(socket, "subscribe", id=CAMPAIGN_TOPIC_PREFIX + self._campaign)
        complete, awaited = False, True
        last = self._monotonic()
        while True:
            try:
                frame = _parsed(socket.recv(timeout=_TICK_SECONDS))
            except TimeoutError:
                silent = self._monotonic() - last
                if awaited and silent > _REPLY_SECONDS:
                    raise ConnectionError("the server does not respond") from None
                if not awaited and silent > _PING_SECONDS:
                    self._request(socket, "ping")
                    awaited, last = True, self._monotonic()
            else:
                last = self._monotonic()
                merged.merge(frame.get("snapshot") or frame.get("changes") or {})
                answers = frame.get("action") is not None and not frame.get("more")
                awaited = awaited and not answers
                complete = complete or (answers and "snapshot" in frame)
            if complete:
                self._unread = ""
                self._read_others(merged.version)
                # With sign-in, the connection is that of a share link.
                merged.merge(self._unshared)
                self._stats = merged.stats()
                yield

    def _request(self, socket: Socket, action: str, **fields: str) -> None:
        socket.send(json.dumps({"action": action, **fields}))

    def _poll(self) -> None:
        """Read the tables; what cannot be read keeps its last value."""
        self._unread = ""
        try:
            found = reading.read(self._installation, self._campaign)
        except _REJECTED as error:
            self._unread = str(error)
            return
        self._stats, self._health = found.stats, found.health
        self._read_others(found.stats["version"])

    def _read_others(self, version: int) -> None:
        """Read the health, the newest activity and what share links lack, if they are due.

        Args:
            version: the campaign's version; its activity is read after a change only.
        """
        now = self._monotonic()
        try:
            if now >= self._due["health"]:
                self._due["health"] = now + _HEALTH_SECONDS
                self._health = reading.read_health(self._installation)
            if now >= self._due["unshared"]:
                self._due["unshared"] = now + _UNSHARED_SECONDS
                self._unshared = reading.read_unshared(self._installation, self._campaign)
            if version != self._activity_of and now >= self._due["activity"]:
                self._due["activity"] = now + _ACTIVITY_SECONDS
                self._activity = _newest(self._installation, self._campaign)
                self._activity_of = version
        except _REJECTED as error:
            self._unread = str(error)

    def _view(self) -> View:
        return View(
            self._stats,
            self._health,
            self._activity,
            self._connection,
            self._unread or self._disconnected,
            datetime.fromtimestamp(self._installation.clock(), UTC),
        )


def _parsed(text: str | bytes) -> dict[str, Any]:
    """Return a frame.

    Raises:
        ConnectionError: it is an error that may pass.
        CommandError: it is another error, or unreadable.
    """
    try:
        frame = json.loads(text)
    except ValueError as error:
        raise CommandError(f"the server sent {len(text)} characters that are not JSON") from error
    if not isinstance(frame, dict):
        raise CommandError(f"the server sent a {type(frame).__name__} instead of an object")
    refusal = frame.get("error")
    if refusal is None:
        return frame
    message = f"the server rejected the request: {refusal['message']}"
    raise ConnectionError(message) if refusal["code"] in _RETRYABLE else CommandError(message)
