"""Generate campaigns by minute: what their counters are at each minute, healthy or in trouble.

`campaign.py` and `histories.py` draw each email and each reader. Alarms are judged by counters, of
campaigns of up to 100,000 recipients for two days, so counts of a minute are drawn here instead,
for each mailbox provider. Nothing here is imported from `chalicelib`.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import accumulate, pairwise
from random import Random
from typing import Annotated, Literal, NamedTuple, get_args, get_type_hints

from bench.worlds import histories
from bench.worlds.histories import HISTORIES
from bench.worlds.parameters import Assumed, Delay, Published, Source

Trouble = Literal[
    "provider_defers",
    "provider_blocks",
    "template_breaks",
    "complaints_rise",
    "bad_list",
    "opens_collapse",
    "tracking_off",
    "sending_stops",
    "pipeline_stalls",
]
TROUBLES: tuple[Trouble, ...] = get_args(Trouble)

SOURCES = {"psylina": histories.SOURCES["psylina"]}

MINUTES = 48 * 60
LONGEST_PAUSE = 15
"""Minutes of the longest pause between two batches of a healthy campaign."""

_COMPLAIN_AFTER = Delay(3 * 3600, 1.8)
_START = datetime(2026, 3, 2, tzinfo=UTC)
_BLOCKS = 12  # of the sending of a campaign, each of which has one age

# The usual shares of a list of consumers. A list of businesses has many domains of its own.
_CONSUMERS = {
    "gmail": 0.38,
    "microsoft": 0.20,
    "yahoo": 0.12,
    "apple": 0.07,
    "gmx": 0.05,
    "t-online": 0.03,
    "orange": 0.02,
    "comcast": 0.02,
    "libero": 0.01,
    "other": 0.10,
}
_BUSINESSES = {"microsoft": 0.10, "gmail": 0.15, "yahoo": 0.02, "other": 0.48}
_LARGE = ("gmail", "microsoft", "yahoo", "apple", "gmx", "t-online", "orange", "comcast")
_DOMAINS = 40


@dataclass(frozen=True)
class MinuteParameters:
    """The parameters of campaigns by minute."""

    recipients: Annotated[tuple[int, int], Assumed("recipients of a campaign, log-uniform")] = (
        100,
        100_000,
    )
    per_minute: Annotated[
        tuple[float, float],
        Assumed("emails sent in a minute, log-uniform; at least a sixth of the list in an hour"),
    ] = (60.0, 12_000.0)
    batches: Annotated[
        float, Assumed("share of campaigns sent in batches, with pauses of 2 to 15 minutes")
    ] = 0.2
    split_first: Annotated[
        float,
        Assumed("share of campaigns that send a fifth first, and the rest 1 to 4 hours later"),
    ] = 0.05
    business: Annotated[float, Assumed("share of lists of businesses, with 40 large domains")] = (
        0.25
    )
    mix: Annotated[float, Assumed("deviation of the logarithm of a provider's share")] = 0.5
    bounces: Annotated[tuple[float, float], Assumed("share of emails that bounce, log-uniform")] = (
        0.002,
        0.03,
    )
    hard: Annotated[float, Assumed("share of bounces that are hard")] = 0.7
    bounces_by_provider: Annotated[
        float, Assumed("deviation of the logarithm of a provider's bounce rate")
    ] = 0.4
    bounces_by_part: Annotated[
        float, Assumed("deviation of the logarithm of the bounce rate of each tenth of the list")
    ] = 0.3
    complaints: Annotated[
        tuple[float, float], Assumed("share of deliveries with a complaint, log-uniform")
    ] = (0.0001, 0.0008)
    complain_after: Annotated[Delay, Assumed("time until a complaint is reported")] = (
        _COMPLAIN_AFTER
    )
    rendering: Annotated[
        tuple[float, float],
        Assumed("share of emails that fail to render, in half of the campaigns"),
    ] = (0.0001, 0.002)
    delayed: Annotated[
        tuple[float, float], Assumed("share of emails delayed outside of bursts, log-uniform")
    ] = (0.001, 0.01)
    burst_every: Annotated[
        float, Assumed("minutes of sending between two bursts of deferrals at a large provider")
    ] = 60.0
    burst_minutes: Annotated[tuple[float, float], Assumed("minutes of a burst")] = (2.0, 12.0)
    burst_share: Annotated[
        tuple[float, float], Assumed("share of a provider's emails delayed in a burst")
    ] = (0.05, 0.5)
    greylisted: Annotated[
        float, Assumed("share of the emails to other domains that are greylisted")
    ] = 0.03
    wait: Annotated[
        tuple[float, float], Assumed("mean minutes until a delayed email is delivered, log-uniform")
    ] = (5.0, 45.0)
    repeated: Annotated[float, Assumed("minutes between two delays reported of one email")] = 15.0
    read: Annotated[
        tuple[float, float], Assumed("usual share of delivered emails that are read, by sender")
    ] = (0.08, 0.40)
    read_after: Annotated[
        Delay,
        Published("time to reading; the hours of the day are those of the histories", "psylina"),
    ] = HISTORIES["newsletter"].read_after
    subject: Annotated[
        tuple[float, float],
        Assumed("deviation of the logarithm of the read rate between campaigns, by sender"),
    ] = (0.1, 0.3)
    speed: Annotated[float, Assumed("deviation of the logarithm of the median time to reading")] = (
        0.2
    )
    fetched: Annotated[
        tuple[float, float], Assumed("share of emails that bots open within hours")
    ] = (0.02, 0.4)
    earlier: Annotated[Sequence[int], Assumed("numbers of earlier campaigns, equally probable")] = (
        0,
        3,
        5,
        8,
        12,
        20,
    )
    segments: Annotated[
        float,
        Assumed("share of senders whose campaigns go to parts of the list, by a factor of up to 5"),
    ] = 0.4
    first_segment: Annotated[
        float, Assumed("share of other senders' campaigns that go to a part for the first time")
    ] = 0.01
    late: Annotated[
        float,
        Assumed("share of campaigns in which events are counted up to 90 s late for some minutes"),
    ] = 0.3
    # Troubles.
    trouble_after: Annotated[
        tuple[float, float], Assumed("share of the list that is sent before the problem begins")
    ] = (0.1, 0.7)
    deferred: Annotated[
        tuple[float, float],
        Assumed("problem: share of a large provider's emails that are deferred"),
    ] = (0.75, 1.0)
    blocked: Annotated[
        tuple[float, float], Assumed("problem: share of a large provider's emails that bounce")
    ] = (0.5, 1.0)
    broken: Annotated[
        tuple[float, float], Assumed("problem: share of emails that fail to render")
    ] = (0.1, 1.0)
    disliked: Annotated[
        tuple[float, float], Assumed("problem: share of deliveries with a complaint")
    ] = (0.003, 0.015)
    invalid: Annotated[
        tuple[float, float], Assumed("problem: share of emails that bounce hard, from the start")
    ] = (0.08, 0.35)
    collapsed: Annotated[
        tuple[float, float], Assumed("problem: human opens relative to the usual, from the start")
    ] = (0.0, 0.25)
    stopped: Annotated[
        tuple[float, float], Assumed("problem: share of the list after which sending stops")
    ] = (0.35, 0.8)
    stalled: Annotated[
        tuple[float, float], Assumed("problem: minutes during which nothing is counted")
    ] = (10.0, 60.0)


PARAMETERS = MinuteParameters()

ByProvider = Mapping[tuple[str, str], int]
"""Increments by provider and counter."""


class Earlier(NamedTuple):
    """An earlier campaign of the sender.

    Attributes:
        started: when its first email was accepted.
        minutes: how long its sending took.
        deliveries: how many emails were delivered.
        opened: how many of them were opened before each of some ages, in minutes.
    """

    started: datetime
    minutes: int
    deliveries: int
    opened: Mapping[int, int]


@dataclass
class ByMinute:
    """A campaign with its counters at each minute.

    Attributes:
        started: when its first email was accepted, a whole minute.
        size: the recipients of the list; fewer are sent to if sending stops.
        changes: by minute since the start, the increments by provider and counter; `opens` and
            `unique_human_opens` are of the provider "", as the campaign alone counts them here.
        sent: emails by minute.
        late: how late events are counted, in seconds, in the minutes in which they are.
        earlier: the sender's campaigns before, in order.
        trouble_at: the minute at which the trouble begins; None if the campaign is healthy.
        provider: the provider that the trouble is at.
        expected_opens: opens by anyone, expected before each of some minutes if all were well.
        part: the human opens relative to the usual.
        stalled: minutes in which nothing was counted; all of it is at the next.
    """

    id: str
    started: datetime
    size: int
    changes: dict[int, dict[tuple[str, str], int]] = field(default_factory=dict)
    sent: dict[int, int] = field(default_factory=dict)
    late: dict[int, int] = field(default_factory=dict)
    earlier: list[Earlier] = field(default_factory=list)
    trouble: Trouble | None = None
    trouble_at: int | None = None
    provider: str = ""
    expected_opens: dict[int, float] = field(default_factory=dict)
    part: float = 1.0
    stalled: range = range(0)

    def counted_at(self, minute: int) -> int:
        """Return when the events of a minute are counted."""
        return self.stalled.stop if minute in self.stalled else minute

    def add(self, minute: int, provider: str, counter: str, count: int) -> None:
        """Add to a counter in a minute; later than the last, nothing is known of it."""
        if count > 0 and minute < MINUTES:
            found = self.changes.setdefault(minute, {})
            found[provider, counter] = found.get((provider, counter), 0) + count


def generate(
    seed: int,
    trouble: Trouble | None = None,
    size: int | None = None,
    chosen: MinuteParameters = PARAMETERS,
) -> ByMinute:
    """Generate a campaign; the same arguments always return the same one.

    Args:
        seed: of all randomness: see parameters.SEEDS.
        trouble: what goes wrong; None for a healthy campaign.
        size: the recipients; drawn if it is None.
        chosen: the parameters.
    """
    return _Generator(Random(f"{seed}/minutes/{trouble}/{size}"), chosen, trouble, size).run(seed)


class _Generator:
    def __init__(
        self, rng: Random, chosen: MinuteParameters, trouble: Trouble | None, size: int | None
    ) -> None:
        self._rng = rng
        self._chosen = chosen
        self._trouble = trouble
        self._size = size or round(_log_uniform(rng, *chosen.recipients))
        self._read = _log_uniform(rng, *chosen.read)
        self._subject = rng.uniform(*chosen.subject)
        self._hour = rng.choice((*range(6, 21), rng.randrange(24)))

    def run(self, seed: int) -> ByMinute:
        rng = self._rng
        started = _START + timedelta(
            days=rng.randrange(7, 60), hours=self._hour, minutes=rng.randrange(60)
        )
        campaign = ByMinute(f"{self._trouble or 'healthy'}-{seed}", started, self._size)
        self._plan(campaign)
        self._history(campaign)
        self._send(campaign)
        self._respond(campaign)
        self._count_late(campaign)
        return campaign

    # When emails are sent.

    def _plan(self, campaign: ByMinute) -> None:
        """Decide how many emails are sent in each minute, and when a trouble begins."""
        rng, chosen = self._rng, self._chosen
        rate = max(_log_uniform(rng, *chosen.per_minute), self._size / 360)
        pause = round(rng.uniform(2, LONGEST_PAUSE)) if rng.random() < chosen.batches else 0
        splits = rng.random() < chosen.split_first and self._trouble != "sending_stops"
        first = round(self._size / 5) if splits else 0
        sent = minute = 0
        while sent < self._size:
            until = first if sent < first else self._size
            count = min(until - sent, max(1, round(rate * rng.uniform(0.8, 1.2))))
            campaign.sent[minute] = count
            sent += count
            minute += 1
            if sent == first:
                minute += rng.randrange(60, 240)
            elif pause and len(campaign.sent) % 5 == 0:
                minute += pause
        self._begin_trouble(campaign)

    def _begin_trouble(self, campaign: ByMinute) -> None:
        campaign.trouble = self._trouble
        if self._trouble is None:
            return
        if self._trouble in ("bad_list", "complaints_rise", "opens_collapse", "tracking_off"):
            campaign.trouble_at = 0
            return
        shares = (
            self._chosen.stopped if self._trouble == "sending_stops" else self._chosen.trouble_after
        )
        before = self._rng.uniform(*shares) * self._size
        sent = 0
        for minute in sorted(campaign.sent):
            if sent >= before:
                campaign.trouble_at = minute
                break
            sent += campaign.sent[minute]
        else:  # sent within a minute
            campaign.trouble_at = max(campaign.sent) + 1
        if self._trouble == "sending_stops":
            at = campaign.trouble_at
            kept = {one: count for one, count in campaign.sent.items() if one < at}
            if at > max(campaign.sent):
                [*_, last] = kept
                kept[last] = max(1, round(before))
            campaign.sent = kept

    # Earlier campaigns of the sender.

    def _history(self, campaign: ByMinute) -> None:
        rng, chosen = self._rng, self._chosen
        number = rng.choice(chosen.earlier)
        list_size = float(self._size)
        in_parts = rng.random() < chosen.segments
        if not in_parts and self._trouble is None and rng.random() < chosen.first_segment:
            list_size *= rng.uniform(1.3, 4)
        duration = max(campaign.sent) + 1
        gap = rng.choice((1, 3, 7))
        for before in range(number, 0, -1):
            factor = _log_uniform(rng, 0.3, 1.5) if in_parts else rng.lognormvariate(0, 0.02)
            deliveries = max(1, round(list_size * factor * 0.98))
            started = campaign.started - timedelta(days=gap * before + 2)
            expected = self._by_age(float(deliveries), started, duration)
            counts = [poisson(rng, after - before) for before, after in pairwise(expected.values())]
            opened = dict(zip(expected, accumulate(counts, initial=0), strict=True))
            campaign.earlier.append(Earlier(started, duration, deliveries, opened))

    def _by_age(self, emails: float, started: datetime, duration: int) -> dict[int, float]:
        """Return the expected human opens by the age of the email.

        The emails of a campaign that is sent over hours reach an age at different hours of the day.
        """
        state = self._rng.getstate()
        found: dict[int, float] = defaultdict(float)
        parts = (1, 3, 5) if duration > 60 else (3,)
        for part in parts:
            self._rng.setstate(state)  # one campaign has one subject
            at = started + timedelta(minutes=duration * part // 6)
            for minute, opens in self._profile({0: emails / len(parts)}, at, MINUTES).items():
                found[minute] += opens
        return found

    def _profile(
        self, sent: Mapping[int, float], started: datetime, until: int
    ) -> dict[int, float]:
        """Return the expected human opens of emails before each of some minutes.

        A reading at an hour at which people are asleep is put off, as in the histories.
        """
        rng, chosen = self._rng, self._chosen
        median = chosen.read_after.median / 60 * rng.lognormvariate(0, chosen.speed)
        rate = min(0.95, self._read * rng.lognormvariate(0, self._subject))
        opened, pool, due = 0.0, 0.0, 0.0
        found: dict[int, float] = {0: 0.0}
        before = 0
        begun = started.hour * 60 + started.minute
        for minute in grid(until):
            now = sum(
                emails * _log_normal(minute - at, median, chosen.read_after.deviation)
                for at, emails in sent.items()
                if minute > at
            )
            arrived, due = now - due, now
            awake = _AWAKE[(begun + minute) // 60 % 24]
            retried = pool * (1 - math.exp(-awake * (minute - before) / 60))
            opened += arrived * awake + retried
            pool += arrived * (1 - awake) - retried
            found[minute] = rate * opened
            before = minute
        return found

    # What happens to the emails.

    def _send(self, campaign: ByMinute) -> None:
        rng, chosen = self._rng, self._chosen
        shares = self._shares()
        if self._trouble in ("provider_defers", "provider_blocks"):
            large = [one for one in _LARGE if shares.get(one, 0) >= 0.05]
            campaign.provider = rng.choice(large or ["gmail"])
        bounces = _log_uniform(rng, *chosen.bounces)
        by_provider = {one: rng.lognormvariate(0, chosen.bounces_by_provider) for one in shares}
        by_part = [rng.lognormvariate(0, chosen.bounces_by_part) for _ in range(10)]
        ill = {
            "provider_defers": rng.uniform(*chosen.deferred),
            "provider_blocks": rng.uniform(*chosen.blocked),
            "template_breaks": rng.uniform(*chosen.broken),
            "bad_list": rng.uniform(*chosen.invalid),
        }.get(self._trouble or "", 0.0)
        delays = _Delays(rng, chosen, shares, max(campaign.sent))
        rendering = _log_uniform(rng, *chosen.rendering) * rng.choice((0, 1))
        sent_before = 0
        for minute, count in sorted(campaign.sent.items()):
            part = min(9, 10 * sent_before // self._size)
            sent_before += count
            in_trouble = campaign.trouble_at is not None and minute >= campaign.trouble_at
            for provider, emails in _divided(rng, count, shares).items():
                affected = in_trouble and campaign.provider in ("", provider)
                fails = ill if affected and self._trouble == "template_breaks" else rendering
                failed = binomial(rng, emails, fails)
                campaign.add(minute, "", "rendering_failures", failed)
                campaign.add(minute, provider, "sends", emails - failed)
                rate = min(0.5, bounces * by_provider[provider] * by_part[part])
                hard, soft = rate * chosen.hard, rate * (1 - chosen.hard)
                delayed = delays.share(provider, minute)
                if affected and self._trouble == "bad_list":
                    hard = max(hard, ill)
                if affected and self._trouble == "provider_blocks":
                    hard, soft = max(hard, ill * 0.6), max(soft, ill * 0.4)
                if affected and self._trouble == "provider_defers":
                    delayed = ill
                self._deliver(campaign, minute, provider, emails - failed, hard, soft, delayed)

    def _deliver(  # noqa: PLR0913, PLR0917 - what decides about the emails of one cell
        self,
        campaign: ByMinute,
        minute: int,
        provider: str,
        emails: int,
        hard: float,
        soft: float,
        delayed: float,
    ) -> None:
        rng = self._rng
        bounced = binomial(rng, emails, hard)
        later = binomial(rng, bounced, 0.2)
        campaign.add(minute, provider, "hard_bounces", bounced - later)
        campaign.add(minute + 1 + rng.randrange(3), provider, "hard_bounces", later)
        returned = binomial(rng, emails - bounced, soft)
        # A blocked email is returned at once; a full mailbox often hours later.
        late = binomial(rng, returned, 0.1 if campaign.provider == provider else 0.5)
        campaign.add(minute + rng.randrange(2), provider, "soft_bounces", returned - late)
        for _ in range(min(late, 3)):
            campaign.add(
                minute + rng.randrange(5, 840), provider, "soft_bounces", max(1, late // 3)
            )
        left = max(0, emails - bounced - returned)
        waiting = binomial(rng, left, delayed)
        next_minute = binomial(rng, left - waiting, 0.15)
        campaign.add(minute, provider, "deliveries", left - waiting - next_minute)
        campaign.add(minute + 1, provider, "deliveries", next_minute)
        if waiting:
            self._wait(campaign, minute, provider, waiting)

    def _wait(self, campaign: ByMinute, minute: int, provider: str, waiting: int) -> None:
        """Report emails as delayed, again and again, until they are delivered."""
        rng, chosen = self._rng, self._chosen
        in_trouble = campaign.provider == provider and self._trouble == "provider_defers"
        mean = rng.uniform(120, 600) if in_trouble else _log_uniform(rng, *chosen.wait)
        left = waiting
        step = max(1, round(mean / 4))
        at = minute + 1
        reported = minute + rng.randrange(1, 3)
        while left > 0 and at < MINUTES:
            while reported <= at:
                campaign.add(reported, provider, "delivery_delays", left)
                reported += max(1, round(chosen.repeated))
            at += step
            gone = binomial(rng, left, 1 - math.exp(-step / mean))
            campaign.add(at - rng.randrange(step), provider, "deliveries", gone)
            left -= gone

    def _shares(self) -> dict[str, float]:
        rng, chosen = self._rng, self._chosen
        usual = dict(_CONSUMERS)
        if rng.random() < chosen.business:
            usual = dict(_BUSINESSES)
            usual |= {f"company{one}.example": 0.25 / _DOMAINS for one in range(_DOMAINS)}
        weights = {one: share * rng.lognormvariate(0, chosen.mix) for one, share in usual.items()}
        total = sum(weights.values())
        return {one: weight / total for one, weight in weights.items()}

    # What recipients do.

    def _respond(self, campaign: ByMinute) -> None:
        rng, chosen = self._rng, self._chosen
        blocks: dict[int, float] = defaultdict(float)
        length = max(1, (max(campaign.sent) + 1) // _BLOCKS)
        for minute, count in campaign.sent.items():
            blocks[minute - minute % length] += count * 0.98
        tracked = self._trouble != "tracking_off"
        collapsed = rng.uniform(*chosen.collapsed)
        campaign.part = collapsed if self._trouble == "opens_collapse" else float(tracked)
        human = self._profile(blocks, campaign.started, MINUTES - 1)
        fetched = rng.uniform(*chosen.fetched)
        rate = _log_uniform(rng, *chosen.complaints)
        if self._trouble == "complaints_rise":
            rate = _log_uniform(rng, *chosen.disliked)
        before = dict.fromkeys(("human", "bots", "complaints"), 0.0)
        for minute in grid(MINUTES - 1):
            bots, complaints = (
                share
                * sum(
                    emails * _log_normal(minute - at, delay.median / 60, delay.deviation)
                    for at, emails in blocks.items()
                    if minute > at
                )
                for share, delay in (
                    (fetched, Delay(3600, 1.5)),
                    (rate, chosen.complain_after),
                )
            )
            campaign.expected_opens[minute] = human[minute] + bots
            now = {
                "human": human[minute] * campaign.part,
                "bots": bots * tracked,
                "complaints": complaints,
            }
            drawn = {one: poisson(rng, max(0.0, now[one] - before[one])) for one in now}
            before = now
            campaign.add(minute, "", "unique_human_opens", drawn["human"])
            campaign.add(minute, "", "opens", drawn["human"] + drawn["bots"])
            provider = rng.choice(("microsoft", "yahoo", "other"))
            campaign.add(minute, provider, "complaints", drawn["complaints"])

    # When it is counted.

    def _count_late(self, campaign: ByMinute) -> None:
        rng, chosen = self._rng, self._chosen
        if self._trouble == "pipeline_stalls":
            begin = campaign.trouble_at or 0
            end = begin + round(rng.uniform(*chosen.stalled))
            campaign.stalled = range(begin, end)
            counted = campaign.changes.setdefault(end, {})
            for minute in range(begin, end):
                campaign.late[minute] = 60 * (minute - begin) + rng.randrange(60)
                for key, count in campaign.changes.pop(minute, {}).items():
                    counted[key] = counted.get(key, 0) + count
        elif rng.random() < chosen.late:
            begin = rng.randrange(0, max(campaign.sent) + 10)
            for minute in range(begin, begin + rng.randrange(1, 6)):
                campaign.late[minute] = rng.randrange(10, 90)


class _Delays:
    """The share of emails that are delayed, by provider and minute."""

    def __init__(
        self, rng: Random, chosen: MinuteParameters, shares: Mapping[str, float], last: int
    ) -> None:
        self._base = _log_uniform(rng, *chosen.delayed)
        self._chosen = chosen
        self._bursts: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
        for provider in shares:
            if provider not in _LARGE:
                continue
            at = rng.expovariate(1 / chosen.burst_every)
            while at <= last:
                length = rng.uniform(*chosen.burst_minutes)
                self._bursts[provider].append((at, at + length, rng.uniform(*chosen.burst_share)))
                at += length + rng.expovariate(1 / chosen.burst_every)

    def share(self, provider: str, minute: int) -> float:
        if provider == "other":
            return self._chosen.greylisted
        return max(
            self._base,
            *(share for begin, end, share in self._bursts[provider] if begin <= minute < end),
            0.0,
        )


def grid(until: int) -> list[int]:
    """Return minutes: each of the first two hours, then fewer and fewer."""
    found = [*range(1, 120), *range(120, 360, 5), *range(360, 1440, 10), *range(1440, until, 20)]
    return [*(one for one in found if one < until), until]


_AWAKE = HISTORIES["newsletter"].awake


def _log_normal(minutes: float, median: float, deviation: float) -> float:
    """Return the share of a log-normal delay below some minutes."""
    return 0.5 * math.erfc(-math.log(minutes / median) / (deviation * math.sqrt(2)))


def _log_uniform(rng: Random, low: float, high: float) -> float:
    return math.exp(rng.uniform(math.log(low), math.log(high)))


def _divided(rng: Random, count: int, shares: Mapping[str, float]) -> dict[str, int]:
    """Divide emails among providers at random, by their shares."""
    found: dict[str, int] = {}
    left, share_left = count, 1.0
    for provider, share in shares.items():
        drawn = binomial(rng, left, min(1.0, share / max(share_left, 1e-12)))
        left, share_left = left - drawn, share_left - share
        if drawn:
            found[provider] = drawn
    if left:
        found["other"] = found.get("other", 0) + left
    return found


_FEW = 30


def binomial(rng: Random, trials: int, share: float) -> int:
    """Draw a binomial count; a large one from the normal distribution."""
    if trials <= 0 or share <= 0:
        return 0
    if share >= 1:
        return trials
    if share > 0.5:
        return trials - binomial(rng, trials, 1 - share)
    mean = trials * share
    if mean > _FEW:
        drawn = round(rng.gauss(mean, math.sqrt(mean * (1 - share))))
        return min(max(drawn, 0), trials)
    # Inversion: the waiting times between two successes are geometric.
    scale, found, at = math.log1p(-share), 0, 0
    while True:
        at += 1 + math.floor(math.log(1 - rng.random()) / scale)
        if at > trials:
            return found
        found += 1


def poisson(rng: Random, mean: float) -> int:
    """Draw a Poisson count; a large one from the normal distribution."""
    if mean > _FEW:
        return max(0, round(rng.gauss(mean, math.sqrt(mean))))
    found, at = 0, rng.expovariate(1)
    while at < mean:
        found += 1
        at += rng.expovariate(1)
    return found


def sources() -> dict[str, Source]:
    """Return the meaning and the source of each parameter."""
    hints = get_type_hints(MinuteParameters, include_extras=True)
    return {name: get_args(hint)[1] for name, hint in hints.items()}
