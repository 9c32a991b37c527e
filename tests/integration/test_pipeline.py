"""The pipeline from the queue to the counters: a campaign shows exactly the events that SES
reported."""

import pytest
from support import moto_account, reference, ses
from support.handlers import aggregate

from chalicelib.errors import ConfigError
from chalicelib.live.permissions import Connection

VIEWER = Connection("viewer-1", "api-1/api", connected_at=0)
SPRING = "stats/email-campaign/spring"

A_CAMPAIGN = [
    ses.a_send("m-1"),
    ses.a_send("m-2", to=["bob@example.com", "cyd@example.com"]),
    ses.a_send("m-3"),
    ses.a_delivery("m-1"),
    ses.a_delivery("m-2", to=["bob@example.com", "cyd@example.com"]),
    ses.a_delay("m-3"),
    ses.a_bounce("m-3"),
    ses.a_bounce("m-3", kind="Transient", feedback="f-7"),
    ses.a_bounce("m-3", kind="Undetermined", feedback="f-8"),
    ses.a_complaint("m-1"),
    ses.a_reject("m-4"),
    ses.a_rendering_failure("m-5"),
    ses.a_subscription("m-1"),
    ses.a_subscription("m-2", opts_out=False),
    ses.an_open("m-1"),
    ses.an_open("m-1", at="2026-11-23T10:07:00.000Z"),
    ses.an_open("m-2"),
    ses.a_click("m-1"),
    ses.a_click("m-1", link="https://example.com/summer", at="2026-11-23T10:08:00.000Z"),
    ses.a_send("m-9", campaign="autumn"),
]


def counts(snapshot):
    return {name: count for name, count in snapshot["counts"].items() if count}


def test_counts_equal_a_naive_count_of_the_events(pipeline):
    pipeline.run(*A_CAMPAIGN)

    expected = reference.counts(A_CAMPAIGN)
    for campaign in ("spring", "autumn"):
        snapshot = pipeline.snapshot(VIEWER, f"stats/email-campaign/{campaign}")
        assert counts(snapshot) == expected[campaign]


def test_buckets_and_links_add_up_to_the_counts(pipeline):
    pipeline.run(*A_CAMPAIGN)

    snapshot = pipeline.snapshot(VIEWER, SPRING)

    for resolution in ("minute", "hour", "day"):
        buckets = snapshot["timeline"][resolution]
        for counter, count in counts(snapshot).items():
            assert sum(bucket.get(counter, 0) for bucket in buckets) == count
    assert sum(link["clicks"] for link in snapshot["links"]) == snapshot["counts"]["clicks"]


def test_duplicate_and_reordered_events_count_once(pipeline):
    pipeline.run(*A_CAMPAIGN[10:], *A_CAMPAIGN[5:])
    pipeline.run(*reversed(A_CAMPAIGN))

    snapshot = pipeline.snapshot(VIEWER, SPRING)

    assert counts(snapshot) == reference.counts(A_CAMPAIGN)["spring"]


def test_a_redelivered_batch_with_other_boundaries_counts_once(pipeline):
    pipeline.ingest(*A_CAMPAIGN)
    records = pipeline.stream(pipeline.config.events_table)

    for batch in (records[:5], records[:9], records[3:], records, records[-4:]):
        pipeline.aggregate(batch)

    snapshot = pipeline.snapshot(VIEWER, SPRING)
    assert counts(snapshot) == reference.counts(A_CAMPAIGN)["spring"]


def test_the_third_click_of_a_burst_reclassifies_all_its_clicks_as_bot(pipeline):
    def click(number):
        return ses.a_click(
            link=f"https://example.com/{number}", at=f"2026-11-23T10:06:0{number}.000Z"
        )

    pipeline.run(click(1), click(2))
    before = pipeline.snapshot(VIEWER, SPRING)["counts"]
    pipeline.run(click(3))
    after = pipeline.snapshot(VIEWER, SPRING)["counts"]

    assert (before["human_clicks"], before["machine_clicks"]) == (2, 0)
    assert (after["human_clicks"], after["machine_clicks"]) == (0, 3)
    assert (before["unique_human_clicks"], after["unique_human_clicks"]) == (1, 0)
    assert after["unique_clicks"] == 1


def test_only_a_message_settled_by_newer_rules_returns_to_the_queue(pipeline):
    pipeline.run(ses.an_open("m-1"))
    moto_account.client("dynamodb").update_item(
        TableName=pipeline.config.events_table,
        Key={"message_id": {"S": "m-1"}, "fact": {"S": "~state#spring"}},
        UpdateExpression="SET z = :newer",
        ExpressionAttributeValues={":newer": {"N": "99000001"}},
    )

    assert pipeline.ingest(ses.a_click("m-1"), ses.a_click("m-2")) == [{"itemIdentifier": "sqs-0"}]


def test_a_duplicate_does_not_undo_a_classification(pipeline):
    burst = [
        ses.a_click(link=f"https://example.com/{number}", at=f"2026-11-23T10:06:0{number}.000Z")
        for number in range(3)
    ]
    pipeline.run(*burst)
    pipeline.ingest(burst[0])

    assert pipeline.stream(pipeline.config.events_table) == []


def test_only_an_invalid_message_goes_to_the_dead_letter_queue_with_its_reason(pipeline):
    failures = pipeline.ingest(ses.a_send(), "Hello", ses.VALIDATION, ses.a_delivery())

    pipeline.aggregate()
    [dead] = pipeline.queue_messages(pipeline.config.dead_letter_queue_url)
    assert failures == []
    assert dead["Body"] == "Hello"
    assert dead["MessageAttributes"]["reason"]["StringValue"] == "bad_json"
    assert counts(pipeline.snapshot(VIEWER, SPRING)) == {"sends": 1, "deliveries": 1}


