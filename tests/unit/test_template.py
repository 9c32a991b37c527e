"""CloudFormation requirements that cfn-lint does not check."""

from dashboard.paths import TEMPLATE


def test_the_template_fits_into_a_request():
    """A request may contain 51,200 bytes of template; `deploy` and `up` use no bucket for it."""
    assert len(TEMPLATE.read_bytes()) <= 51_200
