"""Measure how many healthy campaigns raise an alarm, and how soon a problem raises one.

    python bench/alarms.py [--seeds tune] [--healthy 2000] [--troubled 200] [--write]
    python bench/alarms.py --samples [--write]

Generates campaigns by minute (bench/worlds/minutes.py), healthy or with a problem, and judges each
at each minute by Mailpulse's rules and by two usual sets of rules: fixed percentages, and a test of
95% that is repeated each minute. `--write` updates the tables in docs/alarms.md. `--samples` only
computes the least samples, which takes seconds.
"""

import math
import sys
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from itertools import count as from_number
from itertools import pairwise
from pathlib import Path
from statistics import NormalDist, median
from typing import NamedTuple, get_args

import click

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT)]

from bench.documents import write_parts
from bench.worlds import minutes, parameters
from bench.worlds.minutes import MINUTES, TROUBLES, ByMinute, Earlier, Trouble, generate
from bench.worlds.parameters import Delay
from chalicelib.insight import causes
from chalicelib.insight.alarms import State, judge
from chalicelib.insight.causes import Cause, Observation, complaints_evidence, expected_opens
from chalicelib.insight.curves import AGE_EDGES_SECONDS, Curve, Sent, curve
from chalicelib.insight.distributions import wilson
from chalicelib.insight.hierarchy import Component, next_rate
from chalicelib.insight.history import (
    LEAST_DELIVERIES_OF_EARLIER,
    LEAST_EXPECTED,
    Campaign,
    Running,
)
from chalicelib.insight.pace import counts_of_earlier
from chalicelib.insight.sequential import above, needed, weight
from chalicelib.insight.shortfall import FEWEST_SIZES, evidence_of_shortfall, least_usual_size

DOCUMENT = ROOT / "docs" / "alarms.md"
# What a trouble may raise. All else is a false alarm.
EXPECTED: Mapping[Trouble, frozenset[Cause]] = {
    "provider_defers": frozenset({"provider_delays"}),
    "provider_blocks": frozenset({"provider_bounces", "bounces"}),
    "template_breaks": frozenset({"template_errors"}),
    "complaints_rise": frozenset({"complaints"}),
    "bad_list": frozenset({"bounces", "provider_bounces"}),
    "opens_collapse": frozenset({"low_opens", "no_opens"}),
    "tracking_off": frozenset({"low_opens", "no_opens"}),
    "sending_stops": frozenset({"stopped"}),
    "pipeline_stalls": frozenset({"pipeline_late"}),
}
SIZES = {"100 to 1,000": (100, 1000), "to 10,000": (1000, 10_000), "to 100,000": (10_000, 100_001)}
# A trouble is followed for this long.
_FOLLOWED = 24 * 60
# Sends of a campaign are compared in this many groups of one age, for speed.
_AGES = 6
_EACH_MINUTE = 360
_ONE_LOOK = 0.001
_PROVIDERS = causes.MOST_PROVIDERS
# Sending that stops leaves evidence in a sixth of the campaigns only: see has_evidence.
TIMES: Mapping[Trouble, int] = {"sending_stops": 6}
_OPENS_AFTER = 30
_WITHIN = 5
_NORMAL = NormalDist()


class Moment(NamedTuple):
    """A campaign at one minute: what is known, and what only the measurement knows.

    Attributes:
        usual: the logarithm of the usual rate of human opens, each five minutes; empty if they are
            not low.
        of_provider: the sends, waiting emails and bounces since the trouble began, at its provider.
    """

    minute: int
    observation: Observation
    usual: Sequence[Component]
    of_provider: tuple[int, int, int]


