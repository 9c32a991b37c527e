"""docs/metrics.md describes every counter and every rate."""

import re
from pathlib import Path

from chalicelib.stats.counters import COUNTERS, RATES

ROOT = Path(__file__).parents[2]
METRICS = (ROOT / "docs" / "metrics.md").read_text("utf-8")


def table(heading: str) -> list[list[str]]:
    """Return the cells of the first table below a heading, without its header."""
    section = METRICS.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = re.findall(r"^\| (.*) \|$", section, re.MULTILINE)
    return [row.replace("`", "").split(" | ") for row in rows[1:]]


def test_every_counter_is_described_once():
    assert sorted(name for name, *_ in table("Counters")) == sorted(COUNTERS)


def test_every_rate_is_described_with_its_numerator_and_denominator():
    assert {name: (part, whole) for name, part, whole, *_ in table("Rates")} == RATES


def test_every_metric_has_its_name_in_other_tools_or_none():
    for row in (*table("Counters"), *table("Rates")):
        assert len(row) == 6, row
        assert all(cell.strip() for cell in row), row


def test_denominators_that_are_not_counters_are_defined():
    for _, whole in RATES.values():
        assert whole in COUNTERS or f"- `{whole}` = " in METRICS, whole


def test_the_readme_links_to_the_metrics():
    assert "(docs/metrics.md)" in (ROOT / "README.md").read_text("utf-8")
