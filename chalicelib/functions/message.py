"""Serve the requests of WebSocket connections. Every request gets a reply, even if invalid."""

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from itertools import islice
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from chalicelib import paging
from chalicelib.auth import authenticator
from chalicelib.auth.authenticator import Authenticator
from chalicelib.aws.client import Services, TimeLimit
from chalicelib.aws.client import services as aws_services
from chalicelib.config import Config, load
from chalicelib.errors import InvalidRequest, Unauthorized, trace
from chalicelib.facts.fact import ACTIVITY_TYPES, Fact
from chalicelib.facts.items import ACTIVITY_LANES
from chalicelib.facts.links import normalised
from chalicelib.facts.table import EventsTable
from chalicelib.live import messages
from chalicelib.live.frame_sender import FrameSender
from chalicelib.live.frames import Message, frames
from chalicelib.live.gateway import ManagementApi
from chalicelib.live.permissions import EVERYTHING, Connection, Permissions
from chalicelib.live.protocol import (
    HEALTH_TOPIC,
    LIST_TOPIC,
    Request,
    campaign_of,
    error_reply,
    parse_request,
)
from chalicelib.live.subscriptions import Subscriptions
from chalicelib.log import log
from chalicelib.stats.counters import Aggregate
from chalicelib.stats.table import StatsTable

# Facts read per reply: however rare the matches, the reply is timely and has a cursor.
_MOST_READ = 2000
# Page sizes: facts read at once from each lane of the activity index.
_LEAST_PAGE, _PAGE = 5, 100

# A position in a campaign's activity, as items.to_item writes it.
_PLACE = re.compile(r"[0-9-]{10}T[0-9:]{8}\.[0-9]{3}Z#[0-9a-f]{16}")

# For each type of activity, an hour's counters that are nonzero if the hour has such activity.
_COUNTERS_OF_TYPE = {
    "Open": ("opens",),
    "Click": ("clicks",),
    "Bounce": ("hard_bounces", "soft_bounces", "undetermined_bounces", "prevented"),
    "Complaint": ("complaints", "complaints_not_spam", "complaints_prevented"),
    "DeliveryDelay": ("delivery_delays",),
    "Reject": ("rejects",),
    "Rendering Failure": ("rendering_failures",),
    "Subscription": ("unsubscribes",),
}


