"""A simulated page: its subscriptions, its level of attention, and its pings.

It sends what static/src/connection.js sends, and is no longer active an hour after the last emails
were sent (static/src/attention.js); with code whose pushes have no activity, also the requests for
it and the pings of that page. Its clock counts only the seconds that are processed, so that its
intervals continue from one window to the next.
"""

import json
import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from support.world import Viewer, World

from chalicelib.live.subscriptions import Subscriptions

HAS_LEVELS = hasattr(Subscriptions, "attend")
PING_EVERY = 300 if HAS_LEVELS else 60
PING_AFTER_PUSH = 4
PING_AGAIN = 10
ASK_AGAIN = 3
SHOWN = 8
SENDING_FOR = 3600

Add = Callable[[str, str, float], None]


class Page:
    """A page that shows a campaign with a given attention.

    Args:
        world: the account.
        level: `active`, `visible` or `hidden`; an active viewer uses the page all the time.
        topic: the campaign's topic.
        start: called with the role before each request, which it counts calls for.
        add: adds to a count of a role.
    """

    def __init__(
        self, world: World, level: str, topic: str, start: Callable[[str], None], add: Add
    ) -> None:
        self.level = level
        self._world = world
        self._topic = topic
        self._start = start
        self._add = add
        self._viewer: Viewer | None = None
        self._now = 0
        self._asked_at = self._pinged_at = -math.inf
        self._ping_at = self._quiet_at = math.inf
        self._changed = False
        self._sent_at = 0.0  # when emails were last sent, in epoch seconds; 0 while that is unknown
        self._stated = ""

    def connect(self) -> None:
        """Connect and subscribe, in place of the previous connection."""
        self.leave()
        self._viewer = self._world.subscribe()
        for topic in ("stats/health", self._topic):
            self._ask("connect", "subscribe", id=topic)
        self._stated = "active"
        self._attend()
        self._ping_at, self._quiet_at = self._now + PING_EVERY, math.inf
        self._changed = not HAS_LEVELS

    def leave(self) -> None:
        """Disconnect."""
        if self._viewer is not None:
            self._start(f"{self.level} connect")
            self._world.new_process().subscriptions.forget(self._viewer.connection.id)
        self._viewer = None

    def received(self, kind: str) -> None:
        """Count what was pushed since the last call, and react to it."""
        if self._viewer is None or not self._viewer.frames:
            return
        self._changed |= not HAS_LEVELS and any(
            frame.get("id") == self._topic for frame in self._viewer.frames
        )
        self._count(kind, "messages")
        if HAS_LEVELS:  # a message proves that the connection is alive
            self._ping_at = self._now + PING_EVERY
            return
        wait = max(PING_AFTER_PUSH, self._pinged_at + PING_AGAIN - self._now)
        self._quiet_at = self._now + wait

    def second(self) -> None:
        """Send the requests that are due, and let a second pass."""
        if self._viewer is None:
            return
        if self._now >= min(self._quiet_at, self._ping_at):
            self._pinged_at, self._ping_at = self._now, self._now + PING_EVERY
            self._quiet_at = math.inf
            self._ask("ping", "ping")
        if self._changed and self._now - self._asked_at >= ASK_AGAIN:
            self._asked_at, self._changed = self._now, False
            self._ask("activity", "listActivity", id=self._topic, limit=SHOWN, stream=True)
        self._attend()
        self._now += 1

    def _attend(self) -> None:
        """State the level of attention if it has changed."""
        is_sent = 0 < self._sent_at <= self._world.now - SENDING_FOR
        level = "visible" if self.level == "active" and is_sent else self.level
        if HAS_LEVELS and level != self._stated:
            self._stated = level
            self._ask("connect", "attend", level=level)

    def _ask(self, kind: str, action: str, **fields: Any) -> None:
        assert self._viewer is not None
        self._start(f"{self.level} {kind}")
        self._add(f"{self.level} {kind}", "requests", 1)
        self._viewer.ask(action, **fields)
        self._count(kind, "answers")

    def _count(self, kind: str, what: str) -> None:
        assert self._viewer is not None
        role = f"{self.level} {kind}"
        for frame in self._viewer.frames:
            part = frame.get("snapshot", frame.get("changes", {}))
            self._sent_at = max(self._sent_at, _last_sent(part))
        self._add(role, what, len(self._viewer.frames))
        self._add(role, "bytes", sum(map(_length, self._viewer.frames)))
        self._viewer.frames.clear()


def _last_sent(part: Mapping[str, Any]) -> float:
    """Return the last minute of a snapshot or push that has sends, in epoch seconds; 0 if none."""
    minutes = part.get("timeline", {}).get("minute", ())
    sent = (one["at"] for one in minutes if one.get("sends"))
    return max((datetime.fromisoformat(one).timestamp() for one in sent), default=0.0)


def _length(frame: dict[str, Any]) -> int:
    """Return the length of a frame in bytes."""
    return len(json.dumps(frame, ensure_ascii=False, separators=(",", ":")).encode())
