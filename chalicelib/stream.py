"""The stream of the events table, looked at from beside: what has its reader yet to read?

Two readers a shard are what DynamoDB allows; this is the second one, for a moment each minute.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
"""

from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.aws import Service
from chalicelib.errors import AwsError

# A page may be empty though records follow it. Of a shard that is written to, nothing tells whether
# it has ended; one that has ended says so.
_EMPTY_PAGES = 5
_EMPTY_PAGES_OF_ENDED = 1000


class EventsStream:
    """The stream of the events table."""

    def __init__(self, streams: Service, arn: str) -> None:
        self._streams = streams
        self._arn = arn

    def oldest_unread(self, read: Mapping[str, str]) -> float | None:
        """Tell when the oldest record was written that is to be counted and was not read.

        Args:
            read: the sequence number up to which each shard was read, by shard id.

        Returns:
            Epoch seconds; None when everything was read.

        Raises:
            AwsError: the stream cannot be read.
        """
        times = [
            created
            for shard in self._shards()
            if (created := self._first_after(shard, read)) is not None
        ]
        return min(times, default=None)

    def _shards(self) -> Iterator[Mapping[str, Any]]:
        start: dict[str, str] = {}
        while True:
            answer = self._streams.call("describe_stream", StreamArn=self._arn, **start)
            description = answer["StreamDescription"]
            yield from description["Shards"]
            if "LastEvaluatedShardId" not in description:
                return
            start = {"ExclusiveStartShardId": description["LastEvaluatedShardId"]}

    def _first_after(self, shard: Mapping[str, Any], read: Mapping[str, str]) -> float | None:
        sequence = read.get(shard["ShardId"])
        last = shard["SequenceNumberRange"].get("EndingSequenceNumber")
        if sequence is not None and last is not None and int(sequence) >= int(last):
            return None
        position = (
            {"ShardIteratorType": "TRIM_HORIZON"}
            if sequence is None
            else {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": sequence}
        )
        most = _EMPTY_PAGES if last is None else _EMPTY_PAGES_OF_ENDED
        try:
            return self._first_from(shard["ShardId"], position, most)
        except AwsError as error:
            if error.code != "TrimmedDataAccessException":
                raise
            # The stream keeps a day: what was read last has left it, and so has nothing unread.
            position = {"ShardIteratorType": "TRIM_HORIZON"}
            return self._first_from(shard["ShardId"], position, most)

    def _first_from(
        self, shard_id: str, position: Mapping[str, str], most_empty: int
    ) -> float | None:
        iterator = self._streams.call(
            "get_shard_iterator", StreamArn=self._arn, ShardId=shard_id, **position
        )["ShardIterator"]
        empty = 0
        while iterator is not None and empty < most_empty:
            page = self._streams.call("get_records", ShardIterator=iterator)
            for record in page["Records"]:
                # What has expired is not counted, and no reader need have seen it.
                if record["eventName"] != "REMOVE":
                    created: float = record["dynamodb"]["ApproximateCreationDateTime"].timestamp()
                    return created
            empty = 0 if page["Records"] else empty + 1
            iterator = page.get("NextShardIterator")
        return None
