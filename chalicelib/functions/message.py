"""Serve the requests of WebSocket connections. Every request gets a reply, even if invalid."""

import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from chalicelib import paging
from chalicelib.auth import authenticator
from chalicelib.auth.authenticator import Authenticator
from chalicelib.auth.share_links import Shares, Sharing
from chalicelib.auth.share_requests import ShareRequests
from chalicelib.aws.client import Services, TimeLimit
from chalicelib.aws.client import services as aws_services
from chalicelib.config import Config, load
from chalicelib.errors import InvalidRequest, Unauthorized, trace
from chalicelib.facts.fact import ACTIVITY_TYPES, Fact
from chalicelib.facts.links import normalised
from chalicelib.facts.table import EventsTable
from chalicelib.live import messages
from chalicelib.live.activity import Activity
from chalicelib.live.campaign_lists import CampaignLists
from chalicelib.live.frame_sender import FrameSender
from chalicelib.live.frames import Message, frames
from chalicelib.live.gateway import ManagementApi
from chalicelib.live.permissions import EVERYTHING, Connection, Permissions
from chalicelib.live.protocol import (
    CAMPAIGN_TOPIC_PREFIX,
    LIST_TOPIC,
    Request,
    error_reply,
    parse_request,
)
from chalicelib.live.recipient_lists import RecipientLists
from chalicelib.live.snapshots import Snapshots
from chalicelib.live.subscriptions import Subscriptions
from chalicelib.log import log
from chalicelib.recipients.table import RecipientsIndex
from chalicelib.stats.directory_table import Directory
from chalicelib.stats.notes import Note, Notes, added, removed
from chalicelib.stats.table import StatsTable

if TYPE_CHECKING:
    from chalicelib.live.usual import UsualCounts

# Facts read per reply: however rare the matches, the reply is timely and has a cursor.
_MOST_READ = 2000
# Pages of activity read at once: more if a filter discards most entries.
_PAGES, _FILTERED_PAGES = 25, 200

# A position in a campaign's activity, as stats/activity.py defines it.
_PLACE = re.compile(r"[0-9-]{10}T[0-9:]{8}\.[0-9]{3}Z#[0-9a-f]{16}")


