"""The stream of the events table, looked at from beside: what has its reader yet to read?

Two readers a shard are what DynamoDB allows; this is the second one, for a moment each minute.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
"""

from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.aws import Service
from chalicelib.errors import AwsError

# A shard's page may be empty though records follow it.
_MOST_PAGES = 10
_ANY_SHARD = ""  # how a stream of a single lane names its shard: config.single_lane_stream


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
        sequence = read.get(shard["ShardId"], read.get(_ANY_SHARD))
        last = shard["SequenceNumberRange"].get("EndingSequenceNumber")
        if sequence is not None and last is not None and int(sequence) >= int(last):
            return None
        iterator = self._iterator(shard["ShardId"], sequence)
        for _ in range(_MOST_PAGES):
            page = self._streams.call("get_records", ShardIterator=iterator)
            for record in page["Records"]:
                # What has expired is not counted, and no reader need have seen it.
                if record["eventName"] != "REMOVE":
                    created: float = record["dynamodb"]["ApproximateCreationDateTime"].timestamp()
                    return created
            iterator = page.get("NextShardIterator")
            if iterator is None or (not page["Records"] and last is None):
                break
        return None

    def _iterator(self, shard_id: str, sequence: str | None) -> str | None:
        position = {"ShardIteratorType": "TRIM_HORIZON"}
        if sequence is not None:
            position = {
                "ShardIteratorType": "AFTER_SEQUENCE_NUMBER",
                "SequenceNumber": sequence,
            }
        try:
            answer = self._streams.call(
                "get_shard_iterator", StreamArn=self._arn, ShardId=shard_id, **position
            )
        except AwsError as error:
            if error.code != "TrimmedDataAccessException":
                raise
            # The stream keeps a day: what was read last has left it, and so has nothing unread.
            return self._iterator(shard_id, None)
        iterator: str | None = answer["ShardIterator"]
        return iterator
