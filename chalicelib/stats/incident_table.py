"""Judge the running campaigns, and store and send their incidents; watch does so each minute.

Checks may crash at any call, run at once, or lose the response to a write. A minute is judged from
the stored watch log, and the result replaces the log only if that has not changed meanwhile, so
each incident begins once and ends once. With the same write, the check takes hold of what is to be
done: it writes the changed incidents to their parts, sends the messages, and then writes the log
again without them. Another check does nothing in this campaign until the hold has ended. If the
check crashes, the first check after that repeats what was to be done: parts are idempotent, and a
message that is sent again has the same deduplication id.

A campaign with a running incident, or with a message that waits for the end of quiet hours, is
open: it is judged even if it is no longer among the newest. The set of these campaigns is written
before a log that opens one, so that a crash never loses a campaign, and again after it, in case
another check has just removed the campaign. A check that removes one reads its log again.

A campaign that may still become done is stored as well, until its results are reported. If it has
left the newest by the time at which it may be done, it is judged from then on, but not each minute.

Each minute, one item is read for each campaign that is judged. The log is written only if more than
the minute has changed: while emails are sent, each one to three minutes, when a mark is set
(insight/marks.py); otherwise when an incident begins or ends, and in the ten minutes before it
ends. It has at most 20 KB.
"""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from chalicelib.aws.topics import AlarmTopic
from chalicelib.errors import AwsError, ConditionFailed, ConfigError
from chalicelib.facts.personal import without_addresses
from chalicelib.insight.alarms import JUDGED_FOR, judge
from chalicelib.insight.causes import Observation
from chalicelib.insight.curves import sending
from chalicelib.insight.done import PUNCTUAL_SECONDS, is_done, may_be_done, may_become_done
from chalicelib.insight.history import comparable
from chalicelib.log import log as log_event
from chalicelib.stats.alarm_texts import Alarm, alarm, alarm_for_test, alarm_when_done
from chalicelib.stats.counters import Aggregate
from chalicelib.stats.done_report import done_report
from chalicelib.stats.incidents import DONE, Settings, effective
from chalicelib.stats.pace import running_campaign
from chalicelib.stats.pace_table import Paces
from chalicelib.stats.quiet_hours import QuietHours, zone_of
from chalicelib.stats.stored.watch_logs import Further
from chalicelib.stats.table import StatsTable
from chalicelib.stats.watch_log import (
    StoredLog,
    WatchLog,
    after,
    closed,
    completed,
    deduplication_id,
    is_same,
    log_from_item,
    log_to_texts,
    reported,
)

HOLD_SECONDS = 55
"""How long a check takes hold: less than until the next one, more than what it needs."""

MOST_AWAITED = 100
"""While so many campaigns wait for their results, none is added. One check may exceed it by 24."""

_ATTEMPTS = 3


