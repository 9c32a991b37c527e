"""The options of `simulate` that define the campaign."""

import re
from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, TypeVar

import click

from dashboard.simulation.audience import SENDERS, SUBJECTS
from dashboard.simulation.campaign import Behaviour, Campaign
from dashboard.simulation.mail_life import VARIANTS

F = TypeVar("F", bound=Callable[..., Any])

_POSITIVE = click.FloatRange(0, min_open=True)
_SHARE = click.FloatRange(0, 1)
_DEFAULTS = Behaviour()


def _tag_value(_context: click.Context, _parameter: click.Parameter, value: str | None) -> Any:
    if value is not None and not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", value):
        raise click.BadParameter(
            f"{value[:80]!r} is not valid in a message tag: use at most 256 ASCII letters, "
            "digits, hyphens, and underscores."
        )
    return value


def _sender(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    if not re.fullmatch(r"[^<>@]+@[^<>@\s]+|.*<[^<>@\s]+@[^<>@\s]+>", value):
        raise click.BadParameter(
            f"{value!r} is not a sender: use the format 'Green Shop <news@example.com>'."
        )
    return value


def _time(_context: click.Context, _parameter: click.Parameter, value: str | None) -> Any:
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise click.BadParameter(
            f"{value!r} is not a time: use the format 2026-11-23T10:00:00Z."
        ) from error
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _share(name: str, of: str) -> Callable[[F], F]:
    return click.option(
        f"--{name}",
        type=_SHARE,
        default=getattr(_DEFAULTS, name),
        show_default=True,
        metavar="0…1",
        help=f"Share of {of}.",
    )


_OPTIONS = (
    click.option(
        "--campaign",
        "campaign_id",
        callback=_tag_value,
        show_default="simulated-<time>",
        help="ID of the campaign, the value of its message tag.",
    ),
    click.option(
        "--subject",
        default=SUBJECTS["spring-sale"],
        show_default=True,
        help="Subject of the emails.",
    ),
    click.option(
        "--sender",
        default=SENDERS[0],
        show_default=True,
        callback=_sender,
        help="Sender of the emails.",
    ),
    click.option(
        "--recipients",
        type=click.IntRange(1),
        default=2000,
        show_default=True,
        help="Number of recipients, with one email each.",
    ),
    click.option(
        "--rate", type=_POSITIVE, default=50.0, show_default=True, help="Emails sent per second."
    ),
    click.option(
        "--speed",
        type=_POSITIVE,
        default=_DEFAULTS.speed,
        show_default=True,
        help="Factor by which people open and click faster than in reality.",
    ),
    click.option(
        "--duration",
        type=_POSITIVE,
        show_default="until all events are published",
        help="End after this many seconds, even if more events would follow.",
    ),
    click.option(
        "--seed",
        type=int,
        default=1,
        show_default=True,
        help="The same seed, start, and options produce the same events.",
    ),
    click.option(
        "--start",
        callback=_time,
        show_default="now",
        help="Time of the first email, such as 2026-11-23T10:00:00Z.",
    ),
    _share("bounces", "emails that bounce"),
    _share("bots", "mailboxes with a privacy proxy, prefetcher, or scanner"),
    _share("opens", "people who open the email"),
    _share("clicks", "openers who click a link"),
    _share("unsubscribes", "openers who unsubscribe"),
    _share("complaints", "delivered emails that are marked as spam"),
    _share("duplicates", "events that are delivered more than once"),
    click.option(
        "--variants",
        type=click.IntRange(0, len(VARIANTS)),
        default=_DEFAULTS.variants,
        show_default=True,
        help="Number of variants of the emails, by turns: values of the message tag variant.",
    ),
    click.option(
        "--lift",
        type=_POSITIVE,
        default=_DEFAULTS.lift,
        show_default=True,
        help="Factor by which more people click in variant b than in a, in c than in b, and so on.",
    ),
    click.option(
        "--tag",
        default="campaign",
        show_default=True,
        callback=_tag_value,
        help="Name of the message tag with the campaign ID.",
    ),
)


def campaign_options(command: F) -> F:
    """Add the options that define a campaign to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def campaign_from(
    options: dict[str, Any], *, campaign_id: str | None, start: datetime, ending: bool
) -> Campaign:
    """Build the campaign that the options define.

    Args:
        options: the values of `campaign_options`, except the two that follow, by name.
        campaign_id: None to derive it from the start.
        start: when the campaign starts or, if `ending`, when it ends.
        ending: whether `start` is the end.
    """
    names = {field.name for field in fields(Behaviour)} & options.keys()
    behaviour = {name: options.pop(name) for name in names}
    campaign = Campaign(
        id=campaign_id or f"simulated-{start:%Y-%m-%d-%H%M}",
        start=start,
        behaviour=Behaviour(**behaviour),
        **options,
    )
    return campaign.ending(start) if ending else campaign
