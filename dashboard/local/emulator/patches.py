"""Patches of the emulator, where it differs from AWS and has no configuration option.

tests/unit/test_emulator_patches.py fails as soon as a patch is no longer needed.
"""

import threading
import time
from collections.abc import Iterator
from typing import Any

from ministack.core.concurrency import esm_wake, spawn_background
from ministack.services import dynamodb_streams, lambda_svc, sqs

from dashboard.local.emulator import internals, monotonic_clock, speedups

Scoped = tuple[str, str, dict[str, Any]]  # account, region, mapping

_poll_streams = lambda_svc._poll_dynamodb_streams
_all_mappings = lambda_svc._iter_all_esms
_update_mapping = lambda_svc._update_esm
_execute = lambda_svc._execute_function
_WINDOW = "TumblingWindowInSeconds"
_LOOK_SECONDS = 0.05
_SHORTEST_WINDOW_SECONDS = 0.2

_this_thread = threading.local()
_busy: set[str] = set()


def install() -> None:
    """Install the patches. Call it before the emulator loads its state."""
    _poll_streams_apart()
    _update_functions_at_once()
    _name_shards()
    sqs._receive_messages_for_esm = _receive_batch
    monotonic_clock.install()
    speedups.install()


def _update_functions_at_once() -> None:
    """Make functions ready as soon as they are created or updated.

    The emulator simulates a transition of half a second, twelve times in a deployment of six
    functions, one after the other.
    """
    lambda_svc._LAMBDA_STATE_TRANSITION_DELAY = 0


def _name_shards() -> None:
    """Support tumbling windows of stream mappings, whose events contain the shard ID, as in AWS.

    The emulator accepts the option and ignores it. The final invocation of each window is not
    emulated; no function depends on it.
    """
    lambda_svc._update_esm = _update_with_window
    lambda_svc._execute_function = _execute_with_shard


def _update_with_window(uuid: str, data: dict[str, Any]) -> Any:
    mapping = lambda_svc._esms.get(uuid)
    if mapping and _WINDOW in data:
        mapping[_WINDOW] = data[_WINDOW]
    return _update_mapping(uuid, data)


def _execute_with_shard(function: dict[str, Any], event: Any, *arguments: Any, **named: Any) -> Any:
    scoped: Scoped | None = getattr(_this_thread, "only", None)
    if scoped and scoped[2].get(_WINDOW):
        event = {**event, "shardId": dynamodb_streams._DEFAULT_SHARD_ID, "state": {}}
    return _execute(function, event, *arguments, **named)


def _receive_batch(queue_url: str, most: int) -> list[dict[str, Any]]:
    """Receive as many messages for a function as its mapping's batch size allows.

    The emulator receives at most ten, which is the limit of a queue's other receivers.
    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
    """
    with sqs._queues_lock:
        queue = sqs._get_q(queue_url)
        sqs._expire_retained(queue)
        sqs._dlq_sweep(queue)
        visibility = int(queue["attributes"]["VisibilityTimeout"])
        messages: list[dict[str, Any]] = sqs._collect_msgs(queue, most, visibility)
        return messages


def _poll_streams_apart() -> None:
    """Poll each stream mapping on its own thread, as AWS polls each shard separately.

    The emulator polls all event sources on one thread and runs the functions of streams there, so a
    slow push would delay counting and ingesting too. SQS batches already run concurrently; this
    does the same for streams, one batch of a mapping at a time. It also applies the batching
    windows of streams, which the emulator ignores.
    """
    lambda_svc._iter_all_esms = _mappings_of_this_thread
    lambda_svc._poll_dynamodb_streams = _start_polling


def _mappings_of_this_thread() -> Iterator[Scoped]:
    only: Scoped | None = getattr(_this_thread, "only", None)
    if only is None:
        yield from _all_mappings()
    else:
        yield only


def _start_polling() -> bool:
    """Start a thread for each stream mapping that has none. Called only by the poll thread."""
    for scoped in _all_mappings():
        account, region, mapping = scoped
        if (
            ":dynamodb:" in mapping["EventSourceArn"]
            and mapping["UUID"] not in _busy
            and _retry_at(scoped) <= time.time()
            and internals.unread_records(account, region, mapping)
        ):
            _busy.add(mapping["UUID"])
            spawn_background(_poll, scoped, thread_name="mailpulse-stream")
    return False


def _retry_at(scoped: Scoped) -> float:
    account, region, mapping = scoped
    pauses = lambda_svc._esm_backoff_until
    return float(pauses.get_scoped(account, region, mapping["UUID"], 0))


def _poll(scoped: Scoped) -> None:
    """Poll one mapping until it reaches the end of its stream or its function fails."""
    _this_thread.only = scoped
    try:
        while internals.unread_records(*scoped):
            _gather(scoped)
            if not _poll_streams():
                return
            internals.forget_read_records(*scoped)
    finally:
        _busy.discard(scoped[2]["UUID"])
        esm_wake.set()  # for records that arrived after the last poll


def _gather(scoped: Scoped) -> None:
    """Wait until a mapping's batching window ends, or a batch is full.

    A second is AWS's shortest window; it bounds the number of billed messages. Here, messages cost
    nothing, and a shorter window shows each event sooner.
    https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-eventsourcemapping.html
    """
    mapping = scoped[2]
    window = int(mapping.get("MaximumBatchingWindowInSeconds") or 0)
    ends = time.monotonic() + (_SHORTEST_WINDOW_SECONDS if window == 1 else window)
    while (left := ends - time.monotonic()) > 0:
        if internals.unread_records(*scoped) >= int(mapping["BatchSize"]):
            return
        time.sleep(min(left, _LOOK_SECONDS))
