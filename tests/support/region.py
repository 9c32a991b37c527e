"""An AWS region in simulated time, where publishers of several shards push to large topics.

Each invocation is a greenlet with its own clock. AWS latencies are simulated: those of a DynamoDB
call, the start of an invocation, and a message.
"""

import heapq
import itertools
import json
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

from greenlet import getcurrent, greenlet
from support.many_viewers import subscribe, viewers
from support.memory import MemoryDynamo

from chalicelib.facts.table import EventsTable
from chalicelib.functions.publish import Publisher
from chalicelib.live.activity import Activity
from chalicelib.live.frame_sender import FrameSender
from chalicelib.live.large_topics import LargeTopics
from chalicelib.live.permissions import Connection
from chalicelib.live.rate_limit import RateLimiter
from chalicelib.live.snapshots import Snapshots
from chalicelib.live.subscriptions import Subscriptions
from chalicelib.stats.table import StatsTable

START = 1_800_000_000.0
TABLE = "SubscriptionsTable"
CALL_SECONDS = 0.005
BATCHING_WINDOW_SECONDS = 1
INVOKE_SECONDS = 0.02
STARTS_AFTER_SECONDS = 0.05
MESSAGES_A_SECOND = 6000  # per invocation
AT_ONCE = 60  # messages, which take a hundredth of a second


class Region:
    """A region with shards that are published.

    Attributes:
        now: epoch seconds.
        sent: (epoch seconds, topic's campaign, number of messages), as API Gateway sees them.
        pushes: (campaign, seconds from the publisher's event to the last message).
    """

    def __init__(self, messages_per_second: int) -> None:
        self.now = START
        self.sent: list[tuple[float, str, int]] = []
        self._rate_limit = messages_per_second
        self._hub = getcurrent()
        self._due: list[tuple[float, int, greenlet]] = []
        self._numbers = itertools.count()
        self._dynamo = MemoryDynamo(lambda: self.now)

    def watch(self, campaign: str, number: int) -> None:
        """Subscribe this many viewers to a campaign."""
        table = Subscriptions(self._dynamo, TABLE, clock=lambda: self.now)
        subscribe(table, viewers(number, campaign), f"stats/email-campaign/{campaign}")

    def shard(self, *campaigns: str, wrong_by: float = 0.0) -> None:
        """Change the campaigns of one shard continuously, and publish them batch after batch.

        Args:
            campaigns: their names.
            wrong_by: the error of its function's clock, in seconds.
        """
        publish = self._publish(wrong_by)

        def go_on() -> None:
            while True:
                began = self.now
                created = {"ApproximateCreationDateTime": began}
                changes = [{"NewImage": _image(one), **created} for one in campaigns]
                publish.batch([{"dynamodb": change} for change in changes])
                # The window begins with the first change, which the batch before did not contain.
                self._sleep(max(0.0, began + BATCHING_WINDOW_SECONDS - self.now))

        self._start(go_on, after=0.001 * next(self._numbers))

    def run(self, seconds: float) -> None:
        """Advance the simulated time."""
        until = START + seconds
        with redirect_stdout(StringIO()):
            while self._due and self._due[0][0] <= until:
                self.now, _, one = heapq.heappop(self._due)
                one.switch()

    def messages(self, start: float, end: float, campaign: str | None = None) -> int:
        """Count the messages between two times, in seconds since the start."""
        return sum(
            number
            for at, of, number in self.sent
            if start <= at - START < end and campaign in (None, of)
        )

    def most_in_a_second(self, start: float = 0) -> int:
        """Return the highest number of messages within one second."""
        starts = {at - START for at, _, _ in self.sent if at - START >= start}
        return max(self.messages(one, one + 1) for one in starts)

    def send(self, subscribers: Sequence[Connection], frames: Sequence[str], until: float) -> Any:
        """Send as live/fan_out.py does, at the speed of one invocation."""
        outcomes = []
        for begin in range(0, len(subscribers), AT_ONCE):
            some = subscribers[begin : begin + AT_ONCE]
            if self.now >= until:
                outcomes += ["failed"] * len(some)
                continue
            campaign = some[0].id.rpartition("-")[0]
            self.sent.append((self.now, campaign, len(some) * len(frames)))
            self._sleep(len(some) * len(frames) / MESSAGES_A_SECOND)
            outcomes += ["sent"] * len(some)
        return outcomes

    def call(self, operation: str, **parameters: Any) -> Any:
        """Call DynamoDB."""
        self._sleep(CALL_SECONDS / 2)
        try:
            return self._dynamo.call(operation, **parameters)
        finally:
            self._sleep(CALL_SECONDS / 2)

    def _publish(self, wrong_by: float) -> Publisher:
        def clock() -> float:
            return self.now + wrong_by

        rate_limiter = RateLimiter(self, TABLE, self._rate_limit, clock=clock)
        large_topics = LargeTopics(rate_limiter, self._invoke, clock=clock, pause=self._sleep)
        frame_sender = FrameSender(None, lambda: self, clock=clock, pause=self._sleep)
        subscriptions = Subscriptions(self, TABLE, clock=clock, pause=self._sleep)
        stats_table = StatsTable(self, "StatsTable", clock=clock)
        events_table = EventsTable(self, "EventsTable", retention_days=90, clock=clock)
        snapshots = Snapshots(stats_table, Activity(stats_table, events_table), clock)
        return Publisher(subscriptions, frame_sender, lambda: large_topics, snapshots, clock=clock)

    def _invoke(self, event: bytes) -> None:
        self._sleep(INVOKE_SECONDS)
        self._start(
            lambda: self._publish(0).publish_batch(json.loads(event)), after=STARTS_AFTER_SECONDS
        )

    def _start(self, run: Callable[[], None], after: float) -> None:
        self._wake(greenlet(run, self._hub), after)

    def _sleep(self, seconds: float) -> None:
        self._wake(getcurrent(), seconds)
        self._hub.switch()

    def _wake(self, one: greenlet, after: float) -> None:
        heapq.heappush(self._due, (self.now + after, next(self._numbers), one))


def _image(campaign: str) -> dict[str, Any]:
    return {"campaign": {"S": campaign}, "part": {"S": "summary"}, "v": {"N": "1"}}
