"""WebSocket client that sends requests and merges responses and pushes by part and version."""

import itertools
import json
import time
from collections import defaultdict
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Self

from websockets.sync.client import connect

SUBPROTOCOL = "mailpulse.v1"
CAMPAIGNS = "stats/email-campaigns"


RESULTS = {"reconciliation", "recounts"}


def _time_of(result: dict | list | None) -> str:
    """Return the time of a comparison, or of the newest of some recounts."""
    if isinstance(result, list):
        return result[0]["at"] if result else ""
    return result["compared_at"] if result else ""


def campaign_topic(campaign: str) -> str:
    return f"stats/email-campaign/{campaign}"


MOST_VARIANTS = 20  # of each tag
MOST_REPLIES = 20
WINDOWS = {
    "minute": timedelta(hours=2),
    "hour": timedelta(days=3),
    "undelivered": timedelta(minutes=15),
}


def _is_empty(part, value: dict) -> bool:
    if part[0] == "variant":
        return not any(value["counts"].values())
    if part[0] == "undelivered":
        return not any(any(one.values()) for one in value["providers"].values())
    if part[0] == "reply":
        return not value["count"]
    names = {"at", "version", "id", "url", "label", "kind", "type", "subtype", "provider"}
    return part[0] in ("minute", "hour", "day", "link", "bounce", "provider") and not any(
        number for name, number in value.items() if name not in names
    )


# The lists of a campaign's snapshot: the kind of their parts, and what identifies each.
_PARTS = {
    "links": ("link", ["id"]),
    "bounces": ("bounce", ["type", "subtype"]),
    "variants": ("variant", ["tag", "value", "rest"]),
    "providers": ("provider", ["provider"]),
    "replies": ("reply", ["status", "text"]),
    "undelivered": ("undelivered", ["at"]),
    "incidents": ("incident", ["incident"]),
    "notes": ("note", ["note"]),
    "alarms": ("alarms", ["scope"]),
}


class Topic:
    """Merged state of one topic: for each part, the data with the highest version.

    Attributes:
        parts: ("summary", campaign id) → campaign, counts and rates; ("minute" | "hour" | "day",
            at) → bucket; "pace" → pace; "devices" → devices; ("link", id) → link; ("bounce", type, subtype) → bounce;
            ("variant", tag, value, whether it is the rest) → variant; ("provider", name) →
            provider; ("reply", status, text) → reply; ("undelivered", at) → minute; ("incident",
            id) → incident; ("note", id) → note; ("alarms", scope) → settings; "health" → the
            pipeline's health.
    """

    def __init__(self) -> None:
        self.parts: dict = {}

    def merge(self, content: dict) -> None:
        """Merge a snapshot or a push."""
        match content["$type"]:
            case "CampaignStats":
                self._merge_stats(content)
            case "CampaignList":
                for campaign in content["campaigns"]:
                    pace = {"pace": campaign["pace"]} if campaign.get("pace") else {}
                    rest = {name: one for name, one in campaign.items() if name != "pace"}
                    self._keep(("campaign", campaign["id"]), rest)
                    if pace:
                        self._keep(("pace", campaign["id"]), pace["pace"])
            case "Health":
                self._keep("health", {name: content[name] for name in content.keys() - RESULTS})
                for name in content.keys() & RESULTS:
                    self._keep_latest(name, content[name])
            case other:
                raise AssertionError(f"no such content: {other}")

    def _keep_latest(self, name: str, result: dict | list | None) -> None:
        """Keep the later of two results of comparisons or recounts, as the page does."""
        if _time_of(result) >= _time_of(self.parts.get(name)):
            self.parts[name] = result

    def _merge_stats(self, content: dict) -> None:
        if "version" in content:
            names = ("version", "campaign", "counts", "rates")
            self._keep("summary", {name: content[name] for name in names})
        for name in ("pace", "devices"):
            if name in content:
                self._keep(name, content[name])
        for unit, buckets in content.get("timeline", {}).items():
            for bucket in buckets:
                self._keep((unit, bucket["at"]), bucket)
        for name, (kind, members) in _PARTS.items():
            for one in content.get(name, []):
                identity = (one.get(member, False) for member in members)
                self._keep((kind, *identity), one)

    @property
    def counts(self) -> dict[str, int]:
        """Return the counts of a campaign."""
        return self.parts["summary"]["counts"]

    @property
    def shown(self) -> dict:
        """Return the parts to show: non-empty ones, the newest buckets and the first variants.

        A part that became empty is kept, because its version guards against older data. What the
        variants do not show is not updated by pushes.
        """
        shown = {part: value for part, value in self.parts.items() if not _is_empty(part, value)}
        for unit, window in WINDOWS.items():
            starts = [datetime.fromisoformat(part[1]) for part in shown if part[0] == unit]
            for start in starts:
                if max(starts) - start >= window:
                    del shown[unit, f"{start:%Y-%m-%dT%H:%M:%SZ}"]
        variants = sorted(part for part in self.parts if part[0] == "variant" and not part[3])
        for _, of_tag in itertools.groupby(variants, key=lambda part: part[1]):
            for part in list(of_tag)[MOST_VARIANTS:]:
                shown.pop(part, None)
        replies = [part for part in shown if part[0] == "reply"]
        replies.sort(key=lambda part: (-shown[part]["count"], f"{part[1]} {part[2]}"))
        for part in replies[MOST_REPLIES:]:
            del shown[part]
        return {part: value for part, value in shown.items() if part[0] != "variant" or not part[3]}

    def _keep(self, part, value: dict) -> None:
        known = self.parts.get(part)
        if known is None or known["version"] <= value["version"]:
            # What a viewer may change is in snapshots only.
            kept = {name: known[name] for name in ("may_change",) if known and name in known}
            self.parts[part] = kept | value


