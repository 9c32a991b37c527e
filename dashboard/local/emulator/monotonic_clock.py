"""Patches that make the emulator independent of steps of the machine's clock.

The clock of a machine may step back: after a correction by NTP, a resumed virtual machine, a
battery that ran out. The emulator stores times of the wall clock and compares them later, also
after a restart. Each patch bounds such a time by the longest wait that the emulator itself sets.
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

# A clock steps forward by a day while a laptop sleeps. Records that a function has read are dropped
# (emulator_state.forget_read_records), so the others may stay.
STREAM_RETENTION = math.inf

_COUNTER_DIGITS = 10
_CHECKPOINT = re.compile("k[0-9a-f]{12}")  # see chalicelib.stats.update.lane
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
    """Sequence numbers of stream records in the emulator's form, each above all before it.

    The emulator takes the clock's milliseconds, then a counter that starts at 0 in each run. A
    number below a checkpoint belongs, for `aggregate`, to a record that it has counted.
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
        """Return no number up to this one from now on."""
        with self._lock:
            self._last = max(self._last, number)


sequence_numbers = SequenceNumbers()


def _load_tables_and_checkpoints(data: Any) -> None:
    """Load the tables, and continue the sequence numbers above the stored checkpoints."""
    _load_tables(data)
    for table in dynamodb._tables.all_values():
        if table["sk_name"] == "part":  # the stats table's alone
            for partition in table["items"].values():
                for item in partition.values():
                    for number in _checkpoints(item):
                        sequence_numbers.stay_above(number)


def _checkpoints(item: dict[str, Any]) -> Iterator[int]:
    """Yield the sequence numbers up to which shards are counted, of an aggregate or a position."""
    for name, value in item.items():
        if "B" in value and _CHECKPOINT.fullmatch(name):
            yield sequence_of(b64decode(value["B"]))
        elif name == _POSITION:
            yield int(value["S"])


def _collect_messages(source: dict[str, Any], most: int, hidden_seconds: int) -> Any:
    """Receive messages; none stays hidden for longer than the queue can hide it from now."""
    visibility = int(source["attributes"].get("VisibilityTimeout", "30"))
    latest = time.time() + max(visibility, hidden_seconds, sqs.queue_delay(source))
    for message in source["messages"]:
        message["visible_at"] = min(message["visible_at"], latest)
    if not source["is_fifo"]:
        # The emulator looks at each message several times, which is slow in a long queue.
        now = time.time()
        visible = (one for one in source["messages"] if one["visible_at"] <= now)
        source = {**source, "messages": list(islice(visible, most))}
    return _collect(source, most, hidden_seconds)


def _poll_queues_after_pauses() -> bool:
    """Poll the queues; no mapping pauses for longer than the emulator pauses one from now."""
    latest = time.time() + lambda_svc._ESM_BACKOFF_SECONDS
    for (account, region, mapping), until in lambda_svc._esm_backoff_until.all_items():
        if until > latest:
            lambda_svc._esm_backoff_until.pop_scoped(account, region, mapping, None)
    return bool(_poll_queues())


def _tick_schedules_again() -> None:
    """Invoke what is due; a rule that was invoked in the future was invoked now."""
    now = time.time()
    fired = eventbridge._rule_last_fired
    for rule, at in list(fired.items()):
        fired[rule] = min(at, now)
    _tick_schedules()


def _read_log(
    worker: Any, first_line_wait: float = 0.05, idle_confirm: float = 0.005, hard_cap: float = 0.25
) -> str:
    """Read what a function has logged, with the emulator's limits, by a clock that never steps.

    The emulator compares wall-clock times and would wait, with its worker and its shard held,
    until the clock is again where it was.
    """
    lines: list[str] = []
    until = time.monotonic() + hard_cap
    wait = first_line_wait
    with suppress(queue.Empty):
        while (left := until - time.monotonic()) > 0:
            lines.append(worker._stderr_queue.get(timeout=min(wait, left)))
            wait = idle_confirm
    return "\n".join(lines)
