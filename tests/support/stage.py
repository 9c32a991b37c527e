"""Serve the built page as CloudFront does, with a fake WebSocket server.

For screenshots, audits and bursts of pushes, which must be the same in every run. The data comes
from a `Scene`; everything else about the page is real.
"""

import gzip
import json
import math
import mimetypes
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request as Handshake
from websockets.http11 import Response
from websockets.sync.server import ServerConnection, serve

from chalicelib.errors import InvalidRequest
from chalicelib.insight.curves import AGE_EDGES_SECONDS
from chalicelib.insight.variants import MOST, Variant, differences, judge
from chalicelib.live.campaign_lists import CampaignLists
from chalicelib.live.comparison import compare
from chalicelib.live.frames import frames
from chalicelib.live.permissions import EVERYTHING
from chalicelib.live.protocol import LIST_TOPIC, Request, parse_request
from chalicelib.live.snapshots import MOST_LISTED
from chalicelib.stats.counters import AGE_METRICS, SUMMARY, Aggregate, age_counter
from chalicelib.stats.directory import Entry, entry_of
from chalicelib.stats.pace_item import StoredPace, pace_now
from dashboard.deploy.frontend import manifest_path
from dashboard.deploy.publish_site import Authenticator, Site, render
from dashboard.paths import STATIC

HEADERS = {
    "Content-Security-Policy": "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Strict-Transport-Security": "max-age=31536000",
}


