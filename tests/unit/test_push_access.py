"""Permissions of a connection, and their enforcement in the pushes of the publish function.

The tests write the rows that it reads directly: the check must hold for any rows.
"""

import json
from contextlib import nullcontext
from datetime import UTC, datetime
from unittest.mock import patch

import pytest
from msgspec.structs import replace
from support.chaos import single_viewer_batches
from support.world import CONFIG, START, World

from chalicelib.functions import publish
from chalicelib.live import push, snapshots
from chalicelib.live.frames import frames
from chalicelib.live.permissions import Permissions, prefixes_of
from chalicelib.live.protocol import HEALTH_TOPIC, LIST_TOPIC
from chalicelib.stats.counters import LISTED

SPRING, AUTUMN = "stats/email-campaign/spring", "stats/email-campaign/autumn"
NOW = datetime.fromtimestamp(START, UTC)
END = int(START) + 600
OF_SPRING = Permissions("ada", END, ("spr",))
OF_AUTUMN = Permissions("bob", END, ("aut",))
OF_BOTH = Permissions("cyd", END, ("aut", "spr"))
OF_NONE = Permissions("dan", END, ())
ALL = Permissions("eve", END)
SHARED = Permissions("share/x", END, (), "spring")
SIGNED_IN = replace(CONFIG, issuer="https://issuer.example.com", client_id="page")


@pytest.mark.parametrize(
    ("access", "heard"),
    [
        (OF_SPRING, {SPRING, LIST_TOPIC, HEALTH_TOPIC}),
        (OF_AUTUMN, {AUTUMN, LIST_TOPIC, HEALTH_TOPIC}),
        (OF_BOTH, {SPRING, AUTUMN, LIST_TOPIC, HEALTH_TOPIC}),
        (OF_NONE, {LIST_TOPIC, HEALTH_TOPIC}),
        (ALL, {SPRING, AUTUMN, LIST_TOPIC, HEALTH_TOPIC}),
        (SHARED, {SPRING}),
    ],
)
def test_a_connection_may_subscribe_only_to_permitted_topics(access, heard):
    topics = {SPRING, AUTUMN, LIST_TOPIC, HEALTH_TOPIC}

    assert {topic for topic in topics if access.can_subscribe(topic)} == heard


def test_a_share_link_does_not_cover_campaigns_with_its_name_as_prefix():
    assert not SHARED.can_subscribe(SPRING + "-2")
    assert OF_SPRING.can_subscribe(SPRING + "-2")


@pytest.mark.parametrize(("until", "ended"), [(None, False), (100, True), (101, False)])
def test_a_token_expires_at_its_exact_second(until, ended):
    assert Permissions("ada", until).has_ended(100.0) == ended


def test_groups_without_prefixes_see_nothing_if_any_prefixes_are_set():
    by_group = {"acme": ("acme-",), "empty": ()}

    assert prefixes_of(["acme", "empty", "other"], by_group) == ("acme-",)
    assert prefixes_of(["other"], by_group) == ()
    assert prefixes_of(["other"], None) == ("",)


class Stage(World):
    """A world with sign-in."""

    def __init__(self):
        super().__init__(SIGNED_IN)

    def admitted(self, access, *topics):
        """Return a viewer with rows for these topics, whether or not it may subscribe to them."""
        viewer = self.subscribe()
        viewer.connection = replace(viewer.connection, access=access)
        rows = self.new_process().subscriptions
        rows.admit(viewer.connection)
        for topic in topics:
            rows.add(viewer.connection, topic)
        return viewer

    def happens(self, *campaigns):
        """Count an event in each of these campaigns, and publish the changes."""
        for campaign in campaigns:
            key = {"campaign": {"S": campaign}, "part": {"S": "summary"}}
            self.dynamo.call(
                "update_item",
                TableName="StatsTable",
                Key=key,
                UpdateExpression="SET first_event_at = :at, listed = :listed ADD v :one, s :one",
                ExpressionAttributeValues={
                    ":one": {"N": "1"},
                    ":at": {"S": "2026-11-23T10:00:00Z"},
                    ":listed": {"S": LISTED},
                },
            )
        self.drain()


@pytest.fixture(params=[nullcontext, single_viewer_batches], ids=["at once", "in batches"])
def stage(request):
    with request.param():
        yield Stage()


