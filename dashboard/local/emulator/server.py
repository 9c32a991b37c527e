"""One run of the emulator: serve, save copies periodically, shut down gracefully.

The tables are saved but the streams are not, so a fact whose stream record was not yet counted
would never be counted. Therefore stopping drains the streams first, and a copy is saved only
between two batches, when every stored fact is counted.
"""

import asyncio
import json
import logging
import os
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import hypercorn.asyncio
import hypercorn.config
import ministack.app

from dashboard import durable
from dashboard.local.emulator import internals, saved_state, speedups
from dashboard.local.emulator.edge import App, Edge, Receive, Scope, Send
from dashboard.local.emulator.environment import HOST
from dashboard.local.emulator.functions_server import FunctionsServer
from dashboard.local.emulator.generations import Generations

# How long stopping waits, in seconds, first for the queue and the streams, then, with the queue
# paused, for the streams alone.
DRAIN_SECONDS = 20.0

SAVE_EVERY_SECONDS = 15.0
_LOOK_EVERY_SECONDS = 0.05
_COPY_SECONDS = 120.0

logger = logging.getLogger("mailpulse")


class Emulator:
    """One run of the emulator.

    Args:
        counting_function: the name of the function that must have read its stream to the end before
            a copy may be saved.
        generations: where the state is saved.
        unsaved: the file with the time since which changes are in memory only.
        report: sends one object to `up`, such as {"stopping": {"messages": 3, …}}.
        allowed_origins: see local/emulator/edge.py.
    """

    def __init__(
        self,
        counting_function: str,
        generations: Generations,
        unsaved: Path,
        report: Callable[[Any], None],
        allowed_origins: Collection[str],
    ) -> None:
        self.edge = Edge(ministack.app.app, allowed_origins)
        self.stopping = asyncio.Event()
        self.hurrying = asyncio.Event()
        self._counting_function = counting_function
        self._generations = generations
        self._unsaved = unsaved
        self._report = report
        self._left: int | None = None  # number of messages, once the queue is paused

    def command(self, command: dict[str, Any]) -> None:
        """Execute a command of `up`."""
        match command:
            case {"page_bucket": bucket}:
                self.edge.bucket = bucket
            case {"stop": True}:
                self.stopping.set()
            case {"hurry": True}:
                self.hurrying.set()
                self.stopping.set()

    async def run(self, socket_fd: int) -> bool:
        """Serve until asked to stop, then shut down; return whether the state was saved."""
        # Lambda workers inherit the emulator's environment.
        of_functions = FunctionsServer(Edge(speedups.dynamodb_first(ministack.app.app)), HOST)
        os.environ["AWS_ENDPOINT_URL"] = of_functions.url
        functions = of_functions.start()
        config = hypercorn.config.Config()
        config.bind = [f"fd://{socket_fd}"]
        config.keep_alive_timeout = 75
        config.loglevel = "WARNING"
        # Never set: connections stay open until the state is saved, and end with the process.
        never = asyncio.Event()
        server = asyncio.ensure_future(
            hypercorn.asyncio.serve(_start_or_fail(self.edge), config, shutdown_trigger=never.wait)  # type: ignore[arg-type]  # an ASGI app
        )
        self._mark_unsaved()
        saving = asyncio.create_task(self._save_copies())
        stopping = asyncio.create_task(self.stopping.wait())
        running = {server, functions, saving}
        await asyncio.wait({*running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        for task in running:
            if task.done():
                task.result()
                raise RuntimeError("the server stopped unexpectedly")
        await self._drain()
        saving.cancel()
        await asyncio.gather(saving, return_exceptions=True)
        return self._save()

    async def _drain(self) -> None:
        """Wait until all pending events are ingested and counted, and pause the queues.

        On a timeout, or on request, the messages stay in the queue, which is saved; the streams,
        which are not, get a second period. Pushes are not waited for: viewers get the same data in
        their snapshots after the next start.
        """
        if not await self._is_idle_soon(self.hurrying):
            self._left = self._pending().messages
        internals.pause_queues()
        await self._is_idle_soon(asyncio.Event())

    async def _is_idle_soon(self, given_up: asyncio.Event) -> bool:
        until = time.monotonic() + DRAIN_SECONDS
        reported = 0.0
        while pending := self._pending():
            now = time.monotonic()
            if now >= until or given_up.is_set():
                return False
            if now - reported >= 1:
                self._report_stopping(pending)
                reported = now
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
        return True

    def _pending(self) -> internals.Pending:
        """Count the pending messages, the batches in progress, and the records to be counted."""
        uncounted = internals.uncounted_records(self._counting_function)
        return replace(internals.pending(), records=uncounted)

    def _report_stopping(self, pending: internals.Pending, *, saving: bool = False) -> None:
        paused = self._left is not None
        messages = pending.messages if self._left is None else self._left
        how_far = {"messages": messages, "records": pending.records, "paused": paused}
        self._report({"stopping": {**how_far, "saving": saving}})

    def _save(self) -> bool:
        pending = self._pending()  # nothing is counted between here and the save
        self._report_stopping(pending, saving=True)
        uncounted = pending.records
        internals.forget_old_logs()
        try:
            saved_state.save(self._generations)
        except saved_state.SaveError as error:
            self._report({"failed": str(error)})
            return False
        if uncounted:
            self._mark_unsaved(uncounted=uncounted)
        else:
            self._unsaved.unlink(missing_ok=True)
        self._report({"saved": True, "uncounted": uncounted, "left": self._left or 0})
        return True

    async def _save_copies(self) -> None:
        """Save a copy periodically, so that a kill loses seconds and not the whole run."""
        pause = SAVE_EVERY_SECONDS
        while True:
            await asyncio.sleep(pause)
            internals.forget_old_logs()
            while internals.uncounted_records(self._counting_function):  # noqa: ASYNC110 - no event signals it
                await asyncio.sleep(_LOOK_EVERY_SECONDS)  # there is no event to wait for
            taken, began = _now(), time.monotonic()
            try:
                if await _succeeds(saved_state.Copy(self._generations)):
                    self._mark_unsaved(taken)
            except OSError:
                logger.exception("cannot save a copy of the state; trying again later")
            # Saving a lot of data takes a long time: spend at most a tenth of a core on it.
            pause = max(SAVE_EVERY_SECONDS, 9 * (time.monotonic() - began))

    def _mark_unsaved(self, since: str | None = None, uncounted: int = 0) -> None:
        mark = {"since": since or _now(), "uncounted": uncounted}
        durable.write(self._unsaved, json.dumps(mark))


def _start_or_fail(app: App) -> App:
    """Report an error during the emulator's startup, after which Hypercorn would otherwise serve.

    https://asgi.readthedocs.io/en/latest/specs/lifespan.html#startup-failed-send-event
    """

    async def reporting(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except Exception as error:
            if scope["type"] != "lifespan":
                raise
            await send({"type": "lifespan.startup.failed", "message": repr(error)})

    return reporting


async def _succeeds(copy: saved_state.Copy) -> bool:
    """Wait for a copy until it ends or times out; return whether it saved everything."""
    until = time.monotonic() + _COPY_SECONDS
    try:
        while time.monotonic() < until:
            if (saved := copy.is_saved()) is not None:
                return saved
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
        logger.error("saving a copy took more than %.0f s and was aborted", _COPY_SECONDS)
        return False
    finally:
        copy.end()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
