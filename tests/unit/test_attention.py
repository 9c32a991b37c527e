"""What viewers receive, by how closely they follow: the levels of `attend`."""

import pytest
from msgspec.structs import replace
from support import ses
from support.world import World

from chalicelib.live.permissions import Permissions
from chalicelib.live.protocol import HEALTH_TOPIC, LIST_TOPIC

SPRING = "stats/email-campaign/spring"


@pytest.fixture
def world():
    return World()


def viewer_at(world, level, *topics):
    viewer = world.subscribe(*(topics or (SPRING,)))
    viewer.ask("attend", level=level)
    viewer.frames.clear()
    return viewer


def ingest(world, *events):
    """Count events; the readers of the stats table's stream have yet to run."""
    world.arrive(*events)
    world.ingest(*world.queue)
    while world.running:
        world.running[0].step()
    read(world, "count")


def read(world, reader):
    """Run a reader until it has read everything."""
    while lanes := [one for one in world.readable() if one.reader == reader]:
        world.read(lanes[0], 1000)
        while world.running:
            world.running[0].step()


def sends(viewer):
    return viewer.topics[SPRING].counts["sends"]


def test_a_viewer_that_never_states_a_level_is_active(world):
    viewer = world.subscribe(SPRING)
    ingest(world, ses.a_send())

    read(world, "publish")

    assert sends(viewer) == 1


def test_visible_viewers_receive_what_their_own_reader_coalesces(world):
    viewer = viewer_at(world, "visible")
    world.now += 60
    ingest(world, ses.a_send("m-1"))
    read(world, "publish")
    ingest(world, ses.a_send("m-2"))
    read(world, "publish")
    assert viewer.frames == []

    read(world, "publish_visible")

    assert [frame["changes"]["counts"]["sends"] for frame in viewer.frames] == [2]


def test_active_viewers_receive_nothing_from_the_reader_of_visible_ones(world):
    viewer = world.subscribe(SPRING)
    viewer.frames.clear()
    ingest(world, ses.a_send())
    read(world, "publish")
    number = len(viewer.frames)

    read(world, "publish_visible")

    assert len(viewer.frames) == number


def test_a_hidden_viewer_receives_nothing_and_is_not_marked_behind(world):
    viewer = viewer_at(world, "hidden", SPRING, LIST_TOPIC, HEALTH_TOPIC)
    world.arrive(ses.a_send())
    world.drain()

    assert viewer.frames == []
    assert world.new_process().subscriptions.behind(viewer.connection.id) == []


@pytest.mark.parametrize("level", ["active", "visible"])
def test_a_viewer_that_is_no_longer_hidden_receives_a_snapshot_of_each_topic(world, level):
    viewer = viewer_at(world, "hidden", SPRING, LIST_TOPIC)
    world.arrive(ses.a_send())
    world.drain()

    viewer.ask("attend", level=level, request_id=7)

    *snapshots, reply = viewer.frames
    assert {one["id"] for one in snapshots} == {SPRING, LIST_TOPIC}
    assert all(one["action"] == "attend" and one["request_id"] == 7 for one in snapshots)
    assert reply == {"request_id": 7, "action": "attend"}
    assert sends(viewer) == 1


def test_other_changes_of_the_level_are_only_acknowledged(world):
    viewer = world.subscribe(SPRING)
    viewer.frames.clear()

    for level in ("visible", "active", "hidden", "hidden"):
        viewer.ask("attend", level=level)

    assert viewer.frames == [{"request_id": None, "action": "attend"}] * 4


def test_a_level_applies_to_later_subscriptions(world):
    viewer = viewer_at(world, "hidden", LIST_TOPIC)
    viewer.ask("subscribe", id=SPRING)
    viewer.frames.clear()

    world.arrive(ses.a_send())
    world.drain()

    assert viewer.frames == []


