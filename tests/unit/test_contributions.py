"""The contributions of a batch's records, including malformed ones."""

from itertools import permutations

import pytest
from support import ses

from chalicelib.facts.fact import FactSettings, facts_of
from chalicelib.facts.forgotten import NOBODY
from chalicelib.facts.items import to_item
from chalicelib.facts.state import State
from chalicelib.ses.parse import parse
from chalicelib.stats.counters import AGES, HEALTH, PIPELINE, SUMMARY, age_counter
from chalicelib.stats.grouping import group
from chalicelib.stats.update import sums

SPRING = ("spring", SUMMARY)


def item(event, **changed):
    """Return the stored item of an event; attributes set to `...` are removed."""
    parsed = parse(ses.raw(event), campaign_tag="campaign")
    [fact] = facts_of(parsed, FactSettings("k"))
    whole = to_item(fact, 1_800_000_000) | changed
    return {name: value for name, value in whole.items() if value is not ...}


def batch(*images):
    records = [
        {
            "eventName": "INSERT",
            "dynamodb": {
                "SequenceNumber": str(number + 1),
                "ApproximateCreationDateTime": 1_800_000_000,
                "NewImage": image,
            },
        }
        for number, image in enumerate(images)
    ]
    return group(records, NOBODY)


def added(found, key, counter):
    changes = found.pending[key].changes
    return sum(change.counts.get(counter, 0) * len(change.records) for change in changes)


def said(found):
    return {
        name: value
        for field in found.pending[SPRING].fields.values()
        for name, value in {field.guard: field.rank, **field.values}.items()
    }


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize(
    "malformed",
    [
        {"t": {"S": "2026-11-31T10:00:00.000Z"}},
        {"t": {"S": "2026-11-23T10:00"}},
        {"m": ...},
        {"n": {"N": "0"}},
        {"c": {"S": "é" * 129}},
        {"s": {"S": "s" * 2001}},
        {"h": {"S": "0123"}},
        {"expires": {"N": "never"}},
        {"expires": {"N": None}},
        {"expires": "never"},
    ],
)
def test_a_malformed_item_is_quarantined_alone_and_counted_as_such(malformed, order):
    images = [
        item(ses.a_send("m-1")),
        item(ses.a_send("m-2"), **malformed),
        item(ses.a_send("m-3")),
    ]

    found = batch(*(images[number] for number in order))

    assert added(found, SPRING, "sends") == 2
    assert (len(found.quarantined), added(found, (PIPELINE, HEALTH), "quarantined")) == (1, 1)


@pytest.mark.parametrize("tagged", [True, False])
def test_tagged_and_untagged_facts_are_counted_separately(tagged):
    images = [item(ses.a_send("m-1"), g={"BOOL": True}), item(ses.a_send("m-2"), g={"BOOL": False})]

    found = batch(*(images if tagged else reversed(images)))

    assert added(found, SPRING, "sends") == 2
    assert added(found, (PIPELINE, HEALTH), "untagged") == 1


def test_a_send_counts_each_of_its_recipients():
    three, two = item(ses.a_send("m-1"), n={"N": "3"}), item(ses.a_send("m-2"), n={"N": "2"})

    assert added(batch(three, two, item(ses.a_send("m-3"))), SPRING, "sends") == 6


def test_the_first_and_last_times_are_those_of_all_events():
    at = "2026-11-23T10:00:0{}.000Z".format
    found = batch(*(item(ses.a_send(f"m-{number}", at=at(number))) for number in (1, 0, 2)))

    assert said(found)["first_event_at"] == "2026-11-23T10:00:00Z"
    assert said(found)["last_event_at"] == "2026-11-23T10:00:02Z"


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_of_simultaneous_emails_the_least_sender_is_shown_in_any_order(order):
    images = [item(ses.a_send("m-1"), f={"S": sender}) for sender in ("b", "a", "c")]

    assert said(batch(*(images[number] for number in order)))["sender"] == "a"


