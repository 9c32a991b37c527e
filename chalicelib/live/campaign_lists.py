"""Answer requests for campaigns: by first event, by any other column, filtered, or by words.

Sorting, filtering and searching use the directory of campaigns (stats/directory.py), which watch
updates each minute. The campaigns of a reply are read anew, so only their order and the totals may
be a minute old. Until the directory is complete, all summaries are read, at most once a minute.
"""

import json
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import gt, itemgetter, lt
from typing import Any

from chalicelib.errors import InvalidRequest
from chalicelib.live import messages
from chalicelib.live.frames import Message
from chalicelib.live.permissions import Permissions
from chalicelib.live.protocol import Request
from chalicelib.paging import open_place, seal
from chalicelib.ses.event import MAX_ID
from chalicelib.stats.counters import COUNTERS, COUNTERS_OF_GENERATION_2, Aggregate, rate, rates
from chalicelib.stats.directory import Entry, entry_of
from chalicelib.stats.directory_table import Directory
from chalicelib.stats.search import mismatch, query_words
from chalicelib.stats.table import StatsTable
from chalicelib.stats.tags import name_of

# How long all summaries are kept in the process.
KEPT_SECONDS = 60

# A position in a sorted list: the column, its order, its value as JSON, and the campaign.
_PLACE = re.compile(
    r"(?P<sort>[a-z_]+) (?P<order>asc|desc) "
    r"(?P<value>null|(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,20})?(?:e-[0-9]{1,3})?"
    r'|"[0-9TZ:.-]{20,24}") '
    rf"(?P<campaign>.{{1,{MAX_ID}}})",
    re.DOTALL,
)
_TIMES = ("first_event_at", "last_event_at")

Key = tuple[bool, Any, str]


