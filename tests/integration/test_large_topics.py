"""A large topic is pushed in batches by further invocations, and no viewer is lost."""

import json

import pytest
from msgspec.structs import replace
from support import handlers, moto_account, ses
from support.many_viewers import subscribe, viewers

from chalicelib.errors import AwsError
from chalicelib.functions import publish
from chalicelib.live import batches, large_topics
from chalicelib.live.batches import MOST_VIEWERS
from chalicelib.live.delivery import PUSH_SECONDS
from chalicelib.live.frame_sender import FrameSender
from chalicelib.live.large_topics import LargeTopics
from chalicelib.live.permissions import Permissions, share_subject
from chalicelib.live.rate_limit import RateLimiter

SPRING = "stats/email-campaign/spring"
AUTUMN = "stats/email-campaign/autumn"
LIST = "stats/email-campaigns"


class Stage:
    """A stage with many viewers, and the pushes to them.

    Attributes:
        refuses: whether Lambda refuses to be invoked.
        asked: how often Lambda was invoked.
    """

    def __init__(self, pipeline):
        self.pipeline = pipeline
        self.refuses = False
        self.asked = 0
        pipeline.connections.close = None
        pipeline.parts.frame_sender = self.frame_sender = FrameSender(
            pipeline.connections, clock=lambda: pipeline.now, pause=lambda _: None
        )
        self.rate_limiter = RateLimiter(
            pipeline.parts.dynamo,
            pipeline.config.subscriptions_table,
            5000,
            clock=lambda: pipeline.now,
        )
        pipeline.large_topics = LargeTopics(
            self.rate_limiter, self.invoke, clock=lambda: pipeline.now, pause=self.wait
        )
        pipeline.publisher = replace(pipeline.publisher, frame_sender=self.frame_sender)

    def wait(self, seconds):
        self.pipeline.now += seconds

    def invoke(self, event):
        self.asked += 1
        if self.refuses:
            raise AwsError("TooManyRequestsException", "invoke failed: throttled")
        self.pipeline.invoked.append(event)

    def watch(self, number, topic=SPRING, name="viewer", access=None):
        """Subscribe this many viewers."""
        connections = viewers(number, name, *([access] if access else []))
        subscribe(self.pipeline.parts.subscriptions, connections, topic)
        return [one.id for one in connections]

    def change(self, *campaigns):
        """Count an event in each campaign; return the event of publish."""
        events = [ses.a_send(f"m-{one}-{self.pipeline.now}", campaign=one) for one in campaigns]
        assert self.pipeline.ingest(*events) == []
        self.pipeline.aggregate()
        return self.pipeline.stream(self.pipeline.config.stats_table)

    def publish(self, *campaigns):
        self.pipeline.publisher.batch(self.change(*campaigns))

    def pushed_to(self):
        """Return the frames by connection, and clear them."""
        sent, self.pipeline.connections.sent = self.pipeline.connections.sent, {}
        return sent

    def behind(self, topic=SPRING):
        """Return the connections that are marked behind."""
        rows = (row for row in self.rows() if "behind" in row and row["member"]["S"] == topic)
        return {row["owner"]["S"].removeprefix("connection/") for row in rows}

    def rows(self):
        client = moto_account.client("dynamodb")
        table = self.pipeline.config.subscriptions_table
        pages = client.get_paginator("scan").paginate(TableName=table)
        return [row for page in pages for row in page["Items"]]

    def listeners(self, topic=SPRING):
        return {one.id for one in self.pipeline.parts.subscriptions.subscribers(topic)}


@pytest.fixture
def stage(pipeline):
    return Stage(pipeline)


def test_publish_sends_to_500_viewers_itself(stage):
    ids = stage.watch(MOST_VIEWERS)

    stage.publish("spring")

    assert stage.asked == 0
    assert stage.pushed_to().keys() == set(ids)


def test_beyond_500_viewers_other_invocations_send_to_each_viewer_once(stage):
    ids = stage.watch(2 * MOST_VIEWERS + 1)

    stage.publish("spring")
    assert stage.pushed_to() == {}
    assert stage.asked == 3
    stage.pipeline.run_invocations()

    pushed = stage.pushed_to()
    assert pushed.keys() == set(ids)
    for [push] in pushed.values():
        assert push["changes"]["counts"]["sends"] == 1


def test_publish_distinguishes_its_own_batches_from_stream_events(stage, monkeypatch):
    ids = stage.watch(MOST_VIEWERS + 1)
    stage.publish("spring")
    parts = stage.pipeline.parts
    parts.publish = replace(parts.publish, clock=lambda: stage.pipeline.now)

    for event in stage.pipeline.invoked:
        handlers.publish(json.loads(event))
    assert stage.pushed_to().keys() == set(ids)

    handlers.publish({"Records": []})
    assert stage.pushed_to() == {}


