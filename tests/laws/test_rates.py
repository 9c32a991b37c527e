"""Every rate is null or a fraction, whatever subset of events SES reports."""

import itertools
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import reference, ses
from support.generate import events
from support.world import World

from chalicelib.live.messages import campaign_snapshot
from chalicelib.stats.counters import COUNTERS, RATES, SUMMARY, Aggregate, rates

NOW = datetime(2026, 11, 23, 10, 5, tzinfo=UTC)
SPRING = "stats/email-campaign/spring"
MESSAGES = ("m-1", "m-2", "m-3")
TIMES = ("2026-11-23T10:00:01.000Z", "2026-11-23T10:00:04.000Z", "2026-11-23T11:00:00.000Z")
LABELS = ("Likely", "Unlikely", None)
SIDES = sorted({name for sides in RATES.values() for name in sides})


def is_fraction_or_null(rate):
    return rate is None or 0 <= rate <= 1


def shown(*happened):
    """Return the campaign's snapshot after these events."""
    world = World()
    world.arrive(*happened)
    world.drain()
    assert world.dead == []
    [frame] = world.subscribe(SPRING).frames
    return frame["snapshot"]


@given(events)
def test_rates_of_any_events_are_fractions_or_null(happened):
    stats = shown(*happened)

    assert all(map(is_fraction_or_null, stats["rates"].values()))
    assert all(count >= 0 for count in stats["counts"].values())
    for row in stats["links"]:
        assert all(row[name] is None or row[name] >= 0 for name in row if "clicks" in name)


@given(st.lists(st.tuples(*map(st.sampled_from, (MESSAGES, TIMES, LABELS))), min_size=1))
def test_kinds_of_bots_and_devices_agree_on_what_apples_proxy_opened(happened):
    stats = shown(
        *(
            ses.an_open(message, at=at, agent=ses.APPLE_MAIL_PRIVACY, is_bot=label)
            for message, at, label in happened
        )
    )

    kinds = {name: kind["opens"] for name, kind in stats["bots"]["kinds"].items()}
    opens = {(message, at) for message, at, _ in happened}
    assert kinds == dict.fromkeys(kinds, 0) | {"privacy_proxy": len(opens)}
    assert stats["counts"]["unique_private_opens"] == len({message for message, _ in opens})


@given(st.dictionaries(st.sampled_from([*COUNTERS, *SIDES]), st.integers(-(10**6), 10**18)))
def test_rates_of_any_counters_are_fractions_or_null(counts):
    """Counters of expired, malformed or still missing items may have any value."""
    whole = campaign_snapshot("spring", Aggregate("spring", SUMMARY, counts=counts), [], NOW)

    for found in (rates(counts), whole["rates"]):
        assert found.keys() == RATES.keys()
        assert all(map(is_fraction_or_null, found.values()))
    assert all(count >= 0 for count in whole["counts"].values() if count is not None)


KINDS = {
    "sends": [ses.a_send(f"m-{number}") for number in range(4)],
    "deliveries": [ses.a_delivery(f"m-{number}") for number in range(2)],
    "opens": [ses.an_open(f"m-{number}") for number in range(3)],
    "clicks": [ses.a_click(f"m-{number}") for number in range(3)],
    "complaints": [ses.a_complaint("m-3"), ses.a_complaint("m-2")],
    "bounces": [ses.a_bounce(f"m-{number}") for number in (2, 3)],
    "prevented": [
        ses.a_bounce(f"m-{number}", subtype="OnAccountSuppressionList", to=["x@example.com"])
        for number in range(6)
    ],
}


@pytest.mark.parametrize(
    "missing", [*itertools.combinations(KINDS, 1), *itertools.combinations(KINDS, 3)]
)
def test_a_missing_event_type_makes_no_rate_exceed_1(missing):
    """Configuration sets publish the event types that are selected: mailpoet/mailpoet#7045."""
    happened = [one for kind, several in KINDS.items() if kind not in missing for one in several]

    stats = shown(*happened)

    assert all(map(is_fraction_or_null, stats["rates"].values()))
    assert stats["counts"] | reference.counts(happened)["spring"] == stats["counts"]


def test_repeated_opens_are_one_reader():
    """Automattic/wp-calypso#84814, Automattic/wp-calypso#78713, mautic/mautic#9778."""
    opens = [ses.an_open(at=f"2026-11-23T10:05:{second:02}.000Z") for second in range(9)]

    stats = shown(ses.a_delivery(), *opens)

    assert stats["rates"]["read"] == stats["rates"]["open"] == 1
    assert stats["counts"]["human_opens"] == 9


def test_a_click_without_an_open_is_a_reader():
    """in2code-de/luxletter#121, codelitdev/courselit#770."""
    stats = shown(ses.a_delivery("m-1"), ses.a_delivery("m-2"), ses.a_click("m-1"))

    assert (stats["rates"]["read"], stats["rates"]["human_click_to_open"]) == (0.5, 1)
    assert stats["rates"]["human_open"] == 0


def test_one_email_to_many_recipients_has_rates_of_messages_and_addresses():
    """Each address is sent to and delivered; SES does not report which of them opened."""
    to = [f"{name}@example.com" for name in ("ada", "bob", "cyd", "dan")]

    stats = shown(ses.a_send(to=to), ses.a_delivery(to=to), ses.an_open(to=to))

    assert json.dumps([stats["rates"]["delivery"], stats["rates"]["read"]]) == "[1.0, 0.25]"