class CampaignAlarms:
    """The alarms of the running campaigns.

    Args:
        stats_table: the stats table.
        paces: the paces, which have read what is compared.
        topic: where messages are sent; None if incidents are only stored and logged.
        page_url: the address of the page; empty for messages without a link.
        clock: returns epoch seconds.
    """

    def __init__(
        self,
        stats_table: StatsTable,
        paces: Paces,
        topic: AlarmTopic | None,
        *,
        page_url: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._stats_table = stats_table
        self._paces = paces
        self._topic = topic
        self._page_url = page_url
        self._clock = clock
        # Campaigns that are judged no longer, and of which nothing is left to do.
        self._closed: set[str] = set()

    def update(
        self,
        summary: Aggregate,
        late_seconds: int | None,
        now: datetime,
        further: Further,
    ) -> None:
        """Judge a campaign, and store and send what has begun or ended.

        Args:
            summary: the campaign's summary.
            late_seconds: how late events are counted; None if that is unknown.
            now: the current time, in UTC.
            further: the campaigns that are judged even if they are not among the newest.

        Raises:
            AwsError: an item could not be read or written, or a message not be sent; a later call
                completes it.
        """
        campaign = summary.campaign
        if summary.first_event_at is None:
            return
        # A campaign may be added to those judged while it is closed, also by the same check.
        is_further = campaign in further.judged or campaign in further.awaited
        if campaign in self._closed and not is_further:
            return
        age = now - datetime.fromisoformat(summary.first_event_at)
        is_old = age >= JUDGED_FOR
        stored = log_from_item(self._stats_table.watch_logs.get(campaign))
        for _ in range(_ATTEMPTS):
            if stored.held_until > self._clock():
                return
            if is_old:
                new = self._closed_log(campaign, stored.log, now)
            else:
                new = self._judged(summary, stored.log, late_seconds, now)
            new = self._reported(summary, new, late_seconds, age, now)
            if new.is_open and campaign not in further.judged:
                self._stats_table.watch_logs.judge_further(campaign, judged=True)
            found = None
            if new.has_work or not is_same(new, stored.log):
                found = self._store(campaign, new, stored.version)
            if found is None:
                awaits = not new.later.is_reported and may_become_done(summary.counts, age)
                self._await_results(campaign, summary.first_event_at, further, awaits=awaits)
                if not completed(new).is_open:
                    self._end(campaign, further, is_closed=is_old and not awaits)
                elif not stored.log.is_open:
                    # Another check that has just closed it may remove it from the set; see _end.
                    self._stats_table.watch_logs.judge_further(campaign, judged=True)
                return
            stored = found
        raise AwsError("Contention", f"the watch log changed {_ATTEMPTS} times while it was judged")

    def send_test(self) -> None:
        """Send a test message to the subscribers.

        Raises:
            ConfigError: there is no topic.
            AwsError: the message could not be sent.
        """
        if self._topic is None:
            raise ConfigError("ALARM_TOPIC_ARN is not set: run `deploy`")
        attributes = {"campaign": "none", "kind": "test", "level": "warning", "state": "test"}
        identity = {"deduplication_id": os.urandom(16).hex()}
        self._topic.publish(*alarm_for_test(self._page_url), attributes | identity)

    def _store(self, campaign: str, new: WatchLog, version: int) -> StoredLog | None:
        """Store a log, and do what is to be done; return another log that is stored."""
        name = os.urandom(8).hex() if new.has_work else ""  # no other check has it
        found = self._put(campaign, new, version, name)
        if found is None and new.has_work:
            self._complete(campaign, new, version + 1)
        return found

    def _await_results(
        self, campaign: str, first_event_at: str, further: Further, *, awaits: bool
    ) -> None:
        """Store whether a campaign waits for its results, if that has changed."""
        awaited = further.awaited
        if campaign in awaited:
            if not awaits:
                self._stats_table.watch_logs.await_results(
                    campaign, awaited[campaign], awaited=False
                )
        elif awaits and len(awaited) < MOST_AWAITED:
            self._stats_table.watch_logs.await_results(campaign, first_event_at, awaited=True)

    def _end(self, campaign: str, further: Further, *, is_closed: bool) -> None:
        """Forget a campaign of which nothing is left to do now, or, if it is closed, at all."""
        if campaign in further.judged:
            self._stats_table.watch_logs.judge_further(campaign, judged=False)
            # Another check may have opened it meanwhile.
            if log_from_item(self._stats_table.watch_logs.get(campaign)).log.is_open:
                self._stats_table.watch_logs.judge_further(campaign, judged=True)
        if is_closed:
            self._closed.add(campaign)

    def _put(self, campaign: str, new: WatchLog, version: int, name: str) -> StoredLog | None:
        """Store a log, and take hold of what is to be done; return another one that is stored."""
        until = int(self._clock()) + HOLD_SECONDS if name else 0
        try:
            self._stats_table.watch_logs.put(
                campaign, log_to_texts(new), version=version, held_by=name, held_until=until
            )
        except ConditionFailed as error:
            found = log_from_item(error.item)
            # The response to its own write was lost if it has its name.
            return None if name and found.held_by == name else found
        return None

    def _complete(self, campaign: str, log: WatchLog, version: int) -> None:
        """Write the incidents that have changed, and send the messages."""
        for one in log.unwritten:
            self._stats_table.remarks.put_incident(campaign, log.incidents[one])
        for notice in log.notices:
            incident = log.incidents[notice.incident]
            text = alarm(campaign, incident, notice.state, self._page_url)
            attributes = {"kind": incident.kind, "level": incident.level, "state": notice.state}
            self._send(campaign, text, notice.incident, attributes)
        if log.later.report is not None:
            text = alarm_when_done(campaign, log.later.report, self._page_url)
            attributes = {"kind": DONE, "level": "info", "state": DONE}
            self._send(campaign, text, DONE, attributes)
        with suppress(ConditionFailed):  # the hold has ended, and another check completes it, too
            texts = log_to_texts(completed(log))
            self._stats_table.watch_logs.put(campaign, texts, version=version)

    def _send(self, campaign: str, text: Alarm, incident: str, attributes: dict[str, str]) -> None:
        state = attributes["state"]
        identity = deduplication_id(campaign, incident, state)
        log_event("alarm", subject=text.subject, state=state, id=identity)
        if self._topic is not None:
            about = {
                "campaign": _printable(without_addresses(campaign)),
                "deduplication_id": identity,
            }
            self._topic.publish(text.subject, text.text, attributes | about)

    def _judged(
        self, summary: Aggregate, log: WatchLog, late_seconds: int | None, now: datetime
    ) -> WatchLog:
        judgement = judge(self._observation(summary, late_seconds, now), log.state)
        # Without an incident, no setting makes a difference.
        needs_settings = bool(judgement.changes or log.running or log.later.waiting)
        settings = self._settings(summary.campaign) if needs_settings else Settings()
        return after(log, judgement, settings)

    def _closed_log(self, campaign: str, log: WatchLog, now: datetime) -> WatchLog:
        if not log.running and not log.later.waiting:
            return log
        return closed(log, self._settings(campaign), _minute(now))

    def _reported(
        self,
        summary: Aggregate,
        log: WatchLog,
        late_seconds: int | None,
        age: timedelta,
        now: datetime,
    ) -> WatchLog:
        """Return the log with the report of a campaign that is done, which it has once.

        While events are counted late, or the delay is unknown, the results are incomplete.
        """
        is_late = late_seconds is None or late_seconds > PUNCTUAL_SECONDS
        if log.later.is_reported or is_late or not may_be_done(summary.counts, age):
            return log
        _, sends = self._paces.counters.read(summary, now)
        if not is_done(summary.counts, age, sends, now):
            return log
        return reported(log, done_report(summary, now), self._settings(summary.campaign))

    def _settings(self, campaign: str) -> Settings:
        """Return the settings that apply to a campaign.

        Quiet hours in an unknown time zone are ignored: a message at night does less harm than
        none.
        """
        of_campaign = self._stats_table.remarks.alarm_settings(campaign)
        found = effective(of_campaign.settings, self._stats_table.remarks.alarm_settings().settings)
        if isinstance(found.quiet, QuietHours):
            try:
                zone_of(found.quiet.zone)
            except ValueError as error:
                log_event("quiet_hours_ignored", detail=str(error))
                return found._replace(quiet=None)
        return found

    def _observation(
        self, summary: Aggregate, late_seconds: int | None, now: datetime
    ) -> Observation:
        ages, sends = self._paces.counters.read(summary, now)
        running = running_campaign(summary, ages, sends, now)
        earlier = self._paces.earlier.read(summary, now) or ()
        return Observation(
            minute=_minute(now),
            counts=summary.counts,
            providers=self._paces.counters.providers(summary, now),
            running=running,
            past=comparable(running.campaign, earlier) if running else (),
            emails=sending(sends, now),
            late_seconds=late_seconds,
        )


def _minute(at: datetime) -> int:
    return int(at.timestamp()) // 60


def _printable(text: str) -> str:
    """Return a text that a message attribute may have: no control characters."""
    return "".join(one if one.isprintable() else "?" for one in text)
