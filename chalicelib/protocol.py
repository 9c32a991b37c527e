"""A WebSocket frame → a valid request, or the answer that says what is wrong with it.

The wire contract is docs/asyncapi.yaml; an example of each message is in tests/messages/.
"""

import json
from dataclasses import dataclass
from typing import Any

from chalicelib.errors import InvalidRequest
from chalicelib.events import MAX_ID
from chalicelib.facts import ACTIVITY_TYPES
from chalicelib.frames import MAX_FRAME_BYTES, Message

MAX_QUERY_LENGTH = 200
MAX_LIMIT = 100
DEFAULT_LIMIT = 50

LIST_TOPIC = "stats/email-campaigns"
HEALTH_TOPIC = "stats/health"
CAMPAIGN_TOPIC_PREFIX = "stats/email-campaign/"


@dataclass(frozen=True, slots=True)
class Request:
    """A request that may be served; fields that the action does not use are at their defaults.

    Attributes:
        topic: of subscribe, unsubscribe and get.
        campaign: of listActivity.
        type: an SES event type to which listActivity is limited, or None.
        cursor: what an earlier answer gave to go on from, or None.
    """

    action: str
    request_id: str | int | float | None
    topic: str = ""
    campaign: str = ""
    query: str = ""
    type: str | None = None
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None
    stream: bool = False

    def reply(self, **members: Any) -> Message:
        """Compose an answer to this request."""
        return {"request_id": self.request_id, "action": self.action, **members}


def parse_request(text: str) -> Request:
    """Read a request.

    Raises:
        InvalidRequest: it cannot be served; its `reply` is what to answer.
    """
    value: Any = None
    try:
        value = _json(text)
        return _request(value)
    except InvalidRequest as error:
        error.reply = error_reply(error, *_names(value))
        raise


def error_reply(error: InvalidRequest, request_id: Any, action: Any) -> Message:
    """Compose the answer to a request that cannot be served."""
    return {
        "request_id": request_id,
        "action": action,
        "error": {"code": error.code, "message": str(error)},
    }


def campaign_of(topic: str) -> str | None:
    """Give the campaign that a topic is about, None for the list and the pipeline's health.

    Raises:
        InvalidRequest: there is no such topic.
    """
    if topic in (LIST_TOPIC, HEALTH_TOPIC):
        return None
    campaign = topic.removeprefix(CAMPAIGN_TOPIC_PREFIX)
    if campaign == topic or campaign != campaign.strip() or not campaign:
        raise InvalidRequest(
            "not_found",
            f"there is no topic {topic[:100]!r}: use {LIST_TOPIC}, "
            f"{CAMPAIGN_TOPIC_PREFIX}<campaign id> or {HEALTH_TOPIC}",
        )
    if len(campaign.encode()) > MAX_ID:
        raise InvalidRequest(
            "too_large", f"the campaign id has {len(campaign.encode())} bytes: the most is {MAX_ID}"
        )
    return campaign


def _json(text: str) -> dict[str, Any]:
    size = len(text.encode("utf-8", "replace"))
    if size > MAX_FRAME_BYTES:
        raise InvalidRequest(
            "too_large", f"the message has {size} bytes: send at most {MAX_FRAME_BYTES}"
        )
    try:
        value = json.loads(text)
        # What JSON has no form for (NaN, lone surrogates) could not be echoed either.
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(
            "bad_json", f"not JSON ({error}): send a JSON object such as " + '{"action": "ping"}'
        ) from error
    if not isinstance(value, dict):
        raise InvalidRequest("bad_json", f"{text[:100]} is no JSON object: send an object")
    return value


def _names(value: Any) -> tuple[Any, Any]:
    """Read request_id and action as far as they can be echoed."""
    if not isinstance(value, dict):
        return None, None
    request_id, action = value.get("request_id"), value.get("action")
    return (
        request_id if _is_request_id(request_id) else None,
        action[:100] if isinstance(action, str) else None,
    )


def _is_request_id(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= 200  # noqa: PLR2004 - it is echoed in every frame of the answer
    return isinstance(value, int | float) and not isinstance(value, bool)


_FIELDS = {
    "subscribe": ("topic",),
    "unsubscribe": ("topic",),
    "get": ("topic",),
    "listCampaigns": ("limit", "cursor"),
    "searchCampaigns": ("query", "limit", "stream"),
    "listActivity": ("campaign", "type", "limit", "cursor", "stream"),
    "ping": (),
}


def _request(value: dict[str, Any]) -> Request:
    request_id = value.get("request_id")
    if request_id is not None and not _is_request_id(request_id):
        raise _invalid("request_id", "a number or a text of at most 200 characters", request_id)
    action = value.get("action")
    if not isinstance(action, str) or action not in _FIELDS:
        raise InvalidRequest(
            "unknown_action",
            f"there is no action {_shown(action)}: use one of {', '.join(_FIELDS)}",
        )
    read: dict[str, Any] = {name: _READERS[name](value) for name in _FIELDS[action]}
    return Request(action=action, request_id=request_id, **read)


def _topic(value: dict[str, Any]) -> str:
    topic = value.get("id")
    if not isinstance(topic, str):
        raise _invalid("id", f"a topic such as {LIST_TOPIC}", topic)
    campaign_of(topic)
    return topic


def _campaign(value: dict[str, Any]) -> str:
    campaign = campaign_of(_topic(value))
    if campaign is None:
        raise _invalid("id", f"a campaign's topic, {CAMPAIGN_TOPIC_PREFIX}<id>", value["id"])
    return campaign


def _query(value: dict[str, Any]) -> str:
    query = value.get("query")
    if isinstance(query, str) and len(query) > MAX_QUERY_LENGTH:
        raise InvalidRequest(
            "too_large", f"the query has {len(query)} characters: the most is {MAX_QUERY_LENGTH}"
        )
    if not isinstance(query, str):
        raise _invalid("query", f"a text of at most {MAX_QUERY_LENGTH} characters", query)
    return query.strip()


def _type(value: dict[str, Any]) -> str | None:
    kind = value.get("type")
    if kind is not None and kind not in ACTIVITY_TYPES:
        raise _invalid("type", f"one of {', '.join(ACTIVITY_TYPES)}", kind)
    return kind


def _limit(value: dict[str, Any]) -> int:
    limit = value.get("limit", DEFAULT_LIMIT)
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= MAX_LIMIT:
        raise _invalid("limit", f"a whole number from 1 to {MAX_LIMIT}", limit)
    return limit


def _cursor(value: dict[str, Any]) -> str | None:
    cursor = value.get("cursor")
    if cursor is not None and not isinstance(cursor, str):
        raise _invalid("cursor", "what an earlier answer gave", cursor)
    return cursor


def _stream(value: dict[str, Any]) -> bool:
    stream = value.get("stream", False)
    if not isinstance(stream, bool):
        raise _invalid("stream", "true or false", stream)
    return stream


_READERS = {
    "topic": _topic,
    "campaign": _campaign,
    "query": _query,
    "type": _type,
    "limit": _limit,
    "cursor": _cursor,
    "stream": _stream,
}


def _invalid(name: str, expected: str, found: Any) -> InvalidRequest:
    return InvalidRequest("invalid_request", f"{name} should be {expected}, but is {_shown(found)}")


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 100 else f"{text[:100]}…"  # noqa: PLR2004
