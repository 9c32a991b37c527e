"""bench/worlds/histories.py and bench/pace.py: histories of campaigns, and how they are judged."""

import math
from dataclasses import replace
from datetime import timedelta
from statistics import fmean, median, stdev

import pytest

from bench import pace
from bench.pace import Outcome, Record, Split, coverage, error, interval, named, outcomes
from bench.worlds.histories import HISTORIES, KINDS, SOURCES, HistoryParameters, generate, sources
from bench.worlds.parameters import SEEDS, Assumed
from chalicelib.insight.history import LEAST_DELIVERIES, Silence

SEED = SEEDS["tune"][0]
OPENS, CLICKS = "unique_human_opens", "unique_human_clicks"


@pytest.fixture(scope="module")
def histories():
    return {kind: generate(SEED, kind) for kind in KINDS}


def rates(history):
    return [len(one.opens) / len(one.accepted) for one in history]


def test_the_same_seed_yields_the_same_history(histories):
    assert generate(SEED, "growing") == histories["growing"]
    assert generate(SEED + 1, "growing") != histories["growing"]


@pytest.mark.parametrize("kind", KINDS)
def test_campaigns_follow_each_other(histories, kind):
    started = [one.started for one in histories[kind]]
    assert started == sorted(set(started))
    assert len(started) == HISTORIES[kind].campaigns


@pytest.mark.parametrize("kind", KINDS)
def test_an_email_is_opened_after_it_was_accepted_and_clicked_after_that(histories, kind):
    for one in histories[kind]:
        accepted = set(one.accepted)
        opened = {hit.accepted: hit.age for hit in one.opens}
        assert all(hit.accepted in accepted and hit.age > 0 for hit in one.opens)
        assert all(hit.age > opened[hit.accepted] for hit in one.clicks)


def test_readers_take_as_long_as_was_measured():
    """psylina: half within 2.5 h, 85 % on the day, 91 % within two days, 97 % within a week."""
    [*_, one] = generate(SEED, "newsletter", HistoryParameters(campaigns=1, recipients=40_000))
    hours = sorted(hit.age / 3600 for hit in one.opens)
    assert median(hours) == pytest.approx(3.5, abs=1.2)
    for within, share in {48: 0.91, 168: 0.97}.items():
        assert sum(one < within for one in hours) / len(hours) == pytest.approx(share, abs=0.03)


def test_people_read_less_at_night(histories):
    at_night = by_day = 0
    for one in histories["growing"]:
        for hit in one.opens:
            hour = (one.started + timedelta(seconds=hit.accepted + hit.age)).hour
            at_night += 1 <= hour < 5
            by_day += 9 <= hour < 13
    assert at_night < by_day / 5


def test_a_newsletter_varies_as_its_subjects_do(histories):
    deviation = stdev(map(math.log, rates(histories["newsletter"])))
    assert deviation == pytest.approx(HISTORIES["newsletter"].subject, rel=0.5)


def test_a_growing_list_grows_and_its_rate_falls(histories):
    growing = histories["growing"]
    assert growing[-1].sends > 2.5 * growing[0].sends
    assert fmean(rates(growing[:10])) > fmean(rates(growing[-10:]))


def test_audiences_of_promotions_differ_by_factors(histories):
    found = rates(histories["promotional"])
    assert max(found) > 4 * min(found)


def test_a_sparse_history_has_too_little_for_anything_to_be_said(histories):
    assert all(len(one.accepted) < LEAST_DELIVERIES for one in histories["sparse"])
    said = list(outcomes("sparse", SEED))
    assert said
    assert not [one for one in said if isinstance(one, Outcome)]


def test_every_parameter_has_a_source_or_is_assumed():
    for source in sources().values():
        assert isinstance(source, Assumed) or source.source in SOURCES


def test_every_source_is_cited():
    cited = {one.source for one in sources().values() if not isinstance(one, Assumed)}
    assert cited == set(SOURCES)


def test_seeds_for_tuning_are_not_those_that_are_reported():
    assert not set(SEEDS["tune"]) & set(SEEDS["report"])


# What Mailpulse knows at a moment.