class CampaignLists:
    """The requests listCampaigns and searchCampaigns."""

    def __init__(
        self,
        stats_table: StatsTable,
        directory: Directory,
        *,
        tag_names: Iterable[str] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Answer from these tables.

        Args:
            stats_table: the summaries.
            directory: the directory of campaigns.
            tag_names: the tags whose values campaigns have (BREAKDOWN_TAGS).
            clock: returns the current time, in epoch seconds.
        """
        self._stats_table = stats_table
        self._directory = directory
        self._tag_names = frozenset(tag_names)
        self._clock = clock
        self._kept: Sequence[Entry] = ()
        self._kept_until = 0.0

    def listed(self, request: Request, access: Permissions) -> tuple[list[Message], Message]:
        """Return a page of campaigns, and further members of the reply.

        Raises:
            InvalidRequest: the cursor is invalid, or that of a list in another order, or the tag is
                not one that campaigns have.
        """
        wanted = request.listing
        is_newest_first = wanted.sort is None and wanted.order == "desc"
        if is_newest_first and not (wanted.totals or wanted.is_filtered):
            return self._newest(request, access)
        sort, order = wanted.sort or "first_event_at", wanted.order
        visible = [one for one in self._all() if access.can_see(one.campaign)]
        words = query_words(wanted.query)
        matching = [
            one for one in visible if wanted.matches(one) and _mismatch(words, one) is not None
        ]
        if wanted.tag is not None and not matching:
            self._require_known(wanted.tag, visible)
        found = [one for one in matching if not wanted.hides(one)]
        keys = {one.campaign: _key(one, sort, order) for one in found}
        ranked = sorted(keys, key=keys.__getitem__, reverse=order == "desc")
        if request.cursor:
            after = _key_of_cursor(request.cursor, sort, order)
            follows = lt if order == "desc" else gt
            ranked = [one for one in ranked if follows(keys[one], after)]
        page = ranked[: request.limit]
        more: Message = {"total": len(found)}
        if len(matching) > len(found):
            more["hidden_tests"] = len(matching) - len(found)
        if wanted.totals:
            more["totals"] = _totals(found)
        if len(ranked) > len(page):
            value = json.dumps(keys[page[-1]][1] if _is_known(keys[page[-1]], order) else None)
            more["cursor"] = seal(f"{sort} {order} {value} {page[-1]}")
        return _entries(self._stats_table.summaries(page)), more

    def _newest(self, request: Request, access: Permissions) -> tuple[list[Message], Message]:
        """Return a page of all campaigns, newest first, from their summaries alone."""
        found: list[Aggregate] = []
        cursor = request.cursor
        while True:
            page, cursor = self._stats_table.campaigns.page(
                request.limit - len(found), cursor, access.can_see
            )
            found += [one for one in page if not request.listing.hides(one)]
            if cursor is None or len(found) == request.limit:
                return _entries(found), {"cursor": cursor} if cursor else {}

    def search(self, request: Request, access: Permissions) -> list[Message]:
        """Return the campaigns that match, the best matches first, then the newest."""
        words = query_words(request.query)
        matches: list[tuple[int, str]] = []
        for entry in self._all():
            if access.can_see(entry.campaign):
                distance = _mismatch(words, entry)
                if distance is not None:
                    matches.append((distance, entry.campaign))
        matches.sort(key=itemgetter(0))
        found = [campaign for _, campaign in matches[: request.limit]]
        return _entries(self._stats_table.summaries(found))

    def _require_known(self, tag: str, visible: Iterable[Entry]) -> None:
        """Require that campaigns have, or may have, values of a tag.

        Raises:
            InvalidRequest: the tag is not in BREAKDOWN_TAGS, and no visible campaign has it.
        """
        known = self._tag_names.union(name_of(one) for entry in visible for one in entry.tags)
        if name_of(tag) not in known:
            raise InvalidRequest(
                "invalid_request",
                f"no campaign has the tag {name_of(tag)[:100]!r}: campaigns can be filtered by "
                f"the tags in BREAKDOWN_TAGS ({', '.join(sorted(known)) or 'none'})",
            )

    def _all(self) -> Sequence[Entry]:
        """Return all campaigns, newest first."""
        entries = self._directory.entries()
        if entries is not None:
            self._kept, self._kept_until = (), 0.0
            return entries
        if self._clock() >= self._kept_until:
            found = map(entry_of, self._stats_table.campaigns.all())
            self._kept = [one for one in found if one is not None]
            self._kept_until = self._clock() + KEPT_SECONDS
        return self._kept


def _mismatch(words: Sequence[str], entry: Entry) -> int | None:
    texts = entry.campaign, entry.subject, entry.sender
    return mismatch(words, texts, entry.first_event_at) if words else 0


def _entries(summaries: Sequence[Aggregate]) -> list[Message]:
    return [{"$type": "Campaign", **messages.campaign_entry(one)} for one in summaries]


def _value(entry: Entry, column: str) -> int | float | str | None:
    if column in _TIMES:
        text: str | None = getattr(entry, column)
        return text
    if column == "pace":
        return entry.pace.ratio if entry.pace else None
    is_unknown = column in COUNTERS_OF_GENERATION_2 or column in messages.RATES_OF_GENERATION_2
    if is_unknown and not entry.is_current:
        return None
    return entry.count(column) if column in COUNTERS else rate(column, entry.count)


def _key(entry: Entry, sort: str, order: str) -> Key:
    return _ordered(_value(entry, sort), entry.campaign, order)


def _ordered(value: Any, campaign: str, order: str) -> Key:
    """Return a sort key; unknown values are last in both orders."""
    is_last = value is None
    return (is_last if order == "asc" else not is_last, 0 if is_last else value, campaign)


def _is_known(key: Key, order: str) -> bool:
    return key[0] == (order == "desc")


def _key_of_cursor(cursor: str, sort: str, order: str) -> Key:
    place = open_place(cursor, _PLACE)
    value = json.loads(place["value"])
    is_text = value is None or isinstance(value, str) == (sort in _TIMES)
    if (place["sort"], place["order"]) != (sort, order) or not is_text:
        raise InvalidRequest(
            "invalid_request",
            f"the cursor is that of a list by {place['sort']} ({place['order']}), not by {sort} "
            f"({order}): omit it to start over",
        )
    return _ordered(value, place["campaign"], order)


def _totals(found: Sequence[Entry]) -> Message:
    """Return the sums of all counters, and the rates of the sums.

    Counters that an earlier release did not know are None if it has counted one of the campaigns.
    """
    columns = zip(*(one.counts for one in found), strict=True)
    sums: dict[str, Any] = dict.fromkeys(COUNTERS, 0)
    sums |= dict(zip(COUNTERS, map(sum, columns), strict=bool(found)))
    shares: Mapping[str, Any] = rates(sums)
    if not all(one.is_current for one in found):
        sums |= dict.fromkeys(COUNTERS_OF_GENERATION_2)
        shares = {**shares, **dict.fromkeys(messages.RATES_OF_GENERATION_2)}
    return {"counts": sums, "rates": shares}
