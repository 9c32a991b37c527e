"""Incidents of a campaign, and the settings of its alarms.

An *incident* is a trouble of a campaign from its beginning to its end; an *alarm* is a message that
one has begun or ended. stats/watch_log.py says which do.
"""

from datetime import UTC, datetime
from typing import Literal, NamedTuple

from msgspec import Struct

from chalicelib.stats.quiet_hours import QuietHours

# The causes of insight/causes.py, whose statistics few functions need.
KINDS = (
    *("complaints", "bounces", "provider_delays", "provider_bounces", "low_opens", "no_opens"),
    *("stopped", "pipeline_late", "template_errors"),
)
"""The kinds of incidents."""

DONE = "done"
"""The kind of the message that a campaign is done (stats/done_report.py)."""

ALARM_KINDS = (*KINDS, DONE)
"""The kinds of messages."""

# An alarm of CloudWatch reports for the whole stage that the pipeline is late.
SENT_BY_DEFAULT = frozenset(ALARM_KINDS) - {"pipeline_late"}

# The sender may lose the account or the emails, which is a reason to stop the campaign.
CRITICAL = frozenset(
    {"complaints", "bounces", "provider_delays", "provider_bounces", "template_errors"}
)

Level = Literal["critical", "warning"]

NO_QUIET_HOURS: Literal["none"] = "none"
"""The setting of a campaign for which those of all campaigns do not apply."""


class Settings(NamedTuple):
    """The settings of alarms, of a campaign or of all campaigns.

    Attributes:
        kinds: the kinds of which messages are sent; None if that was not chosen.
        snooze_until: RFC 3339; until then, no message is sent. None if it was not chosen.
        test: whether the campaign is a test, which has no incidents.
        quiet: when messages wait; None if that was not chosen.
    """

    kinds: tuple[str, ...] | None = None
    snooze_until: str | None = None
    test: bool = False
    quiet: QuietHours | Literal["none"] | None = None

    def is_snoozed(self, at: datetime) -> bool:
        """Return whether no message is sent at a moment."""
        until = self.snooze_until
        return until is not None and at < datetime.fromisoformat(until)

    def sends(self, kind: str, at: datetime) -> bool:
        """Return whether a message of a kind is sent at a moment, or waits if hours are quiet."""
        return self.includes(kind) and not self.is_snoozed(at)

    def includes(self, kind: str) -> bool:
        """Return whether messages of a kind are sent at all."""
        return kind in (SENT_BY_DEFAULT if self.kinds is None else self.kinds)

    def is_quiet(self, kind: str, at: datetime) -> bool:
        """Return whether messages of a kind wait at a moment.

        Raises:
            ValueError: the time zone is unknown to this system.
        """
        quiet = self.quiet
        if quiet is None or quiet == NO_QUIET_HOURS:
            return False
        if quiet.except_critical and kind in CRITICAL:
            return False
        return quiet.contain(at)


class StoredSettings(NamedTuple):
    """The settings of a campaign or of all, as stored.

    Attributes:
        version: 0 if they were never changed.
    """

    settings: Settings
    version: int = 0


def effective(of_campaign: Settings, of_all: Settings) -> Settings:
    """Return the settings that apply to a campaign: its own ones first.

    Both may be snoozed; the later time applies.
    """
    until = [one for one in (of_campaign.snooze_until, of_all.snooze_until) if one is not None]
    return Settings(
        of_all.kinds if of_campaign.kinds is None else of_campaign.kinds,
        max(until, key=datetime.fromisoformat, default=None),
        of_campaign.test,
        of_all.quiet if of_campaign.quiet is None else of_campaign.quiet,
    )


class Incident(Struct, frozen=True):
    """A trouble of a campaign, from its beginning to its end.

    Attributes:
        id: identifies it in its campaign: `bounces`, `provider_delays:Gmail`.
        provider: empty if the cause is not of one provider.
        version: increases with each change.
        began_at, ended_at: minutes since 1970, UTC; `ended_at` is None while it is running.
        affected, total, since: see insight.causes.Trouble; as they were when it began.
        snoozed: whether messages about it are snoozed, or were at its end.
        sent: whether a message about its beginning was to be sent; not while that waits.
        closed: whether it ended because the campaign is judged no longer, not because it is over.
    """

    id: str
    kind: str
    provider: str
    began_at: int
    affected: int
    total: int
    since: int = 0
    ended_at: int | None = None
    version: int = 1
    snoozed: bool = False
    sent: bool = False
    closed: bool = False

    @property
    def level(self) -> Level:
        """How serious it is."""
        return "critical" if self.kind in CRITICAL else "warning"


def moment(minute: int) -> datetime:
    """Return the start of a minute since 1970, in UTC."""
    return datetime.fromtimestamp(60 * minute, UTC)


def time_of(minute: int) -> str:
    """Return the start of a minute since 1970 in RFC 3339."""
    return moment(minute).strftime("%Y-%m-%dT%H:%M:%SZ")
