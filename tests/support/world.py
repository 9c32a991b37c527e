"""Mailpulse on AWS in memory: queue, tables, streams and viewers, and functions that can crash.

Each invocation is a greenlet that can be suspended at every call to AWS, so that any number of them
run interleaved in a given order. Each has a process (`Parts`) with its own caches, as in Lambda.
The simulation guarantees what AWS guarantees and no more: a message stays in the queue until its
invocation has succeeded, and may be delivered twice; a shard is delivered in order the first time,
in arbitrary batches, and any suffix of it may be delivered again; a child shard follows once its
parent was read.
"""

import itertools
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from typing import Any

from greenlet import getcurrent, greenlet
from support import ses
from support.client import Topic
from support.memory import MemoryDynamo, Shard, Stream
from support.parts import Parts
from support.rules import CURRENT, Rules

from chalicelib.config import Config
from chalicelib.errors import AwsError, NotStored, PipelineFault
from chalicelib.live.frame_sender import FrameSender
from chalicelib.live.frames import frames
from chalicelib.live.permissions import Connection
from chalicelib.stats.counters import PIPELINE, SHOWN_PARTS, aggregate_from_item

CONFIG = Config(
    events_table="EventsTable",
    stats_table="StatsTable",
    subscriptions_table="SubscriptionsTable",
    queue_url="queue",
    dead_letter_queue_url="dead-letters",
    events_stream_arn="",
    pseudonym_key="key",
    reports_batch_item_failures=True,
)
START = 1_795_467_600.0  # 2026-11-23T21:00:00Z: after the events, before their minutes expire
THREADS = 8

# The functions that read the streams of the tables, and the levels to which they push.
READERS = {"EventsTable": ["count"], "StatsTable": ["publish", "publish_visible"]}
LEVELS = {"publish": "active", "publish_visible": "visible"}
MOST_INVOCATIONS = 10_000


class Crash(BaseException):
    """The process has died; not an Exception, so that the code cannot catch it."""


class Viewer:
    """A WebSocket client that merges responses and pushes, as the page does.

    Attributes:
        frames: the received frames, in order.
        refuses: how many posts fail before one succeeds.
    """

    def __init__(self, world: "World", number: int) -> None:
        self.connection = Connection(f"viewer-{number}", "api/stage", connected_at=0)
        self.topics: dict[str, Topic] = defaultdict(Topic)
        self.frames: list[dict[str, Any]] = []
        self.refuses = 0
        self._world = world

    def ask(self, action: str, **fields: Any) -> None:
        """Send a request; its response arrives like any frame."""
        self._world.message(self, json.dumps({"action": action, **fields}))

    def ask_meanwhile(self, action: str, **fields: Any) -> None:
        """Send a request that is served concurrently with everything else."""
        self._world.message_meanwhile(self, json.dumps({"action": action, **fields}))

    def receive(self, frame: str) -> None:
        message = json.loads(frame)
        assert "error" not in message, message
        self.frames.append(message)
        self.merge(message)

    def merge(self, message: dict[str, Any]) -> None:
        content = message.get("snapshot") or message.get("changes")
        if content is not None:
            self.topics[message["id"]].merge(content)


class NoMetrics:
    """SES's metrics in an account for which CloudWatch has none."""

    def read(self, *_: Any) -> dict[str, Any]:
        return {}

    newest = read


class Lane:
    """A shard with one of its readers.

    Attributes:
        reader: the name of the function that reads it.
        read: the number of records processed successfully.
        given: the number of records passed to any reader.
        busy: whether its reader is running.
    """

    def __init__(self, stream: Stream, shard: Shard, reader: str) -> None:
        self.reader = reader
        self.stream = stream
        self.shard = shard
        self.read = 0
        self.given = 0
        self.busy = False

    @property
    def unread(self) -> int:
        return len(self.shard.records) - self.read


