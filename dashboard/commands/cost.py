"""`cost`: the cost of a campaign and its viewers in AWS, from measured calls and list prices."""

import json
from typing import Any

import click

from dashboard.costs import alternatives, model
from dashboard.costs.bill import Bill
from dashboard.costs.prices import PRICES, UNVERIFIED
from dashboard.paths import PROJECT

# Smaller fractional quantities are shown with decimals.
_MUCH = 10

MEASURED = PROJECT / "dashboard" / "costs" / "measured.json"


@click.command("cost")
@click.option(
    "--recipients",
    type=click.IntRange(1),
    default=100_000,
    show_default=True,
    help="Recipients of the campaign.",
)
@click.option(
    "--viewers",
    type=click.IntRange(0),
    default=20,
    show_default=True,
    help="Concurrent viewers of the page.",
)
@click.option(
    "--hours",
    type=click.IntRange(1, 48),
    default=8,
    show_default=True,
    help="How long they view it, from its start.",
)
@click.option(
    "--attention",
    default="100/0/0",
    show_default=True,
    help="Percentages of the time in which a page is active, visible, and hidden.",
)
@click.option("--prices", is_flag=True, help="Show the prices with their sources.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
def command(  # noqa: PLR0913 - one for each option
    *, recipients: int, viewers: int, hours: int, attention: str, prices: bool, as_json: bool
) -> None:
    """Estimate the AWS cost of a campaign and its viewers, in us-east-1 without free tiers."""
    if prices:
        _show_prices(as_json=as_json)
        return
    measured = json.loads(MEASURED.read_text())
    counted = model.campaign(measured, recipients)
    viewed = model.viewing(measured, recipients, viewers, hours, shares(attention))
    stored = model.storage(measured, recipients)
    total = counted.usd + viewed.usd + stored.usd
    naive = alternatives.naive(measured, recipients, viewers, hours)
    bills = {
        "campaign": counted,
        "viewing": viewed,
        "storage": stored,
        "standing": model.standing(measured),
        "naive": naive,
        "polling_http": alternatives.polling(measured, recipients, viewers, hours),
        "polling_rest": alternatives.polling(
            measured, recipients, viewers, hours, price="REST request"
        ),
    }
    rates = {
        "usd_total": total,
        "usd_per_million_events": counted.usd / model.events_of(measured, recipients) * 1e6,
        "usd_per_viewer_hour": viewed.usd / (viewers * hours) if viewers else 0.0,
        "times_naive": naive.usd / total,
        "times_sensible": bills["polling_http"].usd / total,
    }
    if as_json:
        print(json.dumps({**{name: _told(bill) for name, bill in bills.items()}, **rates}))
        return
    for bill in bills.values():
        _show(bill)
    print(f"The campaign, its viewers, and what it stores: ${total:.2f}")
    print(f"A million events: ${rates['usd_per_million_events']:.2f}")
    if viewers:
        print(f"One viewer for one hour: ${rates['usd_per_viewer_hour']:.4f}")
    print(f"The naive design costs {rates['times_naive']:.1f} times as much, ", end="")
    print(f"the sensible one {rates['times_sensible']:.1f} times")


def shares(attention: str) -> model.Attention:
    """Return the share of each level of attention.

    Raises:
        click.BadParameter: the text is not three percentages whose sum is 100.
    """
    parts = attention.split("/")
    percentages = [int(one) for one in parts if one.isdecimal()]
    is_whole = sum(percentages) == 100  # noqa: PLR2004 - percent
    if len(parts) != len(model.LEVELS) or len(percentages) != len(parts) or not is_whole:
        raise click.BadParameter(
            f"{attention!r}: use three percentages whose sum is 100, such as 25/35/40",
            param_hint="--attention",
        )
    return {level: one / 100 for level, one in zip(model.LEVELS, percentages, strict=True)}


def _show(bill: Bill) -> None:
    print(bill.title)
    for line in bill.lines:
        price = PRICES[line.price]
        quantity = f"{line.quantity:,.0f}" if _is_whole(line.quantity) else f"{line.quantity:.3f}"
        print(f"  {line.what:<38}{quantity:>14} {price.unit:<22}{line.usd:>9.3f} $")
    print(f"  {'total':<75}{bill.usd:>9.3f} $\n")


def _is_whole(quantity: float) -> bool:
    return quantity >= _MUCH or float(quantity).is_integer()


def _told(bill: Bill) -> dict[str, Any]:
    return {
        "title": bill.title,
        "usd": bill.usd,
        "lines": [
            {"what": one.what, "price": one.price, "quantity": one.quantity, "usd": one.usd}
            for one in bill.lines
        ],
    }


def _show_prices(*, as_json: bool) -> None:
    if as_json:
        told = {
            name: {"usd": one.usd, "per": one.per, "unit": one.unit, "source": one.source,
                   "seen": one.seen, "verified": one.source != UNVERIFIED}
            for name, one in PRICES.items()
        }  # fmt: skip
        print(json.dumps(told))
        return
    for name, one in PRICES.items():
        amount = f"{one.usd:g} $ for {one.per:,} {one.unit}"
        print(f"{name:<22}{amount:<48}{one.source}{f' ({one.seen})' if one.seen else ''}")