@dataclass
class Scene:
    """The server's data.

    Attributes:
        snapshots: the snapshots by topic.
        activity: the activity of every campaign, newest first.
        recipients: the recipients of every campaign.
        complete: whether the list of recipients is complete.
        timelines: the timelines by campaign id.
        hours: the timelines of human opens by hour, by campaign id.
        list_refusal: the response to requests for campaigns, if they are refused.
        usual: the members of the reply to `getUsual`.
        alarms_refusal: the response to changes of alarms, if they are refused.
        shares: the share links of every campaign, those that expire first at the beginning.
        shares_refusal: the response to requests about share links, if they are refused.
        notes_refusal: the response to changes of notes, if they are refused.
        comparison_refusal: the response to requests for a comparison, if they are refused.
        silent: whether requests get no response, so that the page keeps loading.
        refusal: the response to requests for activity, if they are refused.
        delay_seconds: the delay of each response, and of each frame of recipients.
    """

    snapshots: dict[str, dict[str, Any]] = field(default_factory=dict)
    activity: list[dict[str, Any]] = field(default_factory=list)
    recipients: list[dict[str, Any]] = field(default_factory=list)
    complete: bool = True
    timelines: dict[str, dict[str, Any]] = field(default_factory=dict)
    hours: dict[str, dict[str, Any]] = field(default_factory=dict)
    usual: dict[str, Any] = field(default_factory=lambda: {"campaigns": None})
    silent: bool = False
    refusal: dict[str, str] | None = None
    list_refusal: dict[str, str] | None = None
    comparison_refusal: dict[str, str] | None = None
    alarms_refusal: dict[str, str] | None = None
    shares: list[dict[str, Any]] = field(default_factory=list)
    shares_refusal: dict[str, str] | None = None
    notes_refusal: dict[str, str] | None = None
    delay_seconds: float = 0

    def answers(self, request: dict[str, Any]) -> Iterable[dict[str, Any]]:
        """Return the response frames of a request, without their common members."""
        match action := request["action"]:
            case "subscribe":
                yield self._subscribed(request["id"], request.get("campaigns", []))
            case "listActivity" if self.refusal:
                yield {"error": self.refusal}
            case "listActivity":
                yield from self._results(filter(_matches(request), self.activity), request)
            case "listTimelines":
                names = [topic.rpartition("/")[2] for topic in request["ids"]]
                known = self.hours if "resolution" in request else self.timelines
                yield from self._results((known[one] for one in names if one in known), request)
            case "listRecipients":
                yield from self._recipients(request)
            case "recipientHistory":
                mine = [
                    one for one in self.activity if one.get("recipient") == request["recipient"]
                ]
                yield {"results": mine}
            case "getUsual":
                yield {"id": request["id"], **self.usual}
            case "setAlarms" | "addNote" | "removeNote":
                refusal = self.alarms_refusal if action == "setAlarms" else self.notes_refusal
                yield {"error": refusal} if refusal else {}
            case "createShare" | "listShares" | "revokeShare":
                yield self._shared(request)
            case "listCampaigns" | "searchCampaigns":
                yield from self._campaigns(parse_request(json.dumps(request)))
            case "compare" | "compareVariants":
                yield self._compared(request)
            case _:
                yield {}

    def _subscribed(self, topic: str, on_screen: Sequence[str]) -> dict[str, Any]:
        snapshot = self._snapshot(topic, on_screen)
        if snapshot is None:
            return {"error": {"code": "internal", "message": "not now: try again"}}
        if snapshot["$type"] == "CampaignStats":
            snapshot = {**snapshot, "activity": self.activity[:8]}
        return {"id": topic, "snapshot": snapshot}

    def _snapshot(self, topic: str, on_screen: Sequence[str]) -> dict[str, Any] | None:
        snapshot = self.snapshots.get(topic)
        if topic != LIST_TOPIC or snapshot is None:
            return snapshot
        listed = self.snapshots[LIST_TOPIC]["campaigns"]
        newest = sorted(listed, key=_started, reverse=True)
        shown = [one for one in newest[MOST_LISTED:] if one["id"] in on_screen]
        more = {"cursor": _cursor(newest[MOST_LISTED - 1])} if len(newest) > MOST_LISTED else {}
        return {**snapshot, "campaigns": newest[:MOST_LISTED] + shown, **more}

    def _campaigns(self, request: Request) -> Iterable[dict[str, Any]]:
        """Answer as the message function does, from the list's campaigns."""
        if self.list_refusal:
            yield {"error": self.list_refusal}
            return
        entries = self.snapshots[LIST_TOPIC]["campaigns"]
        listed = ListedCampaigns(entries)
        # Classes of the production code; the fake has the methods that are called.
        lists = CampaignLists(listed, listed, tag_names=["variant"])  # type: ignore[arg-type]  # a fake
        try:
            if request.action == "searchCampaigns":
                yield {"results": lists.search(request, EVERYTHING)}
            else:
                results, more = lists.listed(request, EVERYTHING)
                yield {"results": results, **more}
        except InvalidRequest as error:
            yield {"error": {"code": error.code, "message": str(error)}}

    def _shared(self, request: dict[str, Any]) -> dict[str, Any]:
        if self.shares_refusal:
            return {"error": self.shares_refusal}
        match request["action"]:
            case "createShare":
                now = datetime.now(UTC)
                link = {
                    "share": f"s-{len(self.shares)}",
                    "created_at": f"{now:%Y-%m-%dT%H:%M:%SZ}",
                    "expires_at": f"{now + timedelta(request['days']):%Y-%m-%dT%H:%M:%SZ}",
                    "created_by": "ada@example.com",
                    "name": request.get("name"),
                }
                self.shares = sorted([*self.shares, link], key=lambda one: one["expires_at"])
                return {"id": request["id"], "share": link, "token": f"token.of.{link['share']}"}
            case "listShares":
                return {"id": request["id"], "shares": self.shares}
            case _:
                self.shares = [one for one in self.shares if one["share"] != request["share"]]
                return {"share": request["share"]}

    def _compared(self, request: dict[str, Any]) -> dict[str, Any]:
        if self.comparison_refusal:
            return {"error": self.comparison_refusal}
        if request["action"] == "compareVariants":
            return _judged(self.snapshots[request["id"]]["variants"], request["tag"])
        listed = ListedCampaigns(self.snapshots[LIST_TOPIC]["campaigns"])
        names = parse_request(json.dumps(request)).campaigns
        # Production code; the fake has the methods that are called.
        return compare(listed, names, datetime.now(UTC))  # type: ignore[arg-type]  # a fake

    def _recipients(self, request: dict[str, Any]) -> Iterable[dict]:
        state = request["state"]
        found = [one for one in self.recipients if state in ("all", one["state"])]
        head = {"total": len(found), "complete": self.complete}
        start = int(request.get("cursor") or 0)
        if request["stream"]:
            for first in range(start, max(len(found), 1), 100):
                time.sleep(self.delay_seconds)
                yield {**head, "results": found[first : first + 100]}
            yield {"done": True}
            return
        end = start + request["limit"]
        more = {"cursor": str(end)} if end < len(found) else {}
        yield {**head, "results": found[start:end], **more}

    @staticmethod
    def _results(results: Iterable[dict[str, Any]], request: dict[str, Any]) -> Iterable[dict]:
        found = list(results)
        start, limit = int(request.get("cursor") or 0), request.get("limit", 50)
        yield from ({"result": one} for one in found[start : start + limit])
        more = {"cursor": str(start + limit)} if len(found) > start + limit else {}
        yield {"done": True, **more}


