"""The directory of campaigns: its items, what noting campaigns costs, and what requests read."""

import json

import pytest
from support import ses
from support.world import World

from chalicelib.stats import directory, directory_table, positions
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
from chalicelib.stats.pace_item import PaceNow
from chalicelib.stats.pace_table import Paces

HEALTHY = 5


@pytest.fixture(autouse=True)
def _without_pace(monkeypatch):
    """Compute no pace, because entries are updated with it, too (tests/laws/test_paces.py)."""
    monkeypatch.setattr(Paces, "update", lambda *_: False)


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
    [found] = world.new_process().stats_table.pipeline.get().positions
    return found


def test_an_entry_has_what_lists_show_without_personal_parts():
    summary = Aggregate(
        "spring", SUMMARY, 3, {"sends": 2, "opens": -1}, "2026-11-23T10:00:00Z",
        "2026-11-24T10:00:00Z", "For jane@example.com", "Shop", current_updates=3,
        tags=("variant=b",), pace=PaceNow(7, (200, 134, 119, 153)),
    )  # fmt: skip

    entry = entry_of(summary)

    assert (entry.subject, entry.sender, entry.is_current) == ("For *", "Shop", True)
    assert entry.tags == ("variant=b",)
    assert entry.pace == PaceNow(7, (200, 134, 119, 153))
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
              "2026-11-24T10:00:00Z", True, tuple(n * 7 + one for one in counts),
              (f"audience={n % 90}", "variant=a", "variant=b"),
              PaceNow(n * 31 + 7, (n * 97, n * 89, n * 83, n * 101), (n * 13, n * 11, n * 7, n * 17)))
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


def test_a_check_that_dies_at_any_call_is_continued_by_the_next_one(world):
    for dies_at in range(1, 100):
        world.arrive(ses.a_send(f"n-{dies_at}", campaign="spring"))
        world.drain()
        check = world.watch()
        for _ in range(dies_at):
            if check in world.running:
                check.step()
        has_died = check in world.running
        if has_died:
            check.crash()
            world.watch()
            world.drain()

        entries = {one.campaign: one for one in world.new_process().directory.entries()}
        assert entries["spring"].count("sends") == 1 + dies_at
        if not has_died:
            break
    assert 5 < dies_at < 99


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
    stats_table.pipeline.pause("2026-11-23T21:00:00.000Z")
    table.put(("spring", SUMMARY), {**summary, "s": {"N": "7"}})
    settle(world)
    before = {one.campaign: one.count("sends") for one in world.new_process().directory.entries()}

    stats_table.pipeline.resume("2026-11-23T21:00:00.000Z")
    settle(world)

    after = {one.campaign: one.count("sends") for one in world.new_process().directory.entries()}
    assert (before["spring"], after["spring"]) == (1, 7)


def test_a_deleted_campaign_leaves_the_directory_with_a_build(world):
    table = world.dynamo.tables["StatsTable"]
    table.put(("spring", SUMMARY), None)
    stats_table = world.new_process().stats_table
    stats_table.pipeline.pause("2026-11-23T21:00:00.000Z")
    stats_table.pipeline.resume("2026-11-23T21:00:00.000Z")

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


def test_what_an_earlier_release_has_counted_is_built_again(world):
    """It advances the read position, but notes no campaigns; then a current one counts."""
    table = world.dynamo.tables["StatsTable"]
    key = (" pipeline", position(world).part)
    table.put(key, {**table.get(key), "read": {"S": "1".zfill(40)}})
    summary = table.get(("spring", SUMMARY))
    table.put(("spring", SUMMARY), {**summary, "s": {"N": "7"}})

    world.arrive(ses.a_send("m-9", campaign="winter"))
    world.drain()
    world.watch()
    world.drain()

    assert world.new_process().directory.entries() is None
    settle(world)
    entries = {one.campaign: one for one in world.new_process().directory.entries()}
    assert entries["spring"].count("sends") == 7


def test_a_build_that_is_requested_during_another_one_is_not_forgotten(world):
    stats_table = world.new_process().stats_table
    begun = []

    def before_call(_, parameters):
        begun.append(str(parameters))
        world._hold()

    def recount(at):
        world.dynamo.before_call = lambda *_: None
        stats_table.pipeline.pause(at)
        stats_table.pipeline.resume(at)
        world.dynamo.before_call = before_call

    recount("2026-11-23T21:00:00.000Z")
    world.watch()
    world.drain()
    build = world.watch()
    while ":builds" not in "".join(begun[-1:]):
        build.step()

    recount("2026-11-23T22:00:00.000Z")
    requesting = world.watch()
    while requesting in world.running:
        requesting.step()
    world.drain()

    world.dynamo.before_call = lambda *_: None
    assert stats_table.pipeline.get().directory.left == BUCKETS


def held_before(world, text):
    """Start a check; hold it before the first call whose parameters contain a text."""
    begun = []
    world.dynamo.before_call = lambda _, parameters: (begun.append(str(parameters)), world._hold())
    check = world.watch()
    while text not in "".join(begun[-1:]):
        check.step()
    world.dynamo.before_call = lambda *_: world._hold()
    return check


def finish(world, invocation):
    while invocation in world.running:
        invocation.step()


def count(world, event):
    """Ingest and count an event, while other invocations are held."""
    world.arrive(event)
    finish(world, world.ingest(*world.queue))
    for lane in world.readable():
        if lane.reader == "count":
            finish(world, world.read(lane, lane.unread))


def sends(world):
    return {one.campaign: one.count("sends") for one in world.new_process().directory.entries()}


def test_checks_that_update_one_bucket_at_once_keep_both_campaigns(monkeypatch):
    monkeypatch.setattr(directory, "BUCKETS", 1)
    monkeypatch.setattr(directory_table, "BUCKETS", 1)
    world = World()
    count(world, ses.a_send("m-0", campaign="winter"))
    settle(world)
    count(world, ses.a_send("m-1", campaign="spring"))
    first = held_before(world, "SET entries")
    count(world, ses.a_send("m-2", campaign="autumn"))
    for _ in range(2):  # the campaigns of the first check, then the new one
        finish(world, world.watch())

    finish(world, first)

    settle(world)
    assert sends(world) == {"winter": 1, "spring": 1, "autumn": 1}


def test_a_slow_check_does_not_forget_what_was_counted_since(world):
    count(world, ses.a_send("m-2", campaign="spring"))
    slow = held_before(world, "DELETE pending")
    finish(world, world.watch())
    count(world, ses.a_send("m-3", campaign="spring"))
    dying = held_before(world, "SET entries")
    dying.crash()

    finish(world, slow)

    settle(world)
    assert sends(world)["spring"] == 3


def test_noted_campaigns_are_kept_for_a_day_however_late_their_records_are(world):
    late = int(world.now) - 24 * 3600
    stats_table = world.new_process().stats_table
    world.dynamo.before_call = lambda *_: None

    stats_table.positions.put("k9", "shard-9", "5", created=late, campaigns=["spring"])

    item = world.dynamo.tables["StatsTable"].get((" pipeline", "shard#k9"))
    assert int(item["expires"]["N"]) >= world.now + 24 * 3600
