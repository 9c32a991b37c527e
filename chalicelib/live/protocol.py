"""Parse and validate WebSocket requests, and compose the replies to invalid ones.

The protocol is specified in docs/asyncapi.yaml; tests/messages/ has an example of each message.
"""

import json
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Any, Literal, cast, get_args

from msgspec import Struct

from chalicelib.errors import InvalidRequest
from chalicelib.facts.fact import ACTIVITY_TYPES, Class
from chalicelib.facts.reputation import BOUNCE_TYPES
from chalicelib.live.frames import MAX_FRAME_BYTES, Message
from chalicelib.recipients.audience import IN_STATE
from chalicelib.ses.event import MAX_ID
from chalicelib.stats.counters import COUNTERS, RATES, Aggregate
from chalicelib.stats.directory import Entry
from chalicelib.stats.incidents import ALARM_KINDS, NO_QUIET_HOURS
from chalicelib.stats.quiet_hours import QuietHours, is_time_of_day, zone_of
from chalicelib.stats.search import folded
from chalicelib.stats.tags import tag

MAX_QUERY_LENGTH = 200
MAX_LIMIT = 100
MAX_RECIPIENT_LENGTH = 320  # of an email address
MAX_TAG_NAME_LENGTH = 256  # SES's limit
MAX_TIMELINES = 25
MAX_NOTE_LENGTH = 280
MIN_COMPARED, MAX_COMPARED = 2, 6
MAX_ON_SCREEN = 200
DEFAULT_LIMIT = 50
MAX_SHARE_DAYS = 366
DEFAULT_SHARE_DAYS = 30
MAX_SHARE_ID_LENGTH = 100
MAX_SHARE_NAME_LENGTH = 80

LIST_TOPIC = "stats/email-campaigns"
HEALTH_TOPIC = "stats/health"
CAMPAIGN_TOPIC_PREFIX = "stats/email-campaign/"

_MOMENT = "%Y-%m-%dT%H:%M:%SZ"
# Categories of Unicode: control characters, separators of lines, and of paragraphs, and surrogates,
# which are no characters: arguments of commands that are not UTF-8 contain them.
_CONTROL = ("Cc", "Zl", "Zp", "Cs")


class Listing(Struct, frozen=True):
    """The order and the filters of listCampaigns.

    Attributes:
        sort: a counter, a rate, `pace`, `first_event_at` or `last_event_at`; None for the default
            order.
        since, until: dates between which the first event was, both included.
        sender: a part of the sender's name, in any case.
        tag: a tag of the campaign's emails, such as `variant=b`.
        query: words to search for (stats/search.py); empty for all campaigns.
        tests: `shown` or `hidden`.
        totals: whether the reply has the sums of all campaigns that match.
    """

    sort: str | None = None
    order: str = "desc"
    since: str | None = None
    until: str | None = None
    sender: str | None = None
    tag: str | None = None
    query: str = ""
    tests: str = "hidden"
    totals: bool = False

    @property
    def is_filtered(self) -> bool:
        """Whether some campaigns may not match."""
        return bool(self.since or self.until or self.sender or self.tag or self.query)

    def matches(self, entry: Entry) -> bool:
        """Return whether a campaign passes the filters, besides the query."""
        day = entry.first_event_at[:10]
        if (self.since and day < self.since) or (self.until and day > self.until):
            return False
        if self.tag is not None and self.tag not in entry.tags:
            return False
        return self.sender is None or folded(self.sender) in folded(entry.sender or "")

    def hides(self, campaign: Entry | Aggregate) -> bool:
        """Return whether a campaign is left out because it is a test."""
        return campaign.is_test and self.tests == "hidden"


Level = Literal["active", "visible", "hidden"]
"""How closely a viewer follows: pushes every second, every few seconds, or none."""


