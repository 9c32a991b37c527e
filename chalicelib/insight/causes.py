"""The causes of alarms, and what is evidence of each at one minute.

docs/alarms.md describes the rules in words, and what they cannot see.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import pairwise
from statistics import median
from typing import Literal, NamedTuple

from msgspec import Struct

from chalicelib.insight.curves import Sent
from chalicelib.insight.history import Campaign, Running
from chalicelib.insight.marks import BEGINNING, CAMPAIGN, NOTHING, Mark, Row, Since, since_mark
from chalicelib.insight.sequential import NONE, above, above_expected, below, needed, weight
from chalicelib.insight.shortfall import PARTS, evidence_of_shortfall, least_usual_size

Cause = Literal[
    "complaints",
    "bounces",
    "provider_delays",
    "provider_bounces",
    "low_opens",
    "no_opens",
    "stopped",
    "pipeline_late",
    "template_errors",
]

ALPHAS: Mapping[Cause, float] = {
    "complaints": 0.002,
    "bounces": 0.0003,
    "provider_delays": 0.0015,
    "provider_bounces": 0.001,
    "low_opens": 0.003,
    "no_opens": 0.0015,
    "stopped": 0.0005,
    "template_errors": 0.0001,
}
"""The probability of a false alarm of each cause, over all minutes; less than 1% together.

