"""The pushes of all publishers stay below the rate limit and are shared fairly between topics."""

import pytest
from support.region import Region

from chalicelib.functions.publish import FREE_MESSAGES
from chalicelib.live.batches import MOST_VIEWERS
from chalicelib.live.delivery import PUSH_SECONDS


@pytest.mark.parametrize("rate_limit", [1000, 5000])
@pytest.mark.parametrize("shards", [1, 2, 4])
def test_any_number_of_shards_uses_and_never_exceeds_the_rate_limit(shards, rate_limit):
    region = Region(rate_limit)
    for one in range(shards):
        region.watch(f"large-{one}", 8000)
        region.shard(f"large-{one}")

    region.run(16)

    # A batch is sent as fast as possible once its slot begins.
    assert rate_limit < region.most_in_a_second() <= rate_limit + MOST_VIEWERS
    assert region.messages(2, 14) == pytest.approx(12 * rate_limit, abs=MOST_VIEWERS)


def test_10_000_viewers_get_an_update_every_2_seconds_at_the_default_rate():
    region = Region(5000)
    region.watch("large", 10_000)
    region.shard("large")

    region.run(31)

    pushes = region.messages(0, 30) / 10_000
    assert pushes == pytest.approx(30 / 2, abs=0.1)


def test_two_large_topics_of_different_shards_share_equally():
    region = Region(2000)
    for campaign, number in (("large", 10_000), ("larger", 15_000)):
        region.watch(campaign, number)
        region.shard(campaign)

    region.run(22)

    one, other = (region.messages(2, 20, campaign) for campaign in ("large", "larger"))
    assert one == other == pytest.approx(18 * 2000 / 2, abs=MOST_VIEWERS)


@pytest.mark.parametrize(
    ("rate_limit", "cycle"), [(2000, 1.0), (500, 3 * MOST_VIEWERS / 500 + 150 / 500)]
)
def test_a_small_topic_waits_for_at_most_one_batch_of_each_other_shard(rate_limit, cycle):
    """At 2,000 a second these take 0.75 s: the small topic is pushed each second, as if alone."""
    region = Region(rate_limit)
    for one in range(3):
        region.watch(f"large-{one}", 10_000)
        region.shard(f"large-{one}")
    region.watch("small", 150)
    region.shard("small")

    region.run(40)

    pushes = region.messages(5, 38, "small") / 150
    assert pushes == pytest.approx(33 / cycle, abs=1)


def test_a_small_topic_of_the_same_invocation_is_pushed_first():
    region = Region(2000)
    region.watch("large", 10_000)
    region.watch("small", 150)
    region.shard("large", "small")

    region.run(10)

    assert region.sent[0][1] == "small"
    assert region.messages(0, 5, "small") == 150
    assert region.messages(0, 10, "small") == 300


def test_pushes_above_the_rate_limit_are_marked_missed_and_the_shard_continues():
    """20,000 viewers at 500 a second: half of them get no slot in time and catch up by pings."""
    region = Region(500)
    region.watch("large", 20_000)
    region.shard("large")

    region.run(2 * PUSH_SECONDS + 15)

    rows = region._dynamo.tables["SubscriptionsTable"].items()
    behind = {
        row["member"]["S"]
        for row in rows
        if row["owner"]["S"].endswith("large") and "behind" in row
    }
    assert len(behind) == pytest.approx(20_000 / 2, abs=MOST_VIEWERS)
    for start in (0, PUSH_SECONDS + 5):
        sent = region.messages(start, start + PUSH_SECONDS)
        assert sent == pytest.approx(500 * PUSH_SECONDS, abs=MOST_VIEWERS)
    assert region.most_in_a_second() <= 500 + MOST_VIEWERS


@pytest.mark.parametrize("wrong_by", [-0.2, -0.02, 0.02, 0.2])
def test_clock_differences_exceed_the_rate_limit_by_no_more_than_themselves(wrong_by):
    region = Region(3000)
    for one in range(3):
        region.watch(f"large-{one}", 6000)
        region.shard(f"large-{one}", wrong_by=wrong_by if one == 0 else 0.0)

    region.run(15)

    assert region.most_in_a_second() <= 3000 * (1 + abs(wrong_by)) + MOST_VIEWERS
    assert region.messages(2, 14) == pytest.approx(3000 * 12, abs=MOST_VIEWERS)


def test_unreserved_pushes_add_at_most_100_messages_per_invocation():
    region = Region(1000)
    region.watch("large", 8000)
    region.shard("large")
    for one in range(3):
        region.watch(f"small-{one}", FREE_MESSAGES)
        region.shard(f"small-{one}")

    region.run(12)

    small = sum(region.messages(2, 12, f"small-{one}") for one in range(3))
    assert 3 * FREE_MESSAGES * 9 <= small <= 3 * FREE_MESSAGES * 10
    assert region.most_in_a_second() <= 1000 + MOST_VIEWERS + 3 * FREE_MESSAGES
