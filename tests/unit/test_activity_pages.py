"""Pages of activity repeat entries; a list has one for each fact."""

import pytest
from msgspec.structs import replace
from support import ses

from chalicelib.facts.fact import FactSettings, facts_of
from chalicelib.ses.parse import parse
from chalicelib.stats.activity import entry_of, newest_first


@pytest.mark.parametrize("order", [1, -1])
def test_of_the_entries_of_a_fact_the_one_of_the_newest_release_is_listed(order):
    """Only opens and clicks are ranked by the rules that classified them."""
    [fact] = facts_of(parse(ses.raw(ses.a_delay()), campaign_tag="campaign"), FactSettings("k"))
    current = entry_of(fact)
    earlier = replace(current, generation=1, domain=None)

    [(_, listed)] = newest_first([earlier, current][::order])

    assert listed == current
