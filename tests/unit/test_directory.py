"""The directory of campaigns: its items, what noting campaigns costs, and what requests read."""

import json

import pytest
from support import ses
from support.world import World

from chalicelib.stats import positions
from chalicelib.stats.counters import COUNTERS, SUMMARY, Aggregate
from chalicelib.stats.directory import (
    BUCKETS,
    DIRECTORY,
    FORMAT,
    Entry,
    bucket_of,
    bucket_part,
    entries_in,
    entry_of,
    packed,
)

HEALTHY = 5


@pytest.fixture
def world():
    """Return a world with three campaigns, and a complete directory."""
    world = World()
    world.arrive(
        *(ses.a_send(f"m-{name}", campaign=name) for name in ("autumn", "spring", "winter"))
    )
    settle(world)
    return world


def settle(world):
    for _ in range(HEALTHY):
        world.now += 1000
        world.watch()
        world.drain()


def calls(world, action):
    """Return the calls to DynamoDB that an action makes, with their parameters."""
    made = []
    world.dynamo.before_call = lambda operation, parameters: made.append((operation, parameters))
    action()
    world.dynamo.before_call = lambda *_: world._hold()
    return made


def position(world):
    [found] = world.new_process().stats_table.pipeline().positions
    return found


def test_an_entry_has_what_lists_show_without_personal_parts():
    summary = Aggregate(
        "spring", SUMMARY, 3, {"sends": 2, "opens": -1}, "2026-11-23T10:00:00Z",
        "2026-11-24T10:00:00Z", "For jane@example.com", "Shop", current_updates=3,
    )  # fmt: skip

    entry = entry_of(summary)

    assert (entry.subject, entry.sender, entry.is_current) == ("For *", "Shop", True)
    assert (entry.count("sends"), entry.count("opens")) == (2, 0), "never negative, as shown"


def test_a_campaign_without_events_has_no_entry():
    assert entry_of(Aggregate("spring", SUMMARY, 1, {"sends": 2})) is None


def test_the_same_entries_are_packed_into_the_same_bytes_in_any_order():
    entries = [Entry(name, None, None, "2026", None, True, (0,) * len(COUNTERS)) for name in "abc"]

    assert packed(entries) == packed(reversed(entries))


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ({}, "its format is None"),
        ({"format": {"S": "0-old"}, "entries": {"B": packed([])}}, "its format is 0-old"),
        ({"format": {"S": FORMAT}}, "KeyError"),
        ({"format": {"S": FORMAT}, "entries": {"B": b"["}}, "error"),
        (
            {
                "format": {"S": FORMAT},
                "entries": {"B": packed([Entry("a", None, None, "2026", None, True, (1,))])},
            },
            f"without {len(COUNTERS)} counters",
        ),
    ],
)
def test_an_item_that_is_no_bucket_in_this_format_is_refused(item, reason):
    with pytest.raises(ValueError, match=reason):
        entries_in(item)


def test_buckets_of_20000_campaigns_stay_far_below_400_kb():
    sizes = [0] * BUCKETS
    for number in range(20_000):
        sizes[bucket_of(f"campaign-{number}")] += 1

    counts = tuple(range(10**5, 10**5 + len(COUNTERS)))
    entries = [
        Entry(f"campaign-{n}", f"Offer {n * 7919}", f"Shop {n}", "2026-11-23T10:00:00Z",
              "2026-11-24T10:00:00Z", True, tuple(n * 7 + one for one in counts))
        for n in range(max(sizes))
    ]  # fmt: skip
    assert len(packed(entries)) < 10_000


def test_noting_campaigns_takes_no_further_call(world):
    world.arrive(ses.a_send("m-9", campaign="spring"))
    world.ingest(*world.queue)
    while world.running:
        world.running[0].step()
    [lane] = [one for one in world.readable() if one.reader == "count"]
    made = calls(world, lambda: (world.read(lane, 10), world.drain()))

    of_position = [
        operation for operation, parameters in made if position(world).part in str(parameters)
    ]
    assert of_position == ["update_item"]
    assert position(world).touched == {"spring"}


def test_a_check_without_changed_campaigns_reads_no_entry(world):
    made = calls(world, lambda: (world.watch(), world.drain()))

    of_directory = [one for one in made if DIRECTORY in str(one) or "m-" in str(one)]
    assert of_directory == []


