"""bench/worlds/minutes.py and bench/alarms.py: campaigns by minute, and how alarms are judged."""

from collections import Counter
from random import Random
from statistics import fmean, pvariance

import pytest

from bench import alarms
from bench.alarms import EXPECTED, RULE_SETS, Outcome, Replay, has_evidence, outcome
from bench.worlds.minutes import (
    MINUTES,
    PARAMETERS,
    SOURCES,
    TROUBLES,
    binomial,
    generate,
    grid,
    poisson,
    sources,
)
from bench.worlds.parameters import SEEDS, Assumed
from chalicelib.insight.causes import Observation

SEED = SEEDS["tune"][0]


def totals(campaign):
    found = Counter()
    for changes in campaign.changes.values():
        for (_, counter), count in changes.items():
            found[counter] += count
    return found


def test_the_same_seed_yields_the_same_campaign():
    assert generate(SEED) == generate(SEED)
    assert generate(SEED) != generate(SEED + 1)


@pytest.mark.parametrize("trouble", [None, *TROUBLES])
def test_counters_of_a_campaign_agree_with_each_other(trouble):
    campaign = generate(SEED, trouble, 3000)
    found = totals(campaign)
    done = found["sends"] + found["rendering_failures"]
    assert done == sum(campaign.sent.values()) <= 3000
    assert found["deliveries"] + found["hard_bounces"] <= found["sends"]
    assert found["unique_human_opens"] <= found["opens"] <= 2 * found["deliveries"]
    assert all(0 <= minute < MINUTES for minute in campaign.changes)
    assert (campaign.trouble_at is None) == (trouble is None)


def test_healthy_campaigns_are_as_their_parameters_say():
    found = [(one, totals(one)) for one in map(generate, range(SEED, SEED + 40))]
    assert all(100 <= one.size <= 100_000 for one, _ in found)
    bounces = [counts["hard_bounces"] / counts["sends"] for _, counts in found]
    assert 0.002 < fmean(bounces) < 0.02
    complaints = sum(counts["complaints"] for _, counts in found)
    assert 0.0001 < complaints / sum(counts["deliveries"] for _, counts in found) < 0.0008
    assert {len(one.earlier) for one, _ in found} == set(PARAMETERS.earlier)


def test_troubles_are_what_their_names_say():
    size = 20_000
    found = {one: totals(generate(SEED, one, size)) for one in TROUBLES}
    healthy = totals(generate(SEED, None, size))
    assert found["bad_list"]["hard_bounces"] > 3 * healthy["hard_bounces"]
    assert found["template_breaks"]["rendering_failures"] > 500
    assert found["complaints_rise"]["complaints"] > 3 * healthy["complaints"]
    assert found["tracking_off"]["opens"] == 0
    assert found["sending_stops"]["sends"] < 0.85 * size
    bounced = found["provider_blocks"]
    assert bounced["hard_bounces"] + bounced["soft_bounces"] > healthy["hard_bounces"] + 300
    assert found["provider_defers"]["delivery_delays"] > 3 * healthy["delivery_delays"]


def test_nothing_is_counted_while_the_pipeline_stalls():
    campaign = generate(SEED, "pipeline_stalls", 20_000)
    assert campaign.stalled
    assert not any(minute in campaign.changes for minute in campaign.stalled)
    assert campaign.counted_at(campaign.stalled[0]) == campaign.stalled.stop
    late = [campaign.late[minute] for minute in campaign.stalled]
    assert late == sorted(late)


@pytest.mark.parametrize(("trials", "share"), [(20, 0.1), (500, 0.01), (1000, 0.3), (1000, 0.97)])
def test_binomial_counts_have_their_mean_and_variance(trials, share):
    rng = Random(1)
    drawn = [binomial(rng, trials, share) for _ in range(4000)]
    assert 0 <= min(drawn) <= max(drawn) <= trials
    assert fmean(drawn) == pytest.approx(trials * share, rel=0.05)
    assert pvariance(drawn) == pytest.approx(trials * share * (1 - share), rel=0.1)


@pytest.mark.parametrize("mean", [0.3, 8, 200])
def test_poisson_counts_have_their_mean_and_variance(mean):
    rng = Random(2)
    drawn = [poisson(rng, mean) for _ in range(4000)]
    assert fmean(drawn) == pytest.approx(mean, rel=0.06)
    assert pvariance(drawn) == pytest.approx(mean, rel=0.12)