@pytest.fixture
def record(histories):
    return Record(histories["newsletter"][0])


@pytest.mark.parametrize("seconds", [60, 900, 86_400])
def test_only_what_has_happened_is_known(record, seconds):
    now = record.sent.started + timedelta(seconds=seconds)
    campaign = record.at(now)
    assert campaign.deliveries == sum(one <= seconds for one in record.sent.accepted)
    assert campaign.curves[OPENS].total == sum(
        hit.accepted + hit.age <= seconds for hit in record.sent.opens
    )
    assert campaign.last_accepted_at <= now


def test_sends_by_minute_add_up_to_the_deliveries(record):
    running = record.running(record.sent.started + timedelta(minutes=4))
    assert sum(one.emails for one in running.emails) == running.campaign.deliveries > 0
    assert 0 <= running.youngest_seconds < running.oldest_seconds <= 5 * 60


def test_what_becomes_true_is_of_the_emails_that_were_sent_by_then(record):
    half = len(record.sent.accepted) // 2
    last = record.sent.accepted[half - 1]
    assert record.eventually(CLICKS, 86_400, half) == sum(
        hit.accepted <= last and hit.age < 86_400 for hit in record.sent.clicks
    )


def test_what_is_said_does_not_depend_on_what_happens_later(histories):
    """Only the truth with which it is compared does."""
    history = histories["newsletter"][:6]
    cut = [
        replace(one, opens=[hit for hit in one.opens if hit.accepted + hit.age < 14_400])
        for one in history[-1:]
    ]
    whole, changed = (
        list(pace._judged("newsletter", 1, [Record(one) for one in some]))
        for some in (history, [*history[:-1], *cut])
    )
    assert [one[:9] for one in whole] == [one[:9] for one in changed]
    assert whole != changed


def outcome(actual, seed=1, expected=100.0):
    return Outcome("newsletter", seed, 5, OPENS, "1 h", "pace", expected, 80.0, 120.0, actual)


def test_coverage_and_error_are_those_of_the_outcomes():
    found = [outcome(80), outcome(120), outcome(121), outcome(79)]
    assert coverage(found) == 0.5
    assert error([outcome(50), outcome(100), outcome(200)]) == pytest.approx(0.5)


def test_the_interval_resamples_whole_histories():
    alike = [outcome(100 if seed % 2 else 50, seed) for seed in range(20) for _ in range(10)]
    mixed = [outcome(50 if one % 2 else 100, seed) for seed in range(20) for one in range(10)]
    low, high = interval(alike, coverage)
    assert low < 0.4
    assert high > 0.6
    assert interval(mixed, coverage) == (0.5, 0.5)


def test_nothing_that_is_said_is_lost(histories):
    found = list(outcomes("newsletter", SEED))
    assert len(found) == len(pace.JUDGED) * len(pace.CHECKED_AFTER) * len(pace.METRICS) * 3
    assert {one.said for one in found} == {"pace", "24 h", "7 d"}
    assert not any(isinstance(one, Silence) for one in found)


def test_a_variant_that_is_much_better_is_called_the_best():
    assert named(Split(2, 6.0), SEED).ever == 0


def test_looking_often_and_being_sure_sooner_name_a_variant_more_often():
    found = [named(Split(2, 1.0), SEED + number) for number in range(12)]
    assert all(one.customary is not None for one in found if one.ever is not None)
    assert all(one.ever is not None for one in found if one.once is not None)


def test_the_table_of_results_has_a_row_for_each_history_and_figure():
    found = list(outcomes("sparse", SEED)) + [outcome(100, seed) for seed in range(60)]
    found += [
        outcome(100)._replace(kind=kind, before=before)
        for kind in KINDS[:-1]
        for before in pace.JUDGED
    ]
    text = pace.results(found)
    assert "| newsletter | opens | pace |" in text
    assert "**100%** (100% to 100%), error 0% (0% to 0%)" in text
    assert "silent in 1 of 1" in text


def test_the_table_of_parameters_has_the_source_of_each():
    text = pace.parameter_table()
    assert "| `read` | share of delivered emails that are read | 0.25 |" in text
    assert all(f"`{name}`" in text for name in sources())
