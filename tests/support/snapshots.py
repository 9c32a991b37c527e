"""Readings of campaigns: the example of the wire contract, and campaigns with chosen numbers."""

import json
from datetime import UTC, datetime
from pathlib import Path

from chalicelib.live import messages
from chalicelib.stats.counters import COUNTERS, SUMMARY, Aggregate
from chalicelib.stats.health import Health
from dashboard.figures.reading import Reading

EXAMPLES = Path(__file__).parents[1] / "messages"
NOW = datetime(2026, 11, 23, 11, 6, 5, tzinfo=UTC)


def example(name):
    return json.loads((EXAMPLES / f"{name}.json").read_text())["message"]


def example_reading():
    """Return the campaign of the examples, without its activity and its variants."""
    stats = example("reply-snapshot-campaign")["snapshot"]
    del stats["activity"], stats["variants"]
    return Reading(stats, example("reply-snapshot-health")["snapshot"], NOW)


def troubled_reading():
    """Return the campaign of the examples with a running incident, and an earlier one that ended."""
    found = example_reading()
    found.stats["incidents"] = [
        one
        for name in ("push-campaign-incident", "push-campaign-incident-ended")
        for one in example(name)["changes"]["incidents"]
    ]
    return found


def noted_reading():
    """Return the campaign of the examples with its notes, as `report` reads them."""
    found = example_reading()
    notes = example("push-campaign-notes")["changes"]["notes"]
    found.stats["notes"] = [one for one in notes if one["text"] is not None]
    return found


def compared_reading(**changed):
    """Return the campaign of the examples with its pace and two variants.

    Args:
        changed: members of the pace, in place of those of the example; None for none of them.
    """
    found = example_reading()
    pace = example("push-campaign-pace")["changes"]["pace"] | changed
    found.stats["pace"] = {name: value for name, value in pace.items() if value is not None}
    found.stats["variants"] = [variant("a", 590, 31), variant("b", 580, 65)]
    return found


def variant(value, deliveries, clicks, tag="variant", **members):
    """Return the row of a variant in a snapshot."""
    return {
        "tag": tag,
        "value": value,
        "version": 3,
        "counts": {"deliveries": deliveries, "unique_human_clicks": clicks},
        "rates": {"human_click": clicks / deliveries if deliveries else None},
        **members,
    }


def reading(*parts, campaign="spring-sale", is_current=True, summary=None, health=None, **counts):
    """Return a campaign with these counters; without any, one without events.

    Args:
        parts: further aggregates.
        campaign: its name.
        is_current: whether it is counted by the current definitions.
        summary: further attributes of its summary.
        health: a snapshot of the pipeline; by default, one without events.
        counts: the counters.
    """
    assert counts.keys() <= COUNTERS.keys()
    first = {"first_event_at": "2026-11-23T10:00:00Z", "last_event_at": "2026-11-23T10:30:00Z"}
    aggregate = (
        Aggregate(
            campaign,
            SUMMARY,
            version=3,
            counts=counts,
            current_updates=3 if is_current else 1,
            **{**first, **(summary or {})},
        )
        if counts
        else None
    )
    stats = messages.campaign_snapshot(campaign, aggregate, parts, NOW)
    return Reading(stats, health or messages.health(Health()), NOW)
