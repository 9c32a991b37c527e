"""Answer requests for the recipients of a campaign, and for the history of one of them."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from heapq import nlargest
from operator import attrgetter

from msgspec import Struct

from chalicelib import paging
from chalicelib.errors import InvalidRequest
from chalicelib.facts.fact import Fact
from chalicelib.facts.table import EventsTable
from chalicelib.live import messages
from chalicelib.live.frames import Message
from chalicelib.live.protocol import MAX_LIMIT, Request
from chalicelib.recipients.audience import IN_STATE, Audience, merge
from chalicelib.recipients.table import RecipientsIndex
from chalicelib.ses.headers import normalised_address
from chalicelib.stats.counters import SUMMARY, Aggregate
from chalicelib.stats.table import StatsTable

# The list of 100,000 recipients takes 100 MB of the 512 MB that the function has.
MAX_LISTED = 300_000
# Recipients of a streamed reply, so that it ends before the function's timeout.
_MOST_STREAMED = 100_000

# A position in a list of recipients: name, which is one line and may be empty, and message id.
_RECIPIENT_PLACE = re.compile(r"([^\n]{0,1000})\n(.{1,1000})", re.DOTALL)


class RecipientLists(Struct, frozen=True):
    """The requests listRecipients and recipientHistory."""

    stats_table: StatsTable
    events_table: EventsTable
    index: RecipientsIndex

    def answer(self, request: Request) -> Iterator[Message]:
        """Yield the replies to a request.

        Raises:
            InvalidRequest: the cursor is invalid, or the campaign is too large to list.
            AwsError: a table could not be read.
        """
        if request.action == "listRecipients":
            yield from self._list(request)
        else:
            yield request.reply(results=list(map(messages.activity, self._history(request))))

    def _list(self, request: Request) -> Iterator[Message]:
        summary = self._summary(request.campaign)
        audience = self._audience(request.campaign)
        wanted = list(filter(IN_STATE[request.state], audience.recipients))
        head = {
            "total": len(wanted),
            # An earlier release stored neither the entries nor the activity in pages.
            "complete": summary.is_current and audience.sends >= summary.counts.get("sends", 0),
        }
        start = 0
        if request.cursor:
            after = paging.open_place(request.cursor, _RECIPIENT_PLACE)
            start = bisect_right(wanted, after.groups(), key=lambda one: one[:2])
        size = _MOST_STREAMED if request.stream else request.limit
        page = wanted[start : start + size]
        more = {}
        if start + len(page) < len(wanted):
            more = {"cursor": paging.seal(f"{page[-1].name}\n{page[-1].message_id}")}
        if not request.stream:
            yield request.reply(**head, results=list(map(messages.recipient, page)), **more)
            return
        # At least one frame, which has the total.
        for first in range(0, max(len(page), 1), MAX_LIMIT):
            results = list(map(messages.recipient, page[first : first + MAX_LIMIT]))
            yield request.reply(**head, results=results)
        yield request.reply(done=True, **more)

    def _audience(self, campaign: str) -> Audience:
        activity = self.stats_table.activity.entries(campaign)
        return merge(self.index.sent(campaign), (fact for _, fact in activity))

    def _summary(self, campaign: str) -> Aggregate:
        """Return a campaign's summary; raise InvalidRequest if its sends are too many to list."""
        summary = self.stats_table.summary(campaign) or Aggregate(campaign, SUMMARY)
        sends = summary.counts.get("sends", 0)
        if sends > MAX_LISTED:
            raise InvalidRequest(
                "too_large",
                f"the campaign has {sends:,} sends: recipients are listed of campaigns with at "
                f"most {MAX_LISTED:,}; split larger campaigns by their campaign tag",
            )
        return summary

    def _history(self, request: Request) -> list[Fact]:
        """Return the facts of a recipient's emails, newest first.

        Opens and clicks of an email to several addresses are included: SES does not report whose
        they are.
        """
        self._summary(request.campaign)
        names = {request.recipient, normalised_address(request.recipient)}
        mine = [one for one in self._audience(request.campaign).recipients if one.name in names]
        newest = nlargest(MAX_LIMIT, mine, key=attrgetter("sent_at"))
        facts = [
            fact
            for message_id in dict.fromkeys(one.message_id for one in newest)
            for fact in self.events_table.message(message_id)[request.campaign].facts
            if fact.recipient is None or fact.recipient in names
        ]
        return sorted(facts, key=lambda fact: (fact.at, fact.key), reverse=True)
