"""The pace and the variants of a campaign in terminals and reports, from its snapshot."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.snapshots import compared_reading, example, example_reading, reading, variant

from chalicelib.insight.variants import MOST
from dashboard.figures.formats import age
from dashboard.figures.pace import pace
from dashboard.figures.variants import tags

USUAL = {"actual": 140, "expected": 134, "low": 119, "high": 153}
BELOW = {"actual": 4, "expected": 18, "low": 11, "high": 27}
FINAL = {"expected": 542, "low": 542, "high": 542}
WEEK = {"hours": 168, "human_opens": {"expected": 1601, "low": 1498, "high": 1690}}


def sentence(**changed):
    return pace(compared_reading(**changed).stats).sentence


def test_the_sentence_has_the_pace_and_the_nearest_forecast():
    assert sentence() == (
        "1.5 times the usual human opens after 42 min: 200, usually 119 to 153 (12 earlier "
        "campaigns). About 542 human opens expected within 24 h (460 to 610)."
    )


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        pytest.param(
            {"human_opens": USUAL},
            "As many human opens as usual after 42 min: 140, usually 119 to 153 (12 earlier",
            id="all as usual",
        ),
        pytest.param(
            {"human_opens": USUAL, "human_clicks": BELOW},
            "0.2 times the usual human clicks after 42 min: 4, usually 11 to 27 (12 earlier",
            id="the first that is unusual",
        ),
        pytest.param(
            {"human_opens": None},
            "As many human clicks as usual after 42 min: 21, usually 11 to 27 (12 earlier",
            id="the first that is known",
        ),
        pytest.param(
            {"human_opens": None, "human_clicks": None, "forecast": [WEEK]},
            "Too early to tell. About 1,601 human opens expected within 7 d (1,498 to 1,690).",
            id="a forecast alone",
        ),
        pytest.param(
            {"human_opens": None, "human_clicks": None, "forecast": []},
            "Too early to tell.",
            id="too early",
        ),
        pytest.param({"at": "2026-11-25T12:00:00Z"}, "usual human opens after 2 d:", id="age"),
    ],
)
def test_the_sentence_is_of_the_most_important_metric(changed, text):
    assert text in sentence(**changed)


def test_a_final_forecast_is_a_number_without_an_interval():
    found = compared_reading(forecast=[{"hours": 24, "human_opens": FINAL}, WEEK]).stats
    [opens, clicks] = pace(found).metrics

    assert [one.text for one in opens.forecasts] == ["542", "1,601 (1,498 to 1,690)"]
    assert clicks.forecasts == ()
    assert pace(found).sentence.endswith(
        "About 1,601 human opens expected within 7 d (1,498 to 1,690)."
    )


def test_a_share_of_the_delivered_emails_is_at_most_all_of_them():
    [opens, _] = pace(compared_reading(forecast=[WEEK]).stats).metrics

    assert opens.after(168).share == 1.0
    assert opens.after(24) is None


@pytest.mark.parametrize(
    ("deliveries", "text"),
    [
        (120, "Too few deliveries to compare with earlier campaigns: 120 of 200."),
        (200, "Too early to tell."),
    ],
)
def test_a_small_campaign_is_told_from_an_early_one(deliveries, text):
    found = compared_reading(human_opens=None, human_clicks=None, forecast=[]).stats
    found["counts"]["deliveries"] = deliveries

    assert pace(found).sentence == text


def test_the_sentence_says_how_much_history_there_is():
    stats = example_reading().stats
    assert pace(stats).sentence == "No comparison with earlier campaigns yet."

    stats["pace"] = example("push-campaign-pace-without-history")["changes"]["pace"]
    assert pace(stats).sentence.startswith("Not enough history yet: 3 of 5 earlier campaigns")
    assert pace(stats).metrics == ()


def test_nothing_is_said_of_a_campaign_without_events():
    assert pace(reading().stats).sentence == ""


counts = st.integers(0, 10**7)


@given(counts, counts, counts, counts)
def test_a_number_is_usual_exactly_inside_the_interval(actual, expected, one, other):
    low, high = sorted([one, other])
    found = {"actual": actual, "expected": expected, "low": low, "high": high}
    [opens, _] = pace(compared_reading(human_opens=found).stats).metrics

    assert (opens.now.verdict == "usual") == (low <= actual <= high)
    assert ("▲" in opens.now.text) == (actual > high)
    assert ("▼" in opens.now.text) == (actual < low)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0 min"),
        (59, "0 min"),
        (2520, "42 min"),
        (3600, "1 h"),
        (47 * 3600, "47 h"),
        (7 * 86_400, "7 d"),
    ],
)
def test_an_age_is_in_its_largest_unit(seconds, text):
    assert age(seconds) == text


def judged(*rows):
    stats = example_reading().stats
    stats["variants"] = [variant(*row) for row in rows]
    [tag] = tags(stats)
    return tag


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        pytest.param(
            [("a", 150, 3), ("b", 2000, 30)],
            "Too few deliveries to judge: 150 of 200 for a variant.",
            id="few",
        ),
        pytest.param(
            [("a", 1000, 20), ("b", 1000, 24)],
            "Too early to tell: b leads, with a probability of 73%.",
            id="early",
        ),
        pytest.param(
            [("a", 5000, 100), ("b", 5000, 300)],
            "b is the best, with a probability of 99.9%.",
            id="decided",
        ),
        pytest.param([("a", 5000, 100)], "", id="only one"),
    ],
)
def test_the_judgement_of_variants_says_how_sure_it_is(rows, text):
    assert judged(*rows).judgement == text


def test_the_rest_of_the_values_is_shown_last_and_not_judged():
    stats = example_reading().stats
    rest = variant("other", 9000, 900, rest=True)
    stats["variants"] = [rest, variant("other", 5000, 300), variant("a", 5000, 100)]

    [tag] = tags(stats)

    assert [one.label for one in tag.variants] == ["a", "other", "other values"]
    assert tag.judgement.startswith("other is the best")
    assert tag.variants[-1].probability is None


def test_of_many_values_those_with_the_most_deliveries_are_judged():
    tag = judged(*[(f"v{number}", 1000 + number, 20) for number in range(MOST + 3)])

    assert tag.judgement.startswith("Of the 6 values with the most deliveries: Too early to tell")
    assert [one.probability is None for one in tag.variants] == [True] * 3 + [False] * MOST


def test_each_tag_has_its_own_variants():
    stats = example_reading().stats
    stats["variants"] = [variant("b", 300, 9), variant("x", 300, 9, tag="list")]

    assert [(one.name, len(one.variants)) for one in tags(stats)] == [("list", 1), ("variant", 1)]
    assert tags(example_reading().stats) == []