def test_an_email_without_a_sender_does_not_hide_the_next_ones():
    at = "2026-11-23T10:00:0{}.000Z".format
    found = batch(
        item(ses.a_send("m-0", at=at(0)), f=...),
        item(ses.a_send("m-1", at=at(1)), f={"S": "the first sender"}),
        item(ses.a_send("m-2", at=at(2)), f={"S": "later"}),
    )

    assert said(found)["sender"] == "the first sender"


def test_the_url_of_a_labelled_link_is_the_least_in_any_order():
    urls = ["https://example.com/b", "https://example.com/a", "https://example.com/c"]
    clicks = [ses.a_click(link=url, tags={"link": ["hero"]}) for url in urls]

    found = batch(*map(item, clicks))

    [field] = [
        pending.fields["url"] for (_, part), pending in found.pending.items() if "link#" in part
    ]
    assert (field.rank, field.values) == ("https://example.com/a", {"label": "hero"})


def test_items_of_an_earlier_release_mark_their_campaign_as_outdated():
    old, new = item(ses.a_click("m-1"), x=...), item(ses.a_click("m-2", campaign="autumn"))

    found = batch(old, new)

    assert found.pending[SPRING].outdated
    assert not found.pending["autumn", SUMMARY].outdated


def test_a_bounce_of_an_earlier_release_is_subtracted_as_it_was_counted():
    new = item(ses.a_bounce(subtype="OnTenantSuppressionList"))
    old = {name: value for name, value in new.items() if name != "x"}
    change = {"SequenceNumber": "1", "ApproximateCreationDateTime": 1_800_000_000}

    record = {"eventName": "MODIFY", "dynamodb": {**change, "OldImage": old, "NewImage": new}}
    found = group([record], NOBODY)

    assert added(found, SPRING, "hard_bounces") == -1
    assert added(found, ("spring", "bounce#Permanent#Other"), "hard_bounces") == -1
    assert added(found, SPRING, "prevented") == 0  # the state counts it


def test_a_summary_is_written_after_the_other_aggregates_of_its_campaign():
    updates = batch(item(ses.a_send("m-1")), item(ses.a_send("m-2"))).in_writing_order()

    assert [key for key, _ in updates][-1] == SPRING


def state(**members):
    return to_item(State("m-1", "spring", 1, **members), 1_800_000_000)


SENT_AT = "2026-11-23T10:00:00.000Z"


@pytest.mark.parametrize(
    ("opened_at", "number"),
    [
        ("2026-11-23T09:59:59.000Z", 0),
        ("2026-11-23T10:00:59.999Z", 0),
        ("2026-11-23T10:01:00.000Z", 1),
        ("2026-11-23T10:59:00.000Z", 15),
        ("2026-11-30T10:00:00.000Z", 35),
        ("2027-11-23T10:00:00.000Z", 39),
    ],
)
def test_an_email_counts_in_the_bucket_of_its_age_at_the_first_human_open(opened_at, number):
    found = batch(state(sent_at=SENT_AT, human_opened_at=opened_at))

    [change] = found.pending["spring", AGES].changes
    assert change.counts == {age_counter("unique_human_opens", number): 1}


def test_emails_that_are_opened_in_one_minute_count_by_the_age_of_each():
    opened = {"human_opened_at": "2026-11-23T10:30:00.000Z"}
    images = [state(sent_at=f"2026-11-23T10:{minute}:00.000Z", **opened) for minute in (10, 21, 29)]

    found = batch(*images)

    assert added(found, SPRING, "unique_human_opens") == 3
    for number in (11, 7, 1):
        assert added(found, ("spring", AGES), age_counter("unique_human_opens", number)) == 1


def test_emails_that_differ_in_their_device_only_are_not_grouped():
    opened = {"generation": 2, "human_opened_at": "2026-11-23T10:30:00.000Z"}

    found = batch(*(state(opened_with=code, **opened) for code in ("pam", "dch", "pam")))

    assert sums(found.pending["spring", AGES].changes) == {
        "unique_human_opens@pam": 2,
        "unique_human_opens@dch": 1,
    }