def _judged(rows: Iterable[dict[str, Any]], tag: str) -> dict[str, Any]:
    """Return the reply to `compareVariants`, from the variants of a snapshot."""
    found = [one for one in rows if one["tag"] == tag and not one.get("rest")][:MOST]
    variants = [
        Variant(one["value"], one["counts"]["deliveries"], one["counts"]["unique_human_clicks"])
        for one in found
    ]
    verdict, best, probabilities = judge(variants)
    return {
        "tag": tag,
        "verdict": verdict,
        "best": best if verdict == "decided" else None,
        "variants": [
            {
                "value": one.name,
                "deliveries": one.deliveries,
                "unique_human_clicks": one.count,
                "rate": one.rate,
                "probability": probabilities[number] if probabilities else None,
            }
            for number, one in enumerate(variants)
        ],
        "differences": [
            {"rate": "human_click", "values": [a, b], "difference": by, "low": low, "high": high}
            for a, b, by, low, high in differences(variants)
        ],
    }


def _matches(request: dict[str, Any]) -> Callable[[dict[str, Any]], bool]:
    limits = {name: request[name] for name in ("type", "engager", "link") if name in request}
    return lambda one: all(one.get(name) == wanted for name, wanted in limits.items())


class ListedCampaigns:
    """The campaigns of a list, as the stats table and the directory return them."""

    def __init__(self, entries: Iterable[dict[str, Any]]) -> None:
        self._all = [_summary(one) for one in sorted(entries, key=_started, reverse=True)]

    def entries(self) -> list[Entry]:
        return [entry for one in self._all if (entry := entry_of(one))]

    def summaries(self, campaigns: Sequence[str]) -> list[Aggregate]:
        known = {one.campaign: one for one in self._all}
        return [known[one] for one in campaigns if one in known]

    def ages(self, campaigns: Sequence[str]) -> list[dict[str, int]]:
        known = {one.campaign: one for one in self._all}
        return [_ages(known[one]) if one in known else {} for one in campaigns]

    def buckets(self, campaign: str, prefix: str) -> list[Aggregate]:
        return []  # without sends by time, a campaign's emails are as old as its first event

    @property
    def campaigns(self) -> "ListedCampaigns":
        return self

    def page(
        self, limit: int, cursor: str | None, can_see: Callable[[str], bool]
    ) -> tuple[list[Aggregate], str | None]:
        start = 0
        if cursor:
            start = 1 + [one.campaign for one in self._all].index(cursor)
        page = [one for one in self._all[start:] if can_see(one.campaign)][:limit]
        return page, page[-1].campaign if start + len(page) < len(self._all) else None


def _started(entry: dict[str, Any]) -> tuple[str, str]:
    return entry["first_event_at"] or "", entry["id"]


def _cursor(entry: dict[str, Any]) -> str:
    return str(entry["id"])


def _summary(entry: dict[str, Any]) -> Aggregate:
    is_current = entry["counts"]["readers"] is not None
    return Aggregate(
        campaign=entry["id"],
        part=SUMMARY,
        version=entry["version"],
        counts={name: count for name, count in entry["counts"].items() if count},
        first_event_at=entry["first_event_at"],
        last_event_at=entry["last_event_at"],
        subject=entry["subject"],
        sender=entry.get("sender"),
        tags=tuple(entry.get("tags", ())),
        is_test=entry.get("test", False),
        pace=pace_now(StoredPace(pace, pace["version"])) if (pace := entry.get("pace")) else None,
        current_updates=entry["version"] if is_current else 0,
    )


def _ages(summary: Aggregate) -> dict[str, int]:
    """Spread the unique human opens and clicks of a campaign over the ages that it has reached."""
    begun = datetime.fromisoformat(summary.first_event_at or "")
    reached = [
        one for one in AGE_EDGES_SECONDS if one <= (datetime.now(UTC) - begun).total_seconds()
    ]
    pace = 6 * 3600 * (1 + len(summary.campaign) % 5)
    shares = [1 - math.exp(-((age / pace) ** 0.6)) for age in reached]
    ages = {}
    for metric in AGE_METRICS:
        counted = [round(summary.counts.get(metric, 0) * share / shares[-1]) for share in shares]
        for number, (before, after) in enumerate(pairwise([0, *counted])):
            ages[age_counter(metric, number)] = after - before
    return ages


