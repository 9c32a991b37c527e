"""Generate histories of campaigns: when each email was accepted, first read and first clicked.

`campaign.py` generates every open and click of one campaign, bots included. A history needs many
campaigns and only the first human open and click of each email, so it is drawn for each reader:
rate, delay, and the hours in which people read. Nothing here is imported from `chalicelib`.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Annotated, Literal, NamedTuple, get_args, get_type_hints

from bench.worlds.email import delay
from bench.worlds.parameters import HOUR, Assumed, Delay, Described, Parameters, Published, Source

Kind = Literal["newsletter", "growing", "promotional", "sparse"]
KINDS: tuple[Kind, ...] = get_args(Kind)

SOURCES = {
    "inntopia": "https://corp.inntopia.com/email-short-tail",
    "marketingcharts 2014": "https://dev.marketingcharts.com/digital-60582",
    "psylina": "https://psylina.wordpress.com/tag/emails/",
}

_START = datetime(2026, 1, 5, tzinfo=UTC)  # a Monday
_DAY_SECONDS = 86_400
_LAST_SECONDS = 60 * _DAY_SECONDS  # SES reports opens and clicks for 60 days
_WEEKEND = {5, 6}
_READ_AFTER = Delay(2.5 * HOUR, 2.0)
# Relative activity by hour of the day, from midnight on.
_AWAKE = (
    *(0.10, 0.05, 0.04, 0.04, 0.06, 0.20),
    *(0.45, 0.75, 0.95, 1.00, 1.00, 0.95),
    *(0.90, 0.90, 0.85, 0.85, 0.85, 0.80),
    *(0.80, 0.85, 0.90, 0.85, 0.60, 0.30),
)


class Audience(NamedTuple):
    """A part of the list: its share of the recipients, its read rate, and how often it is chosen.

    The read rate is relative to that of the whole list, as is the weight to other audiences.
    """

    recipients: float
    read: float
    weight: float


@dataclass(frozen=True)
class HistoryParameters:
    """The parameters of a history. The defaults are those of a weekly newsletter."""

    campaigns: Annotated[int, Assumed("campaigns of a history")] = 31
    recipients: Annotated[int, Assumed("recipients of the first campaign")] = 4000
    growth: Annotated[float, Assumed("growth of the list from a campaign to the next")] = 0.001
    days: Annotated[tuple[int, int], Assumed("range of days between two campaigns")] = (7, 7)
    hours: Annotated[
        tuple[int, int], Assumed("range of the hour at which a campaign starts, in UTC")
    ] = (9, 9)
    sending: Annotated[
        tuple[float, float], Assumed("range of the minutes that sending a campaign takes")
    ] = (5.0, 20.0)
    delivered: Annotated[float, Assumed("share of emails that are delivered")] = 0.98
    audiences: Annotated[
        Sequence[Audience], Assumed("recipients, read rate and weight of the list's audiences")
    ] = (Audience(1.0, 1.0, 1.0),)

    read: Annotated[float, Assumed("share of delivered emails that are read")] = 0.25
    subject: Annotated[
        float, Assumed("deviation of the logarithm of the read rate between campaigns")
    ] = 0.12
    drift: Annotated[float, Assumed("change of the read rate from a campaign to the next")] = 0.0
    weekend: Annotated[float, Assumed("read rate on Saturdays and Sundays, relative")] = 0.85
    read_after: Annotated[
        Delay,
        Published("time to reading: half within 2.5 h, 91 % within 2 days", "psylina"),
    ] = _READ_AFTER
    speed: Annotated[
        float, Assumed("deviation of the logarithm of that median between campaigns")
    ] = 0.15
    awake: Annotated[
        Sequence[float],
        Described(
            "activity by hour of the day; a reading at another hour is put off",
            "marketingcharts 2014",
        ),
    ] = _AWAKE
    click: Annotated[float, Published("share of readers who click", "inntopia")] = Parameters.click
    offer: Annotated[
        float, Assumed("deviation of the logarithm of the click rate between campaigns")
    ] = 0.30
    click_after: Annotated[Delay, Assumed("time from reading to the first click")] = (
        Parameters.click_after
    )


HISTORIES: Mapping[Kind, HistoryParameters] = {
    "newsletter": HistoryParameters(),
    "growing": HistoryParameters(
        recipients=1500,
        growth=0.04,
        days=(2, 5),
        hours=(6, 21),
        sending=(10.0, 90.0),
        subject=0.15,
        drift=-0.01,
        speed=0.20,
    ),
    "promotional": HistoryParameters(
        recipients=6000,
        days=(1, 6),
        hours=(8, 18),
        sending=(10.0, 240.0),
        audiences=(
            Audience(0.2, 2.0, 2.0),
            Audience(1.0, 0.8, 3.0),
            Audience(0.4, 0.3, 1.0),
        ),
        subject=0.20,
        speed=0.30,
        offer=0.50,
    ),
    "sparse": HistoryParameters(campaigns=8, recipients=150),
}


class Hit(NamedTuple):
    """The first human open or click of an email.

    Attributes:
        accepted: when SES accepted the email, in seconds since the campaign's start.
        age: the age of the email at the open or click, in seconds.
    """

    accepted: float
    age: float


@dataclass(frozen=True)
class SentCampaign:
    """A campaign of a history, with all that happens to it in 60 days.

    Attributes:
        started: when SES accepted the first email.
        accepted: when SES accepted each email that is delivered, in seconds since the start.
        sends: all emails, including those that are not delivered.
        opens: the first human open of each email that is read.
        clicks: the first human click of each email that is clicked.
    """

    id: str
    started: datetime
    accepted: Sequence[float]
    sends: int
    opens: Sequence[Hit]
    clicks: Sequence[Hit]


def generate(seed: int, kind: Kind, changed: HistoryParameters | None = None) -> list[SentCampaign]:
    """Return a history: campaigns in the order of their start.

    Args:
        seed: the same seed yields the same history.
        kind: the kind of the history.
        changed: parameters instead of those of the kind.
    """
    chosen = changed or HISTORIES[kind]
    rng = Random(f"{seed}/history/{kind}")
    return list(_campaigns(chosen, rng, f"{kind}-{seed}"))


def _campaigns(chosen: HistoryParameters, rng: Random, name: str) -> Iterator[SentCampaign]:
    day = _START
    for number in range(chosen.campaigns):
        started = day + timedelta(hours=rng.randint(*chosen.hours), minutes=rng.randrange(60))
        yield _campaign(chosen, rng, number, f"{name}-{number:02}", started)
        day += timedelta(days=rng.randint(*chosen.days))


def _campaign(
    chosen: HistoryParameters, rng: Random, number: int, name: str, started: datetime
) -> SentCampaign:
    weights = [one.weight for one in chosen.audiences]
    audience = rng.choices(chosen.audiences, weights)[0]
    size = round(chosen.recipients * (1 + chosen.growth) ** number * audience.recipients)
    duration = rng.uniform(*chosen.sending) * 60
    read = chosen.read * audience.read * (1 + chosen.drift) ** number
    read *= rng.lognormvariate(0, chosen.subject)
    if started.weekday() in _WEEKEND:
        read *= chosen.weekend
    read_after = Delay(
        chosen.read_after.median * rng.lognormvariate(0, chosen.speed), chosen.read_after.deviation
    )
    click = chosen.click * rng.lognormvariate(0, chosen.offer)
    accepted: list[float] = []
    opens: list[Hit] = []
    clicks: list[Hit] = []
    for one in range(size):
        if rng.random() >= chosen.delivered:
            continue
        at = duration * one / size
        accepted.append(at)
        if rng.random() >= min(read, 1.0):
            continue
        age = _awake(chosen, rng, started, at, delay(rng, read_after))
        if age > _LAST_SECONDS:
            continue
        opens.append(Hit(at, age))
        if rng.random() < click:
            clicks.append(Hit(at, age + delay(rng, chosen.click_after)))
    return SentCampaign(name, started, accepted, size, opens, clicks)


def _awake(
    chosen: HistoryParameters, rng: Random, started: datetime, accepted: float, age: float
) -> float:
    """Return the age at which a person reads, put off while people are asleep."""
    midnight = started.hour * HOUR + started.minute * 60 + accepted
    while rng.random() >= chosen.awake[math.floor((midnight + age) / HOUR) % 24]:
        age += rng.expovariate(1 / HOUR)
    return age


def sources() -> dict[str, Source]:
    """Return the meaning and the source of each parameter."""
    hints = get_type_hints(HistoryParameters, include_extras=True)
    return {name: get_args(hint)[1] for name, hint in hints.items()}