def test_a_state_of_an_earlier_release_counts_at_no_age():
    found = batch(state(human_opened_at=SENT_AT))

    assert added(found, SPRING, "unique_human_opens") == 1
    assert ("spring", AGES) not in found.pending


def tagged(**values):
    return {"v": {"M": {name: {"S": value} for name, value in values.items()}}}


def variants(found):
    """Return the increments of each variant."""
    parts = [key[1] for key in found.pending if key[1].startswith("variant#")]
    return {
        part.removeprefix("variant#"): sums(found.pending["spring", part].changes) for part in parts
    }


def test_a_fact_counts_in_the_variant_of_each_of_its_tags():
    sent, delivered = ses.a_send("m-1"), ses.a_delivery("m-2")

    found = batch(item(sent, **tagged(variant="b", region="eu")), item(delivered, **tagged()))

    assert variants(found) == {"variant=b": {"sends": 1}, "region=eu": {"sends": 1}}
    assert added(found, SPRING, "sends") == 1
    assert added(found, SPRING, "deliveries") == 1


def test_emails_that_differ_in_their_variant_only_are_not_grouped():
    found = batch(*(item(ses.a_send(f"m-{value}"), **tagged(variant=value)) for value in "aba"))

    assert variants(found) == {"variant=a": {"sends": 2}, "variant=b": {"sends": 1}}


def test_a_state_counts_in_a_variant_as_in_the_summary():
    at = "2026-11-23T10:00:00.000Z"
    found = batch(
        state(
            generation=2,
            human_opened_at=at,
            human_engaged_at=at,
            bounces={"0123456789abcdef": f"{at}#Permanent#NoEmail"},
            complaints={"complaints": at},
            tags={"variant": "b"},
        )
    )

    counts = dict.fromkeys(("unique_human_opens", "readers", "hard_bounces", "complaints"), 1)
    assert variants(found) == {"variant=b": counts}
    assert sums(found.pending[SPRING].changes) == counts


@pytest.mark.parametrize("value", ["", "a\nb", "\u200b"])
def test_a_value_that_cannot_be_shown_has_no_variant(value):
    assert variants(batch(item(ses.a_send("m-1"), **tagged(variant=value)))) == {}


def test_values_that_differ_in_a_personal_part_are_one_variant():
    images = [
        item(ses.a_send(f"m-{n}"), **tagged(variant=f"for {name}@example.com"))
        for n, name in enumerate(("ada", "bob"))
    ]

    assert variants(batch(*images)) == {"variant=for *": {"sends": 2}}


def test_the_part_of_a_variant_has_at_most_100_bytes_besides_its_prefix():
    [part] = variants(batch(item(ses.a_send("m-1"), **tagged(variant="é" * 200))))

    assert part == "variant=" + "é" * 46


def test_items_of_an_earlier_release_count_in_no_variant():
    """That release has not counted them so: a change must not subtract what was never added."""
    new = item(ses.a_click("m-1"), **tagged(variant="b"))
    old = {name: value for name, value in new.items() if name != "x"}
    change = {"SequenceNumber": "1", "ApproximateCreationDateTime": 1_800_000_000}

    record = {"eventName": "MODIFY", "dynamodb": {**change, "OldImage": old, "NewImage": new}}

    assert variants(batch(old)) == {}
    assert variants(group([record], NOBODY)) == {"variant=b": {"clicks": 1}}


def test_an_email_whose_value_changes_moves_to_the_other_variant():
    old, new = (item(ses.a_send("m-1"), **tagged(variant=value)) for value in "ab")
    change = {"SequenceNumber": "1", "ApproximateCreationDateTime": 1_800_000_000}

    record = {"eventName": "MODIFY", "dynamodb": {**change, "OldImage": old, "NewImage": new}}

    assert variants(group([record], NOBODY)) == {
        "variant=a": {"sends": -1},
        "variant=b": {"sends": 1},
    }