class Invocation:
    """An invocation of a function that may still be running."""

    def __init__(
        self, world: "World", name: str, run: Callable[[], None], done: Callable[..., None]
    ) -> None:
        self.name = name
        self._world = world
        self._done = done
        self._greenlet = greenlet(run)
        self.rules = world.deployed
        idle = world.idle[self.rules]
        self.process = idle.pop() if idle else self.rules.new_process(world)

    def step(self) -> None:
        """Run the invocation up to its next call to AWS; notify its source when it has ended."""
        with self._world.in_process(self), redirect_stdout(StringIO()):
            try:
                self._greenlet.switch()
            except (AwsError, NotStored, PipelineFault) as error:
                self._world.raised.append(error)
                self._end(succeeded=False)
                return
            except Crash:
                self._world.running.remove(self)
                self._done(succeeded=False)
                return
        if self._greenlet.dead:
            self._end(succeeded=True)

    def crash(self) -> None:
        """Kill its process where it is suspended."""
        self._greenlet.throw(greenlet.GreenletExit)
        self._world.running.remove(self)
        self._done(succeeded=False)

    def _end(self, *, succeeded: bool) -> None:
        self._world.running.remove(self)
        self._world.idle[self.rules].append(self.process)
        self._done(succeeded=succeeded)


class World:
    """An AWS account with Mailpulse in it.

    Attributes:
        queue: the messages that are neither ingested nor being ingested, by id.
        dead: the messages of the dead-letter queue: body and reason.
        alarms: the messages to the alarm topic: their attributes, and `subject` and `text`.
        running: the invocations that have not ended.
        raised: the errors with which invocations have ended.
        mapping_reports: whether ingest's mapping has ReportBatchItemFailures; without it, Lambda
            deletes the messages of every invocation that returns.
        releases: the versions of the rules whose functions run concurrently, the newest last.
        deployed: the version that the next invocation runs.
        held_back: the messages in the queue that only the newest release receives.
    """

    def __init__(
        self,
        config: Config = CONFIG,
        *,
        mapping_reports: bool = True,
        releases: Sequence[Rules] = (CURRENT,),
    ) -> None:
        self.now = START
        self.config = config
        self.mapping_reports = mapping_reports
        self.dynamo = MemoryDynamo(lambda: self.now)
        self.dynamo.before_call = lambda *_: self._hold()
        self.dynamo.between_writes = self._hold
        self.queue: dict[str, str] = {}
        self.sent: dict[str, int] = {}  # when messages arrived in the queue, in milliseconds
        self.dead: list[tuple[str, str]] = []
        self.alarms: list[dict[str, str]] = []
        self.viewers: dict[str, Viewer] = {}
        self.running: list[Invocation] = []
        self.raised: list[Exception] = []
        self.releases = releases
        self.deployed = releases[-1]
        self.held_back: set[str] = set()
        self.idle: dict[Rules, list[Parts]] = defaultdict(list)
        self.before_send: Callable[[str], None] = lambda _: None
        self.after_send: Callable[[str], None] = lambda _: None
        self._lanes: dict[str, Lane] = {}
        self._ids = itertools.count()
        self.current: Invocation | None = None

    # The services that the functions call besides DynamoDB: SQS, API Gateway and Lambda, and what
    # watch measures.

    def depths(self) -> tuple[int, int]:
        self._hold()
        return len(self.queue), 0

    def dead_letters(self) -> int:
        return len(self.dead)

    def oldest_seconds(self, _now: float) -> int:
        return 0

    def oldest_unread(self, *_: Any) -> float | None:
        return None

    def failing(self, _now: float) -> tuple[str, ...]:
        return ()

    def close(self, endpoint: str, connection_id: str) -> None:
        """Close a connection; frames that are still sent to it are recorded and checked."""

    def set_aside(self, body: str, reason: str, detail: str) -> None:
        del detail
        self._hold()
        self.before_send("dead letters")
        self.dead.append((body, reason))
        self.after_send("dead letters")

    def send(self, messages: list[tuple[str, int]]) -> None:
        """Send messages to the queue; the delay only changes their order, which is arbitrary."""
        for body, _ in messages:
            self._hold()
            self.before_send("queue")
            self.arrive(body)
            self.after_send("queue")

    def publish(self, subject: str, text: str, attributes: dict[str, str]) -> None:
        """Send a message to the alarm topic."""
        self._hold()
        self.before_send("alarm topic")
        self.alarms.append({**attributes, "subject": subject, "text": text})
        self.after_send("alarm topic")

    def retry_after(self, delays: list[tuple[str, int]]) -> int:
        self._hold()
        return 0

    def post(self, endpoint: str, connection_id: str, frame: str) -> str:
        del endpoint
        self._hold()
        self.before_send(connection_id)
        viewer = self.viewers[connection_id]
        if viewer.refuses:
            viewer.refuses -= 1
            return "failed"
        viewer.receive(frame)
        self.after_send(connection_id)
        return "sent"

    def invoke(self, event: bytes) -> None:
        self._hold()
        self._work_off(json.loads(event), attempts=3)

    def _work_off(self, event: dict[str, Any], attempts: int) -> None:
        """Start an asynchronous invocation of publish; Lambda retries one that failed."""

        def done(*, succeeded: bool) -> None:
            if not succeeded and attempts > 1:
                self._work_off(event, attempts - 1)

        self._start("publish_batch", lambda: self.process.publish.invoked(event), done)

    # External events.

    def arrive(self, *events: Any) -> None:
        """Put SES events into the queue; strings are put unchanged."""
        for event in events:
            body = event if isinstance(event, str) else ses.raw(event)
            message = f"sqs-{next(self._ids)}"
            self.queue[message] = body
            self.sent[message] = int(self.now * 1000)

    def subscribe(self, *topics: str) -> Viewer:
        """Return a new viewer who is subscribed to these topics."""
        viewer = Viewer(self, len(self.viewers))
        self.viewers[viewer.connection.id] = viewer
        for topic in topics:
            viewer.ask("subscribe", id=topic)
        return viewer

    def message(self, viewer: Viewer, text: str) -> None:
        """Serve a request from start to end."""
        with redirect_stdout(StringIO()):
            self._serve(self.new_process(), viewer, text)

    def message_meanwhile(self, viewer: Viewer, text: str) -> None:
        """Start to serve a request; a client without a response retries."""

        def done(*, succeeded: bool) -> None:
            if not succeeded:
                self.message_meanwhile(viewer, text)

        self._start("session", lambda: self._serve(self.process, viewer, text), done)

    def _serve(self, parts: Parts, viewer: Viewer, text: str) -> None:
        for answer in parts.session.answer(viewer.connection, text):
            assert parts.frame_sender.to_one(viewer.connection, frames(answer)) == "sent"

    def snapshot(self, topic: str) -> Topic:
        """Return a fresh snapshot."""
        return self.subscribe(topic).topics[topic]

    def counted(self) -> dict[str, dict[str, dict[str, int]]]:
        """Return every counter except the evidence of networks: campaign → part → counter → number.

        A link's part is `link#<URL>` or `link#label <label>`, and that of a class of replies has
        its status and text, as in reference.py.
        """
        counted: dict[str, dict[str, dict[str, int]]] = defaultdict(dict)
        for item in self.dynamo.tables["StatsTable"].items():
            aggregate = aggregate_from_item(item)
            is_compared = aggregate.part.partition("#")[0] in SHOWN_PARTS
            if aggregate.counts and is_compared and aggregate.campaign != PIPELINE:
                name = f"label {aggregate.label}" if aggregate.label else aggregate.url
                part = f"link#{name}" if name else aggregate.part
                part = f"reply#{aggregate.reply}" if aggregate.reply else part
                counted[aggregate.campaign][part] = dict(aggregate.counts)
        return dict(counted)

    def ingest(self, *ids: str) -> Invocation:
        """Start an ingest of these messages, which are invisible until it has ended."""
        batch = {one: self.queue.pop(one) for one in ids}
        records = [
            {
                "messageId": one,
                "receiptHandle": one,
                "body": body,
                "attributes": {
                    "ApproximateReceiveCount": "1",
                    "SentTimestamp": str(self.sent.get(one, int(START * 1000))),
                },
            }
            for one, body in batch.items()
        ]
        failed = set(batch)

        def run() -> None:
            failures = self.process.ingest.batch(records)["batchItemFailures"]
            failed.clear()
            if self.mapping_reports:
                failed.update(failure["itemIdentifier"] for failure in failures)

        def done(*, succeeded: bool) -> None:
            del succeeded
            self.queue.update({one: batch[one] for one in batch if one in failed})

        return self._start("ingest", run, done)

    def watch(self) -> Invocation:
        """Start a check of the pipeline, by the newest release."""
        self.deployed = self.releases[-1]

        def run() -> None:
            self.process.watch.check()

        return self._start("watch", run, lambda **_: None)

    def waiting(self) -> list[str]:
        """Return the messages in the queue that the next invocation may receive."""
        newest = self.deployed is self.releases[-1]
        return [one for one in self.queue if newest or one not in self.held_back]

    def read(self, lane: Lane, size: int) -> Invocation:
        """Start the reader of a shard on its next records."""
        assert not lane.busy
        lane.busy = True
        records = lane.shard.records[lane.read : lane.read + size]
        lane.given = max(lane.given, lane.read + len(records))

        def done(*, succeeded: bool) -> None:
            lane.busy = False
            if succeeded:
                lane.read += len(records)

        return self._start(lane.reader, lambda: self._read(lane, records), done)

    def read_again(self, lane: Lane, start: int, end: int) -> Invocation:
        """Start a second reader on records that were read, or are being read now."""
        records = lane.shard.records[start:end]
        return self._start(lane.reader, lambda: self._read(lane, records), lambda **_: None)

    def readable(self) -> list[Lane]:
        """Return the shards with unread records whose parents have none."""
        lanes = self.lanes()
        by_shard = {(lane.reader, lane.shard): lane for lane in lanes}

        def may_start(lane: Lane) -> bool:
            if lane.shard.parent is None:
                return True
            parent = by_shard[lane.reader, lane.shard.parent]
            return parent.unread == 0 and not parent.busy

        return [one for one in lanes if one.unread and not one.busy and may_start(one)]

    def lanes(self) -> list[Lane]:
        return [
            self._lanes.setdefault(f"{reader}/{shard.id}", Lane(table.stream, shard, reader))
            for table in self.dynamo.tables.values()
            if table.stream is not None
            for shard in table.stream.shards
            for reader in READERS[table.name]
        ]

    def forget_read(self, keep: int) -> None:
        """Trim the records that were read long ago, as AWS does after a day.

        Args:
            keep: the number of processed records that each shard keeps.
        """
        by_shard: dict[Shard, list[Lane]] = defaultdict(list)
        for lane in self.lanes():
            by_shard[lane.shard].append(lane)
        for shard, lanes in by_shard.items():
            gone = max(0, min(lane.read for lane in lanes) - keep)
            del shard.records[:gone]
            for lane in lanes:
                lane.read -= gone
                lane.given -= gone

    def drain(self) -> None:
        """Process everything that remains, without further faults.

        New invocations run the newest release.
        """
        self.deployed = self.releases[-1]
        for _ in range(MOST_INVOCATIONS):
            while self.running:
                self.running[0].step()
            if not self.queue and not self.readable():
                return
            if self.queue:
                self.ingest(*self.queue)
            elif readable := self.readable():
                self.read(readable[0], 1000)
        raise AssertionError(f"it never ends: {self.queue}, {self.readable()}")

    # Internals.

    @property
    def process(self) -> Parts:
        """Return the process that is running."""
        assert self.current is not None
        return self.current.process

    def new_process(self) -> Parts:
        parts = Parts(self.config, clock=lambda: self.now)
        parts.dynamo = self.dynamo
        parts.run = self.run_interleaved
        parts.queues = self
        parts.connections = self
        parts.invocations = self
        parts.events_stream = self
        parts.function_metrics = self
        parts.ses_metrics = NoMetrics()
        parts.alarm_topic = self
        parts.invoke_publish()
        parts.frame_sender = FrameSender(self, clock=lambda: self.now, pause=lambda _: None)
        parts.large_topics._pause = lambda _: None
        return parts

    def run_interleaved(self, tasks: list[Callable[[], None]]) -> None:
        """Run an invocation's tasks as its threads do: each proceeds to its next call in turn."""
        running = [greenlet(task) for task in tasks]
        while running:
            for one in running[:THREADS]:
                one.switch()
                if one.dead:
                    running.remove(one)
                self._hold()

    @contextmanager
    def in_process(self, invocation: Invocation) -> Iterator[None]:
        self.current = invocation
        try:
            with invocation.rules.applied():
                yield
        finally:
            self.current = None

    def _start(self, name: str, run: Callable[[], None], done: Callable[..., None]) -> Invocation:
        invocation = Invocation(self, name, run, done)
        self.running.append(invocation)
        return invocation

    def _read(self, lane: Lane, records: list[dict[str, Any]]) -> None:
        if lane.reader == "count":
            self.process.count.batch(records, shard=lane.shard.id)
        else:
            self.process.publish.batch(records, LEVELS[lane.reader])

    def _hold(self) -> None:
        held = getcurrent()
        if held.parent is not None:
            held.parent.switch()
