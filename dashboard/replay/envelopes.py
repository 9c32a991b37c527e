"""Find the queue messages in a JSON value: remove what the AWS CLI and AWS services wrap them in.

What ingest understands, such as an SNS notification or an EventBridge event, is a queue message.
"""

import base64
import binascii
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from dashboard.replay.json_values import values

Unpack = Callable[[bytes], Iterator[str]]
"""Yields the queue messages in data that may be compressed."""

# What an object with one of these contains is part of the message.
_MESSAGE = {"eventType", "notificationType", "detail-type"}
# `Messages`: aws sqs receive-message; `Records`: events of Lambda; `records`: of Firehose;
# `events`, `logEvents`: aws logs filter-log-events and subscriptions; `results`: Logs Insights.
_LISTS = ("Messages", "Records", "records", "events", "logEvents", "results")
# `Body`: SQS; `body`: of Lambda, and `dlq list --json`; `message`, `@message`: CloudWatch Logs.
_CONTENTS = ("Body", "body", "@message", "message", "Sns", "kinesis", "awslogs", "requestPayload")
# `rawData`: a record that Firehose could not process; `data`: Kinesis, Firehose, subscriptions.
_BASE64 = ("rawData", "data")


def messages(value: Any, unpack: Unpack, text: str | None = None) -> Iterator[str]:
    """Yield the queue messages in a value.

    Args:
        value: an object, an array or a string; None for text that is not JSON.
        unpack: yields the messages in decoded data.
        text: how the value is written, if it is a message; None to write it as JSON.
    """
    match value:
        case str() if "{" in value:  # JSON in a string
            for one in values(iter([value])):
                yield from messages(one.parsed, unpack, one.text)
        case str():
            yield value
        case list():
            for element in value:
                yield from messages(element, unpack)
        case {"field": str(name), "value": str(cell)}:  # Logs Insights; most fields are metadata
            if name == "@message" or "{" in cell:
                yield from messages(cell, unpack)
        case dict():
            found = None if not _MESSAGE.isdisjoint(value) else _inside(value)
            if isinstance(found, bytes):
                yield from unpack(found)
            elif found is not None:
                yield from messages(found, unpack)
            else:
                yield json.dumps(value) if text is None else text
        case _:
            yield json.dumps(value) if text is None else text


def _inside(value: Mapping[str, Any]) -> Any:
    """Return what an envelope contains; None if the object is no envelope."""
    for name in _LISTS:
        if isinstance(value.get(name), list):
            return value[name]
    for name in _CONTENTS:
        if isinstance(value.get(name), str | dict):
            return value[name]
    for name in _BASE64:
        if isinstance(value.get(name), str):
            try:
                return base64.b64decode(value[name], validate=True)
            except binascii.Error:
                return None
    return None
