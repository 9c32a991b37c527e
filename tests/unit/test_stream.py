"""Whether all records of a stream were read, whatever its pages look like."""

from datetime import UTC, datetime

from chalicelib.errors import AwsError
from chalicelib.stream import EventsStream

WRITTEN = 1_800_000_000


def record(kind="INSERT", at=WRITTEN):
    created = datetime.fromtimestamp(at, UTC)
    return {"eventName": kind, "dynamodb": {"ApproximateCreationDateTime": created}}


class Stream:
    """A stream's service, with the pages that each shard gives after any position.

    Attributes:
        trimmed: shards of which a position, or an iterator, has left the stream.
    """

    def __init__(self, pages, *, ended=(), trimmed=(), trimmed_late=()):
        self.pages = pages
        self.ended = ended
        self.trimmed = trimmed
        self.trimmed_late = set(trimmed_late)

    def call(self, operation, **parameters):
        return getattr(self, operation)(**parameters)

    def describe_stream(self, **_):
        shards = [
            {
                "ShardId": shard,
                "SequenceNumberRange": {"EndingSequenceNumber": "900"}
                if shard in self.ended
                else {},
            }
            for shard in self.pages
        ]
        return {"StreamDescription": {"Shards": shards}}

    def get_shard_iterator(self, *, StreamArn, ShardId, ShardIteratorType, **_):
        if ShardIteratorType == "AFTER_SEQUENCE_NUMBER" and ShardId in self.trimmed:
            raise AwsError("TrimmedDataAccessException", "trimmed")
        return {"ShardIterator": f"{ShardId}/0"}

    def get_records(self, *, ShardIterator):
        shard, _, number = ShardIterator.partition("/")
        if shard in self.trimmed_late:
            self.trimmed_late.remove(shard)
            raise AwsError("TrimmedDataAccessException", "trimmed")
        pages, place = self.pages[shard], int(number)
        following = f"{shard}/{place + 1}"
        if shard in self.ended and place + 1 >= len(pages):
            following = None
        return {
            "Records": pages[place] if place < len(pages) else [],
            "NextShardIterator": following,
        }


def oldest(stream, **read):
    return EventsStream(stream, "arn").oldest_unread(read)


def test_a_stream_that_was_read_to_its_end():
    assert oldest(Stream({"a": []}), a="5") is None
    assert oldest(Stream({"a": [[], []]}, ended={"a"}), a="5") is None
    assert oldest(Stream({"a": [[record()]]}, ended={"a"}), a="900") is None
    assert oldest(Stream({})) is None


def test_an_empty_page_is_not_the_end():
    assert oldest(Stream({"a": [[], [], [record()]]}), a="5") == WRITTEN
    assert oldest(Stream({"a": [[]] * 50 + [[record()]]}, ended={"a"}), a="5") == WRITTEN


def test_what_has_expired_hides_nothing_behind_it():
    pages = [[record("REMOVE")] * 10] * 50 + [[record()]]

    assert oldest(Stream({"a": pages}), a="5") == WRITTEN


def test_the_oldest_of_all_shards_counts_those_that_nobody_has_read_among_them():
    stream = Stream({"a": [[record(at=WRITTEN + 9)]], "b": [[record()]], "c": []}, ended={"a"})

    assert oldest(stream, a="5", c="5") == WRITTEN


def test_a_position_that_has_left_the_stream_is_before_all_that_is_there():
    assert oldest(Stream({"a": [[record()]]}, trimmed={"a"}), a="5") == WRITTEN
    assert oldest(Stream({"a": [[record()]]}, trimmed_late={"a"}), a="5") == WRITTEN