`pipeline_late` is measured, not tested.
"""

# From these rates of an account, SES reviews it, and may pause its sending:
# https://docs.aws.amazon.com/ses/latest/dg/reputationdashboardmessages.html
COMPLAINTS_LINE = 0.001
BOUNCES_LINE = 0.05
PAUSED_BOUNCES_LINE = 0.10

TEMPLATE_LINE = 0.01
DELAYS_LINES = (0.5,)
PROVIDER_BOUNCES_LINES = (0.1, 0.2, 0.4)
"""A line between the rate of a provider and that of the rest: any of these."""

MOST_PROVIDERS = 50
# Not one provider, but many that have no row of their own.
_OTHER = "other"

# The least sample: emails that are judged, and those of them that are affected.
_LEAST_EMAILS = 100
_LEAST_COMPLAINTS = 4
_LEAST_BOUNCES = 10
_LEAST_EMAILS_AT_PROVIDER = 10
_LEAST_LATEST_EMAILS = 20
_LEAST_FAILURES = 5
_LEAST_UNOPENED = 100

OPENS_AFTER_SECONDS = 1800
_SHORT_SECONDS = 2 * 3600
_HOURS_SECONDS = 3 * 3600
# At least this share of emails is opened by someone, if only by bots, within two hours.
_OPENED = 0.1
_OPENED_SECONDS = 2 * 3600
# Without tracking, nothing is opened; a part of 0 has no logarithm.
_UNTRACKED = 1e-6

# At the earliest, all complaints are reported after this time, and half after a quarter of it.
_REPORTED_SECONDS = 6 * 3600

STOPPED_AFTER_SECONDS = 900
_LONGEST_PAUSES = 3
# Pauses between batches are alike: the two longest differ by less than this factor.
_LONGEST_REGULAR_PAUSES = 1.5
# Of a smaller part of the usual size, the rest may follow: the first part of a split test.
_LEAST_PART_SENT = 1 / 3
_ALL_BUT = 0.98

LATE_SECONDS = 120
_LATE_CHECKS = 2
# While events are counted later than this, or it is unknown, missing events are no evidence.
_PUNCTUAL_SECONDS = 60

_HALF = 0.5
# The part of an alpha that is divided equally among providers; see part_of_provider.
_EQUALLY = 0.25


class Observation(Struct, frozen=True):
    """What is known of a campaign at one minute.

    Attributes:
        minute: minutes since 1970, UTC.
        counts: its counters, by the names of stats/counters.py.
        providers: counters of each mailbox provider, by the same names: `sends`, `deliveries`,
            `delivery_delays`, `hard_bounces` and `soft_bounces`. At most 50, and `other`.
        running: the campaign as it is compared with earlier ones; None if too little is known.
        past: the earlier campaigns, from history.comparable.
        intended: how many emails are to be sent, where that is known.
        emails: all emails that SES has accepted so far, by age; see curves.sending.
        late_seconds: how late events are counted: the age of the oldest event that waits or is not
            counted yet; None if that is unknown.
    """

    minute: int
    counts: Mapping[str, int]
    providers: Mapping[str, Mapping[str, int]] = {}
    running: Running | None = None
    past: Sequence[Campaign] = ()
    emails: Sequence[Sent] = ()
    intended: int | None = None
    late_seconds: int | None = None


class Trouble(NamedTuple):
    """A cause for which there is enough evidence, and its numbers.

    Attributes:
        provider: empty if the cause is not of one provider.
        affected: emails with a complaint or bounce, that wait, or are opened or sent; for
            `pipeline_late`, the seconds by which events are late.
        total: of how many; for `stopped`, the size that was expected.
        since: the minute from which on they were sent, or had no outcome yet if they are compared
            with bounces; 0 for the beginning of the campaign.
    """

    cause: Cause
    provider: str
    affected: int
    total: int
    since: int = 0

    @property
    def key(self) -> str:
        """Identify the alarm in its campaign: `bounces`, `provider_delays:gmail`."""
        return f"{self.cause}:{self.provider}" if self.provider else self.cause


class Check:
    """The tests of all causes at one minute.

    Attributes:
        marks: the beginning, and those that are old enough.
    """

    def __init__(
        self,
        observation: Observation,
        rows: Mapping[str, Row],
        marks: Sequence[Mark],
        late: int,
    ) -> None:
        self._now = observation
        self._rows = rows
        self._marks = marks
        self._late = late

    def troubles(self) -> Iterator[Trouble]:
        """Yield the causes for which there is enough evidence; a cause may be yielded twice."""
        yield from self._complaints()
        yield from self._bounces()
        yield from self._template_errors()
        for provider, row in self._rows.items():
            if provider not in (CAMPAIGN, _OTHER):
                yield from self._at_provider(provider, row)
        yield from self._pipeline_late()
        if self._is_punctual():
            yield from self._opens()
            yield from self._stopped()

    def is_calm(self, cause: Cause, provider: str) -> bool:
        """Return whether there is no sign of a trouble that was found before."""
        checks: Mapping[Cause, Callable[[], bool]] = {
            "complaints": self._has_few_complaints,
            "bounces": self._has_few_bounces,
            "template_errors": self._renders,
            "provider_delays": partial(self._delivers, provider),
            "provider_bounces": partial(self._accepts, provider),
            "low_opens": self._is_opened_as_usual,
            "no_opens": self._is_opened,
            "stopped": self._goes_on,
            "pipeline_late": self._is_punctual,
        }
        return checks[cause]()

    # Rates of the campaign.

    def _complaints(self) -> Iterator[Trouble]:
        count, total = self._complained
        if count >= _LEAST_COMPLAINTS and total >= _LEAST_EMAILS:
            evidence = complaints_evidence(count, total, self._now.emails)
            if evidence >= needed(ALPHAS["complaints"]):
                yield Trouble("complaints", "", count, total)

    @property
    def _complained(self) -> tuple[int, int]:
        counts = self._now.counts
        return max(0, counts.get("complaints", 0)), max(0, counts.get("deliveries", 0))

    def _has_few_complaints(self) -> bool:
        count, total = self._complained
        return count <= COMPLAINTS_LINE * total

    def _bounces(self) -> Iterator[Trouble]:
        for mark, since in self._since_marks(CAMPAIGN):
            line = PAUSED_BOUNCES_LINE if mark.number else BOUNCES_LINE
            least = needed(ALPHAS["bounces"] * weight(mark.number))
            enough = since.sent >= _LEAST_EMAILS and since.bounced >= _LEAST_BOUNCES
            if enough and above(since.bounced, since.open, line) >= least:
                yield Trouble("bounces", "", since.bounced, since.open, mark.minute)

    def _has_few_bounces(self) -> bool:
        row = self._rows[CAMPAIGN]
        latest = self._latest(CAMPAIGN)
        return (
            row.bounced <= BOUNCES_LINE * row.sent and latest.bounced <= BOUNCES_LINE * latest.sent
        )

    def _template_errors(self) -> Iterator[Trouble]:
        for mark, since in self._since_marks(CAMPAIGN):
            total = since.sent + since.failed
            if since.failed >= _LEAST_FAILURES:
                evidence = above(since.failed, total, TEMPLATE_LINE)
                if evidence >= needed(ALPHAS["template_errors"] * weight(mark.number)):
                    yield Trouble("template_errors", "", since.failed, total, mark.minute)

    def _renders(self) -> bool:
        latest = self._latest(CAMPAIGN)
        return (
            latest.sent >= _LEAST_LATEST_EMAILS
            and latest.failed <= _HALF * TEMPLATE_LINE * latest.sent
        )

    # One provider.

    def _at_provider(self, provider: str, row: Row) -> Iterator[Trouble]:
        for mark in self._marks:
            before = mark.rows.get(provider, NOTHING)
            sent = row.sent - before.sent
            if sent < _LEAST_EMAILS_AT_PROVIDER:
                continue
            # Most providers need no closer look.
            if (
                min(row.delayed - before.delayed, row.pending)
                > DELAYS_LINES[0] * _LEAST_EMAILS_AT_PROVIDER
            ):
                since = since_mark(before, row)
                if self._is_apart("provider_delays", mark, provider, since.waiting, since.known):
                    yield Trouble("provider_delays", provider, since.waiting, sent, mark.minute)
            if row.bounced - before.bounced > PROVIDER_BOUNCES_LINES[0] * sent:
                since = since_mark(before, row)
                if self._is_apart("provider_bounces", mark, provider, since.bounced, since.open):
                    yield Trouble(
                        "provider_bounces", provider, since.bounced, since.open, mark.minute
                    )

    def _is_apart(self, cause: Cause, mark: Mark, provider: str, count: int, total: int) -> bool:
        """Return whether a line is between the rate of a provider and that of the rest.

        If the provider is no worse than the rest, either its rate is below a line or the rest's is
        above it, so that one of the two rejections would be false.
        """
        lines = DELAYS_LINES if cause == "provider_delays" else PROVIDER_BOUNCES_LINES
        if count <= lines[0] * total:
            return False
        part = weight(mark.number) * part_of_provider(mark, provider) / len(lines)
        least = needed(ALPHAS[cause] * part)
        return any(
            above(count, total, line) >= least
            and self._evidence_of_rest(cause, mark, provider, line) >= least
            for line in lines
        )

    def _evidence_of_rest(self, cause: Cause, mark: Mark, provider: str, line: float) -> float:
        """Return the evidence that the other providers have less than the line.

        They have bounces among the emails that are delivered or have bounced; an email that is not
        delivered yet may be delayed.
        """
        before, now = (
            rows.get(CAMPAIGN, NOTHING).without(rows.get(provider, NOTHING))
            for rows in (mark.rows, self._rows)
        )
        rest = since_mark(before, now)
        if cause == "provider_delays":
            return below(rest.sent - rest.delivered, rest.sent, line)
        bounced = (now.settled - now.delivered) - (before.settled - before.delivered)
        return below(max(0, bounced), rest.settled, line)

    def _delivers(self, provider: str) -> bool:
        """Return whether few emails to a provider wait, of all and of the latest."""
        row = self._rows.get(provider, NOTHING)
        most = _HALF * DELAYS_LINES[0]
        latest = self._latest(provider)
        waiting = min(row.delayed, row.pending)
        return waiting <= most * row.sent and latest.waiting <= most * latest.sent

    def _accepts(self, provider: str) -> bool:
        latest = self._latest(provider)
        return (
            latest.sent >= _LEAST_LATEST_EMAILS
            and latest.bounced <= _HALF * PROVIDER_BOUNCES_LINES[0] * latest.sent
        )

    def _since_marks(self, provider: str) -> Iterator[tuple[Mark, Since]]:
        now = self._rows.get(provider, NOTHING)
        for mark in self._marks:
            yield mark, since_mark(mark.rows.get(provider, NOTHING), now)

    def _latest(self, provider: str) -> Since:
        """Return the emails of the latest minutes of sending: those since the oldest mark."""
        mark = self._marks[1] if len(self._marks) > 1 else BEGINNING
        row = self._rows.get(provider, NOTHING)
        return since_mark(mark.rows.get(provider, NOTHING), row)

    # What does not happen.

    def _is_punctual(self) -> bool:
        late = self._now.late_seconds
        return late is not None and late <= _PUNCTUAL_SECONDS

    @property
    def _opened(self) -> int:
        return self._now.counts.get("opens", 0)

    def _is_opened(self) -> bool:
        return self._opened > 0

    def _is_opened_as_usual(self) -> bool:
        shortfall = self._shortfall()
        return self._is_punctual() and shortfall is not None and shortfall <= 0

    def _goes_on(self) -> bool:
        return self._is_punctual() and not self._has_stopped()

    def _opens(self) -> Iterator[Trouble]:
        total = max(0, self._now.counts.get("deliveries", 0))
        if self._opened > 0:
            if (self._shortfall() or 0) >= needed(ALPHAS["low_opens"]):
                human = max(0, self._now.counts.get("unique_human_opens", 0))
                yield Trouble("low_opens", "", human, total)
        elif total >= _LEAST_UNOPENED:
            # Two tests: without earlier campaigns, and with them.
            evidence = max(
                expected_opens(self._now.emails, total), self._shortfall((_UNTRACKED,)) or 0
            )
            if evidence >= needed(ALPHAS["no_opens"] / 2):
                yield Trouble("no_opens", "", 0, total)

    def _shortfall(self, parts: Sequence[float] = PARTS) -> float | None:
        """Return the evidence that human opens are low; None if nothing can be said."""
        running, past = self._now.running, self._now.past
        if not running or not has_usual_hours(running, past):
            return None
        return evidence_of_shortfall(running, past, "unique_human_opens", parts)

    def _stopped(self) -> Iterator[Trouble]:
        if self._has_stopped():
            expected = self._now.intended
            if expected is None and (usual := least_usual_size(self._now.past, ALPHAS["stopped"])):
                expected = round(usual[1])
            sent = max(0, self._now.counts.get("sends", 0))
            yield Trouble("stopped", "", sent, expected or 0)

    @property
    def _done(self) -> int:
        """Emails with which sending is done, whatever became of them."""
        counts = self._now.counts
        return sum(max(0, counts.get(one, 0)) for one in ("sends", "rendering_failures", "rejects"))

    def _has_stopped(self) -> bool:
        emails = sorted(self._now.emails)
        if not emails or _youngest(emails[0]) < max(
            STOPPED_AFTER_SECONDS, _longest_usual_pause(emails)
        ):
            return False
        if self._now.intended is not None:
            return self._done < _ALL_BUT * self._now.intended
        usual = least_usual_size(self._now.past, ALPHAS["stopped"])
        return usual is not None and _LEAST_PART_SENT * usual[1] <= self._done < usual[0]

    def _pipeline_late(self) -> Iterator[Trouble]:
        if self._late >= _LATE_CHECKS:
            yield Trouble("pipeline_late", "", self._now.late_seconds or 0, 0)


def _longest_usual_pause(emails: Sequence[Sent]) -> float:
    """Return how long sending may pause in seconds, by its earlier pauses; 0 without any.

    Of what was sent hours ago, the hour is known: pauses within it are not, and none is assumed.

    Args:
        emails: the emails in the order of their ages.
    """
    pauses = (_youngest(older) - _oldest(newer) for newer, older in pairwise(emails))
    second, longest = sorted([0.0, 0.0, *pauses])[-2:]
    are_alike = longest <= _LONGEST_REGULAR_PAUSES * second
    return longest * (_LONGEST_REGULAR_PAUSES if are_alike else _LONGEST_PAUSES)


def _youngest(sent: Sent) -> float:
    return sent.age_seconds - sent.lasted_seconds / 2


def _oldest(sent: Sent) -> float:
    return sent.age_seconds + sent.lasted_seconds / 2


def part_of_provider(mark: Mark, provider: str) -> float:
    """Return the share of an alpha for the tests of a provider since a mark.

    A quarter of the alpha is divided equally, the rest by the emails that were sent before the
    mark. Those are known before the test begins, so the shares of all providers add up to 1.
    """
    equal = 1 / MOST_PROVIDERS
    sent = sum(row.sent for one, row in mark.rows.items() if one != CAMPAIGN)
    by_emails = mark.rows.get(provider, NOTHING).sent / sent if sent else equal
    return _EQUALLY * equal + (1 - _EQUALLY) * by_emails


def complaints_evidence(count: int, deliveries: int, emails: Sequence[Sent]) -> float:
    """Return the evidence that the rate of complaints is going to be above the line.

    There is none while the rate of those that are reported is at most the line.

    Args:
        count: complaints that are reported.
        deliveries: emails that were delivered.
        emails: all emails by age; without any, all complaints count as reported.
    """
    if count <= COMPLAINTS_LINE * deliveries:
        return NONE
    reported = share_by_age(emails, _REPORTED_SECONDS) if emails else 1.0
    return above_expected(count, COMPLAINTS_LINE * deliveries * reported)


def expected_opens(emails: Sequence[Sent], deliveries: int) -> float:
    """Return how many opens are expected at the least, by anyone, if opens are tracked.

    They are those of emails that are half an hour old or more; the share of opens by an earlier age
    is less certain. Without any open, it is the evidence that they are not tracked: the logarithm
    of the probability of none.
    """
    sent = sum(one.emails for one in emails)
    if not sent:
        return 0.0
    old = [one for one in emails if one.age_seconds >= OPENS_AFTER_SECONDS]
    judged = sum(one.emails for one in old) * min(1.0, deliveries / sent)
    return _OPENED * judged * share_by_age(old, _OPENED_SECONDS)


def share_by_age(emails: Sequence[Sent], seconds: float) -> float:
    """Return the share of responses that are known by now, growing with the root of the age.

    Half of what recipients do within some hours is done in the first quarter of that time: the time
    to reading is log-normal with a median of 2.5 hours and a deviation of 2, and its distribution
    is proportional to the root of the age within 10% from half an hour to four hours.

    Args:
        emails: the emails by age.
        seconds: the age at which all responses are known.

    Returns:
        0 to 1; 0 without any emails.
    """
    sent = sum(one.emails for one in emails)
    known = sum(
        one.emails * math.sqrt(min(1.0, max(0.0, one.age_seconds) / seconds)) for one in emails
    )
    return known / sent if sent else 0.0


def has_usual_hours(running: Running, past: Sequence[Campaign]) -> bool:
    """Return whether opens can be compared: after half an hour, and at the usual hours of the day.

    The first emails of a campaign that is sent from the night into the day are opened late, and
    what is usual is of all its emails. So where campaigns are sent over hours, sending has ended or
    three hours have passed.
    """
    if not running.emails or not past or running.oldest_seconds < OPENS_AFTER_SECONDS:
        return False
    lasted = median((one.last_accepted_at - one.first_event_at).total_seconds() for one in past)
    return (
        lasted <= _SHORT_SECONDS
        or running.youngest_seconds >= STOPPED_AFTER_SECONDS
        or running.oldest_seconds >= _HOURS_SECONDS
    )
