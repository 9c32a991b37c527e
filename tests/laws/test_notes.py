"""Notes on a timeline: every viewer ends with the same ones, whatever is concurrent or repeated."""

import random
from functools import partial
from unittest.mock import patch

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.chaos import chaos
from support.world import World

from chalicelib.errors import InvalidRequest
from chalicelib.stats.note_item import NOTES
from chalicelib.stats.notes import MOST_NOTES, TOMBSTONE_SECONDS, Note, added, removed

TOPIC = "stats/email-campaign/spring"
OTHER = "stats/email-campaign/autumn"
AT = "2026-11-23T10:00:00Z"

seeds = st.integers(0, 2**32)


def add(viewer, text, topic=TOPIC, at=AT):
    """Add a note; return its id."""
    viewer.ask("addNote", id=topic, at=at, text=text)
    return viewer.frames[-1]["notes"][0]["note"]


def notes_of(topic):
    """Return the parts of a viewer's topic that are notes."""
    return {part: one for part, one in topic.parts.items() if part[0] == "note"}


def texts(topic):
    return sorted(one["text"] for one in notes_of(topic).values() if one["text"] is not None)


@given(st.integers(1, 5), st.integers(0, 3), seeds)
@example(5, 3, 0)
def test_every_viewer_ends_with_all_notes_but_the_removed_ones(adds, removes, seed):
    world = World()
    viewers = [world.subscribe(TOPIC) for _ in range(3)]
    before = [add(viewers[0], f"before {number}") for number in range(3)]
    world.drain()
    requests = [
        partial(viewers[number % 3].ask_meanwhile, "addNote", id=TOPIC, at=AT, text=f"new {number}")
        for number in range(adds)
    ]
    for number, note in enumerate(before[:removes]):
        # Two viewers remove the same note at once.
        requests += [
            partial(viewers[viewer % 3].ask_meanwhile, "removeNote", id=TOPIC, note=note)
            for viewer in (number, number + 1)
        ]

    chaos(world, seed, crashes=0, meanwhile=requests)

    expected = [f"before {number}" for number in range(removes, 3)]
    expected += [f"new {number}" for number in range(adds)]
    assert texts(world.snapshot(TOPIC)) == expected
    for viewer in viewers:
        assert notes_of(viewer.topics[TOPIC]) == notes_of(world.snapshot(TOPIC))


@given(st.integers(1, 5), seeds)
def test_a_process_that_dies_leaves_all_viewers_with_the_same_notes(adds, seed):
    """The client repeats a request without a reply, so a note may be there twice."""
    world = World()
    viewers = [world.subscribe(TOPIC) for _ in range(3)]
    requests = [
        partial(viewers[number % 3].ask_meanwhile, "addNote", id=TOPIC, at=AT, text=f"new {number}")
        for number in range(adds)
    ]

    chaos(world, seed, meanwhile=requests)

    assert {*texts(world.snapshot(TOPIC))} == {f"new {number}" for number in range(adds)}
    for viewer in viewers:
        assert notes_of(viewer.topics[TOPIC]) == notes_of(world.snapshot(TOPIC))


@given(seeds)
def test_snapshots_and_pushes_of_notes_may_be_repeated_in_any_order(seed):
    rng = random.Random(seed)
    world = World()
    early = world.subscribe(TOPIC)
    kept, gone = add(early, "kept"), add(early, "removed")
    world.drain()
    early.ask("get", id=TOPIC)
    early.ask("removeNote", id=TOPIC, note=gone)
    world.drain()
    early.ask("get", id=TOPIC)

    late = world.subscribe()
    arriving = early.frames + rng.choices(early.frames, k=3)
    rng.shuffle(arriving)
    for frame in arriving:
        late.merge(frame)

    assert texts(late.topics[TOPIC]) == ["kept"]
    assert {part[1] for part in notes_of(late.topics[TOPIC])} == {kept, gone}


def test_a_late_push_of_a_removed_note_restores_nothing():
    world = World()
    viewer = world.subscribe(TOPIC)
    note = add(viewer, "Reminder sent")
    world.drain()
    pushed = viewer.frames[-1]
    viewer.ask("removeNote", id=TOPIC, note=note)
    world.drain()
    world.now += 86_400  # a record of a stream is kept for a day

    late = world.subscribe(TOPIC)
    late.merge(pushed)

    assert texts(late.topics[TOPIC]) == []


def test_a_write_whose_response_was_lost_adds_no_second_note():
    """The client of DynamoDB repeats the write, whose condition then fails."""
    world = World()
    viewer = world.subscribe(TOPIC)
    call = world.dynamo.call

    def repeated(operation, **parameters):
        result = call(operation, **parameters)
        is_note = parameters.get("Key", {}).get("part") == {"S": NOTES}
        return call(operation, **parameters) if operation == "update_item" and is_note else result

    with patch.object(world.dynamo, "call", repeated):
        note = add(viewer, "Reminder sent")
        viewer.ask("removeNote", id=TOPIC, note=add(viewer, "Removed"))
    world.drain()

    assert texts(world.snapshot(TOPIC)) == ["Reminder sent"]
    assert ("note", note) in notes_of(viewer.topics[TOPIC])


def test_of_the_last_free_place_only_one_of_two_notes_gets_it():
    world = World()
    viewer = world.subscribe(TOPIC)
    for number in range(MOST_NOTES - 1):
        add(viewer, f"note {number}")
    refusals = []
    viewer.receive = lambda frame: refusals.append(frame) if '"error"' in frame else None

    for text in ("one", "other"):
        viewer.ask_meanwhile("addNote", id=TOPIC, at=AT, text=text)
    chaos(world, 7, crashes=0)

    assert len(texts(world.snapshot(TOPIC))) == MOST_NOTES
    [refusal] = refusals
    assert "100 notes, which is the maximum" in refusal


def test_a_note_belongs_to_one_campaign():
    world = World()
    viewer = world.subscribe(TOPIC, OTHER)
    note = add(viewer, "Reminder sent")
    world.drain()

    assert (texts(viewer.topics[TOPIC]), texts(viewer.topics[OTHER])) == (["Reminder sent"], [])
    assert texts(world.snapshot(OTHER)) == []
    assert note in {part[1] for part in notes_of(viewer.topics[TOPIC])}


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 9), st.integers(0, 86_400)), max_size=40))
def test_a_tombstone_is_kept_for_two_days_and_holds_no_text(steps):
    notes, now = {}, 0
    for adds, number, later in steps:
        now += later
        identity = f"{number}"
        if adds:
            notes = added(notes, identity, Note(AT, f"text {number}", "ada@example.com"), now)
        elif identity in notes:
            notes = removed(notes, identity, now)
        for one in notes.values():
            if one.removed_at is not None:
                assert (one.text, one.by) == ("", "")
                assert one.version == 2
    for identity, one in notes.items():
        if one.removed_at is not None:
            much_later = one.removed_at + 2 * 86_400
            assert identity in added(notes, "new", Note(AT, "new"), much_later - 1)
            assert identity not in added(notes, "new", Note(AT, "new"), much_later)


def test_notes_that_are_added_and_removed_all_day_are_limited():
    notes = {}
    for number in range(500):
        notes = removed(added(notes, f"{number}", Note(AT, "x"), 0), f"{number}", 0)
    with pytest.raises(InvalidRequest, match="add this note tomorrow"):
        added(notes, "one more", Note(AT, "x"), 0)
    assert "one more" in added(notes, "one more", Note(AT, "x"), TOMBSTONE_SECONDS)
