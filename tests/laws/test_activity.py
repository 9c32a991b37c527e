"""A campaign's list of activity has each stored fact once, as it is classified now."""

import random

from hypothesis import given
from hypothesis import strategies as st
from support.activity import campaigns, expected, listed
from support.chaos import chaos
from support.generate import engagements, events
from support.world import World

seeds = st.integers(0, 2**32)


@given(events, seeds)
def test_the_list_equals_the_facts_under_any_faults_and_interleaving(happened, seed):
    world = World()
    world.arrive(*happened, *random.Random(seed).choices(happened, k=5 if happened else 0))

    chaos(world, seed)

    for campaign in campaigns(world):
        assert listed(world, campaign, limit=100) == expected(world, campaign)
        assert listed(world, campaign, limit=2) == expected(world, campaign)


@given(engagements, seeds)
def test_the_filters_of_the_list_apply_to_the_current_classification(happened, seed):
    world = World()
    world.arrive(*happened)

    chaos(world, seed)

    for campaign in campaigns(world):
        for filters in (
            {"type": "Click"},
            {"engager": "machine"},
            {"type": "Open", "engager": "human"},
        ):
            assert listed(world, campaign, 100, **filters) == expected(world, campaign, **filters)
