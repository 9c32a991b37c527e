"""The report as one HTML file without scripts, which prints on A4."""

from pathlib import Path

import jinja2

from dashboard.deploy import glossary
from dashboard.figures import (
    campaign,
    devices,
    formats,
    incidents,
    pipeline,
    providers,
    rates,
    variants,
)
from dashboard.figures.pace import pace
from dashboard.figures.reading import Reading
from dashboard.report import chart

_TEMPLATES = Path(__file__).parent / "templates"
# Two charts, each with its own scale: a thousand sends would flatten ten clicks.
_PANELS = {
    "sending": ("sends", "deliveries", "hard_bounces"),
    "engagement": ("opens", "human_opens", "human_clicks"),
}
_COUNTERS = [counter for counters in _PANELS.values() for counter in counters]


def document(reading: Reading) -> str:
    """Return the report as HTML."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "count": formats.count,
        "percent": formats.percent,
        "minute": formats.minute,
    }
    stats = reading.stats
    resolution = campaign.resolution(stats)
    timeline = campaign.buckets(stats, resolution)
    return environment.get_template("report.html").render(
        campaign=stats["campaign"],
        as_of=formats.second(reading.as_of),
        tiles=campaign.tiles(stats),
        funnel=campaign.funnel(stats),
        funnel_most=max(1, *(step.count or 0 for step in campaign.funnel(stats))),
        pace=pace(stats),
        tags=variants.tags(stats),
        variants=variants,
        dash=formats.DASH,
        incidents=incidents.incidents(stats),
        notes=stats.get("notes", ()),
        remarks=rates.remarks(stats),
        rates=campaign.all_rates(stats),
        counts=campaign.all_counts(stats),
        opens_and_clicks=stats["counts"],
        engagers=campaign.engagers(stats),
        kinds=campaign.kinds_of_bots(stats),
        links=campaign.links(stats),
        bounces=campaign.bounces(stats),
        devices=devices.devices(stats),
        of_devices=devices.totals(stats),
        mailbox_providers=providers.providers(stats),
        replies=providers.replies(stats),
        provider_rates=providers.RATES,
        in_one_line=providers.in_one_line,
        notices=campaign.notices(stats),
        pipeline=pipeline.state(reading.health, reading.as_of),
        resolution=resolution,
        panels={
            name: (counters, chart.chart(timeline, counters, resolution))
            for name, counters in _PANELS.items()
            if timeline
        },
        timeline=[(at, bucket) for at, bucket in timeline if any(map(bucket.get, _COUNTERS))],
        counters=_COUNTERS,
        chart=chart,
        glossary=glossary,
    )
