"""What `deploy` makes of its options before it asks AWS."""

import pytest

from chalicelib.errors import CommandError
from dashboard.commands.deploy import warm_write_units
from dashboard.deploy import settings


@pytest.mark.parametrize(("rate", "units"), [(1, 4000), (2000, 4000), (5000, 10_000)])
def test_a_rate_of_events_takes_two_write_units_an_event_and_no_less_than_a_new_table(rate, units):
    assert warm_write_units(rate) == units


def test_a_rate_that_is_not_named_leaves_the_tables_throughput_as_it_is():
    assert "WarmWriteUnits" not in settings.parameters("prod", warm_write_units=None)
    assert settings.parameters("prod", warm_write_units=10_000)["WarmWriteUnits"] == "10000"


def test_settings_that_exceed_lambdas_limit_name_the_longest():
    with pytest.raises(CommandError, match="shorten CAMPAIGN_TAG, which has 4112"):
        settings.chosen([f"CAMPAIGN_TAG={'x' * 4100}"])
