"""The recipients index in the stats table, whose keys no campaign has.

" recipients <campaign>"  <shard attribute>#<first>-<last>#<n>  page: compressed  expires
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from chalicelib.aws.client import Service
from chalicelib.recipients.pages import Sent, decoded, encoded

PARTITION = " recipients "
_DAY = 24 * 3600


class RecipientsIndex:
    """Appends pages, and reads the emails of a campaign."""

    def __init__(
        self,
        dynamo: Service,
        name: str,
        *,
        retention_days: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._dynamo = dynamo
        self._name = name
        self._retention = retention_days * _DAY
        self._clock = clock

    def append(
        self, campaign: str, entries: Sequence[Sent], source: str, expires: int | None = None
    ) -> None:
        """Write a page; the operation is idempotent.

        Args:
            campaign: the campaign.
            entries: its entries.
            source: identifies the records that the page was made from. It names the first and the
                last of them, so that a shorter batch never replaces the page of a longer one.
            expires: when the facts of the entries expire, in epoch seconds; None for those that
                have just been stored.

        Raises:
            AwsError: the page could not be written.
        """
        # The end of a day, as for facts: the same page written again writes no stream record.
        stored_now = (int(self._clock()) + self._retention) // _DAY * _DAY + _DAY
        expires = stored_now if expires is None else expires
        for number, data in enumerate(encoded(entries)):
            self._dynamo.call(
                "update_item",
                TableName=self._name,
                Key={
                    "campaign": {"S": PARTITION + campaign},
                    "part": {"S": f"{source}#{number}"},
                },
                UpdateExpression="SET page = :page, expires = :expires",
                ExpressionAttributeValues={
                    ":page": {"B": data},
                    ":expires": {"N": str(expires)},
                },
            )

    def sent(self, campaign: str) -> dict[str, Sent]:
        """Return a campaign's emails by message id.

        Expired pages that DynamoDB has not deleted yet are omitted, as in the activity: without it,
        all of their recipients would be listed as those who have not opened.

        Raises:
            AwsError: the index could not be read.
        """
        return {entry.message_id: entry for page in self._pages(campaign) for entry in page}

    def _pages(self, campaign: str) -> Iterator[list[Sent]]:
        start: dict[str, Any] = {}
        while True:
            # Eventually consistent, at half the price: the list lags behind the events anyway.
            answer = self._dynamo.call(
                "query",
                TableName=self._name,
                KeyConditionExpression="campaign = :campaign",
                ExpressionAttributeValues={":campaign": {"S": PARTITION + campaign}},
                **start,
            )
            for item in answer["Items"]:
                if int(item["expires"]["N"]) > self._clock():
                    yield decoded(item["page"]["B"])
            if "LastEvaluatedKey" not in answer:
                return
            start["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def source_of(attribute: str, records: Sequence[Any]) -> str:
    """Return the source of the pages of a batch of stream records."""
    first, last = (records[place]["dynamodb"]["SequenceNumber"] for place in (0, -1))
    return f"{attribute}#{first}-{last}"
