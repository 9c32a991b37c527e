"""Read a campaign's snapshot from the tables of an installation, without recipients."""

from datetime import UTC, datetime
from difflib import get_close_matches
from itertools import islice
from typing import Any

from msgspec import Struct

from chalicelib.errors import CommandError
from chalicelib.live import messages
from dashboard.installation import Installation

# Campaigns among which similar names are searched for.
_MOST_NAMES = 10_000


class Reading(Struct, frozen=True):
    """The numbers of a campaign at one time.

    Attributes:
        stats: the campaign's snapshot of the wire contract, without activity.
        health: the snapshot of the topic `stats/health`.
        as_of: when they were read.
    """

    stats: dict[str, Any]
    health: dict[str, Any]
    as_of: datetime


def read(installation: Installation, campaign: str) -> Reading:
    """Read a campaign; all counts are 0 before its first event.

    Raises:
        AwsError: a table could not be read.
    """
    now = datetime.fromtimestamp(installation.clock(), UTC)
    table = installation.stats_table
    summary = table.summary(campaign)
    parts = table.shown(campaign, summary.tags if summary else ())
    stats = messages.campaign_snapshot(campaign, summary, parts, now)
    stats |= read_unshared(installation, campaign)
    return Reading(stats, read_health(installation), now)


def read_unshared(installation: Installation, campaign: str) -> dict[str, Any]:
    """Read what a share link does not show: incidents, notes, and `pace` once it was computed.

    Raises:
        AwsError: the table could not be read.
    """
    table = installation.stats_table
    pace = table.paces.get(campaign)
    remarks = table.remarks.get(campaign)
    notes = messages.notes(remarks.notes)
    return {
        "incidents": list(map(messages.incident, remarks.incidents)),
        "notes": [one for one in notes if one["text"] is not None],
        **({} if pace is None else {"pace": messages.pace(pace)}),
    }


def read_health(installation: Installation) -> dict[str, Any]:
    """Read the state of the pipeline.

    Raises:
        AwsError: the table could not be read.
    """
    return messages.health(installation.stats_table.pipeline.health())


def require(installation: Installation, campaign: str) -> None:
    """Check that a campaign has events.

    Raises:
        CommandError: it has none; the message has similar names.
        AwsError: the table could not be read.
    """
    if installation.stats_table.summary(campaign) is None:
        raise CommandError(unknown(installation, campaign))


def unknown(installation: Installation, campaign: str) -> str:
    """Return a sentence for a campaign without events, with similar names.

    Raises:
        AwsError: the table could not be read.
    """
    # The names in lower case, so that a difference in case alone is a close match.
    names = {
        name.casefold(): name
        for name in islice(installation.stats_table.campaigns.ids(), _MOST_NAMES)
    }
    wanted = campaign.casefold()
    close = [names[one] for one in get_close_matches(wanted, names, n=3, cutoff=0.6)]
    close += [name for key, name in names.items() if wanted in key and name not in close][:3]
    if close:
        return f"no campaign {campaign!r}: did you mean {' or '.join(map(repr, close[:3]))}?"
    return (
        f"no campaign {campaign!r} has events yet: check its name on the page, and --stage and "
        "--region"
    )
