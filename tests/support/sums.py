"""Assert that counters are the sums over the stored items."""

from collections import defaultdict

from support.world import START

from chalicelib.facts.forgotten import NOBODY
from chalicelib.stats.counters import PARTS, aggregate_from_item
from dashboard.recount.comparison import Facts, differences


def aggregates(world):
    """Return all aggregates by campaign."""
    found = defaultdict(list)
    for item in world.dynamo.tables["StatsTable"].items():
        aggregate = aggregate_from_item(item)
        is_counted = aggregate.part.partition("#")[0] in PARTS
        if not aggregate.campaign.startswith(" ") and is_counted:
            found[aggregate.campaign].append(aggregate)
    return found


def require_sums_of_items(world):
    """Assert that all counters are the sums over the stored items, as `recount` compares them."""
    facts = Facts(NOBODY)
    for item in world.dynamo.tables["EventsTable"].items():
        facts.add(item)
    for campaign, counted in aggregates(world).items():
        expected = facts.of(campaign, START)
        counters = [
            one
            for one in differences(campaign, expected, counted, START)
            if isinstance(one.stored, int)
        ]
        assert counters == []
        assert all(count >= 0 for one in counted for count in one.counts.values())