def test_impossible_and_certain_counts_need_no_chance():
    assert binomial(Random(1), 9, 0.0) == 0
    assert binomial(Random(1), 9, 1.0) == 9
    assert binomial(Random(1), 0, 0.5) == 0
    assert poisson(Random(1), 0.0) == 0


def test_minutes_are_judged_less_often_when_little_changes():
    found = grid(MINUTES)
    assert found[:3] == [1, 2, 3]
    assert found[-1] == MINUTES
    assert found == sorted(set(found))
    assert len(found) < 400


def test_every_parameter_has_a_source_or_is_assumed():
    found = sources()
    assert set(found) == set(PARAMETERS.__dataclass_fields__)
    cited = {one.source for one in found.values() if not isinstance(one, Assumed)}
    assert cited == set(SOURCES)


# What is judged.


def test_what_is_known_is_the_sum_of_what_was_counted_until_then():
    campaign = generate(SEED, None, 2000)
    found = {}
    for moment in Replay(campaign).moments():
        found[moment.minute] = dict(moment.observation.counts)
        assert isinstance(moment.observation, Observation)
    minute = max(found)
    expected = Counter()
    for at, changes in campaign.changes.items():
        for (_, counter), count in changes.items():
            expected[counter] += count if at <= minute else 0
    assert found[minute] == {name: expected[name] for name in found[minute]}


def test_a_healthy_campaign_has_no_evidence_of_a_trouble():
    campaign = generate(SEED, None, 500)
    assert not any(has_evidence(campaign, one) for one in Replay(campaign).moments())


def test_a_trouble_that_is_plain_has_evidence_and_is_seen():
    found = outcome(("bad_list", SEED + 1))
    assert found.evidence_at is not None
    assert found.evidence_at <= found.seen_at("Mailpulse") <= found.evidence_at + 5
    assert not found.is_wrong("Mailpulse")


def test_causes_that_a_trouble_does_not_have_are_false_alarms():
    found = Outcome("bad_list", 1, 500, 10, 12, {"Mailpulse": {"bounces": 15, "stopped": 3}})
    assert found.seen_at("Mailpulse") == 15
    assert found.is_wrong("Mailpulse")
    early = Outcome("template_breaks", 1, 500, 10, 12, {"Mailpulse": {"template_errors": 9}})
    assert early.seen_at("Mailpulse") is None
    assert early.is_wrong("Mailpulse")


def test_each_trouble_has_causes_that_are_expected():
    assert set(EXPECTED) == set(TROUBLES)
    assert set().union(*EXPECTED.values()) == set(alarms.CAUSES)


def test_usual_rules_raise_alarms_of_healthy_campaigns():
    """The measurement compares with rules that do find troubles, and more than there are."""
    found = [outcome((None, seed)) for seed in range(SEED, SEED + 12)]
    assert any(one.is_wrong("95%, repeated") for one in found)


def test_the_tables_have_a_row_for_each_trouble_and_set_of_rules():
    nothing = {rules.name: {} for rules in RULE_SETS}
    found = [Outcome(None, 1, 500, None, None, nothing)]
    found += [
        Outcome(trouble, 1, 5000, 10, 12, {**nothing, "Mailpulse": {min(EXPECTED[trouble]): 15}})
        for trouble in TROUBLES
    ]
    text = alarms.results(found)
    assert "| provider defers | 1 | 1 | **100.0%** (20.7% to 100.0%) | 3 (5) | 3 (5) |" in text
    assert text.count("| sending stops |") == 3
    assert "| fixed percentages | **0.0%** (0.0% to 79.3%) |" in text


def test_seeds_to_tune_and_to_report_never_meet():
    tune, report = (set(alarms.seeds_of(name, 3000)) for name in ("tune", "report"))
    assert len(tune) == len(report) == 3000
    assert not tune & report


def test_the_table_of_parameters_has_the_source_of_each():
    text = alarms.parameter_table()
    assert "| `hard` | share of bounces that are hard | 0.7 | assumed |" in text
    assert all(f"`{name}`" in text for name in sources())


def test_the_document_shows_the_least_samples_and_the_parameters():
    document = alarms.DOCUMENT.read_text()

    assert f"\n{alarms.sample_table()}\n" in document
    assert f"\n{alarms.parameter_table()}\n" in document
