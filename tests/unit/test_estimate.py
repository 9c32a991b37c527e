"""bench/estimate.py: the estimate of the emails that people clicked, and its interval."""

import pytest

from bench import estimate
from bench.bots import Cell, score
from bench.estimate import Counts, Estimate, counted
from bench.rule_sets import MAILPULSE
from bench.worlds.campaign import generate
from bench.worlds.parameters import SEEDS

READ, UNREAD = "human, read before, later", "human, nothing before, within 30 min"
BURST = "machine, burst"


def counts(world="none", seed=0, **people):
    """Return the counts of a campaign, from (emails, emails that people clicked) by cell."""
    cells = {"read": READ, "unread": UNREAD, "burst": BURST}
    return Counts(
        "consumer",
        world,
        seed,
        {cells[name]: emails for name, (emails, _) in people.items()},
        {cells[name]: clicked for name, (_, clicked) in people.items()},
    )


def test_counts_have_each_clicked_email_once_and_agree_with_the_classes():
    campaign = generate(SEEDS["tune"][0], "business", 5, emails=400)
    found = counted(campaign, "business", "none", SEEDS["tune"][0])
    measured = score(MAILPULSE, Cell("business", 5, "none", "absent"), campaign)
    assert found.by_class == measured.found["Click"]
    assert found.truth == measured.truth["Click"]
    clicked = sum(
        any(hit.type == "Click" and hit.link != email.unsubscribe_link for hit, _ in email.hits)
        for email in campaign.emails
    )
    assert sum(found.emails.values()) == clicked
    assert 0 < found.truth < clicked


def test_the_estimate_is_the_sum_of_the_shares_of_people_in_the_cells():
    fitted = [counts(read=(1000, 1000), unread=(1000, 500), burst=(1000, 0))]
    mean, _ = estimate.shares(fitted)(counts(read=(20, 0), unread=(10, 0), burst=(500, 0)))
    assert mean == pytest.approx(20 + 5, rel=0.01)


def test_a_cell_that_no_fitted_campaign_had_counts_as_its_class():
    model = estimate.shares([counts(burst=(1000, 0))])
    assert model(counts(read=(20, 0))).mean == 20


def test_the_estimate_is_less_certain_where_campaigns_differ():
    alike = [counts(unread=(20, 10))] * 10
    different = [counts(unread=(20, 20)), counts(unread=(20, 0))] * 5
    one = counts(unread=(20, 10))
    assert estimate.shares(different)(one).deviation > 2 * estimate.shares(alike)(one).deviation


def test_the_limits_are_those_of_campaigns_that_the_fit_left_out():
    def fit(fitted):
        known = {(one.world, one.seed) for one in fitted}

        def model(one):
            is_known = (one.world, one.seed) in known
            return Estimate(one.truth if is_known else one.truth - 5, 1)

        return model

    fitted = [counts(world=world, seed=seed, read=(20, 20)) for world in "ab" for seed in range(4)]
    interval = estimate.with_limits(fit, fitted)(fitted[0])
    assert interval == (20, 25, 25)


def test_no_campaign_is_evaluated_by_a_fit_with_its_world():
    fits = []

    def fit(fitted):
        fits.append({one.world for one in fitted})
        return lambda _: Estimate(len(fits), 1)

    fitted = [counts(world=world, seed=seed, read=(9, 9)) for world in "abc" for seed in range(8)]
    for one, interval in estimate.evaluated(fit, fitted, [counts(world="b", read=(9, 9))]):
        assert one.world not in fits[int(interval.estimate) - 1]
    assert fits
    assert not any("b" in worlds for worlds in fits)