class Request(Struct, frozen=True):
    """A valid request; fields that the action does not use have their defaults.

    Attributes:
        topic: of subscribe, unsubscribe and get.
        campaign: of listActivity, listRecipients, recipientHistory, compareVariants, getUsual,
            createShare, listShares, addNote and removeNote; of setAlarms, empty for all campaigns.
        campaigns: of listTimelines and compare.
        of_hours: of listTimelines, whether to return the hours of human opens.
        type, engager, link, bounce_type, bounce_subtype: filters of listActivity; None for no
            filter. `link` and the bounce filters take the values that a snapshot lists; `link`
            takes a link's id or URL.
        state: filter of listRecipients, one of audience.IN_STATE.
        recipient: of recipientHistory, an address or a pseudonym.
        tag: of compareVariants, the name of a message tag.
        cursor: the cursor of a previous reply, or None.
        listing: of listCampaigns.
        on_screen: of subscribe to the list, the campaigns whose changes to push; None for all.
        level: of attend.
        token: of authenticate.
        alarms: of setAlarms, the settings to change; None restores a default.
        days: of createShare, the number of days until the link expires.
        name: of createShare, the link's name; empty for none.
        share: of revokeShare, the link's id.
        at: of addNote, the moment that the note is about: RFC 3339, UTC.
        text: of addNote.
        note: of removeNote, the id of the note.
    """

    action: str
    request_id: str | int | float | None
    topic: str = ""
    campaign: str = ""
    campaigns: tuple[str, ...] = ()
    of_hours: bool = False
    query: str = ""
    type: str | None = None
    engager: str | None = None
    link: str | None = None
    bounce_type: str | None = None
    bounce_subtype: str | None = None
    state: str = "all"
    recipient: str = ""
    tag: str = ""
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None
    stream: bool = False
    listing: Listing = Listing()
    on_screen: frozenset[str] | None = None
    level: Level = "active"
    token: str = ""
    alarms: Mapping[str, Any] = {}
    days: int = DEFAULT_SHARE_DAYS
    name: str = ""
    share: str = ""
    at: str = ""
    text: str = ""
    note: str = ""

    def __repr__(self) -> str:
        """Return the action and the request id, without the token."""
        return f"Request({self.action!r}, {self.request_id!r})"

    @property
    def names(self) -> tuple[str | int | float | None, str]:
        """The request id and the action, which each reply echoes."""
        return self.request_id, self.action

    def reply(self, **members: Any) -> Message:
        """Build a reply to this request."""
        return {"request_id": self.request_id, "action": self.action, **members}


def parse_request(text: str) -> Request:
    """Parse and validate a request.

    Raises:
        InvalidRequest: the request is invalid; the error's `reply` is the reply to send.
    """
    value: Any = None
    try:
        value = _json(text)
        return _request(value)
    except InvalidRequest as error:
        error.reply = error_reply(error, *_names(value))
        raise


def error_reply(error: InvalidRequest, request_id: Any, action: Any) -> Message:
    """Build the error reply to a request."""
    return {
        "request_id": request_id,
        "action": action,
        "error": {"code": error.code, "message": str(error)},
    }


def campaign_of(topic: str) -> str | None:
    """Return the campaign of a topic; None for the campaign list and the pipeline's health.

    Raises:
        InvalidRequest: the topic does not exist.
    """
    if topic in (LIST_TOPIC, HEALTH_TOPIC):
        return None
    campaign = topic.removeprefix(CAMPAIGN_TOPIC_PREFIX)
    if campaign == topic or campaign != campaign.strip() or not campaign:
        raise InvalidRequest(
            "not_found",
            f"unknown topic {topic[:100]!r}: use {LIST_TOPIC}, "
            f"{CAMPAIGN_TOPIC_PREFIX}<campaign id>, or {HEALTH_TOPIC}",
        )
    if len(campaign.encode()) > MAX_ID:
        raise InvalidRequest(
            "too_large",
            f"the campaign id has {len(campaign.encode())} bytes: the maximum is {MAX_ID}",
        )
    return campaign


def _json(text: str) -> dict[str, Any]:
    size = len(text.encode("utf-8", "replace"))
    if size > MAX_FRAME_BYTES:
        raise InvalidRequest(
            "too_large", f"the message has {size} bytes: the maximum is {MAX_FRAME_BYTES}"
        )
    try:
        value = json.loads(text)
        # Reject values that JSON cannot represent (NaN, lone surrogates): a reply may echo them.
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(
            "bad_json",
            f"invalid JSON ({error}): send a JSON object such as " + '{"action": "ping"}',
        ) from error
    if not isinstance(value, dict):
        raise InvalidRequest("bad_json", f"{text[:100]} is not a JSON object: send an object")
    return value


