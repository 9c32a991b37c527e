"""Access the emulator's internals: count pending work, and discard obsolete data.

The emulator keeps everything in memory. Requests are handled on its event loop, one at a time;
event sources are polled on threads. Functions that are called on the event loop await nothing, so
no table changes while they run.
"""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import cloudwatch_logs, dynamodb, lambda_svc, sqs

# Enough to read a function's recent output through the CloudWatch Logs API.
_LOG_STREAMS_KEPT = 500

# patches.py replaces this function on the threads that poll streams.
_all_mappings = lambda_svc._iter_all_esms

_trimming = threading.Lock()


@dataclass(frozen=True)
class Pending:
    """The amount of pending work."""

    messages: int  # in queues that are not paused, and ready to be ingested
    batches: int  # being ingested
    records: int  # in the streams, not yet processed

    def __bool__(self) -> bool:
        return bool(self.messages or self.batches or self.records)


def pending() -> Pending:
    """Count the work that is pending for the functions.

    Messages that wait for a retry are excluded: they stay in the queue, which is saved.
    """
    messages = batches = records = 0
    for account, region, mapping in _mappings():
        service = mapping["EventSourceArn"].split(":")[2]
        if service == "sqs":
            if mapping["Enabled"]:
                messages += _ready_messages(mapping["EventSourceArn"])
            batches += lambda_svc._esm_inflight.get(mapping["UUID"], 0)
        elif service == "dynamodb":
            records += unread_records(account, region, mapping)
    return Pending(messages, batches, records)


def uncounted_records(function: str) -> int:
    """Count the stream records that a function has not yet processed."""
    return sum(
        unread_records(account, region, mapping)
        for account, region, mapping in _mappings()
        if mapping["FunctionName"] == function and ":dynamodb:" in mapping["EventSourceArn"]
    )


def unread_records(account: str, region: str, mapping: dict[str, Any]) -> int:
    """Count the stream records between a mapping's position and the end of its stream."""
    table = _table(mapping)
    end = dynamodb.stream_end_position(table, account_id=account, region=region)
    return int(end - _position(account, region, mapping))


def forget_read_records(account: str, region: str, mapping: dict[str, Any]) -> None:
    """Discard the records that all mappings of a stream have read.

    The emulator would keep them for a day, and a demo would take a gigabyte an hour.
    """
    table = _table(mapping)
    source = mapping["EventSourceArn"]
    with _trimming:
        readers = [one for _, _, one in _mappings() if one["EventSourceArn"] == source]
        records = dynamodb.stream_live_records(table, account_id=account, region=region)
        start = dynamodb.stream_start_position(table, account_id=account, region=region)
        read = min(_position(account, region, one) for one in readers) - start
        # In this order, a concurrent count between the two is too high, never too low.
        trimmed = dynamodb._stream_trimmed
        trimmed.set_scoped(account, region, table, start + read)
        del records[:read]


def forget_old_logs() -> None:
    """Discard the oldest logs: the emulator keeps every log stream, one per invocation."""
    for group in cloudwatch_logs._log_groups.all_values():
        for stream in list(group["streams"])[:-_LOG_STREAMS_KEPT]:
            del group["streams"][stream]


def pause_queues() -> None:
    """Disable ingest's event source mapping until the next `up`; messages stay in the queue."""
    for _account, _region, mapping in _mappings():
        if ":sqs:" in mapping["EventSourceArn"]:
            mapping["Enabled"] = False


def stop_workers() -> None:
    """Stop every Lambda worker process."""
    lambda_runtime.reset()


def _mappings() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield the event source mappings: account, region, mapping."""
    yield from _all_mappings()


def _ready_messages(queue_arn: str) -> int:
    now = time.time()
    return sum(
        message["visible_at"] <= now
        for queue in sqs._queues.all_values()
        if queue["attributes"].get("QueueArn") == queue_arn
        for message in list(queue["messages"])
    )


def _table(mapping: dict[str, Any]) -> str:
    """Return the name of the table whose stream a mapping reads."""
    table: str = mapping["EventSourceArn"].split("/")[1]
    return table


def _position(account: str, region: str, mapping: dict[str, Any]) -> int:
    """Return a mapping's position in its stream."""
    start = dynamodb.stream_start_position(_table(mapping), account_id=account, region=region)
    positions = lambda_svc._dynamodb_stream_positions
    return int(max(start, positions.get_scoped(account, region, mapping["UUID"], start)))
