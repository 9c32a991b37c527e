"""The options of `deploy`, before any call to AWS."""

import pytest

from chalicelib.errors import CommandError
from dashboard.deploy import settings


def test_settings_above_the_lambda_limit_name_the_longest_one():
    with pytest.raises(CommandError, match="shorten CAMPAIGN_TAG, which has 4112"):
        settings.chosen([f"CAMPAIGN_TAG={'x' * 4100}"])