class Replay:
    """A campaign as `watch` would see it, minute by minute."""

    def __init__(self, campaign: ByMinute) -> None:
        self.campaign = campaign
        self._begin = round(campaign.started.timestamp() / 60)
        self._past = [
            _earlier(number, one)
            for number, one in enumerate(campaign.earlier)
            if one.deliveries >= LEAST_DELIVERIES_OF_EARLIER
        ]
        self._counts: Counter[str] = Counter()
        self._providers: dict[str, dict[str, int]] = {}
        self._before_trouble: dict[str, int] = {}
        self._sent: list[tuple[int, int]] = []
        self._not_counted = sorted(campaign.sent.items(), reverse=True)

    def moments(self) -> Iterator[Moment]:
        """Yield what is known after each minute: fewer of them when hardly anything changes."""
        campaign = self.campaign
        last_sent = max(campaign.sent)
        until = MINUTES if campaign.trouble_at is None else campaign.trouble_at + _FOLLOWED
        judged = {*minutes.grid(MINUTES - 1)}
        if campaign.trouble_at is None:
            judged = {
                *range(max(60, min(last_sent + 60, _EACH_MINUTE))),
                *range(0, max(_EACH_MINUTE, last_sent + 60), 10),
                *range(0, 1440, 30),
                *range(0, MINUTES, 60),
            }
        else:
            judged |= {*range(max(last_sent + 60, _EACH_MINUTE))}
        for minute in range(min(until, MINUTES)):
            if minute == campaign.trouble_at:
                self._before_trouble = dict(self._providers.get(campaign.provider, {}))
            self._count(campaign.changes.get(minute, {}))
            while self._not_counted and campaign.counted_at(self._not_counted[-1][0]) <= minute:
                self._sent.append(self._not_counted.pop())
            if minute in judged:
                yield self._moment(minute)

    def _count(self, changes: Mapping[tuple[str, str], int]) -> None:
        for (provider, counter), count in changes.items():
            self._counts[counter] += count
            if provider:
                row = self._providers.setdefault(provider, {})
                row[counter] = row.get(counter, 0) + count

    def _moment(self, minute: int) -> Moment:
        emails = [Sent(60 * (minute - at) + 30, count) for at, count in self._sent]
        running = Running(
            Campaign(
                self.campaign.id,
                "news",
                self.campaign.started,
                self.campaign.started,
                self._counts["deliveries"],
                {"unique_human_opens": _in_first_bucket(self._counts["unique_human_opens"])},
            ),
            self.campaign.started + timedelta(minutes=minute + 1),
            _grouped(emails),
        )
        observation = Observation(
            minute=self._begin + minute,
            counts=self._counts,
            providers=self._providers,
            running=running,
            past=self._past,
            emails=emails,
            late_seconds=self.campaign.late.get(minute, 0),
        )
        usual = self._usual(running) if minute >= 30 and minute % 5 == 0 else ()
        return Moment(minute, observation, usual, self._since_trouble())

    def _usual(self, running: Running) -> Sequence[Component]:
        """Return the logarithm of the usual rate; nothing if no rule can find the count low."""
        reason, counts = counts_of_earlier(running, self._past, "unique_human_opens")
        if reason:
            return ()
        expected = (
            median(one.count / max(one.total, 1) for one in counts) * self._counts["deliveries"]
        )
        return () if self._counts["unique_human_opens"] > expected else next_rate(counts)

    def _since_trouble(self) -> tuple[int, int, int]:
        row = self._providers.get(self.campaign.provider, {})

        def count(counter: str) -> int:
            return row.get(counter, 0) - self._before_trouble.get(counter, 0)

        bounced = count("hard_bounces") + count("soft_bounces")
        pending = count("sends") - count("deliveries") - bounced
        return count("sends"), max(0, min(pending, count("delivery_delays"))), bounced


def _in_first_bucket(count: int) -> Curve:
    return curve({0: count})


def _grouped(emails: Sequence[Sent]) -> list[Sent]:
    """Return emails in few groups, with their mean age."""
    length = math.ceil(len(emails) / _AGES)
    earlier, last = emails[:-1], emails[-1:]  # how long ago the last was sent is known exactly
    groups = [earlier[at : at + length] for at in range(0, len(earlier), length or 1)]
    groups += [last] if last else []
    return [
        Sent(
            sum(one.age_seconds * one.emails for one in group) / sum(one.emails for one in group),
            sum(one.emails for one in group),
        )
        for group in groups
    ]