@pytest.mark.parametrize(("before", "after"), [("visible", "active"), ("active", "visible")])
@pytest.mark.parametrize("first", ["publish", "publish_visible"])
def test_a_change_of_level_between_the_two_readers_loses_no_change(world, before, after, first):
    viewer = viewer_at(world, before)
    world.now += 60
    world.arrive(ses.a_send("m-1"))
    world.drain()
    ingest(world, ses.a_send("m-2"))
    read(world, first)
    world.now += 1

    viewer.ask("attend", level=after)
    read(world, "publish")
    read(world, "publish_visible")

    assert sends(viewer) == 2


def test_the_first_change_after_a_pause_is_pushed_before_the_stream_is_read(world):
    viewer = world.subscribe(SPRING)
    viewer.frames.clear()

    ingest(world, ses.a_send())

    assert sends(viewer) == 1


def test_a_change_that_follows_within_a_second_waits_for_the_stream(world):
    pushed = []
    counting = world.new_process()
    counting.push_now = pushed.append
    world.arrive(ses.a_send("m-1"), ses.a_send("m-2"), ses.a_send("m-3"))
    world.ingest(*world.queue)
    while world.running:
        world.running[0].step()
    [records] = [one.shard.records for one in world.lanes() if one.reader == "count"]

    for record, after in zip(records, (0, 0.5, 1.5), strict=True):
        world.now += after
        counting.count.batch([record], shard="shard-1")

    versions = [items[-1]["v"] for items in pushed]
    assert versions == [{"N": "1"}, {"N": "3"}]


def test_events_that_another_shard_has_just_counted_are_no_pause(world):
    pushed = []
    world.arrive(ses.a_send("m-1"), ses.a_send("m-2"))
    world.ingest(*world.queue)
    while world.running:
        world.running[0].step()
    [records] = [one.shard.records for one in world.lanes() if one.reader == "count"]

    for record, shard in zip(records, ("shard-1", "shard-2"), strict=True):
        counting = world.new_process()
        counting.push_now = pushed.append
        counting.count.batch([record], shard=shard)

    assert len(pushed) == 1


def test_a_change_that_was_pushed_at_once_is_not_pushed_again(world):
    viewer = world.subscribe(SPRING)
    ingest(world, ses.a_send())
    viewer.frames.clear()

    read(world, "publish")

    assert viewer.frames == []


def test_a_viewer_that_missed_a_push_receives_a_snapshot_with_the_next_one(world):
    viewer = world.subscribe(SPRING)
    viewer.refuses = 10
    world.arrive(ses.a_send("m-1"), ses.a_click("m-1"))
    world.drain()
    viewer.refuses = 0
    viewer.frames.clear()
    world.now += 60

    world.arrive(ses.a_delivery("m-1"))
    world.drain()

    assert viewer.topics[SPRING].shown == world.snapshot(SPRING).shown
    assert "links" in viewer.frames[0]["changes"], "the delivery alone changed no link"
    assert world.new_process().subscriptions.behind(viewer.connection.id) == []


def test_a_push_of_a_campaign_has_its_newest_activity(world):
    viewer = world.subscribe(SPRING)
    opens = [ses.an_open(f"m-{n}", at=f"2026-11-23T10:00:{n:02}.000Z") for n in range(10)]

    world.arrive(*opens)
    world.drain()

    activity = viewer.frames[-1]["changes"]["activity"]
    assert [one["message_id"] for one in activity] == [f"m-{n}" for n in range(9, 1, -1)]
    reader = world.subscribe()
    reader.ask("listActivity", id=SPRING, limit=8)
    assert activity == reader.frames[-1]["results"]


def test_no_push_or_snapshot_of_a_share_link_has_activity(world):
    viewer, shared = world.subscribe(SPRING), world.subscribe()
    access = Permissions("share/x", 2**40, (), "spring")
    shared.connection = replace(shared.connection, access=access)
    rows = world.new_process().subscriptions
    rows.admit(shared.connection)
    rows.add(shared.connection, SPRING)
    world.arrive(ses.an_open())
    world.drain()

    snapshots = world.new_process().snapshots

    assert "activity" in viewer.frames[-1]["changes"]
    assert shared.frames
    assert not [one for one in shared.frames if "activity" in one["changes"]]
    assert "activity" not in snapshots.of(SPRING, access)
    assert "activity" in snapshots.of(SPRING)