def test_a_small_stage_makes_no_reservation(stage):
    stage.watch(99)
    stage.watch(1, LIST, "other")

    stage.publish("spring")

    assert len(stage.pushed_to()) == 100
    assert not [row for row in stage.rows() if row["owner"]["S"] == "push"]


def test_a_batch_removes_gone_connections_and_marks_failed_ones_behind(stage):
    gone, slow, *_ = ids = stage.watch(MOST_VIEWERS + 1)
    stage.pipeline.connections.outcomes = {gone: ["gone"], slow: ["failed"] * 2}

    stage.publish("spring")
    stage.pipeline.run_invocations()

    assert stage.pushed_to().keys() == set(ids) - {gone, slow}
    assert stage.listeners() == set(ids) - {gone}
    assert stage.behind() == {slow}


def test_a_batch_does_not_remove_a_new_connection_that_seems_gone(stage):
    ids = stage.watch(MOST_VIEWERS + 1)
    [young] = [
        replace(one, connected_at=int(stage.pipeline.now) - 5) for one in viewers(1, "young")
    ]
    subscribe(stage.pipeline.parts.subscriptions, [young], SPRING)
    stage.pipeline.connections.outcomes = {young.id: ["gone"]}

    stage.publish("spring")
    stage.pipeline.run_invocations()

    assert stage.listeners() == {*ids, young.id}
    assert stage.behind() == {young.id}


def test_a_batch_that_cannot_record_missed_pushes_fails_and_is_retried(stage, monkeypatch):
    slow, *_ = stage.watch(MOST_VIEWERS + 1)
    stage.pipeline.connections.outcomes = {slow: ["failed"] * 2}
    stage.publish("spring")
    event = json.loads(stage.pipeline.invoked[0])

    with monkeypatch.context() as patch:
        patch.setattr(stage.pipeline.parts.subscriptions, "_dynamo", Broken())
        with pytest.raises(AwsError, match="broken"):
            stage.pipeline.publisher.publish_batch(event)
    assert len(stage.pushed_to()) == MOST_VIEWERS - 1  # the others were not delayed

    stage.pipeline.now += 60  # as Lambda does
    stage.pipeline.publisher.publish_batch(event)

    assert stage.pushed_to() == {}
    assert slow in stage.behind()


class Broken:
    def call(self, operation, **_):
        raise AwsError("InternalServerError", "broken")


def test_a_batch_that_is_invoked_twice_sends_the_same_frames_twice(stage):
    stage.watch(MOST_VIEWERS + 1)
    stage.publish("spring")
    stage.pipeline.invoked *= 2

    stage.pipeline.run_invocations()

    for first, second in stage.pushed_to().values():
        assert first == second  # absolute values with a version: the second frame changes nothing


def test_a_batch_that_is_invoked_too_late_sends_nothing_and_viewers_catch_up(stage):
    ids = stage.watch(MOST_VIEWERS + 1)
    stage.publish("spring")

    stage.pipeline.now += PUSH_SECONDS + 1
    stage.pipeline.run_invocations()

    assert stage.pushed_to() == {}
    assert stage.behind() == set(ids)


def test_publish_sends_batches_itself_after_lambda_refuses_one(stage):
    ids = stage.watch(2 * MOST_VIEWERS + 1)
    stage.refuses = True

    stage.publish("spring")

    assert stage.asked == 1
    assert stage.pushed_to().keys() == set(ids)

    stage.refuses = False
    stage.publish("spring")
    assert stage.asked == 4


def test_topics_with_the_fewest_viewers_are_pushed_first(stage):
    many, few = stage.watch(MOST_VIEWERS + 1, AUTUMN), stage.watch(150, SPRING, "few")
    order = []
    stage.pipeline.large_topics._invoke = lambda _: order.append(set(stage.pushed_to()))

    stage.publish("autumn", "spring")

    assert order == [set(few), set()]
    assert len(many) == MOST_VIEWERS + 1


def test_slots_are_reserved_one_by_one_as_each_begins(stage):
    """Another shard's topic can then reserve a slot between two batches of this one."""
    stage.watch(4 * MOST_VIEWERS)
    begun = stage.pipeline.now
    others, invoke = [], stage.invoke

    def invoke_and_reserve_for_another_shard(event):
        invoke(event)
        others.append(stage.rate_limiter.reserve(50, stage.pipeline.now + 1) - begun)

    stage.pipeline.large_topics._invoke = invoke_and_reserve_for_another_shard
    stage.publish("spring")

    assert others == pytest.approx([0.1, 0.21, 0.32, 0.43], abs=1e-5)


