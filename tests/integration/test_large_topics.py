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
from chalicelib.live.large_topics import LargeTopics
from chalicelib.live.permissions import Permissions, share_subject
from chalicelib.live.pusher import Pusher
from chalicelib.live.rate_limit import RateLimiter

SPRING = "stats/email-campaign/spring"
AUTUMN = "stats/email-campaign/autumn"
LIST = "stats/email-campaigns"


class Crowd:
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
        pipeline.parts.pusher = self.pusher = Pusher(
            pipeline.connections, clock=lambda: pipeline.now, pause=lambda _: None
        )
        self.turns = RateLimiter(
            pipeline.parts.dynamo,
            pipeline.config.subscriptions_table,
            5000,
            clock=lambda: pipeline.now,
        )
        pipeline.crowds = LargeTopics(
            self.turns, self.invoke, clock=lambda: pipeline.now, pause=self.wait
        )
        pipeline.publisher = replace(pipeline.publisher, pusher=self.pusher)

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
def crowd(pipeline):
    return Crowd(pipeline)


def test_publish_sends_to_500_viewers_itself(crowd):
    ids = crowd.watch(MOST_VIEWERS)

    crowd.publish("spring")

    assert crowd.asked == 0
    assert crowd.pushed_to().keys() == set(ids)


def test_other_invocations_send_to_each_of_more_viewers_once(crowd):
    ids = crowd.watch(2 * MOST_VIEWERS + 1)

    crowd.publish("spring")
    assert crowd.pushed_to() == {}
    assert crowd.asked == 3
    crowd.pipeline.work_off()

    pushed = crowd.pushed_to()
    assert pushed.keys() == set(ids)
    for [push] in pushed.values():
        assert push["changes"]["counts"]["sends"] == 1


def test_publish_distinguishes_its_own_batches_from_stream_events(crowd, monkeypatch):
    ids = crowd.watch(MOST_VIEWERS + 1)
    crowd.publish("spring")
    parts = crowd.pipeline.parts
    parts.publish = replace(parts.publish, clock=lambda: crowd.pipeline.now)

    for event in crowd.pipeline.invoked:
        handlers.publish(json.loads(event))
    assert crowd.pushed_to().keys() == set(ids)

    handlers.publish({"Records": []})
    assert crowd.pushed_to() == {}


def test_a_push_by_other_invocations_also_holds_the_shard_for_the_interval(crowd):
    crowd.watch(MOST_VIEWERS + 1)

    crowd.publish("spring")

    [pause] = crowd.pipeline.pauses
    assert pause == pytest.approx(1 - 0.1)  # it has waited for its second slot


def test_a_small_stage_makes_no_reservation(crowd):
    crowd.watch(99)
    crowd.watch(1, LIST, "other")

    crowd.publish("spring")

    assert len(crowd.pushed_to()) == 100
    assert not [row for row in crowd.rows() if row["owner"]["S"] == "push"]


def test_a_batch_removes_gone_connections_and_marks_failed_ones_behind(crowd):
    gone, slow, *_ = ids = crowd.watch(MOST_VIEWERS + 1)
    crowd.pipeline.connections.outcomes = {gone: ["gone"], slow: ["failed"] * 2}

    crowd.publish("spring")
    crowd.pipeline.work_off()

    assert crowd.pushed_to().keys() == set(ids) - {gone, slow}
    assert crowd.listeners() == set(ids) - {gone}
    assert crowd.behind() == {slow}


def test_a_batch_does_not_remove_a_new_connection_that_seems_gone(crowd):
    ids = crowd.watch(MOST_VIEWERS + 1)
    [young] = [
        replace(one, connected_at=int(crowd.pipeline.now) - 5) for one in viewers(1, "young")
    ]
    subscribe(crowd.pipeline.parts.subscriptions, [young], SPRING)
    crowd.pipeline.connections.outcomes = {young.id: ["gone"]}

    crowd.publish("spring")
    crowd.pipeline.work_off()

    assert crowd.listeners() == {*ids, young.id}
    assert crowd.behind() == {young.id}


def test_a_batch_that_cannot_record_missed_pushes_fails_and_is_retried(crowd, monkeypatch):
    slow, *_ = crowd.watch(MOST_VIEWERS + 1)
    crowd.pipeline.connections.outcomes = {slow: ["failed"] * 2}
    crowd.publish("spring")
    event = json.loads(crowd.pipeline.invoked[0])

    with monkeypatch.context() as patch:
        patch.setattr(crowd.pipeline.parts.subscriptions, "_dynamo", Broken())
        with pytest.raises(AwsError, match="broken"):
            crowd.pipeline.publisher.chunk(event)
    assert len(crowd.pushed_to()) == MOST_VIEWERS - 1  # the others were not delayed

    crowd.pipeline.now += 60  # as Lambda does
    crowd.pipeline.publisher.chunk(event)

    assert crowd.pushed_to() == {}
    assert slow in crowd.behind()


class Broken:
    def call(self, operation, **_):
        raise AwsError("InternalServerError", "broken")


def test_a_batch_that_is_invoked_twice_sends_the_same_frames_twice(crowd):
    crowd.watch(MOST_VIEWERS + 1)
    crowd.publish("spring")
    crowd.pipeline.invoked *= 2

    crowd.pipeline.work_off()

    for first, second in crowd.pushed_to().values():
        assert first == second  # absolute values with a version: the second frame changes nothing


def test_a_batch_that_is_invoked_too_late_sends_nothing_and_viewers_catch_up(crowd):
    ids = crowd.watch(MOST_VIEWERS + 1)
    crowd.publish("spring")

    crowd.pipeline.now += PUSH_SECONDS + 1
    crowd.pipeline.work_off()

    assert crowd.pushed_to() == {}
    assert crowd.behind() == set(ids)


