"""Compose what a campaign's snapshots and pushes have of devices and mail programs."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from chalicelib.facts.devices import DeviceClass, device_class
from chalicelib.live.frames import Message
from chalicelib.stats.counters import AGES, DEVICE_METRICS, Aggregate, counts_by_name


def members(aggregates: Iterable[Aggregate]) -> Message:
    """Return the member of the item of ages and devices, if the given parts contain it.

    All classes of a campaign are one part: a push replaces them, so that a class that has lost its
    last email disappears.
    """
    found = [one for one in aggregates if one.part == AGES]
    return {"devices": _devices(found[0])} if found else {}


def no_devices() -> Message:
    """Return the member of a campaign without human opens and clicks."""
    return members([Aggregate("", AGES)])


def _devices(aggregate: Aggregate) -> Message:
    rows: dict[DeviceClass, Counter[str]] = defaultdict(Counter)
    for metric in DEVICE_METRICS:
        for code, count in counts_by_name(aggregate.counts, metric).items():
            # Several codes of a later release may be of one class here.
            rows[device_class(code)][metric] += max(0, count)
    ranked = sorted(rows, key=lambda one: ([-rows[one][name] for name in DEVICE_METRICS], one))
    return {
        "version": aggregate.version,
        "classes": [
            {**one._asdict(), **{name: rows[one][name] for name in DEVICE_METRICS}}
            for one in ranked
            if rows[one].total()
        ],
    }
