"""Decode and validate an SES event, from the text of a queue message."""

import json
from collections.abc import Callable
from contextlib import ExitStack

import made
import msgspec
from baselines import decode
from comparison import Comparison

from chalicelib.ses.parse import parse

EVENTS = 1000
NOT_AFTER = "2026-11-24T00:00:00.000Z"


class _MailSkipped(msgspec.Struct):
    mail: msgspec.Raw


def rows(_stack: ExitStack) -> list[Comparison]:
    """Compare with different events, in the mix of a campaign."""
    bodies = made.events(EVENTS)

    def ours() -> None:
        for body in bodies:
            parse(body, campaign_tag="campaign", not_after=NOT_AFTER)

    def each(read: Callable[[str], object]) -> Callable[[], None]:
        def run() -> None:
            for body in bodies:
                read(body)

        return run

    size = f"{made.average_bytes(bodies) / 1000:.1f} KB"
    named = f"decode + validate an event of {size}"
    return [
        Comparison(named, "json + checks by hand", ours, each(decode.parse), EVENTS, must=2.5),
        Comparison(named, "json.loads alone", ours, each(json.loads), EVENTS),
        Comparison(
            named,
            "msgspec that skips the mail",
            ours,
            each(msgspec.json.Decoder(_MailSkipped).decode),
            EVENTS,
            unit="share",
            stretch=1.5,
        ),
    ]
