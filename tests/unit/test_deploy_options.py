"""The options of `deploy`, before any call to AWS."""

import pytest

from chalicelib.errors import CommandError
from dashboard.commands.deploy import warm_write_units
from dashboard.deploy import settings


@pytest.mark.parametrize(("rate", "units"), [(1, 4000), (2000, 4000), (5000, 10_000)])
def test_a_rate_of_events_sets_two_write_units_per_event_or_the_minimum(rate, units):
    assert warm_write_units(rate) == units


def test_without_a_rate_the_throughput_of_the_tables_is_unchanged():
    assert "WarmWriteUnits" not in settings.parameters("prod", warm_write_units=None)
    assert settings.parameters("prod", warm_write_units=10_000)["WarmWriteUnits"] == "10000"


def test_settings_above_the_lambda_limit_name_the_longest_one():
    with pytest.raises(CommandError, match="shorten CAMPAIGN_TAG, which has 4112"):
        settings.chosen([f"CAMPAIGN_TAG={'x' * 4100}"])