def test_a_changed_campaign_is_one_write_to_its_bucket(world):
    world.arrive(ses.a_send("m-9", campaign="spring"))
    world.drain()

    made = calls(world, lambda: (world.watch(), world.drain()))

    written = [
        parameters["Key"]["part"]["S"]
        for operation, parameters in made
        if operation == "update_item" and parameters["Key"]["campaign"]["S"] == DIRECTORY
    ]
    assert written == [bucket_part(bucket_of("spring"))]
    assert position(world).touched == position(world).pending == frozenset()


def test_requests_read_the_entries_again_only_after_a_change(world):
    process, viewer = world.new_process(), world.subscribe()
    asked = json.dumps({"action": "searchCampaigns", "query": "spring"})

    def reads():
        made = calls(world, lambda: list(process.session.answer(viewer.connection, asked)))
        return [operation for operation, _ in made]

    assert reads() == ["get_item", "query", "batch_get_item"]
    assert reads() == ["get_item", "batch_get_item"]
    world.arrive(ses.a_send("m-9", campaign="spring"))
    world.drain()
    world.watch()
    world.drain()
    assert reads() == ["get_item", "query", "batch_get_item"]


def test_until_the_directory_is_complete_all_summaries_are_read():
    world = World()
    world.arrive(ses.a_send("m-1", campaign="spring"))
    world.drain()
    viewer = world.subscribe()

    viewer.ask("searchCampaigns", query="spring")

    assert world.new_process().directory.entries() is None
    assert [one["id"] for one in viewer.frames[-1]["results"]] == ["spring"]


def test_an_unreadable_bucket_is_read_from_the_summaries_and_built_again(world):
    key = DIRECTORY, bucket_part(bucket_of("autumn"))
    table = world.dynamo.tables["StatsTable"]
    table.put(key, {**table.get(key), "format": {"S": "0-old"}})
    viewer = world.subscribe()

    viewer.ask("searchCampaigns", query="autumn")
    assert [one["id"] for one in viewer.frames[-1]["results"]] == ["autumn"]

    world.arrive(ses.a_send("m-9", campaign="autumn"))
    settle(world)
    assert len(world.new_process().directory.entries()) == 3


def test_campaigns_that_are_too_many_to_note_are_built_again(world, monkeypatch):
    monkeypatch.setattr(positions, "MOST_NOTED", 1)
    for number in range(3):
        world.arrive(ses.a_send(f"n-{number}", campaign=f"new-{number}"))
        world.drain()

    assert position(world).touched == {"new-0"}
    assert position(world).full is not None
    assert world.new_process().directory.entries() is not None, "it stays in use"
    settle(world)
    assert len(world.new_process().directory.entries()) == 6


def test_a_recount_is_followed_by_a_build(world):
    table = world.dynamo.tables["StatsTable"]
    summary = table.get(("spring", SUMMARY))
    stats_table = world.new_process().stats_table
    stats_table.pause("2026-11-23T21:00:00.000Z")
    table.put(("spring", SUMMARY), {**summary, "s": {"N": "7"}})
    settle(world)
    before = {one.campaign: one.count("sends") for one in world.new_process().directory.entries()}

    stats_table.resume("2026-11-23T21:00:00.000Z")
    settle(world)

    after = {one.campaign: one.count("sends") for one in world.new_process().directory.entries()}
    assert (before["spring"], after["spring"]) == (1, 7)


def test_a_deleted_campaign_leaves_the_directory_with_a_build(world):
    table = world.dynamo.tables["StatsTable"]
    table.put(("spring", SUMMARY), None)
    stats_table = world.new_process().stats_table
    stats_table.pause("2026-11-23T21:00:00.000Z")
    stats_table.resume("2026-11-23T21:00:00.000Z")

    settle(world)

    campaigns = {one.campaign for one in world.new_process().directory.entries()}
    assert campaigns == {"autumn", "winter"}


def test_after_a_day_without_checks_the_directory_is_built_again(world):
    """Campaigns noted with positions that have expired since are unknown."""
    world.arrive(ses.a_send("m-9", campaign="spring"))
    world.drain()
    world.now += 26 * 3600
    world.dynamo.expire()

    world.watch()
    world.drain()
    assert world.new_process().directory.entries() is None

    settle(world)
    entries = {one.campaign: one for one in world.new_process().directory.entries()}
    assert entries["spring"].count("sends") == 2
