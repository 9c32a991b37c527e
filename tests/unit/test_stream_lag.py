"""The lag of a stream's reader: the oldest unread record, for any division into pages."""

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
    """Fake stream with the pages that each shard returns after any position.

    Attributes:
        trimmed: shards with a position or an iterator that was trimmed.
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
        """Append records after the existing pages, including empty ones."""
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


def test_a_stream_read_to_its_end_has_no_lag():
    assert oldest(Stream({"a": []}), a="5") is None
    assert oldest(Stream({"a": [[], []]}, ended={"a"}), a="5") is None
    assert oldest(Stream({"a": [[record()]]}, ended={"a"}), a="900") is None
    assert oldest(Stream({})) is None


def test_an_empty_page_is_not_the_end_of_a_shard():
    assert oldest(Stream({"a": [[], [], [record()]]}), a="5") == WRITTEN
    assert oldest(Stream({"a": [[]] * 50 + [[record()]]}, ended={"a"}), a="5") == WRITTEN


def test_expired_records_do_not_hide_later_ones():
    pages = [[record("REMOVE")] * 10] * 50 + [[record()]]

    assert oldest(Stream({"a": pages}), a="5") == WRITTEN


def test_the_oldest_record_may_be_in_a_shard_that_was_never_read():
    stream = Stream({"a": [[record(at=WRITTEN + 9)]], "b": [[record()]], "c": []}, ended={"a"})

    assert oldest(stream, a="5", c="5") == WRITTEN


def test_a_trimmed_position_is_before_all_remaining_records():
    assert oldest(Stream({"a": [[record()]]}, trimmed={"a"}), a="5") == WRITTEN
    assert oldest(Stream({"a": [[record()]]}, trimmed_late={"a"}), a="5") == WRITTEN


def test_a_shard_with_a_read_child_was_read_to_its_end_with_its_ancestors():
    chain = {"b": "a", "c": "b", "d": "c"}
    stream = Stream(
        {"a": [[record()]], "b": [[record()]], "c": [[record()]], "d": []},
        ended={"a", "b", "c"},
        parents=chain,
    )

    assert oldest(stream, c="5") == WRITTEN, "the last shard is not read to its end"
    assert oldest(stream, d="5") is None


def test_a_trimmed_parent_shard_is_ignored():
    assert oldest(Stream({"b": [[record()]]}, parents={"b": "a"}), b="5") == WRITTEN


class TestCalls:
    """Checks of one open and thirty closed shards whose last records were counted."""

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


def test_a_later_record_is_found_by_each_check_until_it_is_counted():
    stream = Stream({"a": []})
    events = EventsStream(stream, "arn")
    assert events.oldest_unread({"a": "5"}) is None
    stream.more("a", [record("REMOVE")], [record()])

    found = [events.oldest_unread({"a": "5"}) for _ in range(40)]

    assert found[-1] == WRITTEN
    assert found[found.index(WRITTEN) :] == [WRITTEN] * (40 - found.index(WRITTEN))
    stream.pages["a"] = []
    assert events.oldest_unread({"a": "6"}) is None


def test_expired_records_are_read_once():
    stream = Stream({"a": [[record("REMOVE")]] * 50})
    events = EventsStream(stream, "arn")
    assert events.oldest_unread({"a": "5"}) is None
    stream.calls.clear()

    assert events.oldest_unread({"a": "5"}) is None

    assert stream.calls["get_records"] == 1


def test_records_beyond_the_read_limit_are_unknown_until_the_next_check():
    stream = Stream({"a": [[]] * 25}, ended={"a"})
    events = EventsStream(stream, "arn")

    for _ in range(2):
        with pytest.raises(AwsError, match="more pages of shards") as caught:
            events.oldest_unread({"a": "5"}, 10)
        assert caught.value.code == "NotKnownYet"
    assert events.oldest_unread({"a": "5"}, 10) is None

    assert stream.calls["get_records"] == 25


def test_the_oldest_record_is_unknown_while_a_shard_is_not_fully_read():
    stream = Stream({"a": [[record(at=WRITTEN + 9)]], "b": [[]] * 20 + [[record()]]})
    stream.ended = {"b"}
    events = EventsStream(stream, "arn")

    with pytest.raises(AwsError, match="more pages"):
        events.oldest_unread({"a": "5", "b": "5"}, 10)

    assert events.oldest_unread({"a": "5", "b": "5"}, 20) == WRITTEN


@pytest.mark.parametrize("code", ["expired", "trimmed"])
def test_an_expired_iterator_is_replaced(code):
    stream = Stream({"a": []})
    events = EventsStream(stream, "arn")
    assert events.oldest_unread({"a": "5"}) is None
    stream.pages["a"] = [[record()]]
    if code == "expired":
        stream.expired = {"a/5"}
    else:
        stream.trimmed_late = {"a"}

    assert events.oldest_unread({"a": "5"}) == WRITTEN


def test_trimmed_shards_are_forgotten():
    stream = Stream({"a": [[]], "b": []}, ended={"a"})
    events = EventsStream(stream, "arn")
    events.oldest_unread({})
    del stream.pages["a"]

    events.oldest_unread({})

    assert events._looked.keys() == {"b"}