class Stage:
    """A running server.

    Attributes:
        url: the URL of the page.
        scene: may be replaced at any time.
        requests: the requests received so far.
        sign_in: the page's sign-in configuration; None without a sign-in.
        refuses: whether new connections are refused, as with a revoked share link.
        refused: the number of connections refused so far.
        serves_page: whether the page itself can be loaded.
    """

    def __init__(
        self, scene: Scene, url: str, websocket_url: str, sign_in: Authenticator | None = None
    ) -> None:
        self.scene = scene
        self.sign_in = sign_in
        self.url = url
        self.websocket_url = websocket_url
        self.requests: list[dict[str, Any]] = []
        self.refuses = False
        self.refused = 0
        self.serves_page = True
        self._connections: set[ServerConnection] = set()

    def push(self, topic: str, changes: dict[str, Any]) -> None:
        """Send a push to every connection."""
        frame = json.dumps({"id": topic, "changes": changes})
        for connection in list(self._connections):
            try:
                connection.send(frame)
            except ConnectionClosed:
                self._connections.discard(connection)

    def hang_up(self) -> None:
        """Close every connection, as API Gateway does after two hours."""
        for connection in list(self._connections):
            connection.close(1001, "going away")

    def admit(self, connection: ServerConnection, _: Handshake) -> Response | None:
        """Return the response that refuses a connection, or None."""
        if not self.refuses:
            return None
        self.refused += 1
        return connection.respond(HTTPStatus.UNAUTHORIZED, "Unauthorized\n")

    def speak(self, connection: ServerConnection) -> None:
        """Serve one connection until it closes."""
        self._connections.add(connection)
        try:
            for text in connection:
                request = json.loads(text)
                self.requests.append(request)
                time.sleep(self.scene.delay_seconds)
                for answer in () if self.scene.silent else self.scene.answers(request):
                    shared = {name: request.get(name) for name in ("request_id", "action")}
                    for frame in frames({**shared, **answer}):
                        connection.send(frame)
        except ConnectionClosed:
            pass
        finally:
            self._connections.discard(connection)


@contextmanager
def staged(scene: Scene, sign_in: Authenticator | None = None):
    """Serve the built page on loopback until the end of the block."""
    stage = Stage(scene, "", "", sign_in)
    sockets = serve(
        stage.speak,
        "127.0.0.1",
        0,
        process_request=stage.admit,
        subprotocols=["mailpulse.v1"],
        compression=None,
    )
    threading.Thread(target=sockets.serve_forever, daemon=True).start()
    stage.websocket_url = f"ws://127.0.0.1:{sockets.socket.getsockname()[1]}"
    pages = ThreadingHTTPServer(("127.0.0.1", 0), _pages(stage))
    pages.daemon_threads = True
    threading.Thread(target=pages.serve_forever, daemon=True).start()
    stage.url = f"http://127.0.0.1:{pages.server_port}/"
    try:
        yield stage
    finally:
        pages.shutdown()
        pages.server_close()
        sockets.shutdown()


def _pages(stage: Stage) -> type[BaseHTTPRequestHandler]:
    dist = manifest_path(STATIC).parent
    manifest = json.loads(manifest_path(STATIC).read_text())

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Headers and body are two packets: Nagle's algorithm would delay the second by 40 ms.
        disable_nagle_algorithm = True

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            if not stage.serves_page:
                self.close_connection = True
                return
            path = self.path.partition("?")[0]
            body, kind, cache = self._find(path)
            self.send_response(200 if body is not None else 404)
            packed = gzip.compress(body or b"Not found\n")
            headers = {"Content-Type": kind, "Cache-Control": cache, "Content-Encoding": "gzip"}
            for name, value in {**HEADERS, **headers, "Content-Length": str(len(packed))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(packed)

        def _find(self, path: str) -> tuple[bytes | None, str, str]:
            if path == "/":
                page = render(Site(stage.websocket_url, "demo", stage.sign_in), manifest)
                return page.encode(), "text/html; charset=utf-8", "no-cache"
            file = dist / path.lstrip("/")
            if not path.startswith("/assets/") or not file.is_file() or ".." in Path(path).parts:
                return None, "text/plain", "no-store"
            kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
            return file.read_bytes(), kind, "public, max-age=31536000, immutable"

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def ago(seconds: float) -> str:
    """Return the time this many seconds ago, in RFC 3339."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - seconds))