class RequestHandler(Struct, frozen=True):
    """The message function; `sign_in` is None if the API requires no authentication."""

    stats_table: StatsTable
    events_table: EventsTable
    subscriptions: Subscriptions
    sign_in: Authenticator | None
    connections: ManagementApi
    frame_sender: FrameSender
    clock: Callable[[], float]

    def serve(self, connection: Connection, text: str) -> None:
        """Send the replies to one request; close a connection whose token has expired."""
        answers = 0
        try:
            for answer in self.answer(connection, text):
                outcome = self.frame_sender.to_one(connection, frames(answer))
                if outcome == "gone":
                    self.subscriptions.forget(connection.id)
                elif outcome == "failed" and "snapshot" in answer:
                    self.subscriptions.mark_behind(connection.id, answer["id"])
                if outcome != "sent":
                    log("reply_missed", connection=connection.id, outcome=outcome)
                    break
                answers += 1
        except Unauthorized as error:
            log("closed", connection=connection.id, reason=str(error))
            if error.reply is not None:
                self.frame_sender.to_one(connection, frames(error.reply))
            self.subscriptions.forget(connection.id)
            self.connections.close(connection.endpoint, connection.id)
        log("message", connection=connection.id, answers=answers)

    def answer(self, connection: Connection, text: str) -> Iterator[Message]:
        """Serve one request; yield its replies in order.

        Raises:
            Unauthorized: the connection's access has ended, and it must be closed; the error's
                `reply` is the reply to send.
        """
        try:
            request = parse_request(text)
        except InvalidRequest as error:
            yield error.reply or error_reply(error, None, None)
            return
        try:
            access = self._access(connection.id, request)
            yield from self._serve(replace(connection, access=access), request)
        except Unauthorized as error:
            error.reply = error_reply(InvalidRequest("forbidden", str(error)), *request.names)
            raise
        except InvalidRequest as error:
            yield error_reply(error, *request.names)
        except Exception as error:  # noqa: BLE001 - every request gets a reply
            log("request_failed", action=request.action, detail=trace(error))
            failure = InvalidRequest(
                "internal", "the request failed because of an internal error: try again"
            )
            yield error_reply(failure, *request.names)

    def _access(self, connection_id: str, request: Request) -> Permissions:
        """Return a connection's permissions; raise an error unless they allow the request."""
        if self.sign_in is None:
            return EVERYTHING
        access = self.sign_in.access(connection_id)
        if access.has_ended(self.clock()):
            raise Unauthorized(
                "the token of this connection has expired: reconnect with a new token"
            )
        access.require(request)
        return access

    def _serve(self, connection: Connection, request: Request) -> Iterator[Message]:
        access = connection.access
        match request.action:
            case "subscribe":
                # Subscribe before reading, so that changes in between are pushed.
                self.subscriptions.add(connection, request.topic)
                yield self._snapshot(request, request.topic, access)
            case "unsubscribe":
                self.subscriptions.remove(connection.id, request.topic)
                yield request.reply(id=request.topic)
            case "get":
                yield self._snapshot(request, request.topic, access)
            case "listCampaigns":
                yield self._campaigns(request, access)
            case "searchCampaigns":
                yield from _found(request, map(_campaign, self._search(request, access)))
            case "listActivity":
                yield from self._activity(request)
            case "listTimelines":
                yield from _found(request, map(self._timeline, request.campaigns))
            case "ping":
                yield from self._missed(connection, request)
                yield request.reply()
            case "authenticate":
                if self.sign_in is None:
                    raise InvalidRequest(
                        "unknown_action",
                        "sign-in is not enabled for this stage: do not send authenticate",
                    )
                self.sign_in.renew(connection, request.token)
                yield request.reply()

    def _missed(self, connection: Connection, request: Request) -> Iterator[Message]:
        for topic, mark in self.subscriptions.behind(connection.id):
            if connection.access.can_subscribe(topic):  # permissions may have just changed
                yield self._snapshot(request, topic, connection.access)
                # Reached only if the snapshot was sent: the consumer stops at a failed send.
                self.subscriptions.caught_up(connection.id, topic, mark)

    def _snapshot(self, request: Request, topic: str, access: Permissions) -> Message:
        if topic == LIST_TOPIC:
            seen = (one for one in self.stats_table.all_campaigns() if access.can_see(one.campaign))
            snapshot = messages.campaign_list(list(map(messages.campaign_entry, seen)))
        elif topic == HEALTH_TOPIC:
            snapshot = messages.health(self.stats_table.health(), access.can_see)
        else:
            campaign = campaign_of(topic) or ""
            snapshot = messages.campaign_snapshot(
                campaign,
                self.stats_table.summary(campaign),
                self.stats_table.shown(campaign),
            )
        return request.reply(id=topic, snapshot=snapshot)

    def _campaigns(self, request: Request, access: Permissions) -> Message:
        summaries, following = self.stats_table.campaigns(
            request.limit, request.cursor, access.can_see
        )
        reply = request.reply(results=list(map(_campaign, summaries)))
        return reply | ({"cursor": following} if following else {})

    def _search(self, request: Request, access: Permissions) -> Iterator[Aggregate]:
        wanted = request.query.casefold()
        matching = (
            summary
            for summary in self.stats_table.all_campaigns()
            if access.can_see(summary.campaign)
            and wanted in f"{summary.campaign}\n{summary.subject or ''}".casefold()
        )
        return islice(matching, request.limit)

    def _activity(self, request: Request) -> Iterator[Message]:
        found: list[Message] = []
        more: dict[str, str] = {}
        last = ""
        for read, (place, fact) in enumerate(self._activity_places(request)):
            if len(found) == request.limit or read == _MOST_READ:
                more = {"cursor": paging.seal(last)}
                break
            last = place
            if _is_wanted(fact, request):
                found.append(messages.activity(fact))
        yield from _found(request, found, **more)

    def _activity_places(self, request: Request) -> Iterator[tuple[str, Fact]]:
        """Yield a campaign's activity, newest first, with each fact's position, hour by hour."""
        before = paging.open_place(request.cursor, _PLACE)[0] if request.cursor else None
        # Each lane holds roughly its share of the results; a filter discards most facts read.
        limits = (request.type, request.engager, request.link, request.bounce_type)
        page = _PAGE if any(limits) else max(_LEAST_PAGE, 2 * request.limit // ACTIVITY_LANES)
        for hour in self.stats_table.hours(request.campaign):
            name = hour.part.removeprefix("hour#")
            if before is not None and name > before:
                continue
            types = [request.type] if request.type else ACTIVITY_TYPES
            if not any(
                hour.counts.get(counter) for kind in types for counter in _COUNTERS_OF_TYPE[kind]
            ):
                continue
            yield from self.events_table.activity(request.campaign, name, before, page)

    def _timeline(self, campaign: str) -> Message:
        return messages.campaign_timeline(campaign, *self.stats_table.timeline(campaign))


def build(
    config: Config, *, services: Services | None = None, clock: Callable[[], float] = time.time
) -> RequestHandler:
    """Build the function and its AWS clients."""
    dynamo = (services or aws_services(config, TimeLimit()))("dynamodb")
    subscriptions = Subscriptions(dynamo, config.subscriptions_table, clock=clock)
    connections = ManagementApi(config)
    return RequestHandler(
        StatsTable(dynamo, config.stats_table, clock=clock),
        EventsTable(dynamo, config.events_table, retention_days=config.retention_days, clock=clock),
        subscriptions,
        authenticator.build(config, dynamo, subscriptions, clock),
        connections,
        FrameSender(connections, clock=clock),
        clock,
    )


@cache
def function() -> RequestHandler:
    """Return this process's function, configured from the environment."""
    return build(load())


def handler(event: Mapping[str, Any]) -> None:
    """Serve one request of a WebSocket connection."""
    function().serve(Connection.of(event["requestContext"]), event.get("body") or "")


def _is_wanted(fact: Fact, request: Request) -> bool:
    """Return whether a fact matches a request's filters."""
    bounce_type, subtype = fact.bounce_kind if fact.type == "Bounce" else (None, None)
    return (
        request.type in (None, fact.type)
        and request.engager in (None, fact.engager)
        and (request.link is None or request.link in (fact.link_id, normalised(fact.link or "")))
        and request.bounce_type in (None, bounce_type)
        and request.bounce_subtype in (None, subtype)
    )


def _campaign(summary: Aggregate) -> Message:
    return {"$type": "Campaign", **messages.campaign_entry(summary)}


def _found(request: Request, results: Iterable[Message], **more: str) -> Iterator[Message]:
    """Yield results in one reply, or one reply per result if the request asks for a stream."""
    if not request.stream:
        yield request.reply(results=list(results), **more)
        return
    for result in results:
        yield request.reply(result=result)
    yield request.reply(done=True, **more)