@pytest.mark.parametrize(
    "access",
    [OF_AUTUMN, OF_NONE, replace(SHARED, shared="autumn"), replace(SHARED, shared="spr")],
)
def test_a_push_skips_a_subscription_without_permission(stage, access):
    stranger = stage.admitted(access, SPRING)
    friends = [stage.admitted(one, SPRING) for one in (OF_SPRING, ALL, SHARED)]

    stage.happens("spring")

    assert stranger.frames == []
    assert [len(friend.frames) for friend in friends] == [1, 1, 1]


def test_a_share_link_receives_no_pace(stage):
    """What is usual is a result of the sender's other campaigns."""
    guest, friend = stage.admitted(SHARED, SPRING), stage.admitted(ALL, SPRING)

    stage.new_process().stats_table.paces.put("spring", {"campaigns": 3, "needed": 5}, NOW)
    stage.drain()

    assert guest.frames == []
    assert friend.frames[-1]["changes"]["pace"]["campaigns"] == 3
    stage.happens("spring")
    stage.new_process().stats_table.paces.put("spring", {"campaigns": 4, "needed": 5}, NOW)
    stage.drain()
    guest.ask("get", id=SPRING)
    friend.ask("get", id=SPRING)
    assert "counts" in guest.frames[-1]["snapshot"]
    assert all("pace" not in str(frame) for frame in guest.frames)
    assert friend.frames[-1]["snapshot"]["pace"]["campaigns"] == 4


@pytest.mark.parametrize("access", [SHARED, OF_SPRING, replace(ALL, rights=frozenset())])
def test_a_push_of_all_that_was_missed_does_not_say_what_a_viewer_may_change(access):
    """It is the same for all viewers of the campaign, of whom only some may."""
    stage = Stage()
    viewer = stage.admitted(access, SPRING)
    stage.happens("spring")
    stage.new_process().subscriptions.mark_behind(viewer.connection.id, SPRING)

    stage.happens("spring")

    [missed] = [one["changes"] for one in viewer.frames if "timeline" in one["changes"]]
    assert "may_share" not in missed
    assert all("may_change" not in one for one in missed.get("alarms", ()))


@pytest.mark.parametrize("topic", [LIST_TOPIC, HEALTH_TOPIC])
def test_pushes_of_the_list_and_health_skip_share_links(stage, topic):
    guest, friend = stage.admitted(SHARED, topic), stage.admitted(ALL, topic)

    stage.happens("spring")
    stage.new_process().stats_table.pipeline.pause("2026-11-23T10:00:00Z")
    stage.drain()

    assert guest.frames == []
    assert len(friend.frames) == 1


def test_a_list_push_has_the_permitted_campaigns_of_each_viewer(stage):
    viewers = [stage.admitted(one, LIST_TOPIC) for one in (OF_SPRING, OF_BOTH, OF_NONE)]

    stage.happens("spring", "autumn")

    named = [
        {entry["id"] for frame in viewer.frames for entry in frame["changes"]["campaigns"]}
        for viewer in viewers
    ]
    assert named == [{"spring"}, {"spring", "autumn"}, set()]


@pytest.mark.parametrize("access", [OF_SPRING, OF_BOTH, ALL])
def test_a_push_of_the_list_that_was_missed_has_the_newest_permitted_campaigns(access, monkeypatch):
    """A change of an older campaign, with which it is pushed, is not lost either."""
    monkeypatch.setattr(snapshots, "MOST_LISTED", 3)
    stage = Stage()
    viewers = [stage.admitted(one, LIST_TOPIC) for one in (access, OF_NONE)]
    stage.happens("spring-old", *(f"spring-{number}" for number in range(3)))
    stage.happens(*(f"z-hidden-{number}" for number in range(3)))
    for one in viewers:
        one.frames.clear()
        stage.new_process().subscriptions.mark_behind(one.connection.id, LIST_TOPIC)

    stage.happens("spring-0")

    [pushed, nothing] = [
        {entry["id"]: entry for frame in one.frames for entry in frame["changes"]["campaigns"]}
        for one in viewers
    ]
    assert nothing == {}
    assert pushed["spring-0"]["counts"]["sends"] == 2
    newest = "z-hidden" if access is ALL else "spring"
    assert len([one for one in pushed if one.startswith(newest)]) >= 3
    assert access is ALL or all(one.startswith("spring") for one in pushed)


