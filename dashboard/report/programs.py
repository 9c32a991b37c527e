"""The report for programs and spreadsheets: JSON and CSV."""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC
from typing import Any

from msgspec import Struct

from chalicelib.stats.counters import PROVIDER_COUNTERS
from dashboard.figures import campaign, devices, pipeline, variants
from dashboard.figures.incidents import incidents
from dashboard.figures.pace import METRICS
from dashboard.figures.reading import Reading

_COLUMNS = ("section", "name", "value", "denominator", "rate")
# Text that a spreadsheet would run as a formula; links and subjects are untrusted input.
_FORMULA = re.compile(r"\s*[=+\-@\t\r]")


class Row(Struct, frozen=True):
    """A row of the CSV report; members that do not apply are None."""

    section: str
    name: str
    value: str | int | None = None
    denominator: int | None = None
    rate: float | None = None


def as_json(reading: Reading) -> str:
    """Return the snapshot with the time of reading and the state of the pipeline, as one object."""
    members = {**reading.stats, "as_of": _at(reading), "pipeline": reading.health}
    return json.dumps(members, ensure_ascii=False, indent=2) + "\n"


def as_csv(reading: Reading) -> str:
    """Return a row for each number; empty cells are unknown or do not apply."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_COLUMNS)
    for row in _rows(reading):
        writer.writerow([_cell(getattr(row, name)) for name in _COLUMNS])
    return out.getvalue()


def _rows(reading: Reading) -> Iterator[Row]:
    stats = reading.stats
    yield Row("campaign", "as_of", _at(reading))
    for name, value in stats["campaign"].items():
        yield Row("campaign", name, str(value).lower() if isinstance(value, bool) else value)
    for name, value in stats["counts"].items():
        yield Row("count", name, value)
    for one in campaign.all_rates(stats):
        yield Row("rate", one.name, one.part, one.whole, one.value)
    yield from _remarks(stats)
    yield from _pace(stats.get("pace", {}))
    yield from _variants(stats)
    for kind in campaign.kinds_of_bots(stats):
        opens, clicks = stats["counts"]["opens"], stats["counts"]["clicks"]
        yield Row("bot_opens", kind.name, kind.opens, opens, kind.of_opens)
        yield Row("bot_clicks", kind.name, kind.clicks, clicks, kind.of_clicks)
    yield from _devices(stats)
    delivered = stats["counts"]["deliveries"]
    for link in campaign.links(stats):
        name = "other" if link.kind == "other" else link.url
        name = f"{link.label} ({name})" if link.label else name
        yield Row("link_unique_human_clicks", name, link.humans, delivered, link.rate)
        yield Row("link_human_clicks", name, link.human_clicks)
        yield Row("link_clicks", name, link.clicks)
    for bounce in campaign.bounces(stats):
        yield Row("bounce", bounce.code, bounce.count)
    yield from _deliverability(stats)
    for resolution, buckets in stats["timeline"].items():
        for bucket in buckets:
            for name, value in bucket.items():
                if name not in ("at", "version"):
                    yield Row(f"{resolution}_{name}", bucket["at"], value)
    yield Row("pipeline", "state", pipeline.state(reading.health, reading.as_of).level)
    for name in ("checked_at", "stream_lag_seconds", "dead_letters", "quarantined"):
        yield Row("pipeline", name, reading.health[name])


def _remarks(stats: Mapping[str, Any]) -> Iterator[Row]:
    for one in incidents(stats):
        yield Row("incident_began", one.id, one.began_at)
        yield Row("incident_ended", one.id, one.ended_at)
        yield Row("incident_affected", one.id, one.affected, one.total)
        yield Row("incident_text", one.id, f"{one.title}. {one.happened}".strip())
    for note in stats.get("notes", ()):
        yield Row("note", note["at"], note["text"])


def _pace(pace: Mapping[str, Any]) -> Iterator[Row]:
    for name in ("campaigns", "needed", "at"):
        if name in pace:
            yield Row("pace", name, pace[name])
    for metric in METRICS:
        for name, value in pace.get(metric, {}).items():
            yield Row(f"pace_{metric}", name, value)
    for ahead in pace.get("forecast", ()):
        for metric in METRICS:
            for name, value in ahead.get(metric, {}).items():
                yield Row(f"forecast_{ahead['hours']}_{metric}", name, value)


def _variants(stats: Mapping[str, Any]) -> Iterator[Row]:
    for tag in variants.tags(stats):
        for one in tag.variants:
            name = f"{tag.name}={one.label}" if one.value is None else f"{tag.name}={one.value}"
            yield Row("variant_deliveries", name, one.deliveries)
            yield Row("variant_unique_human_clicks", name, one.humans, one.deliveries, one.rate)
            if one.probability is not None:
                yield Row("variant_probability_best", name, rate=one.probability)


def _devices(stats: Mapping[str, Any]) -> Iterator[Row]:
    opens, clicks = devices.totals(stats)
    for one in stats.get("devices", {}).get("classes", ()):
        name = f"{one['device']}/{one['client']}"
        for counter, whole in (("unique_human_opens", opens), ("unique_human_clicks", clicks)):
            rate = one[counter] / whole if whole else None
            yield Row(f"device_{counter}", name, one[counter], whole, rate)


def _deliverability(stats: Mapping[str, Any]) -> Iterator[Row]:
    for one in stats.get("providers", ()):
        for name in PROVIDER_COUNTERS:
            yield Row(f"provider_{name}", one["provider"], one[name])
    for one in stats.get("replies", ()):
        yield Row("reply", f"{one['status']} {one['text']}".strip(), one["count"])


def _cell(value: str | float | None) -> str | int | float | None:
    if isinstance(value, str) and _FORMULA.match(value):
        return f"'{value}"
    return value


def _at(reading: Reading) -> str:
    return f"{reading.as_of.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