@pytest.fixture
def batches_of_ten(monkeypatch):
    """Make large topics smaller, because moto is slow at recording missed pushes."""
    for module in (batches, large_topics):
        monkeypatch.setattr(module, "MOST_VIEWERS", 10)
    monkeypatch.setattr(publish, "FREE_MESSAGES", 0)


def test_other_invocations_record_viewers_without_a_slot_in_time(stage, batches_of_ten):
    ids, few = stage.watch(30), stage.watch(3, AUTUMN, "few")
    stage.rate_limiter.reserve(
        5000 * PUSH_SECONDS + 1, stage.pipeline.now
    )  # other publishers have reserved all slots

    stage.publish("spring", "autumn")
    assert stage.pushed_to() == {}
    assert stage.asked == 4
    stage.pipeline.run_invocations()

    assert stage.pushed_to() == {}
    assert stage.behind() == set(ids)
    assert stage.behind(AUTUMN) == set(few)


def test_viewers_that_remain_at_the_deadline_are_marked_behind(stage, batches_of_ten):
    ids = stage.watch(40)
    begun = stage.pipeline.now
    stage.rate_limiter.reserve(int(5000 * (PUSH_SECONDS - 0.003)), begun)

    stage.publish("spring")
    ends = [json.loads(event)["push"]["until"] for event in stage.pipeline.invoked]
    stage.pipeline.run_invocations()

    # Two slots have begun in time, each of the full length.
    assert ends[:2] == pytest.approx(
        [begun + 2 * PUSH_SECONDS - 0.003, begun + 2 * PUSH_SECONDS - 0.001], abs=1e-5, rel=0
    )
    assert ends[2:] == [0, 0]
    pushed = stage.pushed_to().keys()
    assert len(pushed) == 20
    assert stage.behind() == set(ids) - pushed


def test_a_failed_reservation_fails_the_stream_batch_so_that_it_is_retried(stage, monkeypatch):
    ids = stage.watch(MOST_VIEWERS + 1)
    records = stage.change("spring")
    with monkeypatch.context() as patch:
        patch.setattr(stage.rate_limiter, "_dynamo", Broken())
        with pytest.raises(AwsError, match="broken"):
            stage.pipeline.publisher.batch(records)

    stage.pipeline.publisher.batch(records)
    stage.pipeline.run_invocations()

    assert stage.pushed_to().keys() == set(ids)


def test_each_group_of_a_large_topic_is_sent_only_permitted_campaigns(stage):
    """The viewers of the list are two agencies, staff and a share link, which gets no pushes."""
    until = int(stage.pipeline.now) + 3600

    def agency(prefix):
        return Permissions("user-1", until, (prefix,))

    acme = stage.watch(400, LIST, "acme", agency("acme-"))
    globex = stage.watch(300, LIST, "globex", agency("globex-"))
    staff = stage.watch(20, LIST, "staff", agency(""))
    shared = Permissions(share_subject("l-1"), until, (), "acme-spring")
    stage.watch(5, LIST, "thief", shared)
    guests = stage.watch(600, "stats/email-campaign/acme-spring", "guest", shared)
    strangers = agency("globex-")
    stage.watch(5, "stats/email-campaign/acme-spring", "stranger", strangers)

    stage.publish("acme-spring", "globex-spring")
    assert stage.pushed_to() == {}
    stage.pipeline.run_invocations()

    pushed = stage.pushed_to()
    assert pushed.keys() == {*acme, *globex, *staff, *guests}
    seen = {
        one: {entry["id"] for push in pushed[one] for entry in push["changes"].get("campaigns", [])}
        for one in pushed
    }
    assert {frozenset(seen[one]) for one in acme} == {frozenset({"acme-spring"})}
    assert {frozenset(seen[one]) for one in globex} == {frozenset({"globex-spring"})}
    assert {frozenset(seen[one]) for one in staff} == {frozenset({"acme-spring", "globex-spring"})}
    for one in guests:
        [push] = pushed[one]
        assert push["id"] == "stats/email-campaign/acme-spring"


def test_an_invocation_reserves_slots_only_beyond_100_messages(stage, monkeypatch):
    reserved = []
    reserve = stage.rate_limiter.reserve
    monkeypatch.setattr(
        stage.rate_limiter,
        "reserve",
        lambda messages, latest: reserved.append(messages) or reserve(messages, latest),
    )
    for one in range(5):
        stage.watch(40, f"stats/email-campaign/c-{one}", f"viewer-of-{one}")

    stage.publish(*(f"c-{one}" for one in range(5)))

    assert publish.FREE_MESSAGES == 100
    assert reserved == [40, 40, 40]
    assert len(stage.pushed_to()) == 200
