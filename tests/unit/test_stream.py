"""Whether all records of a stream were read, whatever its pages look like."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from chalicelib.aws.stream_lag import EventsStream
from chalicelib.errors import AwsError

WRITTEN = 1_800_000_000


def record(kind="INSERT", at=WRITTEN):
    created = datetime.fromtimestamp(at, UTC)
    return {"eventName": kind, "dynamodb": {"ApproximateCreationDateTime": created}}


class Stream:
    """A stream's service, with the pages that each shard gives after any position.

    Attributes:
        trimmed: shards of which a position, or an iterator, has left the stream.
    """

    def __init__(self, pages, *, ended=(), trimmed=(), trimmed_late=(), parents=None):
        self.pages = pages
        self.parents = parents or {}
        self.expired = set()
        self.calls = Counter()
        self.ended = ended
        self.trimmed = trimmed
        self.trimmed_late = set(trimmed_late)

    def call(self, operation, **parameters):
        self.calls[operation] += 1
        return getattr(self, operation)(**parameters)

    def describe_stream(self, **_):
        shards = [
            {
                "ShardId": shard,
                "SequenceNumberRange": {"EndingSequenceNumber": "900"}
                if shard in self.ended
                else {},
                **({"ParentShardId": self.parents[shard]} if shard in self.parents else {}),
            }
            for shard in self.pages
        ]
        return {"StreamDescription": {"Shards": shards}}

    def get_shard_iterator(self, *, StreamArn, ShardId, ShardIteratorType, **_):
        if ShardIteratorType == "AFTER_SEQUENCE_NUMBER" and ShardId in self.trimmed:
            raise AwsError("TrimmedDataAccessException", "trimmed")
        return {"ShardIterator": f"{ShardId}/0"}

    def more(self, shard, *pages):
        """Let records come after the pages that are there, those that were empty included."""
        place = max(len(self.pages[shard]), 30)
        self.pages[shard] += [[]] * (place - len(self.pages[shard])) + list(pages)

    def get_records(self, *, ShardIterator):
        shard, _, number = ShardIterator.partition("/")
        if ShardIterator in self.expired:
            raise AwsError("ExpiredIteratorException", "expired")
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


def test_a_shard_whose_child_is_read_was_read_to_its_end_and_so_were_its_ancestors():
    chain = {"b": "a", "c": "b", "d": "c"}
    stream = Stream(
        {"a": [[record()]], "b": [[record()]], "c": [[record()]], "d": []},
        ended={"a", "b", "c"},
        parents=chain,
    )

    assert oldest(stream, c="5") == WRITTEN, "the last one is not read to its end"
    assert oldest(stream, d="5") is None


def test_a_parent_that_has_left_the_stream_is_no_shard():
    assert oldest(Stream({"b": [[record()]]}, parents={"b": "a"}), b="5") == WRITTEN


class TestCalls:
    """A check of one open and thirty ended shards, of which the last records were counted."""

    @pytest.fixture(params=["with children", "unrelated"])
    def stream(self, request):
        ended = {f"ended-{number}" for number in range(30)}
        stream = Stream({one: [[]] * 3 for one in [*sorted(ended), "open"]}, ended=ended)
        if request.param == "with children":
            stream.parents = {f"ended-{number}": f"ended-{number - 1}" for number in range(1, 30)}
            stream.parents["open"] = "ended-29"
        return stream

    def test_checks_of_an_idle_stream_read_one_page_each(self, stream):
        events = EventsStream(stream, "arn")
        read = dict.fromkeys(stream.pages, "5")
        events.oldest_unread(read)
        stream.calls.clear()

        for _ in range(10):
            assert events.oldest_unread(read) is None

        assert stream.calls == {"describe_stream": 10, "get_records": 10}

    def test_the_first_check_reads_each_shard_once(self, stream):
        assert EventsStream(stream, "arn").oldest_unread(dict.fromkeys(stream.pages, "5")) is None

        ended = 0 if stream.parents else 30
        assert stream.calls["get_records"] == 3 * ended + 5
        assert stream.calls["get_shard_iterator"] == ended + 1


def test_a_record_that_comes_later_is_found_and_found_again_until_it_is_counted():
    stream = Stream({"a": []})
    events = EventsStream(stream, "arn")
    assert events.oldest_unread({"a": "5"}) is None
    stream.more("a", [record("REMOVE")], [record()])

    found = [events.oldest_unread({"a": "5"}) for _ in range(40)]

    assert found[-1] == WRITTEN
    assert found[found.index(WRITTEN) :] == [WRITTEN] * (40 - found.index(WRITTEN))
    stream.pages["a"] = []
    assert events.oldest_unread({"a": "6"}) is None


def test_records_that_expired_are_read_once():
    stream = Stream({"a": [[record("REMOVE")]] * 50})
    events = EventsStream(stream, "arn")
    assert events.oldest_unread({"a": "5"}) is None
    stream.calls.clear()

    assert events.oldest_unread({"a": "5"}) is None

    assert stream.calls["get_records"] == 1


def test_what_may_not_be_read_at_once_is_unknown_and_is_read_the_next_time():
    stream = Stream({"a": [[]] * 25}, ended={"a"})
    events = EventsStream(stream, "arn")

    for _ in range(2):
        with pytest.raises(AwsError, match="more pages than may be read") as caught:
            events.oldest_unread({"a": "5"}, 10)
        assert caught.value.code == "NotKnownYet"
    assert events.oldest_unread({"a": "5"}, 10) is None

    assert stream.calls["get_records"] == 25


def test_an_unread_record_is_not_the_oldest_while_another_shard_is_not_looked_through():
    stream = Stream({"a": [[record(at=WRITTEN + 9)]], "b": [[]] * 20 + [[record()]]})
    stream.ended = {"b"}
    events = EventsStream(stream, "arn")

    with pytest.raises(AwsError, match="more pages"):
        events.oldest_unread({"a": "5", "b": "5"}, 10)

    assert events.oldest_unread({"a": "5", "b": "5"}, 20) == WRITTEN


@pytest.mark.parametrize("code", ["expired", "trimmed"])
def test_an_iterator_that_is_no_longer_good_is_replaced(code):
    stream = Stream({"a": []})
    events = EventsStream(stream, "arn")
    assert events.oldest_unread({"a": "5"}) is None
    stream.pages["a"] = [[record()]]
    if code == "expired":
        stream.expired = {"a/5"}
    else:
        stream.trimmed_late = {"a"}

    assert events.oldest_unread({"a": "5"}) == WRITTEN


def test_shards_that_have_left_the_stream_are_forgotten():
    stream = Stream({"a": [[]], "b": []}, ended={"a"})
    events = EventsStream(stream, "arn")
    events.oldest_unread({})
    del stream.pages["a"]

    events.oldest_unread({})

    assert events._looked.keys() == {"b"}