def test_publish_sends_batches_itself_after_lambda_refuses_one(crowd):
    ids = crowd.watch(2 * MOST_VIEWERS + 1)
    crowd.refuses = True

    crowd.publish("spring")

    assert crowd.asked == 1
    assert crowd.pushed_to().keys() == set(ids)

    crowd.refuses = False
    crowd.publish("spring")
    assert crowd.asked == 4


def test_topics_with_the_fewest_viewers_are_pushed_first(crowd):
    many, few = crowd.watch(MOST_VIEWERS + 1, AUTUMN), crowd.watch(150, SPRING, "few")
    order = []
    crowd.pipeline.crowds._invoke = lambda _: order.append(set(crowd.pushed_to()))

    crowd.publish("autumn", "spring")

    assert order == [set(few), set()]
    assert len(many) == MOST_VIEWERS + 1


def test_slots_are_reserved_one_by_one_as_each_begins(crowd):
    """Another shard's topic can then reserve a slot between two batches of this one."""
    crowd.watch(4 * MOST_VIEWERS)
    begun = crowd.pipeline.now
    others, invoke = [], crowd.invoke

    def invoke_and_let_another_shard_take_a_turn(event):
        invoke(event)
        others.append(crowd.turns.take(50, crowd.pipeline.now + 1) - begun)

    crowd.pipeline.crowds._invoke = invoke_and_let_another_shard_take_a_turn
    crowd.publish("spring")

    assert others == pytest.approx([0.1, 0.21, 0.32, 0.43], abs=1e-5)


@pytest.fixture
def chunks_of_ten(monkeypatch):
    """Make large topics smaller, because moto is slow at recording missed pushes."""
    for module in (batches, large_topics):
        monkeypatch.setattr(module, "MOST_VIEWERS", 10)
    monkeypatch.setattr(publish, "FREE_MESSAGES", 0)


def test_other_invocations_record_viewers_without_a_slot_in_time(crowd, chunks_of_ten):
    ids, few = crowd.watch(30), crowd.watch(3, AUTUMN, "few")
    crowd.turns.take(
        5000 * PUSH_SECONDS + 1, crowd.pipeline.now
    )  # other publishers have reserved all slots

    crowd.publish("spring", "autumn")
    assert crowd.pushed_to() == {}
    assert crowd.asked == 4
    crowd.pipeline.work_off()

    assert crowd.pushed_to() == {}
    assert crowd.behind() == set(ids)
    assert crowd.behind(AUTUMN) == set(few)


def test_viewers_that_remain_at_the_deadline_are_marked_behind(crowd, chunks_of_ten):
    ids = crowd.watch(40)
    begun = crowd.pipeline.now
    crowd.turns.take(int(5000 * (PUSH_SECONDS - 0.003)), begun)

    crowd.publish("spring")
    ends = [json.loads(event)["push"]["until"] for event in crowd.pipeline.invoked]
    crowd.pipeline.work_off()

    # Two slots have begun in time, and each is as long.
    assert ends[:2] == pytest.approx(
        [begun + 2 * PUSH_SECONDS - 0.003, begun + 2 * PUSH_SECONDS - 0.001], abs=1e-5, rel=0
    )
    assert ends[2:] == [0, 0]
    pushed = crowd.pushed_to().keys()
    assert len(pushed) == 20
    assert crowd.behind() == set(ids) - pushed


def test_a_failed_reservation_fails_the_stream_batch_so_that_it_is_retried(crowd, monkeypatch):
    ids = crowd.watch(MOST_VIEWERS + 1)
    records = crowd.change("spring")
    with monkeypatch.context() as patch:
        patch.setattr(crowd.turns, "_dynamo", Broken())
        with pytest.raises(AwsError, match="broken"):
            crowd.pipeline.publisher.batch(records)

    crowd.pipeline.publisher.batch(records)
    crowd.pipeline.work_off()

    assert crowd.pushed_to().keys() == set(ids)


def test_each_group_of_a_large_topic_is_sent_only_permitted_campaigns(crowd):
    """The viewers of the list are two agencies, staff and a share link, which gets no pushes."""
    until = int(crowd.pipeline.now) + 3600

    def agency(prefix):
        return Permissions("somebody", until, (prefix,))

    acme = crowd.watch(400, LIST, "acme", agency("acme-"))
    globex = crowd.watch(300, LIST, "globex", agency("globex-"))
    staff = crowd.watch(20, LIST, "staff", agency(""))
    shared = Permissions(share_subject("l-1"), until, (), "acme-spring")
    crowd.watch(5, LIST, "thief", shared)
    guests = crowd.watch(600, "stats/email-campaign/acme-spring", "guest", shared)
    strangers = agency("globex-")
    crowd.watch(5, "stats/email-campaign/acme-spring", "stranger", strangers)

    crowd.publish("acme-spring", "globex-spring")
    assert crowd.pushed_to() == {}
    crowd.pipeline.work_off()

    pushed = crowd.pushed_to()
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


def test_an_invocation_reserves_slots_only_beyond_100_messages(crowd, monkeypatch):
    taken = []
    take = crowd.turns.take
    monkeypatch.setattr(
        crowd.turns,
        "take",
        lambda messages, latest: taken.append(messages) or take(messages, latest),
    )
    for one in range(5):
        crowd.watch(40, f"stats/email-campaign/c-{one}", f"viewer-of-{one}")

    crowd.publish(*(f"c-{one}" for one in range(5)))

    assert publish.FREE_MESSAGES == 100
    assert taken == [40, 40, 40]
    assert len(crowd.pushed_to()) == 200
