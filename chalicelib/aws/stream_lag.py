"""Measure how far the aggregate function lags behind the events table's stream.

DynamoDB allows two readers per shard; this is the second one, briefly each minute. Each page of
records is billed, so each is read only once: a call continues where the previous one stopped.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
"""

import math
import time
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from chalicelib.aws.client import Service
from chalicelib.errors import AwsError

# A page may be empty although records follow it. After this many empty pages, an open shard is
# considered read to its end; the last page of a closed shard has no next iterator.
_EMPTY_PAGES = 5

_EXPIRED = "ExpiredIteratorException"  # after 15 minutes
_TRIMMED = "TrimmedDataAccessException"  # the stream keeps records for a day


class _Looked(Struct):
    """Position in a shard up to which no uncounted record was found.

    Attributes:
        read: the sequence number up to which the shard was counted at that time.
        iterator: iterator of the following records; None at the end of a closed shard.
        empty: number of consecutive empty pages read last.
    """

    read: str | None
    iterator: str | None
    empty: int = 0


class EventsStream:
    """The stream of the events table."""

    def __init__(self, streams: Service, arn: str) -> None:
        self._streams = streams
        self._arn = arn
        self._looked: dict[str, _Looked] = {}
        self._pages_left = math.inf
        self._until = math.inf

    def oldest_unread(
        self, read: Mapping[str, str], most_pages: float = math.inf, seconds: float = math.inf
    ) -> float | None:
        """Return the time of the oldest record that has not been counted yet.

        Args:
            read: sequence number up to which each shard was counted, by shard id.
            most_pages: maximum number of pages to read. The next call continues from there.
            seconds: time after which no further page is read.

        Returns:
            Epoch seconds; None if all records were counted.

        Raises:
            AwsError: the stream could not be read; with the code `NotKnownYet` if most_pages or
                seconds did not suffice.
        """
        shards = {shard["ShardId"]: shard for shard in self._shards()}
        done = _read_to_their_ends(shards, read)
        self._looked = {shard: one for shard, one in self._looked.items() if shard in shards}
        self._pages_left = most_pages
        self._until = time.monotonic() + seconds
        times = [
            created
            for shard in shards.values()
            if shard["ShardId"] not in done
            and (created := self._first_after(shard, read)) is not None
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
        shard_id, has_ended = shard["ShardId"], _end_of(shard) is not None
        sequence = read.get(shard_id)
        looked = self._looked.get(shard_id)
        try:
            if looked is None or looked.read != sequence:
                looked = self._begin(shard_id, sequence, sequence)
            return self._first_from(looked, has_ended=has_ended)
        except AwsError as error:
            if error.code not in {_EXPIRED, _TRIMMED}:
                raise
            # The last counted record has left the stream, so all records left are uncounted.
            start = None if error.code == _TRIMMED else sequence
            return self._first_from(self._begin(shard_id, sequence, start), has_ended=has_ended)

    def _begin(self, shard_id: str, sequence: str | None, start: str | None) -> _Looked:
        """Start to read a shard, after a sequence number or at its beginning."""
        position = (
            {"ShardIteratorType": "TRIM_HORIZON"}
            if start is None
            else {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": start}
        )
        answer = self._streams.call(
            "get_shard_iterator", StreamArn=self._arn, ShardId=shard_id, **position
        )
        looked = self._looked[shard_id] = _Looked(sequence, answer["ShardIterator"])
        return looked

    def _first_from(self, looked: _Looked, *, has_ended: bool) -> float | None:
        while looked.iterator is not None:
            if not self._pages_left or time.monotonic() >= self._until:
                raise AwsError(
                    "NotKnownYet", "the stream has more pages of shards than one check reads"
                )
            self._pages_left -= 1
            page = self._streams.call("get_records", ShardIterator=looked.iterator)
            for record in page["Records"]:
                # REMOVE records are not counted, and need no reader.
                if record["eventName"] != "REMOVE":
                    created: float = record["dynamodb"]["ApproximateCreationDateTime"].timestamp()
                    return created
            looked.iterator = page.get("NextShardIterator")
            looked.empty = 0 if page["Records"] else looked.empty + 1
            if looked.empty >= _EMPTY_PAGES and not has_ended:
                return None
        return None


def _end_of(shard: Mapping[str, Any]) -> str | None:
    end: str | None = shard["SequenceNumberRange"].get("EndingSequenceNumber")
    return end


def _read_to_their_ends(
    shards: Mapping[str, Mapping[str, Any]], read: Mapping[str, str]
) -> set[str]:
    """Return the closed shards that were read to their ends.

    Lambda reads a shard only after its parent has been read to its end:
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html#Streams.Processing
    """
    done = {
        shard_id
        for shard_id, shard in shards.items()
        if (end := _end_of(shard)) is not None
        and shard_id in read
        and int(read[shard_id]) >= int(end)
    }
    for shard_id in shards.keys() & read.keys():
        parent: str = shards[shard_id].get("ParentShardId", "")
        while parent in shards and parent not in done:
            done.add(parent)
            parent = shards[parent].get("ParentShardId", "")
    return done