def _earlier(number: int, one: Earlier) -> Campaign:
    """Return an earlier campaign with its curve by age."""
    ages = list(one.opened)
    totals = [
        one.opened[ages[bisect_right(ages, seconds // 60) - 1]] for seconds in AGE_EDGES_SECONDS
    ]
    counts = [after - before for before, after in pairwise([0, *totals])]
    return Campaign(
        f"earlier-{number:02}",
        "news",
        one.started,
        one.started + timedelta(minutes=one.minutes),
        one.deliveries,
        {"unique_human_opens": Curve(tuple(counts))},
    )


# Rule sets.


class RuleSet(NamedTuple):
    """A set of rules.

    Attributes:
        start: returns a function that returns the causes found at a moment, given in order.
    """

    name: str
    start: Callable[[], Callable[[Moment], Iterable[Cause]]]


def _mailpulse() -> Callable[[Moment], Iterable[Cause]]:
    state = State()

    def rules(moment: Moment) -> Iterable[Cause]:
        nonlocal state
        state, changes = judge(moment.observation, state)
        return [one.trouble.cause for one in changes if one.trouble]

    return rules


class _Rate(NamedTuple):
    cause: Cause
    count: int
    total: int
    line: float


def _rates(observation: Observation) -> Iterator[_Rate]:
    """Yield the rates that usual rules compare with a line."""
    counts = observation.counts
    yield _Rate("complaints", counts["complaints"], counts["deliveries"], causes.COMPLAINTS_LINE)
    yield _Rate("bounces", counts["hard_bounces"], counts["sends"], causes.BOUNCES_LINE)
    failed = counts["rendering_failures"]
    yield _Rate("template_errors", failed, counts["sends"] + failed, causes.TEMPLATE_LINE)
    for provider, row in observation.providers.items():
        if provider != "other":
            bounced = row.get("hard_bounces", 0) + row.get("soft_bounces", 0)
            sends = row.get("sends", 0)
            waiting = min(sends - row.get("deliveries", 0) - bounced, row.get("delivery_delays", 0))
            if waiting > 0.2 * sends:
                yield _Rate("provider_delays", waiting, sends, 0.2)
            if bounced > 0.1 * sends:
                yield _Rate("provider_bounces", bounced, sends, 0.1)


_LEAST_FIXED = 50


def _fixed() -> Callable[[Moment], Iterable[Cause]]:
    """Return the rules of fixed percentages, from 50 emails on."""

    def rules(moment: Moment) -> Iterator[Cause]:
        observation = moment.observation
        for one in _rates(observation):
            if one.total >= _LEAST_FIXED and one.count > one.line * one.total:
                yield one.cause
        expected = _expected(moment)
        if expected >= LEAST_EXPECTED and _human(moment) < expected / 2:
            yield "low_opens"
        yield from _absences(moment, 600, 0.8, 300)

    return rules


def _repeated() -> Callable[[Moment], Iterable[Cause]]:
    """Return the same lines with an interval of 95%, looked at each minute."""

    def rules(moment: Moment) -> Iterator[Cause]:
        for one in _rates(moment.observation):
            count = min(one.count, one.total)
            if count > one.line * one.total and wilson(count, one.total, 0.95)[0] > one.line:
                yield one.cause
        if _expected(moment) >= LEAST_EXPECTED and _probability(moment) < 0.025:
            yield "low_opens"
        yield from _absences(moment, 600, None, 120)

    return rules


def _absences(
    moment: Moment, quiet_seconds: int, part: float | None, late_seconds: int
) -> Iterator[Cause]:
    """Yield what does not happen: no opens in an hour, no sends, no counting."""
    observation = moment.observation
    delivered_long_ago = moment.minute >= 60 and observation.counts["deliveries"] >= 100
    if delivered_long_ago and not observation.counts["opens"]:
        yield "no_opens"
    if (observation.late_seconds or 0) >= late_seconds:
        yield "pipeline_late"
    youngest = min((one.age_seconds for one in observation.emails), default=0.0)
    if youngest >= quiet_seconds and len(observation.past) >= 5:
        sizes = [one.deliveries for one in observation.past]
        least = part * median(sizes) if part else _low_size(tuple(sizes))
        if observation.counts["sends"] < least:
            yield "stopped"


@lru_cache(maxsize=10)
def _low_size(sizes: Sequence[int]) -> float:
    """Return the lower end of the 95% interval of log-normal sizes."""
    fitted = NormalDist.from_samples([math.log(one) for one in sizes])
    return math.exp(fitted.mean - 1.96 * fitted.stdev)


def _human(moment: Moment) -> int:
    return moment.observation.counts["unique_human_opens"]


def _expected(moment: Moment) -> float:
    return moment.observation.counts["deliveries"] * sum(
        one.weight * math.exp(one.mean) for one in moment.usual
    )


def _probability(moment: Moment) -> float:
    """Return the probability that a usual campaign counts no more human opens by now."""
    deliveries = moment.observation.counts["deliveries"]
    total = 0.0
    for one in moment.usual:
        mean = math.exp(one.mean) * deliveries
        deviation = math.hypot(one.deviation, 1 / math.sqrt(mean + 0.5))
        log = math.log((_human(moment) + 0.5) / (deliveries + 0.5))
        total += one.weight * _NORMAL.cdf((log - one.mean) / deviation)
    return total


RULE_SETS = (
    RuleSet("Mailpulse", _mailpulse),
    RuleSet("fixed percentages", _fixed),
    RuleSet("95%, repeated", _repeated),
)


# Evidence.


def has_evidence(campaign: ByMinute, moment: Moment) -> bool:
    """Return whether a trouble has produced evidence.

    It has if the best sequential test would find it: one that knows what is wrong, since when and
    how bad it is, and is wrong in 0.1% of healthy campaigns. It does not know at which of fifty
    providers. Its evidence is the likelihood ratio of the rate that explains the counts best.
    """
    trouble, at = campaign.trouble, campaign.trouble_at
    if trouble is None or at is None or moment.minute < at:
        return False
    observation = moment.observation
    counts = observation.counts
    sends, waiting, bounced = moment.of_provider
    failed = counts["rendering_failures"]
    tests: Mapping[Trouble, Callable[[], bool]] = {
        "provider_defers": lambda: _exceeds(waiting, sends, causes.DELAYS_LINES[0], _PROVIDERS),
        "provider_blocks": lambda: _exceeds(
            bounced, sends, causes.PROVIDER_BOUNCES_LINES[0], _PROVIDERS
        ),
        "template_breaks": lambda: _exceeds(failed, counts["sends"] + failed, causes.TEMPLATE_LINE),
        "complaints_rise": lambda: _exceeds(
            counts["complaints"], counts["deliveries"], causes.COMPLAINTS_LINE
        ),
        "bad_list": lambda: _exceeds(counts["hard_bounces"], counts["sends"], causes.BOUNCES_LINE),
        "opens_collapse": lambda: _is_low(campaign, moment),
        "tracking_off": lambda: _is_unopened(campaign, moment),
        "sending_stops": lambda: _is_cut_off(campaign, moment),
        "pipeline_stalls": lambda: (observation.late_seconds or 0) >= causes.LATE_SECONDS,
    }
    return tests[trouble]()


def _exceeds(count: int, total: int, line: float, tests: int = 1) -> bool:
    """Return whether the greatest likelihood ratio of a binomial count rejects the line.

    Args:
        count: emails that are affected.
        total: of how many.
        line: the rate.
        tests: of how many rates this one is the highest (Bonferroni).
    """
    count = min(count, total)
    if count <= line * total:
        return False
    left = total - count
    ratio = count * math.log(count / (line * total))
    if left:
        ratio += left * math.log(left / ((1 - line) * total))
    return ratio >= -math.log(_ONE_LOOK / tests)


def _is_low(campaign: ByMinute, moment: Moment) -> bool:
    """Return whether the part that is opened explains the count better than a usual campaign."""
    running, past = moment.observation.running, moment.observation.past
    if running is None or not causes.has_usual_hours(running, past):
        return False
    evidence = evidence_of_shortfall(
        running,
        past,
        "unique_human_opens",
        (max(campaign.part, 0.01),),
    )
    return (evidence or 0.0) >= -math.log(_ONE_LOOK)


def _is_unopened(campaign: ByMinute, moment: Moment) -> bool:
    """Return whether a campaign with tracking would have opens, with a probability of 99.9%."""
    expected = campaign.expected_opens.get(moment.minute, 0.0)
    return moment.minute >= _OPENS_AFTER and expected >= -math.log(_ONE_LOOK)


def _is_cut_off(campaign: ByMinute, moment: Moment) -> bool:
    """Return whether too little was sent, and nothing for longer than healthy campaigns pause."""
    usual = least_usual_size(moment.observation.past, _ONE_LOOK)
    quiet = moment.minute - max(campaign.sent) >= minutes.LONGEST_PAUSE
    return usual is not None and quiet and moment.observation.counts["sends"] < usual[0]


# Outcomes.


@dataclass
class Outcome:
    """What rule sets made of a campaign.

    Attributes:
        evidence_at: the first minute with evidence of the trouble; None if there is none.
        raised: the first minute of each cause, by rule set.
    """

    trouble: Trouble | None
    seed: int
    size: int
    trouble_at: int | None
    evidence_at: int | None = None
    raised: dict[str, dict[Cause, int]] = field(default_factory=lambda: defaultdict(dict))

    def seen_at(self, rules: str) -> int | None:
        """Return when a rule set found the trouble; None if it never did."""
        expected = EXPECTED[self.trouble] if self.trouble else frozenset()
        found = [
            at
            for cause, at in self.raised[rules].items()
            if cause in expected and at >= (self.trouble_at or 0)
        ]
        return min(found, default=None)

    def is_wrong(self, rules: str) -> bool:
        """Return whether a rule set found any trouble that there is not."""
        expected = EXPECTED[self.trouble] if self.trouble else frozenset()
        return any(
            cause not in expected or at < (self.trouble_at or 0)
            for cause, at in self.raised[rules].items()
        )


def outcome(place: tuple[Trouble | None, int]) -> Outcome:
    """Generate a campaign and return what rule sets made of it."""
    trouble, seed = place
    campaign = generate(seed, trouble)
    found = Outcome(trouble, seed, campaign.size, campaign.trouble_at)
    rule_sets = {one.name: one.start() for one in RULE_SETS}
    for moment in Replay(campaign).moments():
        if found.evidence_at is None and has_evidence(campaign, moment):
            found.evidence_at = moment.minute
        for name, rules in rule_sets.items():
            for cause in rules(moment):
                found.raised[name].setdefault(cause, moment.minute)
        if found.evidence_at is not None and _is_settled(found, moment.minute):
            break
    found.raised = dict(found.raised)
    for name in rule_sets:
        found.raised.setdefault(name, {})
    return found


def _is_settled(found: Outcome, minute: int) -> bool:
    """Return whether a trouble is seen, and nothing that follows changes the tables."""
    is_seen = found.seen_at(RULE_SETS[0].name) is not None
    return is_seen and minute > (found.evidence_at or 0) + _WITHIN


# Tables.


def results(found: Sequence[Outcome]) -> str:
    """Return the tables of false alarms and of delays in Markdown."""
    healthy = [one for one in found if one.trouble is None]
    troubled = [one for one in found if one.trouble is not None]
    return "\n\n".join(
        [
            "Healthy campaigns that raise an alarm within 48 hours:",
            _table(["rules", "all", *SIZES], _false_alarms(healthy)),
            "The causes of these alarms; a campaign may have several:",
            _table(["rules", *(f"`{one}`" for one in CAUSES)], _false_causes(healthy)),
            "Problems seen, and how long after the evidence; in parentheses, after the beginning:",
            _table(
                [
                    *("problem", "campaigns", "with evidence"),
                    *(f"seen within {_WITHIN} min", "median, min", "90%, min", "never"),
                    *("another alarm, too",),
                ],
                _delays(troubled),
            ),
            f"Seen within {_WITHIN} minutes, by recipients:",
            _table(["problem", *SIZES], _by_size(troubled)),
            f"Seen within {_WITHIN} minutes, by rules:",
            _table(["problem", *(one.name for one in RULE_SETS)], _by_rules(troubled)),
        ]
    )


CAUSES: tuple[Cause, ...] = get_args(Cause)


def _of_size(found: Sequence[Outcome], name: str) -> list[Outcome]:
    low, high = SIZES[name]
    return [one for one in found if low <= one.size < high]


def _false_alarms(healthy: Sequence[Outcome]) -> Iterator[str]:
    for rules in RULE_SETS:
        groups = [healthy, *(_of_size(healthy, name) for name in SIZES)]
        yield _row(
            rules.name,
            *(_share(sum(one.is_wrong(rules.name) for one in some), len(some)) for some in groups),
        )


def _false_causes(healthy: Sequence[Outcome]) -> Iterator[str]:
    for rules in RULE_SETS:
        counts = Counter(cause for one in healthy for cause in one.raised[rules.name])
        yield _row(rules.name, *(f"{counts[cause]:,}" for cause in CAUSES))


def _seen_in_time(one: Outcome, rules: str) -> bool:
    """Return whether a trouble with evidence is seen soon enough."""
    seen = one.seen_at(rules)
    return seen is not None and one.evidence_at is not None and seen <= one.evidence_at + _WITHIN


def _delays(troubled: Sequence[Outcome]) -> Iterator[str]:
    rules = RULE_SETS[0].name
    for name, some in _by_trouble(troubled):
        with_evidence = [one for one in some if one.evidence_at is not None]
        seen = [(one, at) for one in with_evidence if (at := one.seen_at(rules)) is not None]
        after_evidence = sorted(max(0, at - (one.evidence_at or 0)) for one, at in seen)
        after_begin = sorted(at - (one.trouble_at or 0) for one, at in seen)
        in_time = sum(_seen_in_time(one, rules) for one in with_evidence)
        yield _row(
            name,
            f"{len(some):,}",
            f"{len(with_evidence):,}",
            _share(in_time, len(with_evidence)),
            *(
                f"{_quantile(after_evidence, share)} ({_quantile(after_begin, share)})"
                for share in (0.5, 0.9)
            ),
            f"{len(with_evidence) - len(seen):,}",
            f"{sum(one.is_wrong(rules) for one in some):,}",
        )


def _quantile(ordered: Sequence[int], share: float) -> str:
    return str(ordered[min(len(ordered) - 1, math.floor(share * len(ordered)))]) if ordered else ""


def _by_size(troubled: Sequence[Outcome]) -> Iterator[str]:
    for name, some in _by_trouble(troubled):
        yield _row(name, *(_in_time(_of_size(some, size)) for size in SIZES))


def _by_rules(troubled: Sequence[Outcome]) -> Iterator[str]:
    for name, some in _by_trouble(troubled):
        yield _row(name, *(_in_time(some, one.name) for one in RULE_SETS))


def _by_trouble(troubled: Sequence[Outcome]) -> Iterator[tuple[str, list[Outcome]]]:
    """Yield the outcomes of each trouble, and of all."""
    for trouble in TROUBLES:
        name = trouble.replace("_", " ")
        yield name, [one for one in troubled if one.trouble == trouble]
    yield "all", list(troubled)


def _in_time(some: Sequence[Outcome], rules: str = RULE_SETS[0].name) -> str:
    judged = [one for one in some if one.evidence_at is not None]
    count = sum(_seen_in_time(one, rules) for one in judged)
    return f"{_share(count, len(judged))}, of {len(judged):,}" if judged else "none"


def _share(count: int, total: int) -> str:
    if not total:
        return "none"
    low, high = wilson(count, total, 0.95)
    return f"**{count / total:.1%}** ({low:.1%} to {high:.1%})"


def sample_table() -> str:
    """Return the least sample with which each alarm is raised, in Markdown."""
    reported = [f"{_least_complaints(one, 24)} of {one:,}" for one in (200, 3000, 100_000)]
    early = _least_complaints(3000, 1)
    bounces = _least_of((200, 1000, 10_000), "bounces", causes.BOUNCES_LINE, weight(0))
    delays = weight(0) / causes.MOST_PROVIDERS
    all_delayed = next(
        one
        for one in from_number(10)
        if _least(one, "provider_delays", causes.DELAYS_LINES[0], delays)
    )
    [of_more] = _least_of((66,), "provider_delays", causes.DELAYS_LINES[0], delays)
    lines = causes.PROVIDER_BOUNCES_LINES
    of_provider = weight(0) / (causes.MOST_PROVIDERS * len(lines))
    returned = _least_of((20, 100), "provider_bounces", lines[0], of_provider)
    all_failed = next(
        one
        for one in from_number(5)
        if _least(one, "template_errors", causes.TEMPLATE_LINE, weight(0))
    )
    [failures] = _least_of((1000,), "template_errors", causes.TEMPLATE_LINE, weight(0))
    rows = {
        "complaints": f"100 deliveries and 4 complaints: {', '.join(reported)}; {early} of 3,000 "
        "an hour after they were delivered",
        "bounces": f"100 emails and 10 bounces: {', '.join(bounces)}",
        "provider_delays": f"10 emails to the provider: {all_delayed} that are all delayed, or "
        f"{of_more}; more since a mark",
        "provider_bounces": "10 emails to the provider: "
        f"{' that bounce, or '.join(returned)}; more since a mark",
        "template_errors": f"5 emails that fail: {all_failed} of {all_failed}, or {failures}; "
        "more since a mark",
        "low_opens": "200 deliveries, 5 earlier campaigns and 5 expected human opens",
        "no_opens": f"100 deliveries: {_least_unopened(30)} half an hour after they were sent, or "
        f"{_least_unopened(90)} after an hour and a half",
        "stopped": f"{FEWEST_SIZES} earlier campaigns, or the intended number of emails",
        "pipeline_late": "none",
    }
    return _table(["cause", "least sample"], (_row(f"`{one}`", text) for one, text in rows.items()))


def _least(total: int, cause: Cause, line: float, part: float = 1.0) -> int | None:
    """Return how many of these emails must be affected; None if all of them are too few.

    Args:
        total: the number of emails.
        cause: the cause.
        line: the rate that is to be exceeded.
        part: the part of the cause's probability of a false alarm that its test has.
    """
    least = needed(causes.ALPHAS[cause] * part)
    return next((one for one in range(total + 1) if above(one, total, line) >= least), None)


def _least_of(totals: Sequence[int], cause: Cause, line: float, part: float = 1.0) -> Sequence[str]:
    return [f"{_least(one, cause, line, part)} of {one:,}" for one in totals]


def _least_complaints(deliveries: int, hours: int) -> int:
    """Return how many complaints are evidence some hours after the emails were delivered."""
    return next(
        one
        for one in from_number(4)
        if complaints_evidence(one, deliveries, [Sent(3600.0 * hours, deliveries)])
        >= needed(causes.ALPHAS["complaints"])
    )


def _least_unopened(minutes_old: int) -> int:
    """Return how many emails of an age, none of which was opened, are evidence."""
    least = needed(causes.ALPHAS["no_opens"] / 2)
    return next(
        one
        for one in from_number(100)
        if expected_opens([Sent(minutes_old * 60.0, one)], one) >= least
    )


def parameter_table() -> str:
    """Return the parameters of the campaigns with their values and sources, in Markdown."""
    rows = [
        _row(f"`{name}`", one.meaning, _value(getattr(minutes.PARAMETERS, name)), str(one))
        for name, one in minutes.sources().items()
    ]
    table = _table(["parameter", "meaning", "value", "source"], rows)
    references = [f"- {name}: <{url}>" for name, url in minutes.SOURCES.items()]
    return "\n".join([table, "", "Sources:", "", *references])


def _value(value: object) -> str:
    if isinstance(value, Delay):
        return f"median {value.median:,g} s, deviation {value.deviation:g}"
    if isinstance(value, tuple):
        separator = " to " if len(value) == 2 else ", "
        return separator.join(f"{one:,g}" for one in value)
    return f"{value:g}"


def _row(*values: str) -> str:
    return f"| {' | '.join(values)} |"


def _table(columns: Sequence[str], rows: Iterable[str]) -> str:
    return "\n".join([_row(*columns), f"|{'---|' * len(columns)}", *rows])


def seeds_of(name: str, number: int) -> list[int]:
    """Return seeds to tune or to report, as many as are needed.

    Their ranges have a thousand each, so further ones are far apart from both.
    """
    chosen = parameters.SEEDS[name]
    return [chosen[one % len(chosen)] + one // len(chosen) * 100_000 for one in range(number)]


def _list_mistakes(found: Iterable[Outcome]) -> None:
    """Print the campaigns with a false alarm, or a trouble that is not seen in time."""
    rules = RULE_SETS[0].name
    for one in found:
        is_missed = one.evidence_at is not None and not _seen_in_time(one, rules)
        if one.is_wrong(rules) or is_missed:
            print(one.trouble, one.seed, one.size, one.trouble_at, one.evidence_at, end=" ")
            print(one.raised[rules])


@click.command()
@click.option("--seeds", type=click.Choice(list(parameters.SEEDS)), default="report")
@click.option("--healthy", default=2000, show_default=True, help="Healthy campaigns.")
@click.option(
    "--troubled",
    default=200,
    show_default=True,
    help="Campaigns of each problem; 6 times as many that stop.",
)
@click.option(
    "--trouble",
    "troubles",
    type=click.Choice(TROUBLES),
    multiple=True,
    help="Measure these problems only; may be repeated.",
)
@click.option("--processes", default=2, show_default=True)
@click.option("--write", is_flag=True, help="Update the tables in docs/alarms.md.")
@click.option("--samples", is_flag=True, help="Compute the least samples only.")
@click.option("--list", "lists", is_flag=True, help="List what Mailpulse got wrong.")
def main(  # noqa: PLR0913 - the options of the command
    *,
    seeds: str,
    healthy: int,
    troubled: int,
    troubles: tuple[Trouble, ...],
    processes: int,
    write: bool,
    samples: bool,
    lists: bool,
) -> None:
    """Measure false alarms and delays, and print the tables."""
    if troubles and write:
        raise click.UsageError("--write needs all problems: omit --trouble")
    parts = {"samples": sample_table()}
    if not samples:
        parts |= _measured(seeds, healthy, troubled, troubles or TROUBLES, processes, lists=lists)
    for text in parts.values():
        print(text, end="\n\n")
    if write:
        write_parts(DOCUMENT, "bench/alarms.py", parts)


def _measured(  # noqa: PLR0913 - the options of the command
    seeds: str,
    healthy: int,
    troubled: int,
    troubles: Sequence[Trouble],
    processes: int,
    *,
    lists: bool,
) -> dict[str, str]:
    """Return the parts of the document that are measured."""
    places: list[tuple[Trouble | None, int]] = [(None, one) for one in seeds_of(seeds, healthy)]
    for trouble in troubles:
        number = troubled * TIMES.get(trouble, 1)
        places += [(trouble, one) for one in seeds_of(seeds, number)]
    with ProcessPoolExecutor(processes) as pool:
        found = list(pool.map(outcome, places, chunksize=10))
    if lists:
        _list_mistakes(found)
    first = parameters.SEEDS[seeds][0]
    measured = (
        f"{healthy:,} healthy campaigns, {troubled:,} of each problem, and "
        f"{troubled * TIMES['sending_stops']:,} that stop; seeds to {seeds}: {first} and following."
    )
    return {"results": f"{results(found)}\n\n{measured}", "parameters": parameter_table()}


if __name__ == "__main__":
    main()
