"""Measure how right the runway is, with accounts whose representative volume the model must guess.

    python bench/runway.py --accounts 2000

SES does not disclose the volume that its rates are of, so a real account cannot show this. Here, it
is the emails of the last 7 to 90 days of an account that sends each day, once a week, or now and
then, with rates that differ from day to day. A part of the recipients is of providers that
report complaints; SES's rate of complaints is of these emails only.
"""

import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from chalicelib.insight.runway import DAYS, Kind, SentDay, remaining, runway

_HISTORY = 90  # days, so that a volume may be of more days than the model considers
_TYPICAL: dict[Kind, float] = {"bounces": 0.012, "complaints": 0.0004}


@dataclass(frozen=True)
class Case:
    """What SES knows of an account, and what the model knows."""

    kind: Kind
    rate: float
    true: int
    low: int
    middle: int
    high: int


def account(rng: random.Random, *, has_vdm: bool) -> list[Case]:
    """Return the estimates for a random account that is below SES's lines."""
    every = rng.choice((1, 1, 7, rng.randint(2, 12)))
    size = 10 ** rng.uniform(3, 5)
    share = rng.uniform(0.3, 0.8)  # of emails to providers that report complaints
    days: list[SentDay] = []
    for number in range(_HISTORY):
        sends = int(size * rng.lognormvariate(0, 0.4)) if number % every == 0 else 0
        accountable = int(share * sends)
        days.append(
            SentDay(
                sends,
                _events(rng, _TYPICAL["bounces"], sends),
                _events(rng, _TYPICAL["complaints"], accountable),
                accountable,
            )
        )
    of_volume = rng.uniform(7, _HISTORY - every)
    shown = days if has_vdm else [SentDay(d.sends, d.hard_bounces, d.complaints) for d in days]
    return [
        one
        for kind in ("bounces", "complaints")
        if (one := _case(kind, days, shown[:DAYS], of_volume)) is not None
    ]


def _events(rng: random.Random, typical: float, emails: int) -> int:
    """Return a number of bounces or complaints, at a rate that differs by day."""
    expected = typical * rng.lognormvariate(0, 0.5) * emails
    return max(0, round(rng.gauss(expected, expected**0.5)))


def _case(
    kind: Kind, days: Sequence[SentDay], shown: Sequence[SentDay], of_volume: float
) -> Case | None:
    emails = events = 0.0
    for number, day in enumerate(days):
        part = min(1.0, max(0.0, of_volume - number))  # the volume begins within a day
        emails += part * (day.sends if kind == "bounces" else day.accountable or 0)
        events += part * (day.hard_bounces if kind == "bounces" else day.complaints)
    rate = events / emails
    found = runway(kind, rate, shown)
    if found.line is None or found.remaining is None:
        return None
    assert found.low is not None
    assert found.high is not None
    true = remaining(rate, found.line, emails)
    return Case(kind, rate, true, found.low, found.remaining, found.high)


@click.command()
@click.option("--accounts", default=2000, show_default=True)
@click.option("--seed", default=1, show_default=True)
def main(accounts: int, seed: int) -> None:
    """Print how often the range contains the truth, and how far the estimate is from it."""
    print(
        "rate         VDM  accounts  in the range  truth above  truth below  median  error factor"
    )
    for has_vdm in (False, True):
        rng = random.Random(seed)
        cases = [one for _ in range(accounts) for one in account(rng, has_vdm=has_vdm)]
        for kind in ("bounces", "complaints"):
            mine = [one for one in cases if one.kind == kind]
            above = sum(one.true > one.high for one in mine) / len(mine)
            below = sum(one.true < one.low for one in mine) / len(mine)
            ratios = [max(one.middle, 1) / max(one.true, 1) for one in mine]
            factor = median(max(one, 1 / one) for one in ratios)
            print(
                f"{kind:<11}  {'yes' if has_vdm else 'no':<3}  {len(mine):>8}"
                f"  {1 - above - below:>12.1%}  {above:>11.1%}  {below:>11.1%}"
                f"  {median(ratios):>6.2f}  {factor:>12.2f}"
            )


if __name__ == "__main__":
    main()
