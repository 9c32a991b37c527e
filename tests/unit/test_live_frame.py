"""The numbers of a campaign in a terminal: 80 columns, no control characters, no addresses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.console import Console
from support.snapshots import (
    NOW,
    compared_reading,
    example,
    example_reading,
    reading,
    troubled_reading,
    variant,
)

from chalicelib.errors import CommandError
from chalicelib.stats.counters import Aggregate
from dashboard.figures.formats import DASH
from dashboard.live.feed import View
from dashboard.live.frame import frame, line, sparkline
from dashboard.live.merging import MergedCampaign

ESCAPE = "\x1b]0;owned\x07\x1b[2J[bold]"


def view(found=None, activity=(), **changes):
    found = found or example_reading()
    shown = View(found.stats, found.health, tuple(activity), "live", "", NOW)
    return replace(shown, **changes)


def drawn(shown, name="spring-sale", height=None, width=80):
    console = Console(width=width, color_system=None, force_terminal=False, highlight=False)
    with console.capture() as captured:
        console.print(frame(shown, name, height))
    return captured.get().splitlines()


def activity():
    return example("reply-snapshot-campaign")["snapshot"]["activity"]


def test_the_frame_has_the_numbers_of_the_page():
    lines = "\n".join(" ".join(one.split()) for one in drawn(view(activity=activity())))

    for words in (
        "spring-sale ● Live last event 17 s ago",
        "1,210 97.5% 27.0% 8.2% 1.5% 0.09% 0.3%",
        "of 1,200 of 1,170 of 1,170 of 1,200 of 1,170 of 1,170",
        "Human clicks ██ 96 30.4% of the step before",
        "Hero 64 humans, 84 clicks",
        "11:05:48 Clicked Human Garden",
        "Pipeline OK as of 2026-11-23 11:06:05 UTC",
    ):
        assert words in lines


def test_the_frame_has_the_pace_and_the_variants():
    lines = [" ".join(one.split()) for one in drawn(view(compared_reading()))]
    text = "\n".join(lines)

    assert lines[2].startswith("1.5 times the usual human opens after 42 min: 200, usually 119")
    for words in (
        "Pace Human opens Human clicks",
        "So far 200 ▲ 1.5 \N{MULTIPLICATION SIGN} usual 21 As usual",
        "Usually 119 to 153 11 to 27",
        "After 24 h 542 (460 to 610) 60 (41 to 84)",
        "After 7 d 601 (498 to 690) 68 (45 to 98)",
        "variant: b 11.2% 65 human clicks of 580",
        "b is the best, with a probability of 99.9%.",
    ):
        assert words in text


def test_the_frame_has_the_incidents_with_what_to_do_about_running_ones():
    found = troubled_reading()
    found.stats["incidents"].reverse()
    lines = drawn(view(found))

    at = lines.index("Incidents")
    assert lines[at + 1] == "Since Nov 23, 10:14  Microsoft is deferring your mail"
    text = " ".join(" ".join(lines[at + 2 : at + 6]).split())
    assert text.startswith("312 of 840 emails to Microsoft sent in the last 15 minutes are delayed")
    assert "Pause or slow down what is still to be sent to Microsoft." in text
    assert "Nov 23, 10:03 to 10:31  Too many hard bounces" in lines
    assert "incident: Microsoft is deferring your mail" in line(view(found), found.stats)
    assert "bounces" not in line(view(found), found.stats).partition("incident:")[2]


def test_an_incident_that_ended_on_another_day_has_both_dates():
    found = troubled_reading()
    found.stats["incidents"][1]["ended_at"] = "2026-11-24T01:02:00Z"

    assert "Nov 23, 10:03 to Nov 24, 01:02  Too many hard bounces" in drawn(view(found))


@given(st.randoms(use_true_random=False))
def test_the_incidents_are_those_of_the_highest_version_the_latest_first(chance):
    snapshot = example("reply-snapshot-campaign-with-incidents")["snapshot"]
    [running] = snapshot["incidents"]
    ended = {"incidents": [running | {"version": 2, "ended_at": "2026-11-23T10:40:00Z"}]}
    google = running | {"incident": "provider_delays:Google"}
    bounces = example("push-campaign-incident-ended")["changes"]
    messages = [snapshot, ended, bounces, {"incidents": [google]}]
    chance.shuffle(messages)

    merged = MergedCampaign()
    for one in messages:
        merged.merge(one)

    assert merged.stats()["incidents"] == [google, *ended["incidents"], *bounces["incidents"]]


def test_a_metric_of_which_nothing_can_be_said_keeps_its_column():
    found = compared_reading(human_opens=None, forecast=[])

    lines = drawn(view(found))

    [so_far] = [one for one in lines if one.startswith("So far")]
    [usually] = [one for one in lines if one.startswith("Usually")]
    assert so_far.split() == ["So", "far", "Too", "early", "to", "tell", "21", "As", "usual"]
    assert so_far.index("21") == usually.index("11 to 27")


def test_millions_fit_the_columns_of_the_pace():
    millions = {"expected": 2345678, "low": 1234567, "high": 3456789}
    ahead = {"hours": 24, "human_opens": millions, "human_clicks": millions}

    lines = drawn(view(compared_reading(forecast=[ahead])))

    numbers = "2,345,678 (1,234,567 to 3,456,789)"
    assert f"After 24 h {numbers} {numbers}" in lines


def test_without_history_the_frame_says_how_much_there_is():
    found = example_reading()
    found.stats["pace"] = example("push-campaign-pace-without-history")["changes"]["pace"]

    text = " ".join(" ".join(drawn(view(found))).split())

    assert "Not enough history yet: 3 of 5 earlier campaigns" in text
    assert "So far" not in text


@pytest.mark.parametrize("height", [24, 30, 50])
@pytest.mark.parametrize("recount_needed", [False, True])
@pytest.mark.parametrize("compared", [False, True])
def test_the_frame_fits_the_terminal(height, recount_needed, compared):
    found = compared_reading() if compared else troubled_reading()
    found.stats["campaign"]["recount_needed"] = recount_needed

    lines = drawn(view(found, activity=activity() * 4), height=height)

    assert len(lines) <= height
    assert max(map(len, lines)) <= 80


def test_the_frame_has_no_address_of_a_recipient():
    bounce = {"type": "Bounce", "bounce_type": "Permanent", "detail": "NoEmail"}
    bounce |= {"at": "2026-11-23T10:00:00Z", "recipient": "ada@example.com"}
    bounce |= {"diagnostic": "550 ada@example.com unknown", "reported_recipient": "bob@example.com"}

    text = "\n".join(drawn(view(activity=[*activity(), bounce])))

    assert "Recipient address missing" in text
    assert "@" not in text


@pytest.mark.parametrize("place", ["name", "subject", "sender", "label", "url", "link", "tag"])
def test_texts_of_emails_cannot_control_the_terminal(place):
    url = f"https://example.com/{ESCAPE}" if place == "url" else "https://example.com/"
    label = ESCAPE if place == "label" else None
    link = Aggregate("s", "link#0123456789abcdef", 1, {"clicks": 1}, url=url, label=label)
    summary = {place: ESCAPE} if place in ("subject", "sender") else {}
    found = reading(link, sends=1, clicks=1, summary=summary)
    entry = {"type": "Click", "at": "2026-11-23T10:00:00Z"}
    entry["link"] = ESCAPE if place == "link" else "https://example.com/"
    if place == "tag":
        found.stats["variants"] = [variant(ESCAPE, 5000, 300), variant("a", 5000, 100)]

    lines = drawn(view(found, [entry]), ESCAPE if place == "name" else "s")

    assert all(one.isprintable() for one in lines)
    assert "[bold]" in "\n".join(lines) or place in ("url", "label")


def test_a_campaign_without_events_has_dashes_for_rates():
    lines = drawn(view(reading()))

    assert "No such campaign yet." in "\n".join(lines)
    assert [DASH] * 6 in [one.split()[1:] for one in lines]
    assert not any("Links" in one for one in lines)


def test_an_earlier_release_s_campaign_is_marked_and_has_dashes():
    lines = drawn(view(reading(sends=9, deliveries=8, is_current=False)))

    assert any("earlier release" in one for one in lines)
    assert any(one.split()[:3] == ["9", "88.9%", DASH] for one in lines)


def test_a_problem_of_the_connection_is_shown():
    text = "\n".join(drawn(view(connection="polling", problem="HTTP 403")))

    assert "● Polling" in text
    assert "HTTP 403" in text


def test_before_anything_is_known_the_frame_has_the_name_and_the_problem():
    shown = view(stats=None, health=None, connection="polling", problem="no access")

    assert [one.split() for one in drawn(shown)] == [
        ["spring-sale", "●", "Polling", "no", "events", "yet"],
        ["no", "access"],
    ]


def test_the_line_for_programs_has_each_key_number():
    shown = view()

    assert line(shown, shown.stats) == (
        "2026-11-23T11:06:05Z sent 1,210, delivered 1,170 (97.5%), read 316 (27.0%), "
        "human clicks 96 (8.2%), hard bounces 18 (1.5%), spam complaints 1 (0.09%), "
        "unsubscribes 4 (0.3%)"
    )


def test_the_line_for_programs_has_the_pace():
    found = compared_reading()

    assert line(view(found), found.stats).endswith(
        ", pace of human opens ▲ 1.5 \N{MULTIPLICATION SIGN} usual, pace of human clicks as usual"
    )


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=60))
def test_only_zero_has_no_bar_and_the_most_has_the_highest(numbers):
    bars = sparkline(numbers)

    assert [one == "·" for one in bars] == [number == 0 for number in numbers]
    if any(numbers):
        assert bars[numbers.index(max(numbers))] == "█"


@given(st.randoms(use_true_random=False))
def test_the_pace_and_the_variants_are_those_of_the_highest_version(chance):
    snapshot = compared_reading().stats
    later = {
        "pace": snapshot["pace"] | {"version": 43, "campaigns": 13},
        "variants": [variant("b", 600, 66, version=4), variant("c", 10, 1)],
    }
    rest = {"variants": [variant("other", 9, 9, rest=True)]}
    messages = [snapshot, later, rest, {"pace": {**later["pace"], "version": 41}}]
    chance.shuffle(messages)

    merged = MergedCampaign()
    for one in messages:
        merged.merge(one)

    assert merged.stats()["pace"] == later["pace"]
    assert [one["value"] for one in merged.stats()["variants"]] == ["a", "b", "c"]
    assert merged.stats()["variants"][1]["counts"]["deliveries"] == 600


def test_of_a_tag_with_many_values_the_first_in_text_order_are_kept():
    merged = MergedCampaign()
    merged.merge(example_reading().stats)
    assert "pace" not in merged.stats()

    for number in reversed(range(25)):
        merged.merge({"variants": [variant(f"v{number:02}", 10, 1)]})

    values = [one["value"] for one in merged.stats()["variants"]]
    assert values == [f"v{number:02}" for number in range(20)]


@given(st.randoms(use_true_random=False), st.integers(1, 3))
def test_pushes_in_any_order_and_repeated_give_the_newest_numbers(chance, copies):
    snapshot = example("reply-snapshot-campaign")["snapshot"]
    push = example("push-campaign")["changes"]
    later = {"timeline": {"minute": [{"at": "2026-11-23T11:06:00Z", "version": 3, "opens": 4}]}}
    messages = [snapshot, push, later] * copies
    chance.shuffle(messages)

    merged = MergedCampaign()
    for one in messages:
        merged.merge(one)
    stats = merged.stats()

    assert merged.version == 66
    assert stats["counts"] == push["counts"]
    assert stats["timeline"]["minute"][-1] == later["timeline"]["minute"][0]
    assert {one["id"]: one["clicks"] for one in stats["links"]}["35c093da0ae227ca"] == 85
    assert len(stats["links"]) == 3, "without those that the snapshot sums up as other"
    assert len(stats["bounces"]) == len(snapshot["bounces"])


def test_a_part_that_became_empty_is_not_shown_and_not_restored_by_an_older_push():
    snapshot = example("reply-snapshot-campaign")["snapshot"]
    bounce = snapshot["bounces"][0]
    merged = MergedCampaign()

    for one in (snapshot, {"bounces": [{**bounce, "version": 99, "count": 0}]}, snapshot):
        merged.merge(one)

    assert len(merged.stats()["bounces"]) == len(snapshot["bounces"]) - 1


def test_minutes_of_more_than_two_hours_ago_are_not_kept():
    merged = MergedCampaign()
    merged.merge(example("reply-snapshot-campaign")["snapshot"])
    late = {"at": "2026-11-23T13:01:00Z", "version": 1, "opens": 1}

    merged.merge({"timeline": {"minute": [late]}})

    minutes = merged.stats()["timeline"]["minute"]
    assert [one["at"] for one in minutes] == ["2026-11-23T11:05:00Z", late["at"]]


@pytest.mark.parametrize("part", [{"version": 1}, {"links": [{"id": "a"}]}, {"timeline": []}])
def test_a_message_of_another_contract_is_an_error_with_the_remedy(part):
    with pytest.raises(CommandError, match="use the version that the stage was deployed with"):
        MergedCampaign().merge(part)