def test_only_a_message_that_cannot_be_dead_lettered_returns_to_the_queue(pipeline):
    moto_account.client("sqs").delete_queue(QueueUrl=pipeline.config.dead_letter_queue_url)

    assert pipeline.ingest(ses.a_send(), "Hello") == [{"itemIdentifier": "sqs-1"}]


def test_events_that_cannot_be_stored_return_to_the_queue(pipeline):
    moto_account.client("dynamodb").delete_table(TableName=pipeline.config.events_table)

    failures = pipeline.ingest(ses.a_send(), ses.an_open(), ses.VALIDATION)

    assert failures == [{"itemIdentifier": "sqs-0"}, {"itemIdentifier": "sqs-1"}]


ODD = {
    "e": {"S": "Click"},
    "c": {"S": "spring"},
    "t": {"S": "2026-11-23T10:00:00.000Z"},
    "m": {"S": "2026-11-23T10:00:00.000Z"},
}


@pytest.mark.parametrize(
    "odd",
    [
        {"e": {"S": "Send"}},
        {**ODD, "l": {"N": "7"}},
        {**ODD, "n": {"S": "many"}},
        {**ODD, "h": {"S": "h" * 1100}},
        {**ODD, "c": {"S": "c" * 257}},
        {**ODD, "t": {"S": "2026-13-23T10:00:00.000Z"}},
        {"fact": {"S": "~state#spring"}, "c": {"S": "spring"}},
        {"fact": {"S": "~state#"}, "c": {"S": "x" * 3000}, "z": {"N": "1"}, "ul": {"M": {}}},
    ],
)
def test_a_malformed_stream_record_is_counted_and_blocks_nothing(pipeline, odd):
    moto_account.client("dynamodb").put_item(
        TableName=pipeline.config.events_table,
        Item={"message_id": {"S": "m-0"}, "fact": {"S": "Send#?"}, **odd},
    )
    pipeline.run(ses.a_send())

    health = pipeline.snapshot(VIEWER, "stats/health")
    assert health["quarantined"] == 1
    assert counts(pipeline.snapshot(VIEWER, SPRING)) == {"sends": 1}


def test_unknown_types_and_untagged_events_are_visible(pipeline):
    pipeline.run(
        {"eventType": "Archived", "mail": ses.mail()},
        ses.a_send("m-2", campaign=None),
        ses.a_send("m-3"),
    )

    health = pipeline.snapshot(VIEWER, "stats/health")
    assert (health["unknown_types"], health["untagged"]) == (1, 1)
    assert health["last_event_at"] is not None


def test_deleting_expired_facts_changes_no_totals(pipeline):
    pipeline.run(*A_CAMPAIGN)
    dynamodb = moto_account.client("dynamodb")
    for item in dynamodb.scan(TableName=pipeline.config.events_table)["Items"]:
        dynamodb.delete_item(
            TableName=pipeline.config.events_table,
            Key={"message_id": item["message_id"], "fact": item["fact"]},
        )

    pipeline.aggregate()

    snapshot = pipeline.snapshot(VIEWER, SPRING)
    assert counts(snapshot) == reference.counts(A_CAMPAIGN)["spring"]
    assert pipeline.snapshot(VIEWER, "stats/health")["quarantined"] == 0


def test_subject_and_sender_come_from_the_earliest_email(pipeline):
    pipeline.run(ses.a_send("m-2", at="2026-11-23T11:00:00.000Z", subject="Later"))
    pipeline.run(ses.a_send("m-1", at="2026-11-23T10:00:00.000Z", subject="Earlier"))
    pipeline.run(ses.a_send("m-3", at="2026-11-23T12:00:00.000Z", subject="Latest"))

    campaign = pipeline.snapshot(VIEWER, SPRING)["campaign"]

    assert campaign["subject"] == "Earlier"
    assert campaign["first_event_at"] == "2026-11-23T10:00:00Z"
    assert campaign["last_event_at"] == "2026-11-23T12:00:00Z"


def test_a_batch_without_a_shard_id_is_refused(pipeline):
    pipeline.ingest(ses.a_send())
    records = pipeline.stream(pipeline.config.events_table)

    with pytest.raises(ConfigError, match="TumblingWindowInSeconds"):
        aggregate({"Records": records})

    assert aggregate({"Records": records, "shardId": "shard-1"}) == {"state": {}}
    assert aggregate({"Records": [], "shardId": "shard-1"}) == {"state": {}}
    assert counts(pipeline.snapshot(VIEWER, SPRING)) == {"sends": 1}


def test_checkpoints_of_closed_shards_are_removed(pipeline):
    def lanes():
        [item] = [
            item
            for item in moto_account.client("dynamodb").scan(TableName=pipeline.config.stats_table)[
                "Items"
            ]
            if item["part"]["S"] == "summary"
        ]
        return [name for name, value in item.items() if "B" in value]

    pipeline.ingest(ses.a_send("m-1"))
    old = pipeline.stream(pipeline.config.events_table)
    for record in old:
        record["dynamodb"]["ApproximateCreationDateTime"] -= 26 * 3600
    aggregate({"Records": old, "shardId": "ended"})
    pipeline.ingest(ses.a_send("m-2"))
    new = pipeline.stream(pipeline.config.events_table)

    aggregate({"Records": new, "shardId": "young"})

    assert len(lanes()) == 1
    assert counts(pipeline.snapshot(VIEWER, SPRING)) == {"sends": 2}