class Client:
    """One WebSocket connection.

    Attributes:
        topics: the merged state of each topic that was requested or pushed.
        pushes: (monotonic time of arrival in seconds, frame), in order of arrival.
    """

    def __init__(self, url: str, *, subprotocols=(SUBPROTOCOL,), **options) -> None:
        self._open = ExitStack()
        self.socket = self._open.enter_context(
            connect(url, subprotocols=list(subprotocols) or None, **options)
        )
        self.topics: dict[str, Topic] = defaultdict(Topic)
        self.pushes: list[tuple[float, dict]] = []
        self._ids = itertools.count(1)
        self._replies: list[dict] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._open.close()

    def send(self, text: str) -> None:
        """Send a frame unchanged."""
        self.socket.send(text)

    def request(self, action: str, *, timeout: float = 20, **fields) -> list[dict]:
        """Send a request and return all frames of the response."""
        request_id = next(self._ids)
        self.send(json.dumps({"request_id": request_id, "action": action, **fields}))
        frames = []
        while True:
            frame = self.reply(request_id, timeout=timeout)
            frames.append(frame)
            streams = fields.get("stream") and "done" not in frame and "error" not in frame
            heals = action == "ping" and "snapshot" in frame
            if heals:
                self.topics[frame["id"]].merge(frame["snapshot"])
            if not frame.get("more") and not streams and not heals:
                return frames

    def reply(self, request_id, *, timeout: float = 20) -> dict:
        """Wait for the next response frame of a request."""
        until = time.monotonic() + timeout
        while True:
            for reply in self._replies:
                if reply["request_id"] == request_id:
                    self._replies.remove(reply)
                    return reply
            assert self._receive(until), f"no response to request {request_id} in {timeout} s"

    def subscribe(self, topic: str) -> Topic:
        """Subscribe and merge the snapshot; pushes are merged as they arrive."""
        return self._ask("subscribe", topic)

    def snapshot(self, topic: str) -> Topic:
        """Request a snapshot and return it without merging it."""
        fresh = Topic()
        for frame in self.request("get", id=topic):
            assert "error" not in frame, frame
            fresh.merge(frame["snapshot"])
        return fresh

    def wait_for(self, topic: str, condition, timeout: float = 20) -> Topic:
        """Merge pushes until the state of a topic meets a condition."""
        until = time.monotonic() + timeout
        while not condition(self.topics[topic]):
            if not self._receive(until):
                raise AssertionError(
                    f"not within {timeout} s; {topic} has {self.topics[topic].parts}"
                )
        return self.topics[topic]

    def listen(self, seconds: float) -> None:
        """Merge the frames that arrive within a number of seconds."""
        until = time.monotonic() + seconds
        while self._receive(until):
            pass

    def _ask(self, action: str, topic: str) -> Topic:
        for frame in self.request(action, id=topic):
            assert "error" not in frame, frame
            self.topics[topic].merge(frame["snapshot"])
        return self.topics[topic]

    def _receive(self, until: float) -> bool:
        """Receive one frame; return False if none arrived in time."""
        try:
            text = self.socket.recv(timeout=max(0.0, until - time.monotonic()))
        except TimeoutError:
            return False
        frame = json.loads(text)
        if "action" in frame:
            self._replies.append(frame)
        else:
            self.pushes.append((time.monotonic(), frame))
            self.topics[frame["id"]].merge(frame["changes"])
        return True
