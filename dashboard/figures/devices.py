"""The devices and mail programs of a campaign's human opens and clicks, from its snapshot."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from chalicelib.facts.devices import OTHER
from dashboard.deploy import glossary

Stats = Mapping[str, Any]
"""A campaign's snapshot of the wire contract."""


class Row(Struct, frozen=True):
    """A device, or a mail program on it.

    Attributes:
        label: its name in words.
        is_device: whether it is the sum over the mail programs of a device.
        opens: emails whose first human open is of it.
        clicks: emails whose first human click is of it.
        of_opens, of_clicks: the shares, as fractions of 1; None if there are none at all.
    """

    label: str
    is_device: bool
    opens: int
    clicks: int
    of_opens: float | None
    of_clicks: float | None


def devices(stats: Stats) -> list[Row]:
    """Return each device, in the order of the glossary, followed by its mail programs."""
    classes = _classes(stats)
    return [row for device in glossary.DEVICE_NAMES for row in _rows(device, classes)]


def totals(stats: Stats) -> tuple[int, int]:
    """Return the human opens and clicks whose devices were counted."""
    return _sums(_classes(stats))


def _classes(stats: Stats) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = stats.get("devices", {}).get("classes", ())
    return found


def _rows(device: str, classes: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    of_device = [one for one in classes if one["device"] == device]
    whole = _sums(classes)
    if of_device:
        yield _row(glossary.DEVICE_NAMES[device], of_device, whole, is_device=True)
    for one in of_device:
        name = glossary.DEVICES["other"] if one["client"] == OTHER else one["client"]
        yield _row(name, [one], whole)


def _row(
    label: str,
    classes: Sequence[Mapping[str, Any]],
    whole: tuple[int, int],
    *,
    is_device: bool = False,
) -> Row:
    opens, clicks = _sums(classes)
    all_opens, all_clicks = whole
    return Row(
        label,
        is_device,
        opens,
        clicks,
        opens / all_opens if all_opens else None,
        clicks / all_clicks if all_clicks else None,
    )


def _sums(classes: Sequence[Mapping[str, Any]]) -> tuple[int, int]:
    return (
        sum(one["unique_human_opens"] for one in classes),
        sum(one["unique_human_clicks"] for one in classes),
    )