@pytest.mark.parametrize("access", [OF_SPRING, ALL])
def test_a_push_of_all_that_was_missed_does_not_say_where_the_list_continues(access, monkeypatch):
    """It continues after the last campaign that a snapshot of all campaigns has."""
    monkeypatch.setattr(snapshots, "MOST_LISTED", 3)
    stage = Stage()
    viewer = stage.admitted(access, LIST_TOPIC)
    for number in range(6):
        stage.happens(f"spring-{number}", f"hidden-{number}")
    stage.new_process().subscriptions.mark_behind(viewer.connection.id, LIST_TOPIC)

    stage.happens("spring-5")

    assert {one["id"] for one in viewer.frames[-1]["changes"]["campaigns"]} >= {"spring-5"}
    assert all("cursor" not in frame["changes"] for frame in viewer.frames)


@pytest.mark.parametrize("late", [-1, 0])
def test_a_push_skips_a_connection_with_an_expired_token(stage, late):
    """Its row may stay in the table for days."""
    viewer = stage.admitted(OF_SPRING, SPRING)
    stage.now = END + late

    stage.happens("spring")

    assert len(viewer.frames) == (1 if late else 0)


@pytest.mark.parametrize(
    ("access", "heals"), [(OF_SPRING, True), (OF_AUTUMN, False), (OF_NONE, False)]
)
def test_a_ping_catches_up_no_topic_without_permission(access, heals):
    stage = Stage()
    viewer = stage.admitted(access, SPRING)
    stage.happens("spring")
    viewer.frames.clear()
    stage.new_process().subscriptions.mark_behind(viewer.connection.id, SPRING)

    viewer.ask("ping")

    assert [frame["id"] for frame in viewer.frames if "snapshot" in frame] == [SPRING] * heals


@pytest.mark.parametrize(("access", "kept"), [(OF_AUTUMN, set()), (OF_BOTH, {SPRING})])
def test_a_renewal_removes_subscriptions_that_the_new_token_does_not_allow(access, kept):
    stage = Stage()
    viewer = stage.admitted(OF_SPRING, SPRING)
    rows = stage.new_process().subscriptions

    rows.renew(replace(viewer.connection, access=access))

    assert {topic for topic in (SPRING, AUTUMN) if rows.subscribers(topic)} == kept


def test_a_ping_catches_up_no_expired_subscription():
    stage = Stage()
    viewer = stage.admitted(OF_SPRING, SPRING)
    rows = stage.new_process().subscriptions
    rows.mark_behind(viewer.connection.id, SPRING)
    assert rows.behind(viewer.connection.id)

    stage.now = END

    assert rows.behind(viewer.connection.id) == []


def test_a_refusal_lists_the_permitted_campaigns():
    stage = Stage()
    viewer = stage.admitted(OF_SPRING)
    request = json.dumps({"action": "get", "id": AUTUMN})

    [answer] = stage.new_process().session.answer(viewer.connection, request)

    assert answer["error"]["code"] == "forbidden"
    assert "'spr'" in answer["error"]["message"]


def test_viewers_who_missed_a_push_do_not_bypass_the_rate_limiter(
    monkeypatch,
):
    """What a viewer missed may take several messages: those of one topic may exceed them already."""
    monkeypatch.setattr(push, "frames", lambda message: [*frames(message)] * 2)
    stage = Stage()
    with single_viewer_batches():
        viewers = [stage.admitted(ALL, SPRING, AUTUMN) for _ in range(4)]
        stage.happens("spring", "autumn")
        for topic in (SPRING, AUTUMN):
            for one in viewers:
                stage.new_process().subscriptions.mark_behind(one.connection.id, topic)
        with patch.object(publish, "FREE_MESSAGES", 1):
            stage.happens("spring", "autumn")

    rows = stage.new_process().subscriptions
    behind = {
        topic: sum(one.behind is not None for one in rows.subscribers(topic))
        for topic in (SPRING, AUTUMN)
    }
    assert sorted(behind.values()) == [3, 4]
