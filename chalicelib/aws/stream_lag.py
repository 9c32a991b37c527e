"""Measure how far the aggregate function lags behind the events table's stream.

DynamoDB allows two readers a shard; this is the second one, for a moment each minute. Pages are
billed, so each is read once: a call goes on where the one before has ended.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
"""

import math
import time
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from chalicelib.aws.client import Service
from chalicelib.errors import AwsError

# A page may be empty though records follow it. An open shard is taken to be read to its end after
# as many empty pages; a shard that has ended says so.
_EMPTY_PAGES = 5

_EXPIRED = "ExpiredIteratorException"  # after 15 minutes
_TRIMMED = "TrimmedDataAccessException"  # the stream keeps a day


class _Looked(Struct):
    """How far a shard was looked through without finding a record that is to be counted.

    Attributes:
        read: the sequence number up to which it was counted at that time.
        iterator: of what follows; None at the end of a shard that has ended.
        empty: how many empty pages came last.
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
            read: the sequence number up to which each shard was read, by shard id.
            most_pages: how many pages of records may be read. The next call goes on from there.
            seconds: for how long new pages may be read.

        Returns:
            Epoch seconds; None when everything was read.

        Raises:
            AwsError: the stream cannot be read; with the code `NotKnownYet` where most_pages did
                not suffice.
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
            # What was read last has left the stream, and so has nothing unread.
            start = None if error.code == _TRIMMED else sequence
            return self._first_from(self._begin(shard_id, sequence, start), has_ended=has_ended)

    def _begin(self, shard_id: str, sequence: str | None, start: str | None) -> _Looked:
        """Begin to look through a shard, after a sequence number or at its beginning."""
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
                raise AwsError("NotKnownYet", "the stream has more pages than may be read at once")
            self._pages_left -= 1
            page = self._streams.call("get_records", ShardIterator=looked.iterator)
            for record in page["Records"]:
                # What has expired is not counted, and no reader need have seen it.
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
    """Return the shards that have ended and were read to their ends.

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
