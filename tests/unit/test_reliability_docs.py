"""docs/reliability.md names tests that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "docs" / "reliability.md").read_text())


def test_each_row_names_a_test_that_exists():
    missing = [
        f"{path}::{name}"
        for path, name in NAMED
        if f"\ndef {name}(" not in (ROOT / path).read_text()
    ]

    assert len(NAMED) > 30
    assert missing == []
