"""What CloudFormation demands of the template beyond what cfn-lint looks at."""

from dashboard.paths import TEMPLATE


def test_the_template_fits_into_a_request():
    """CloudFormation takes 51,200 bytes in a request; `deploy` and `up` use no bucket for it."""
    assert len(TEMPLATE.read_bytes()) <= 51_200
