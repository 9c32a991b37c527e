"""The watch log of a campaign: its incidents, and what is still to be written and sent about them.

insight/alarms.py judges a minute from the state that the minute before has left. The log adds what
the page and a subscriber need: an *incident* for each cause, and a *notice* for each message that
is still to be sent. stats/incident_table.py stores it with one conditional write, so that a minute
is either judged and its notices are stored, or neither.

    campaign  part       v        log                 later            held_by  held_until
    spring    watch log  version  a WatchLog as JSON  a Later as JSON  a check  epoch seconds

Messages that wait for the end of quiet hours, and the message that the campaign is done, are in an
attribute of their own. A check of a release without it keeps it as it is.

All functions are pure.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Literal, NamedTuple

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from chalicelib.dynamodb import Item
from chalicelib.insight.alarms import Change, Judgement, State
from chalicelib.stats.done_report import DoneReport
from chalicelib.stats.incidents import DONE, Incident, Settings, moment

NoticeState = Literal["began", "ended"]


class Notice(Struct, frozen=True):
    """A message that is to be sent.

    Attributes:
        incident: the incident's id.
    """

    incident: str
    state: NoticeState


class Later(Struct, frozen=True):
    """Messages that wait, and the message that the campaign is done.

    Attributes:
        waiting: messages that wait for the end of quiet hours, in the order of the events.
        report: the results that are still to be sent.
        is_reported: whether it was decided if results are sent, which happens once.
    """

    waiting: tuple[Notice, ...] = ()
    report: DoneReport | None = None
    is_reported: bool = False


class WatchLog(Struct, frozen=True):
    """What is known of a campaign's incidents, and what is still to be done about them.

    Attributes:
        state: what the last judgement has left.
        incidents: all, by id.
        notices: messages that are still to be sent, in the order of the events.
        unwritten: ids of the incidents whose parts are still to be written.
        later: messages that wait, and the message that the campaign is done.
    """

    state: State = State()
    incidents: Mapping[str, Incident] = {}
    notices: tuple[Notice, ...] = ()
    unwritten: tuple[str, ...] = ()
    later: Later = Later()

    @property
    def running(self) -> list[Incident]:
        """The incidents that have not ended."""
        return [one for one in self.incidents.values() if one.ended_at is None]

    @property
    def has_work(self) -> bool:
        """Whether anything is still to be written or sent."""
        return bool(self.notices or self.unwritten or self.later.report)

    @property
    def is_open(self) -> bool:
        """Whether the campaign is judged further even if it is not among the newest."""
        return bool(self.running or self.later.waiting or self.has_work)


EMPTY = WatchLog()


def is_same(one: WatchLog, other: WatchLog) -> bool:
    """Return whether two differ in nothing but the last minute that was judged."""
    return one == replace(other, state=replace(other.state, minute=one.state.minute))


def after(log: WatchLog, judgement: Judgement, settings: Settings) -> WatchLog:
    """Return the log after a judgement of `log.state`.

    A test campaign keeps its state, so that it may be judged as soon as it is no test; its running
    incidents end, and no message is sent.

    Args:
        log: the log before it.
        judgement: the judgement.
        settings: those that apply to the campaign.
    """
    minute = judgement.state.minute
    if settings.test:
        return closed(log, Settings(kinds=()), minute)
    at = moment(minute)
    log = released(replace(log, state=judgement.state), settings, at)
    began = [one for one in judgement.changes if one.kind == "raised"]
    over = {one.key for one in judgement.changes if one.kind == "over"}
    for change in began:
        log = _with_new(log, change, settings, at)
    log = _ended(log, [one for one in log.running if one.id in over], settings, minute)
    snoozed = settings.is_snoozed(at)
    changed = [
        replace(one, snoozed=snoozed, version=one.version + 1)
        for one in log.running
        if one.snoozed != snoozed
    ]
    return _with(log, changed)


def closed(log: WatchLog, settings: Settings, minute: int) -> WatchLog:
    """Return the log of a campaign that is judged no longer: its running incidents end."""
    log = released(log, settings, moment(minute))
    return _ended(log, log.running, settings, minute, closed=True)


def released(log: WatchLog, settings: Settings, at: datetime) -> WatchLog:
    """Return the log with the messages that have waited and are sent now.

    A message that the settings exclude by now is dropped.
    """
    due: list[Notice] = []
    waiting: list[Notice] = []
    for one in log.later.waiting:
        is_quiet = settings.is_quiet(log.incidents[one.incident].kind, at)
        (waiting if is_quiet else due).append(one)
    if not due:
        return log
    log = replace(log, later=replace(log.later, waiting=tuple(waiting)))
    due = [one for one in due if settings.sends(log.incidents[one.incident].kind, at)]
    began = [log.incidents[one.incident] for one in due if one.state == "began"]
    sent = [replace(one, sent=True, version=one.version + 1) for one in began]
    return _with(log, sent, due)


def reported(log: WatchLog, report: DoneReport, settings: Settings) -> WatchLog:
    """Return the log of a campaign that is done; its report waits for the end of quiet hours."""
    at = moment(report.minute)
    if settings.test or settings.is_snoozed(at) or settings.is_quiet(DONE, at):
        return log
    later = replace(log.later, report=report if settings.includes(DONE) else None, is_reported=True)
    return replace(log, later=later)


def completed(log: WatchLog) -> WatchLog:
    """Return the log after everything was written and sent."""
    return replace(log, notices=(), unwritten=(), later=replace(log.later, report=None))


def _with_new(log: WatchLog, change: Change, settings: Settings, at: datetime) -> WatchLog:
    trouble = change.trouble
    if trouble is None or change.key in log.incidents:  # one of each in a campaign
        return log
    sends = settings.sends(trouble.cause, at)
    waits = sends and settings.is_quiet(trouble.cause, at)
    incident = Incident(
        change.key,
        trouble.cause,
        trouble.provider,
        change.minute,
        trouble.affected,
        trouble.total,
        trouble.since,
        snoozed=settings.is_snoozed(at),
        sent=sends and not waits,
    )
    log = _with(log, [incident])
    return _noticed(log, [Notice(incident.id, "began")] if sends else [], settings, at)


def _ended(
    log: WatchLog,
    incidents: Sequence[Incident],
    settings: Settings,
    minute: int,
    *,
    closed: bool = False,
) -> WatchLog:
    at = moment(minute)
    snoozed = settings.is_snoozed(at)
    ended = [
        replace(one, ended_at=minute, snoozed=snoozed, closed=closed, version=one.version + 1)
        for one in incidents
    ]
    notices = [
        Notice(one.id, "ended") for one in ended if one.sent and settings.sends(one.kind, at)
    ]
    # What began and ended in quiet hours is not sent.
    ids = {one.id for one in ended}
    waiting = tuple(one for one in log.later.waiting if one.incident not in ids)
    log = _with(replace(log, later=replace(log.later, waiting=waiting)), ended)
    return _noticed(log, notices, settings, at)


def _noticed(
    log: WatchLog, notices: Sequence[Notice], settings: Settings, at: datetime
) -> WatchLog:
    """Return the log with further notices, which wait while hours are quiet."""
    quiet = [one for one in notices if settings.is_quiet(log.incidents[one.incident].kind, at)]
    later = replace(log.later, waiting=(*log.later.waiting, *quiet))
    due = (one for one in notices if one not in quiet)
    return replace(log, notices=(*log.notices, *due), later=later)


def _with(log: WatchLog, changed: Sequence[Incident], notices: Sequence[Notice] = ()) -> WatchLog:
    """Return the log with changed incidents and further notices."""
    ids = [one.id for one in changed]
    return replace(
        log,
        incidents={**log.incidents, **{one.id: one for one in changed}},
        notices=(*log.notices, *notices),
        unwritten=(*(one for one in log.unwritten if one not in ids), *ids),
    )


def deduplication_id(campaign: str, incident: str, state: str) -> str:
    """Return the id of a message, which is the same if the message is sent again.

    Args:
        campaign: the campaign's id.
        incident: the incident's id, or `done`.
        state: `began`, `ended` or `done`.
    """
    text = f"{campaign}\n{incident}\n{state}"
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


class StoredLog(NamedTuple):
    """A campaign's watch log as stored.

    Attributes:
        version: 0 if there is none.
        held_by: the check that writes and sends what is to be done.
        held_until: epoch seconds; after that, any check may do it.
    """

    log: WatchLog = EMPTY
    version: int = 0
    held_by: str = ""
    held_until: int = 0


_decoder = msgspec.json.Decoder(WatchLog)
_later_decoder = msgspec.json.Decoder(Later)


def log_from_item(item: Item) -> StoredLog:
    """Parse a watch log from DynamoDB JSON; an empty item is an empty log.

    Raises:
        ValueError: the item is not a watch log.
    """
    if not item:
        return StoredLog()
    try:
        later = _later_decoder.decode(item["later"]["S"]) if "later" in item else Later()
        return StoredLog(
            replace(_decoder.decode(item["log"]["S"]), later=later),
            int(item["v"]["N"]),
            item["held_by"]["S"],
            int(item["held_until"]["N"]),
        )
    except (KeyError, msgspec.MsgspecError) as error:
        raise ValueError(f"not a watch log: {type(error).__name__}") from error


def log_to_texts(log: WatchLog) -> tuple[str, str]:
    """Return the attributes `log` and `later` of an item."""
    of_log = msgspec.json.encode(replace(log, later=Later()))
    return of_log.decode(), msgspec.json.encode(log.later).decode()
