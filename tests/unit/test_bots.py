"""bench/bots.py: the comparison of rule sets."""

import pytest

from bench import bots
from bench.bots import Cell, Score
from bench.rule_sets import MAILPULSE, RULE_SETS
from bench.worlds.campaign import generate
from bench.worlds.parameters import SEEDS
from chalicelib.facts.fact import FactSettings, facts_of
from chalicelib.facts.rules import evidence_of
from chalicelib.facts.settle import settle
from chalicelib.ses.parse import parse

CELL = Cell("consumer", 5, "none", "absent")
SEED = SEEDS["tune"][0]


def score_of(right=0, missed=0, wrong=0, truth=0, found=0, cell=CELL):
    counts = [{"Open": 0, "Click": count} for count in (right, missed, wrong, truth, found)]
    return Score("rules", cell, *counts, kinds={})


def test_f1_is_that_of_peoples_clicks_over_all_campaigns():
    found = [score_of(right=6, missed=2), score_of(right=2, wrong=4)]
    assert bots.f1(found, "Click") == pytest.approx(2 * 8 / (2 * 8 + 6))


def test_f1_is_zero_if_no_persons_click_is_found():
    assert bots.f1([score_of(missed=3, wrong=1)], "Click") == 0


def test_errors_of_unique_clicks_are_relative_to_the_truth():
    found = [score_of(truth=10, found=15), score_of(truth=10, found=8), score_of(truth=10, found=9)]
    assert bots.signed_error(found, "Click") == pytest.approx(-0.1)
    assert bots.absolute_error(found, "Click") == pytest.approx(0.2)


def test_the_interval_contains_the_measure_and_is_reproducible():
    found = [score_of(right=count, missed=10 - count) for count in range(1, 10)]
    low, high = bots.interval(found, bots.f1, "Click")
    assert low < bots.f1(found, "Click") < high
    assert (low, high) == bots.interval(found, bots.f1, "Click")


def test_a_rule_set_without_the_label_has_the_same_score_with_and_without_it():
    coordinates = ("business", 5, "none")
    found = list(bots.scores(coordinates, SEED, 150, RULE_SETS))
    by_rules = {
        rules.name: [one for one in found if one.rules == rules.name] for rules in RULE_SETS
    }
    for rules in RULE_SETS:
        without, with_label = by_rules[rules.name]
        assert without.cell.label == "absent"
        assert with_label.cell.label in ("Likely", "Unlikely")
        if not rules.uses_label:
            assert without.right == with_label.right
    without, with_label = by_rules["SES's label alone"]
    assert without.wrong != with_label.wrong


def test_unique_clicks_and_opens_of_mailpulse_are_those_of_its_states():
    campaign = generate(SEED, "business", 5, labelled=True, emails=400)
    facts = {}
    for text, _ in campaign.events():
        event = parse(text, campaign_tag="campaign")
        facts.setdefault(event.message_id, []).extend(facts_of(event, FactSettings("k")))
    evidence = evidence_of(facts.values())
    states = [settle(one, None, evidence=evidence).state for one in facts.values()]
    found = bots.score(MAILPULSE, Cell("business", 5, "none", "Likely"), campaign).found
    assert found["Click"] == sum(
        one is not None and one.human_clicked_at is not None for one in states
    )
    assert found["Open"] == sum(
        one is not None and one.human_opened_at is not None for one in states
    )
    assert found["Click"] > 0


def test_without_rules_each_open_and_click_is_found_and_no_bot_is_rejected():
    campaign = generate(SEED, "consumer", 5, emails=300)
    found = bots.score(RULE_SETS[0], CELL, campaign)
    assert found.missed == {"Open": 0, "Click": 0}
    labels = [label for email in campaign.emails for _, label in email.hits]
    assert sum(found.right.values()) == sum(label.human for label in labels)
    assert sum(found.wrong.values()) == sum(not label.human for label in labels)


def test_the_document_has_the_parameters_of_the_generator():
    document = bots.DOCUMENT.read_text()
    assert f"\n{bots.parameter_table()}\n" in document, "run python bench/bots.py --write"
