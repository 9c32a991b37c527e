"""Patches that make the emulator robust against steps of the system clock.

The system clock may step back: after a correction by NTP, a resumed virtual machine, a flat
battery. The emulator stores wall-clock times and compares them later, even after a restart. Each
patch limits such a time to the longest delay that the emulator itself sets.
"""

import math
import queue
import re
import threading
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import dynamodb, eventbridge, lambda_svc, sqs

from chalicelib.stats.update import sequence_of

# The clock steps forward by a day while a laptop sleeps. Records are discarded once a function has
# read them (internals.forget_read_records), so the others need not expire.
STREAM_RETENTION = math.inf

_COUNTER_DIGITS = 10
_CHECKPOINT = re.compile("k[0-9a-f]{12}")  # see chalicelib.stats.update.shard_attribute_of
_POSITION = "read"  # see chalicelib.stats.table

_load_tables = dynamodb.load_persisted_state
_collect = sqs._collect_msgs
_poll_queues = lambda_svc._poll_sqs
_tick_schedules = eventbridge._tick_scheduled_rules


def install() -> None:
    """Install the patches. Call it before the emulator loads its state."""
    dynamodb._next_stream_seq = sequence_numbers.next
    dynamodb.load_persisted_state = _load_tables_and_checkpoints
    sqs._collect_msgs = _collect_messages
    lambda_svc._poll_sqs = _poll_queues_after_pauses
    eventbridge._tick_scheduled_rules = _tick_schedules_again
    lambda_runtime.Worker._drain_stderr_bounded = _read_log
    dynamodb._STREAM_RETENTION_SECONDS = STREAM_RETENTION


class SequenceNumbers:
    """Generates strictly increasing sequence numbers of stream records, in the emulator's format.

    The emulator combines the clock's milliseconds with a counter that starts at 0 in each run.
    `aggregate` treats a record whose number is below a checkpoint as already counted.
    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_StreamRecord.html
    """

    def __init__(self) -> None:
        self._last = 0
        self._lock = threading.Lock()

    def next(self) -> str:
        """Return the next number."""
        with self._lock:
            self._last = max(self._last + 1, int(time.time() * 1000) * 10**_COUNTER_DIGITS)
            return f"{self._last:030d}"

    def stay_above(self, number: int) -> None:
        """Generate only numbers above this one from now on."""
        with self._lock:
            self._last = max(self._last, number)


sequence_numbers = SequenceNumbers()


def _load_tables_and_checkpoints(data: Any) -> None:
    """Load the tables, and continue the sequence numbers above the stored checkpoints."""
    _load_tables(data)
    for table in dynamodb._tables.all_values():
        if table["sk_name"] == "part":  # only the stats table has this sort key
            for partition in table["items"].values():
                for item in partition.values():
                    for number in _checkpoints(item):
                        sequence_numbers.stay_above(number)


def _checkpoints(item: dict[str, Any]) -> Iterator[int]:
    """Yield the sequence numbers of counted records in an item, an aggregate or a position."""
    for name, value in item.items():
        if "B" in value and _CHECKPOINT.fullmatch(name):
            yield sequence_of(b64decode(value["B"]))
        elif name == _POSITION:
            yield int(value["S"])


def _collect_messages(source: dict[str, Any], most: int, hidden_seconds: int) -> Any:
    """Receive messages, limiting how long each stays hidden to the queue's own timeouts."""
    visibility = int(source["attributes"].get("VisibilityTimeout", "30"))
    latest = time.time() + max(visibility, hidden_seconds, sqs.queue_delay(source))
    for message in source["messages"]:
        message["visible_at"] = min(message["visible_at"], latest)
    if not source["is_fifo"]:
        # The emulator inspects each message several times, which is slow in a long queue.
        now = time.time()
        visible = (one for one in source["messages"] if one["visible_at"] <= now)
        source = {**source, "messages": list(islice(visible, most))}
    return _collect(source, most, hidden_seconds)


def _poll_queues_after_pauses() -> bool:
    """Poll the queues, limiting how long a mapping backs off to the emulator's own delay."""
    latest = time.time() + lambda_svc._ESM_BACKOFF_SECONDS
    for (account, region, mapping), until in lambda_svc._esm_backoff_until.all_items():
        if until > latest:
            lambda_svc._esm_backoff_until.pop_scoped(account, region, mapping, None)
    return bool(_poll_queues())


def _tick_schedules_again() -> None:
    """Invoke due schedule rules, after limiting their last invocation times to the current time."""
    now = time.time()
    fired = eventbridge._rule_last_fired
    for rule, at in list(fired.items()):
        fired[rule] = min(at, now)
    _tick_schedules()


def _read_log(
    worker: Any, first_line_wait: float = 0.05, idle_confirm: float = 0.005, hard_cap: float = 0.25
) -> str:
    """Read a function's log output within the emulator's limits, by a monotonic clock.

    The emulator compares wall-clock times. After a step back it would wait, blocking its worker and
    shard, until the clock has caught up.
    """
    lines: list[str] = []
    until = time.monotonic() + hard_cap
    wait = first_line_wait
    with suppress(queue.Empty):
        while (left := until - time.monotonic()) > 0:
            lines.append(worker._stderr_queue.get(timeout=min(wait, left)))
            wait = idle_confirm
    return "\n".join(lines)