def _names(value: Any) -> tuple[Any, Any]:
    """Return request_id and action; None for either that cannot be echoed."""
    if not isinstance(value, dict):
        return None, None
    request_id, action = value.get("request_id"), value.get("action")
    return (
        request_id if _is_request_id(request_id) else None,
        action[:100] if isinstance(action, str) else None,
    )


def _is_request_id(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= 200  # noqa: PLR2004 - it is echoed in every frame of the reply
    return isinstance(value, int | float) and not isinstance(value, bool)


_FIELDS = {
    "subscribe": ("topic", "on_screen"),
    "unsubscribe": ("topic",),
    "get": ("topic",),
    "listCampaigns": ("limit", "cursor", "listing", "stream"),
    "searchCampaigns": ("query", "limit", "stream"),
    "listActivity": (
        "campaign",
        "type",
        "engager",
        "link",
        "bounce_type",
        "bounce_subtype",
        "limit",
        "cursor",
        "stream",
    ),
    "listTimelines": ("campaigns", "of_hours", "stream"),
    "compare": ("campaigns",),
    "compareVariants": ("campaign", "tag"),
    "getUsual": ("campaign",),
    "setAlarms": ("campaign_or_all", "alarms"),
    "createShare": ("campaign", "days", "name"),
    "listShares": ("campaign",),
    "revokeShare": ("share",),
    "addNote": ("campaign", "at", "text"),
    "removeNote": ("campaign", "note"),
    "listRecipients": ("campaign", "state", "limit", "cursor", "stream"),
    "recipientHistory": ("campaign", "recipient"),
    "ping": (),
    "attend": ("level",),
    "authenticate": ("token",),
}


def _request(value: dict[str, Any]) -> Request:
    request_id = value.get("request_id")
    if request_id is not None and not _is_request_id(request_id):
        raise _invalid("request_id", "a number or a string of at most 200 characters", request_id)
    action = value.get("action")
    if not isinstance(action, str) or action not in _FIELDS:
        raise InvalidRequest(
            "unknown_action",
            f"unknown action {_shown(action)}: use one of {', '.join(_FIELDS)}",
        )
    read: dict[str, Any] = {name: _READERS[name](value) for name in _FIELDS[action]}
    if "campaign_or_all" in read:
        read["campaign"] = read.pop("campaign_or_all")
    return Request(action=action, request_id=request_id, **read)


def _topic(value: dict[str, Any]) -> str:
    topic = value.get("id")
    if not isinstance(topic, str):
        raise _invalid("id", f"a topic such as {LIST_TOPIC}", topic)
    campaign_of(topic)
    return topic


def _campaign(value: dict[str, Any]) -> str:
    return _campaign_topic("id", value.get("id"))


def _campaign_or_all(value: dict[str, Any]) -> str:
    """Return a campaign, or an empty text for all campaigns."""
    return "" if value.get("id") is None else _campaign(value)


def _campaigns(value: dict[str, Any]) -> tuple[str, ...]:
    topics = value.get("ids")
    is_comparison = value["action"] == "compare"
    least, most = (MIN_COMPARED, MAX_COMPARED) if is_comparison else (1, MAX_TIMELINES)
    if not isinstance(topics, list) or not least <= len(topics) <= most:
        raise _invalid("ids", f"{least} to {most} campaign topics", topics)
    campaigns = tuple(_campaign_topic("ids", topic) for topic in topics)
    if is_comparison and len({*campaigns}) < len(campaigns):
        raise _invalid("ids", "different campaign topics", topics)
    return campaigns


def _of_hours(value: dict[str, Any]) -> bool:
    resolution = value.get("resolution")
    if resolution not in (None, "hour"):
        raise _invalid("resolution", '"hour", or left out', resolution)
    return resolution is not None


def _campaign_topic(name: str, topic: Any) -> str:
    campaign = campaign_of(topic) if isinstance(topic, str) else None
    if campaign is None:
        raise _invalid(name, f"a campaign topic, {CAMPAIGN_TOPIC_PREFIX}<id>", topic)
    return campaign


def _on_screen(value: dict[str, Any]) -> frozenset[str] | None:
    campaigns = value.get("campaigns")
    if campaigns is None:
        return None
    if value.get("id") != LIST_TOPIC:
        raise _invalid("campaigns", f"left out, except with {LIST_TOPIC}", campaigns)
    if (
        not isinstance(campaigns, list)
        or len(campaigns) > MAX_ON_SCREEN
        or not all(isinstance(one, str) and 0 < len(one.encode()) <= MAX_ID for one in campaigns)
    ):
        raise _invalid("campaigns", f"at most {MAX_ON_SCREEN} campaign IDs", campaigns)
    return frozenset(campaigns)


def _query(value: dict[str, Any]) -> str:
    query = value.get("query")
    if isinstance(query, str) and len(query) > MAX_QUERY_LENGTH:
        raise InvalidRequest(
            "too_large", f"the query has {len(query)} characters: the maximum is {MAX_QUERY_LENGTH}"
        )
    if not isinstance(query, str):
        raise _invalid("query", f"a string of at most {MAX_QUERY_LENGTH} characters", query)
    return query.strip()


def _one_of(name: str, values: Iterable[str]) -> Callable[[dict[str, Any]], str | None]:
    choices = tuple(values)

    def read(value: dict[str, Any]) -> str | None:
        found = value.get(name)
        if found is not None and found not in choices:
            raise _invalid(name, f"one of {', '.join(choices)}", found)
        return found

    return read


def _text(name: str, expected: str) -> Callable[[dict[str, Any]], str | None]:
    def read(value: dict[str, Any]) -> str | None:
        text = value.get(name)
        if text is not None and not isinstance(text, str):
            raise _invalid(name, expected, text)
        return text

    return read


def _state(value: dict[str, Any]) -> str:
    return _one_of("state", IN_STATE)(value) or "all"


def _recipient(value: dict[str, Any]) -> str:
    recipient = value.get("recipient")
    if not isinstance(recipient, str) or not 1 <= len(recipient) <= MAX_RECIPIENT_LENGTH:
        # Do not echo any part of the value: it may be an address.
        raise InvalidRequest(
            "invalid_request",
            "recipient must be a recipient of listRecipients, "
            f"a string of at most {MAX_RECIPIENT_LENGTH} characters",
        )
    return recipient


def _tag_name(value: dict[str, Any]) -> str:
    name = value.get("tag")
    if not isinstance(name, str) or not 1 <= len(name) <= MAX_TAG_NAME_LENGTH:
        raise _invalid("tag", "the name of a message tag, such as variant", name)
    return name


def _number(name: str, default: int, most: int) -> Callable[[dict[str, Any]], int]:
    def read(value: dict[str, Any]) -> int:
        number = value.get(name, default)
        if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= most:
            raise _invalid(name, f"an integer from 1 to {most}", number)
        return number

    return read


def _cursor(value: dict[str, Any]) -> str | None:
    cursor = value.get("cursor")
    if cursor is not None and not isinstance(cursor, str):
        raise _invalid("cursor", "the cursor of an earlier reply", cursor)
    return cursor


def _token(value: dict[str, Any]) -> str:
    token = value.get("token")
    if not isinstance(token, str):
        # Do not echo any part of the value: it may be a secret.
        raise InvalidRequest("invalid_request", "token must be a JSON Web Token (a string)")
    return token


def share_name(value: Any) -> str:
    """Return the name of a share link without surrounding space; empty for none.

    Raises:
        InvalidRequest: the name is no string, too long, or has a control character. The error does
            not contain the name, because it may be a person's.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InvalidRequest(
            "invalid_request",
            f"name must be a string of at most {MAX_SHARE_NAME_LENGTH} characters, or left out",
        )
    name: str = value.strip()
    if len(name) > MAX_SHARE_NAME_LENGTH:
        raise InvalidRequest(
            "too_large",
            f"the name has {len(name)} characters: shorten it to {MAX_SHARE_NAME_LENGTH} or fewer",
        )
    for position, one in enumerate(name, 1):
        if unicodedata.category(one) in _CONTROL:
            raise InvalidRequest(
                "invalid_request",
                f"character {position} of the name is U+{ord(one):04X}: remove it, names are one "
                "line without control characters",
            )
    return name


def _share(value: dict[str, Any]) -> str:
    share = value.get("share")
    if not isinstance(share, str) or not 1 <= len(share) <= MAX_SHARE_ID_LENGTH:
        raise _invalid("share", "the ID of a share link of listShares", share)
    return share


def _alarms(value: dict[str, Any]) -> dict[str, Any]:
    read = {name: one for name, one in _ALARMS.items() if name in value}
    if not read:
        raise InvalidRequest("invalid_request", f"set at least one of {', '.join(_ALARMS)}")
    if "test" in read and value.get("id") is None:
        raise _invalid("test", "left out without the id of a campaign", value["test"])
    return {name: one(value) for name, one in read.items()}


def _kinds(value: dict[str, Any]) -> list[str] | None:
    kinds = value["kinds"]
    if kinds is not None and not (
        isinstance(kinds, list)
        and all(isinstance(one, str) and one in ALARM_KINDS for one in kinds)
    ):
        raise _invalid("kinds", f"null or a list of some of {', '.join(ALARM_KINDS)}", kinds)
    return None if kinds is None else sorted(set(kinds))


def _snooze_until(value: dict[str, Any]) -> str | None:
    until: str | None = value["snooze_until"]
    if until is not None and not _is_moment(until):
        raise _invalid("snooze_until", "null or a time such as 2026-11-23T10:00:00Z", until)
    return until


def _at(value: dict[str, Any]) -> str:
    at = value.get("at")
    if not isinstance(at, str) or not _is_moment(at):
        raise _invalid("at", "a time such as 2026-11-23T10:00:00Z", at)
    return at


def _is_moment(value: Any) -> bool:
    try:
        at = datetime.strptime(value, _MOMENT)  # noqa: DTZ007 - Z is UTC
    except (TypeError, ValueError):
        return False
    # strptime reads 2026-1-2, too, which cannot be sorted as text.
    return bool(at.strftime(_MOMENT) == value)


def _note_text(value: dict[str, Any]) -> str:
    text = value.get("text")
    text = text.strip() if isinstance(text, str) else ""
    is_valid = 1 <= len(text) <= MAX_NOTE_LENGTH
    if not is_valid or any(unicodedata.category(one) in _CONTROL for one in text):
        # Do not echo any part of the value: it is written for colleagues.
        raise InvalidRequest(
            "invalid_request",
            f"text must be a string of 1 to {MAX_NOTE_LENGTH} characters, in one line and without "
            "control characters",
        )
    return text


def _note(value: dict[str, Any]) -> str:
    note = value.get("note")
    if not isinstance(note, str) or not 1 <= len(note) <= MAX_ID:
        raise _invalid("note", "the id of a note of a snapshot", note)
    return note


def _quiet(value: dict[str, Any]) -> QuietHours | Literal["none"] | None:
    quiet = value["quiet"]
    if quiet is None or quiet == NO_QUIET_HOURS:
        return NO_QUIET_HOURS if quiet else None
    if not isinstance(quiet, dict):
        example = '{"from": "22:00", "to": "07:00", "zone": "Europe/Zurich"}'
        raise _invalid("quiet", f'null, "{NO_QUIET_HOURS}" or quiet hours such as {example}', quiet)
    begin, end = (_time_of_day(quiet, name) for name in ("from", "to"))
    if begin == end:
        raise _invalid("quiet.to", "another time than quiet.from", end)
    zone: Any = quiet.get("zone")
    try:
        zone_of(zone)
    except (TypeError, ValueError) as error:
        raise _invalid(
            "quiet.zone", "a time zone such as Europe/Zurich, or an offset such as UTC+01:00", zone
        ) from error
    critical = quiet.get("except_critical", True)
    if not isinstance(critical, bool):
        raise _invalid("quiet.except_critical", "true or false", critical)
    return QuietHours(begin, end, zone, critical)


def _time_of_day(quiet: dict[str, Any], name: str) -> str:
    found = quiet.get(name)
    if not isinstance(found, str) or not is_time_of_day(found):
        raise _invalid(f"quiet.{name}", "a time of day such as 22:00", found)
    return found


def _listing(value: dict[str, Any]) -> Listing:
    read = {name: _LISTING[name](value) for name in _LISTING}
    since, until = read["from"], read["to"]
    if since and until and since > until:
        raise _invalid("to", f"a date that is not before {since}", until)
    order = read["order"] or "desc"
    totals = _flag(value, "totals")
    query = _query(value) if value.get("query") is not None else ""
    tests = read["tests"] or "hidden"
    return Listing(
        read["sort"], order, since, until, read["sender"], read["tag"], query, tests, totals
    )


def _date(name: str) -> Callable[[dict[str, Any]], str | None]:
    def read(value: dict[str, Any]) -> str | None:
        found = value.get(name)
        if found is not None and not _is_date(found):
            raise _invalid(name, "a date such as 2026-11-23", found)
        return found

    return read


def _is_date(value: Any) -> bool:
    try:
        # fromisoformat reads 2026-W48-1, too, which cannot be compared as text.
        return bool(date.fromisoformat(value).isoformat() == value)
    except (TypeError, ValueError):
        return False


def _tag(value: dict[str, Any]) -> str | None:
    found = value.get("tag")
    if found is None:
        return None
    name, _, of_name = found.partition("=") if isinstance(found, str) else ("", "", "")
    if not name.strip() or not of_name.strip():
        raise _invalid("tag", "a message tag and its value, such as variant=b", found)
    return tag(name.strip(), of_name.strip())


def _level(value: dict[str, Any]) -> Level:
    level: Any = value.get("level")
    if level not in get_args(Level):
        raise _invalid("level", f"one of {', '.join(get_args(Level))}", level)
    return cast("Level", level)


def _stream(value: dict[str, Any]) -> bool:
    return _flag(value, "stream")


def _flag(value: dict[str, Any], name: str) -> bool:
    flag = value.get(name, False)
    if not isinstance(flag, bool):
        raise _invalid(name, "true or false", flag)
    return flag


_LISTING = {
    "sort": _one_of("sort", (*COUNTERS, *RATES, "pace", "first_event_at", "last_event_at")),
    "order": _one_of("order", ("asc", "desc")),
    "from": _date("from"),
    "to": _date("to"),
    "sender": _text("sender", "a part of the sender's name"),
    "tag": _tag,
    "tests": _one_of("tests", ("hidden", "shown")),
}

_ALARMS: Mapping[str, Callable[[dict[str, Any]], Any]] = {
    "kinds": _kinds,
    "snooze_until": _snooze_until,
    "test": lambda value: _flag(value, "test"),
    "quiet": _quiet,
}

_READERS = {
    "at": _at,
    "text": _note_text,
    "note": _note,
    "alarms": _alarms,
    "campaign_or_all": _campaign_or_all,
    "listing": _listing,
    "on_screen": _on_screen,
    "topic": _topic,
    "campaign": _campaign,
    "query": _query,
    "campaigns": _campaigns,
    "of_hours": _of_hours,
    "type": _one_of("type", ACTIVITY_TYPES),
    "engager": _one_of("engager", get_args(Class)),
    "link": _text("link", "the ID or URL of a link of a snapshot"),
    "bounce_type": _one_of("bounce_type", BOUNCE_TYPES),
    "bounce_subtype": _text("bounce_subtype", "a subtype of the bounces of a snapshot"),
    "state": _state,
    "recipient": _recipient,
    "tag": _tag_name,
    "limit": _number("limit", DEFAULT_LIMIT, MAX_LIMIT),
    "days": _number("days", DEFAULT_SHARE_DAYS, MAX_SHARE_DAYS),
    "name": lambda value: share_name(value.get("name")),
    "share": _share,
    "cursor": _cursor,
    "stream": _stream,
    "level": _level,
    "token": _token,
}


def _invalid(name: str, expected: str, found: Any) -> InvalidRequest:
    return InvalidRequest("invalid_request", f"{name} must be {expected}, but is {_shown(found)}")


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 100 else f"{text[:100]}…"  # noqa: PLR2004 - enough to recognize it