class RequestHandler(Struct, frozen=True):
    """The message function.

    Attributes:
        usual_counts: returns this process's reader of usual counts.
        sign_in: None if there are neither users nor share links.
    """

    stats_table: StatsTable
    snapshots: Snapshots
    campaign_lists: CampaignLists
    recipient_lists: RecipientLists
    usual_counts: "Callable[[], UsualCounts]"
    share_requests: ShareRequests
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
        serve: dict[str, Callable[[Connection, Request], Iterable[Message]]] = {
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
            "get": self._get,
            "listCampaigns": self._list_campaigns,
            "searchCampaigns": self._search_campaigns,
            "listActivity": self._list_activity,
            "listTimelines": self._list_timelines,
            "compare": self._compare,
            "compareVariants": self._compare_variants,
            "getUsual": self._get_usual,
            "setAlarms": self._set_alarms,
            **dict.fromkeys(("createShare", "listShares", "revokeShare"), self._share),
            "addNote": self._add_note,
            "removeNote": self._remove_note,
            "listRecipients": self._recipients,
            "recipientHistory": self._recipients,
            "ping": self._ping,
            "attend": self._attend,
            "authenticate": self._authenticate,
        }
        yield from serve[request.action](connection, request)

    def _subscribe(self, connection: Connection, request: Request) -> Iterator[Message]:
        # Subscribe before reading, so that changes in between are pushed.
        self.subscriptions.add(connection, request.topic, request.on_screen)
        yield from self._get(connection, request)

    def _unsubscribe(self, connection: Connection, request: Request) -> Iterator[Message]:
        self.subscriptions.remove(connection.id, request.topic)
        yield request.reply(id=request.topic)

    def _get(self, connection: Connection, request: Request) -> Iterator[Message]:
        yield self._snapshot(connection, request, request.topic)

    def _ping(self, connection: Connection, request: Request) -> Iterator[Message]:
        for topic, mark in self.subscriptions.behind(connection.id):
            if connection.access.can_subscribe(topic):  # permissions may have just changed
                yield self._snapshot(connection, request, topic, replaces_pushes=True)
                # Reached only if the snapshot was sent: the consumer stops at a failed send.
                self.subscriptions.caught_up(connection.id, topic, mark)
        yield request.reply()

    def _attend(self, connection: Connection, request: Request) -> Iterator[Message]:
        before = self.subscriptions.attend(connection.id, request.level)
        if before == "hidden" != request.level:
            # Nothing was pushed meanwhile.
            for topic in self.subscriptions.topics(connection.id):
                if connection.access.can_subscribe(topic):
                    yield self._snapshot(connection, request, topic, replaces_pushes=True)
        yield request.reply()

    def _authenticate(self, connection: Connection, request: Request) -> Iterator[Message]:
        if self.sign_in is None or self.sign_in.config.issuer is None:
            raise InvalidRequest(
                "unknown_action",
                "sign-in is not enabled for this stage: do not send authenticate",
            )
        self.sign_in.renew(connection, request.token)
        yield request.reply()

    def _snapshot(
        self, connection: Connection, request: Request, topic: str, *, replaces_pushes: bool = False
    ) -> Message:
        on_screen = self.subscriptions.on_screen(connection.id) if topic == LIST_TOPIC else ()
        snapshot = self.snapshots.of(
            topic, connection.access, on_screen, replaces_pushes=replaces_pushes
        )
        return request.reply(id=topic, snapshot=snapshot)

    def _list_campaigns(self, connection: Connection, request: Request) -> Iterator[Message]:
        entries, more = self.campaign_lists.listed(request, connection.access)
        yield from _found(request, entries, **more)

    def _search_campaigns(self, connection: Connection, request: Request) -> Iterator[Message]:
        yield from _found(request, self.campaign_lists.search(request, connection.access))

    def _list_activity(self, _: Connection, request: Request) -> Iterator[Message]:
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
        limits = (request.type, request.engager, request.link, request.bounce_type)
        return self.snapshots.activity.places(
            request.campaign,
            types=[request.type] if request.type else ACTIVITY_TYPES,
            before=paging.open_place(request.cursor, _PLACE)[0] if request.cursor else None,
            most=_FILTERED_PAGES if any(limits) else _PAGES,
        )

    def _recipients(self, _: Connection, request: Request) -> Iterator[Message]:
        yield from self.recipient_lists.answer(request)

    def _list_timelines(self, _: Connection, request: Request) -> Iterator[Message]:
        timeline = self._opened_hours if request.of_hours else self._timeline
        yield from _found(request, map(timeline, request.campaigns))

    def _compare(self, _: Connection, request: Request) -> Iterator[Message]:
        from chalicelib.live.comparison import compare  # few sessions need its statistics

        now = datetime.fromtimestamp(self.clock(), UTC)
        reply = request.reply(**compare(self.stats_table, request.campaigns, now))
        try:
            frames(reply)
        except ValueError as error:
            raise InvalidRequest(
                "too_large", "the names of these campaigns are too long: compare fewer"
            ) from error
        yield reply

    def _compare_variants(self, _: Connection, request: Request) -> Iterator[Message]:
        from chalicelib.live.comparison import compare_variants  # as above

        yield request.reply(**compare_variants(self.stats_table, request.campaign, request.tag))

    def _get_usual(self, _: Connection, request: Request) -> Iterator[Message]:
        now = datetime.fromtimestamp(self.clock(), UTC)
        usual = self.usual_counts().of(request.campaign, now)
        yield request.reply(id=CAMPAIGN_TOPIC_PREFIX + request.campaign, **usual)

    def _set_alarms(self, _: Connection, request: Request) -> Iterator[Message]:
        if request.campaign:
            campaign = {"id": CAMPAIGN_TOPIC_PREFIX + request.campaign}
            stored = self.stats_table.remarks.change_alarm_settings(
                request.alarms, request.campaign
            )
            settings = messages.alarm_settings("campaign", stored)
        else:
            campaign = {}
            stored = self.stats_table.remarks.change_alarm_settings(request.alarms)
            settings = messages.alarm_settings("all", stored)
        yield request.reply(**campaign, alarms=[settings])

    def _share(self, connection: Connection, request: Request) -> Iterator[Message]:
        yield self.share_requests.answer(request, connection.access)

    def _add_note(self, connection: Connection, request: Request) -> Iterator[Message]:
        identity = os.urandom(8).hex()
        note = Note(request.at, request.text, connection.access.name)
        now = int(self.clock())
        yield self._change_notes(request, identity, lambda notes: added(notes, identity, note, now))

    def _remove_note(self, _: Connection, request: Request) -> Iterator[Message]:
        now = int(self.clock())
        yield self._change_notes(
            request, request.note, lambda notes: removed(notes, request.note, now)
        )

    def _change_notes(
        self, request: Request, identity: str, change: Callable[[Notes], Notes]
    ) -> Message:
        stored = self.stats_table.remarks.change_notes(request.campaign, change)
        changed = [one for one in messages.notes(stored) if one["note"] == identity]
        return request.reply(id=CAMPAIGN_TOPIC_PREFIX + request.campaign, notes=changed)

    def _opened_hours(self, campaign: str) -> Message:
        return messages.opened_hours(campaign, self.stats_table.buckets(campaign, "hour#"))

    def _timeline(self, campaign: str) -> Message:
        return messages.campaign_timeline(campaign, *self.stats_table.timeline(campaign))


def build(
    config: Config, *, services: Services | None = None, clock: Callable[[], float] = time.time
) -> RequestHandler:
    """Build the function and its AWS clients."""
    dynamo = (services or aws_services(config, TimeLimit()))("dynamodb")
    subscriptions = Subscriptions(dynamo, config.subscriptions_table, clock=clock)
    connections = ManagementApi(config)
    stats_table = StatsTable(dynamo, config.stats_table, clock=clock)
    events_table = EventsTable(
        dynamo, config.events_table, retention_days=config.retention_days, clock=clock
    )
    recipients = RecipientsIndex(
        dynamo, config.stats_table, retention_days=config.retention_days, clock=clock
    )
    directory = Directory(dynamo, config.stats_table, stats_table)

    sharing = Sharing(
        Shares(dynamo, config.subscriptions_table, clock=clock),
        subscriptions,
        connections,
        authenticator.share_signer(config, clock),
    )

    @cache
    def usual_counts() -> "UsualCounts":
        from chalicelib.live.usual import UsualCounts  # few sessions need its statistics

        return UsualCounts(stats_table, directory)

    return RequestHandler(
        stats_table,
        Snapshots(stats_table, Activity(stats_table, events_table), clock),
        CampaignLists(
            stats_table,
            directory,
            tag_names=config.breakdown_tags,
            clock=clock,
        ),
        RecipientLists(stats_table, events_table, recipients),
        usual_counts,
        ShareRequests(sharing if config.share_key else None, clock),
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


def _found(request: Request, results: Iterable[Message], **more: Any) -> Iterator[Message]:
    """Yield results in one reply, or one reply per result if the request asks for a stream."""
    if not request.stream:
        yield request.reply(results=list(results), **more)
        return
    for result in results:
        yield request.reply(result=result)
    yield request.reply(done=True, **more)
