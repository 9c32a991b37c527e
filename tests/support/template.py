"""Read infrastructure/mailpulse.yaml without resolving its functions."""

import yaml

from dashboard.paths import TEMPLATE


# PyYAML's own parser, which is there without libyaml, takes ten times as long.
class Tagged(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """Reads `!Sub text` as the text: what is substituted stays as it is written."""


def _untagged(loader, _, node):
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    return loader.construct_sequence(node, deep=True)


Tagged.add_multi_constructor("!", _untagged)

WRITTEN = yaml.load(TEMPLATE.read_text(), Tagged)
RESOURCES = WRITTEN["Resources"]
OUTPUTS = WRITTEN["Outputs"]
