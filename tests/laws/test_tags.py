"""Laws of the tags of campaigns: they depend on which emails there are, and on nothing else."""

import random
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from laws.test_upgrade import PREVIOUS
from support import ses
from support.chaos import chaos
from support.world import START, World

from chalicelib.facts.forgotten import NOBODY
from chalicelib.stats import tags
from chalicelib.stats.tags import MAX_TAG_BYTES, TagSet, kept, name_of
from dashboard.recount.comparison import Facts, differences

seeds = st.integers(0, 2**32)
names = st.sampled_from(["audience", "region", "a-b", "a", "type", "variant"])
FEW = 2
# More values than a campaign keeps if it keeps few, and of several lengths.
values = st.integers(0, 4 * FEW).map(lambda n: str(n) * (1 + n % 3))
several = st.sets(st.builds(tags.tag, names, values), min_size=5, max_size=40)


@pytest.fixture(autouse=True, scope="module")
def _few():
    with patch.object(tags, "MAX_VALUES", FEW):
        yield


MESSAGES = ("m-1", "m-2", "m-3", "m-4", "m-5", "m-6")
EVENTS = (ses.a_send, ses.a_delivery, ses.an_open, ses.a_click, ses.a_reject, ses.a_subscription)


def events_of(variants):
    """Return lists of events of emails with these variants: each of an email's events has its tags."""
    return st.lists(
        st.builds(
            lambda build, number: build(MESSAGES[number], variant=variants[number]),
            st.sampled_from(EVENTS),
            st.integers(0, len(MESSAGES) - 1),
        ),
        min_size=1,
        max_size=20,
    )


events = st.sampled_from([("a", "b", "a", "b", "a", "b"), ("f", "e", "d", "c", "b", None)]).flatmap(
    events_of
)


def of_emails(happened, most=FEW):
    """Return what the campaign keeps, from the events alone."""
    found = {value for one in happened for value in one["mail"]["tags"].get("variant", ())}
    return tuple(f"variant={value}" for value in sorted(found)[:most])


def of_summary(world):
    world.dynamo.before_call = lambda *_: None
    summary = world.new_process().stats_table.summary("spring")
    world.dynamo.before_call = lambda *_: world._hold()
    return summary.tags if summary else ()


@given(several, several, several)
def test_tags_that_were_left_out_earlier_make_no_difference(first, second, third):
    everything = kept(first | second | third)

    assert kept({*kept(first | second), *third}) == everything
    assert kept({*kept(first), *kept({*second, *kept(third)})}) == everything


@given(several)
def test_a_campaign_keeps_few_values_of_few_tags_the_first_in_text_order(given_tags):
    found = kept(given_tags)

    known = sorted({name_of(one) for one in given_tags})
    assert sorted({name_of(one) for one in found}) == known[:3]
    for name in known[:3]:
        of_name = sorted(one for one in given_tags if name_of(one) == name)
        assert sorted(one for one in found if name_of(one) == name) == of_name[:FEW]


@given(st.lists(st.dictionaries(names, st.text(max_size=150), max_size=3), max_size=20), seeds)
def test_a_set_of_tags_does_not_depend_on_the_order_of_emails(emails, seed):
    shuffled = random.Random(seed).sample(emails, len(emails))
    one, other = TagSet(), TagSet()
    for email in emails:
        one.add(email)
    with patch.object(tags, "_MOST_UNMERGED", 2):
        for email in shuffled:
            other.add(email)

    assert one.tags() == other.tags()
    assert all(len(tag.encode()) <= MAX_TAG_BYTES and tag.isprintable() for tag in one.tags())


@given(events, seeds)
def test_a_campaign_has_the_tags_of_its_emails_whatever_fails(happened, seed):
    world = World()
    world.arrive(*happened)

    chaos(world, seed, crashes=4)

    assert of_summary(world) == of_emails(happened)


@given(events, seeds)
def test_a_recount_restates_the_tags_that_an_earlier_release_did_not_keep(happened, seed):
    """The earlier release keeps no tags, and stores none with the facts that it writes."""
    world = World()
    world.releases = (PREVIOUS, *world.releases)
    world.arrive(*happened)
    chaos(world, seed)
    facts = Facts(NOBODY)
    for item in world.dynamo.tables["EventsTable"].items():
        facts.add(item)
    stats_table = world.new_process().stats_table

    world.dynamo.before_call = lambda *_: None
    summary = stats_table.summary("spring")
    expected = facts.of("spring", START)["summary"]
    stats_table.restate(
        ("spring", "summary"), expected, version=summary.version, positions={}, now=int(START)
    )

    restated = stats_table.summary("spring")
    assert restated.tags == tuple(expected.tags)
    assert {*summary.tags, *restated.tags} <= {*of_emails(happened, most=99)}
    found = differences("spring", facts.of("spring", START), [restated], START)
    assert "tags" not in {one.name for one in found}
