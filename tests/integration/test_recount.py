"""A recount corrects wrong counters and nothing else, despite concurrent changes."""

import time
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError
from msgspec.structs import asdict, replace
from support import moto_account, reference, ses
from support.previous import PreviousRelease

from chalicelib.errors import AwsError, CommandError
from chalicelib.facts.rules import RULES_VERSION
from chalicelib.live.permissions import Connection
from chalicelib.recipients.table import PARTITION
from dashboard.commands.recount import recount
from dashboard.progress import Reporter
from dashboard.recount import pausing
from dashboard.recount.pausing import ingest_paused

SPRING = "spring"
VIEWER = Connection("viewer-1", "api-1/api", connected_at=0)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    monkeypatch.setattr(pausing, "_LOOK_EVERY_SECONDS", 0.01)


@pytest.fixture
def counts(pipeline):
    def counts(part="summary"):
        return next(
            (
                dict(one.counts)
                for one in pipeline.parts.stats_table.aggregates(SPRING)
                if one.part == part
            ),
            None,
        )

    return counts


def change(pipeline, part="summary", **values):
    """Corrupt a summary."""
    names = {f"#{name}": name for name in values}
    moto_account.client("dynamodb").update_item(
        TableName=pipeline.config.stats_table,
        Key={"campaign": {"S": SPRING}, "part": {"S": part}},
        UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values),
        ExpressionAttributeNames=names,
        ExpressionAttributeValues={f":{name}": value for name, value in values.items()},
    )


def facts(pipeline):
    return moto_account.client("dynamodb").scan(TableName=pipeline.config.events_table)["Items"]


def recipient_pages(pipeline):
    items = moto_account.client("dynamodb").scan(TableName=pipeline.config.stats_table)["Items"]
    return [item for item in items if item["campaign"]["S"].startswith(PARTITION)]


def delete(pipeline, kind):
    """Delete the facts of a type, as if they had expired."""
    for item in facts(pipeline):
        if item.get("e", {}).get("S") == kind:
            moto_account.client("dynamodb").delete_item(
                TableName=pipeline.config.events_table,
                Key={name: item[name] for name in ("message_id", "fact")},
            )
    pipeline.aggregate()


def while_reading(installation, monkeypatch, happen):
    """Call a function after the facts were read."""
    table = installation.events_table
    real = table.scan

    def scan(campaign=None):
        yield from real(campaign)
        happen()

    monkeypatch.setattr(table, "scan", scan)


def test_a_wrong_counter_is_found_and_corrected(pipeline, installation, mappings, counts):
    pipeline.run(ses.a_send("m-1"), ses.a_bounce("m-1"))
    change(pipeline, s={"N": "8"})
    change(pipeline, "bounce#Permanent#General", hb={"N": "3"})

    found = recount(installation, SPRING, Reporter()).differences
    assert {(one.part, one.name, one.counted, one.stored) for one in found} == {
        ("summary", "sends", 8, 1),
        ("bounce#Permanent#General", "hard_bounces", 3, 1),
    }
    assert recount(installation, SPRING, Reporter(), applies=True).restated == 2

    assert counts() == {"sends": 1, "hard_bounces": 1}
    assert recount(installation, None, Reporter()).differences == []
    assert mappings.state == "Enabled"


def test_a_recount_keeps_notes_and_counts_nothing_from_them(pipeline, installation, mappings):
    pipeline.run(ses.a_send("m-1"))
    note = {"at": "2026-11-23T10:00:00Z", "text": "Reminder sent"}
    topic = f"stats/email-campaign/{SPRING}"
    [answer] = pipeline.ask(VIEWER, action="addNote", id=topic, **note)
    change(pipeline, s={"N": "8"})

    outcome = recount(installation, SPRING, Reporter(), applies=True)

    assert [one.part for one in outcome.differences] == ["summary"]
    assert pipeline.snapshot(VIEWER, topic)["notes"] == answer["notes"]


def test_tags_that_an_earlier_release_has_not_kept_are_found_and_restated(
    pipeline, installation, mappings
):
    pipeline.run(ses.a_send("m-1", variant="b"), ses.a_send("m-2", variant="a"))
    moto_account.client("dynamodb").update_item(
        TableName=pipeline.config.stats_table,
        Key={"campaign": {"S": SPRING}, "part": {"S": "summary"}},
        UpdateExpression="REMOVE tags",
    )

    [found] = recount(installation, SPRING, Reporter()).differences
    assert (found.name, found.counted, found.stored) == ("tags", None, "variant=a, variant=b")
    assert recount(installation, SPRING, Reporter(), applies=True).restated == 1

    assert pipeline.parts.stats_table.summary(SPRING).tags == ("variant=a", "variant=b")
    assert recount(installation, None, Reporter()).differences == []


def test_tags_that_no_stored_email_has_are_removed(pipeline, installation, mappings):
    pipeline.run(ses.a_send("m-1"))
    change(pipeline, tags={"SS": ["variant=x"]})

    assert recount(installation, SPRING, Reporter(), applies=True).restated == 1

    assert pipeline.parts.stats_table.summary(SPRING).tags == ()


@pytest.mark.parametrize("applies", [True, False])
def test_an_event_that_is_counted_meanwhile_stops_the_recount(
    pipeline, installation, counts, monkeypatch, applies
):
    pipeline.run(ses.a_send("m-1"))
    change(pipeline, s={"N": "8"})

    def leak():
        pipeline.ingest(ses.a_send("m-2"))
        pipeline.aggregate()

    while_reading(installation, monkeypatch, leak)

    with pytest.raises(CommandError, match="run `recount` again"):
        recount(installation, SPRING, Reporter(), applies=applies)
    assert counts() == {"sends": 9}


def test_a_second_recount_stops_the_first_and_keeps_ingest_paused(
    pipeline, installation, mappings, counts, monkeypatch
):
    pipeline.run(ses.a_send("m-1"))
    change(pipeline, s={"N": "8"})
    second = ingest_paused(installation, Reporter())
    while_reading(installation, monkeypatch, second.__enter__)

    with pytest.raises(CommandError, match="run `recount` again on its own"):
        recount(installation, SPRING, Reporter(), applies=True)
    assert mappings.state == "Disabled"
    assert counts() == {"sends": 8}

    second.__exit__(None, None, None)
    assert mappings.state == "Enabled"
    assert pipeline.parts.stats_table.pipeline.health().paused_at is None


def test_a_recount_stops_if_ingest_is_enabled_meanwhile(
    pipeline, installation, mappings, counts, monkeypatch
):
    pipeline.run(ses.a_send("m-1"))
    change(pipeline, s={"N": "8"})
    while_reading(installation, monkeypatch, lambda: setattr(mappings, "state", "Enabled"))

    with pytest.raises(CommandError, match="run `recount` again on its own"):
        recount(installation, SPRING, Reporter(), applies=True)
    assert counts() == {"sends": 8}


def test_a_failure_to_resume_ingest_is_reported(pipeline, installation, mappings, monkeypatch):
    pipeline.run(ses.a_send("m-1"))
    switch = mappings.update_event_source_mapping

    def refuse(*, UUID, Enabled):
        if Enabled:
            raise ClientError({"Error": {"Code": "ResourceInUseException"}}, "Update")
        switch(UUID=UUID, Enabled=Enabled)

    monkeypatch.setattr(mappings, "update_event_source_mapping", refuse)

    with pytest.raises(AwsError, match="ResourceInUse"):
        recount(installation, SPRING, Reporter())
    assert pipeline.parts.stats_table.pipeline.health().paused_at is not None

    monkeypatch.undo()
    recount(installation, SPRING, Reporter())
    assert mappings.state == "Enabled"
    assert pipeline.parts.stats_table.pipeline.health().paused_at is None


def expiring(pipeline, seconds=-86_400):
    change(pipeline, facts_until={"S": str(int(time.time()) + seconds).zfill(12)})


def test_facts_that_expire_during_a_recount_correct_no_counter(
    pipeline, installation, counts, monkeypatch
):
    pipeline.run(ses.a_send("m-1"), ses.a_bounce("m-1"))
    expiring(pipeline, seconds=1)
    delete(pipeline, "Bounce")
    while_reading(installation, monkeypatch, lambda: time.sleep(1.5))

    outcome = recount(installation, None, Reporter(), applies=True)

    assert (outcome.expiring, outcome.restated) == ([SPRING], 0)
    assert counts() == {"sends": 1, "hard_bounces": 1}


def test_messages_with_expired_facts_are_not_reclassified(pipeline, installation, monkeypatch):
    pipeline.run(ses.a_click("m-1"), ses.an_open("m-1"))
    delete(pipeline, "Click")
    expiring(pipeline)
    before = facts(pipeline)
    monkeypatch.setattr("chalicelib.facts.settle.RULES_VERSION", 99)

    outcome = recount(installation, None, Reporter(), reclassify=True)

    assert outcome.expiring == [SPRING]
    assert facts(pipeline) == before


def test_a_malformed_item_does_not_block_reclassifying_other_messages(
    pipeline, installation, monkeypatch
):
    pipeline.run(ses.an_open("m-1"), ses.an_open("m-2"))
    odd = {"message_id": {"S": "m-1"}, "fact": {"S": "odd"}, "e": {"S": "Open"}, "c": {"S": SPRING}}
    moto_account.client("dynamodb").put_item(TableName=pipeline.config.events_table, Item=odd)
    pipeline.aggregate()
    monkeypatch.setattr("chalicelib.facts.settle.RULES_VERSION", 99)
    monkeypatch.setattr(
        "dashboard.commands.recount.wait_until_counted", lambda *_: pipeline.aggregate()
    )

    outcome = recount(installation, SPRING, Reporter(), reclassify=True)

    settled = {
        item["message_id"]["S"]
        for item in facts(pipeline)
        if item.get("z", {}).get("N") == "99000000"
    }
    assert settled == {"m-2"}
    assert outcome.not_understood == 1


def test_corrected_evidence_has_the_emails_of_its_network_settled_again(
    pipeline, installation, monkeypatch
):
    monkeypatch.setattr(
        "dashboard.commands.recount.wait_until_counted", lambda *_: pipeline.aggregate()
    )
    address = "203.0.113.9"
    pipeline.run(
        ses.an_open("m-0", at="2026-11-23T10:03:00.000Z", address=address),
        ses.a_click("m-1", at="2026-11-23T10:00:30.000Z", address=address),
    )

    def engager():
        [fact] = pipeline.parts.events_table.message("m-0")[SPRING].facts
        return fact.engager

    outcome = recount(installation, SPRING, Reporter(), reclassify=True)
    assert (outcome.differences, engager()) == ([], "machine")
    [network] = pipeline.parts.events_table.message("m-1")[SPRING].state.networks
    change(pipeline, f"network#{RULES_VERSION}#{network}", nb={"N": "0"})
    recount(installation, SPRING, Reporter(), reclassify=True)
    assert engager() == "human", "as the wrong evidence says"

    assert recount(installation, SPRING, Reporter(), applies=True).restated == 1
    [job] = pipeline.queue_messages(pipeline.config.queue_url)
    assert pipeline.ingest(job["Body"]) == []
    assert engager() == "machine"


def test_emails_of_an_earlier_release_count_by_age_and_device_after_reclassifying(
    pipeline, installation, monkeypatch, counts
):
    monkeypatch.setattr(
        "dashboard.commands.recount.wait_until_counted", lambda *_: pipeline.aggregate()
    )
    pipeline.run(ses.an_open("m-1", at="2026-11-23T10:07:00.000Z"))
    moto_account.client("dynamodb").update_item(
        TableName=pipeline.config.events_table,
        Key={"message_id": {"S": "m-1"}, "fact": {"S": f"~state#{SPRING}"}},
        UpdateExpression="REMOVE m, ow",
    )
    pipeline.aggregate()
    assert counts("ages") == {}
    assert recount(installation, SPRING, Reporter()).differences == []

    recount(installation, SPRING, Reporter(), applies=True, reclassify=True)

    assert counts("ages") == {"unique_human_opens_by_age_6": 1, "unique_human_opens@dch": 1}


def test_variants_that_are_wrong_or_were_never_counted_are_found_and_restated(
    pipeline, installation, mappings, counts
):
    pipeline.run(*(ses.a_send(f"m-{variant}", variant=variant) for variant in "abc"))
    table = pipeline.config.stats_table
    change(pipeline, "variant#variant=a", s={"N": "3"})
    for part in ("variant#variant=b", "variant#variant=c"):
        key = {"campaign": {"S": SPRING}, "part": {"S": part}}
        moto_account.client("dynamodb").delete_item(TableName=table, Key=key)

    found = recount(installation, SPRING, Reporter()).differences
    assert [(one.part[-1], one.counted, one.stored) for one in found] == [
        ("a", 3, 1),
        ("b", 0, 1),
        ("c", 0, 1),
    ]
    assert recount(installation, SPRING, Reporter(), applies=True).restated == 3

    assert counts("variant#variant=b") == {"sends": 1}
    assert recount(installation, None, Reporter()).differences == []
    pipeline.run(ses.a_delivery("m-b", variant="b"))
    assert counts("variant#variant=b") == {"sends": 1, "deliveries": 1}


def test_emails_of_an_earlier_release_are_unique_in_variants_after_reclassifying(
    pipeline, installation, monkeypatch, counts
):
    monkeypatch.setattr(
        "dashboard.commands.recount.wait_until_counted", lambda *_: pipeline.aggregate()
    )
    pipeline.run(ses.an_open("m-1", at="2026-11-23T10:07:00.000Z", variant="a"))
    moto_account.client("dynamodb").update_item(
        TableName=pipeline.config.events_table,
        Key={"message_id": {"S": "m-1"}, "fact": {"S": f"~state#{SPRING}"}},
        UpdateExpression="REMOVE v",
    )
    pipeline.aggregate()
    assert counts("variant#variant=a") == {"opens": 1, "human_opens": 1}
    assert recount(installation, SPRING, Reporter()).differences == []

    recount(installation, SPRING, Reporter(), applies=True, reclassify=True)

    assert counts("variant#variant=a") == {
        "opens": 1,
        "human_opens": 1,
        "unique_opens": 1,
        "unique_human_opens": 1,
        "readers": 1,
        "unique_engaged": 1,
    }


def test_a_negative_counter_is_a_difference(pipeline, installation, counts):
    pipeline.run(ses.a_send("m-1"))
    change(pipeline, "hour#2026-11-23T10", uo={"N": "-1"})
    assert pipeline.snapshot(VIEWER, f"stats/email-campaign/{SPRING}")["timeline"]["hour"][0] == {
        "at": "2026-11-23T10:00:00Z",
        "version": 1,
        "sends": 1,
    }

    recount(installation, SPRING, Reporter(), applies=True)
    pipeline.run(ses.an_open("m-1", at="2026-11-23T10:30:00.000Z"))

    assert counts("hour#2026-11-23T10")["unique_opens"] == 1


def test_a_recreated_counter_item_does_not_count_redelivered_records(
    pipeline, installation, counts
):
    pipeline.now = time.time()  # recount's clock; the checkpoint of a shard expires
    pipeline.ingest(ses.a_send("m-1"))
    records = pipeline.aggregate()
    moto_account.client("dynamodb").delete_item(
        TableName=pipeline.config.stats_table,
        Key={"campaign": {"S": SPRING}, "part": {"S": "hour#2026-11-23T10"}},
    )

    recount(installation, SPRING, Reporter(), applies=True)
    pipeline.parts.stats_table._hints.clear()
    pipeline.aggregate(records)

    assert counts("hour#2026-11-23T10") == {"sends": 1}


def test_counters_without_facts_are_removed(pipeline, installation):
    pipeline.run(ses.a_send("m-1"), ses.a_bounce("m-1"))
    change(pipeline, subject={"S": "wrong"}, last_event_at={"S": "2027-01-01T00:00:00.000Z"})
    delete(pipeline, "Send")
    delete(pipeline, "Bounce")

    assert recount(installation, SPRING, Reporter(), applies=True).differences
    assert recount(installation, SPRING, Reporter()).differences == []
    assert pipeline.parts.stats_table.summary(SPRING).subject is None


def test_times_stored_in_milliseconds_agree_with_the_facts(pipeline, installation):
    pipeline.run(ses.a_send("m-1", at="2026-11-23T10:00:00.500Z"))
    exactly = {"S": "2026-11-23T10:00:00.500Z"}
    change(pipeline, first_event_at=exactly, last_event_at=exactly)

    assert recount(installation, SPRING, Reporter()).differences == []


@pytest.fixture
def by_previous_release(pipeline):
    """Return a function by which the previous release stores and counts events."""
    stage = SimpleNamespace(
        config=pipeline.config,
        dynamo=pipeline.parts.dynamo,
        now=pipeline.now,
        run_interleaved=pipeline.parts.run,
    )
    process = PreviousRelease().new_process(stage)

    def store_and_count(*events):
        process.ingest.batch(ses.in_sqs_event(*map(ses.raw, events))["Records"])
        records = pipeline.stream(pipeline.config.events_table)
        process.count.batch(records, shard=pipeline.shard(pipeline.config.events_table))

    return store_and_count


def campaign_of(pipeline):
    return pipeline.snapshot(VIEWER, f"stats/email-campaign/{SPRING}")


OLD = [
    ses.a_send("m-1"),
    ses.a_delivery("m-2"),
    ses.an_open("m-2", agent=ses.APPLE_MAIL_PRIVACY),
    ses.a_bounce("m-1", subtype="OnAccountSuppressionList"),
    ses.a_click("m-3", link="https://example.com/unsubscribe/tok1"),
    ses.a_click("m-4", link="https://example.com/unsubscribe/tok2"),
]


def test_a_campaign_of_an_earlier_release_shows_its_figures_as_such(pipeline, by_previous_release):
    by_previous_release(*OLD)

    shown = campaign_of(pipeline)

    assert shown["campaign"]["recount_needed"]
    assert shown["counts"]["hard_bounces"] == 1  # by the definition of that release
    assert shown["counts"]["prevented"] is shown["counts"]["readers"] is None
    assert shown["rates"]["read"] is shown["rates"]["read_observable"] is None
    assert {link["url"] for link in shown["links"]} == {"https://example.com/unsubscribe/*"}


def test_a_recount_without_apply_names_the_campaigns_of_earlier_releases(
    pipeline, installation, by_previous_release
):
    by_previous_release(*OLD)

    outcome = recount(installation, SPRING, Reporter())

    assert (outcome.outdated, outcome.differences) == ([SPRING], [])
    assert campaign_of(pipeline)["campaign"]["recount_needed"]


def test_a_recount_counts_facts_of_an_earlier_release_by_the_current_definitions(
    pipeline, installation, counts, monkeypatch, by_previous_release
):
    by_previous_release(*OLD)
    monkeypatch.setattr(
        "dashboard.commands.recount.wait_until_counted", lambda *_: pipeline.aggregate()
    )

    outcome = recount(installation, None, Reporter(), applies=True)

    assert (outcome.outdated, outcome.differences) == ([], [])
    assert counts() == reference.stats(OLD)[SPRING]["summary"]
    shown = campaign_of(pipeline)
    assert not shown["campaign"]["recount_needed"]
    [link] = shown["links"]
    assert (link["kind"], link["unique_human_clicks"]) == ("unsubscribe", 2)
    assert recount(installation, SPRING, Reporter()).differences == []


def test_a_recount_adds_the_recipients_that_an_earlier_release_stored(
    pipeline, installation, monkeypatch, by_previous_release
):
    by_previous_release(*OLD)
    sends = [one for one in OLD if one["eventType"] == "Send"]
    assert installation.recipients.sent(SPRING) == {}
    monkeypatch.setattr(
        "dashboard.commands.recount.wait_until_counted", lambda *_: pipeline.aggregate()
    )

    # As if the facts had been stored five days ago.
    monkeypatch.setattr(
        installation.recipients, "_retention", installation.recipients._retention + 5 * 86_400
    )
    recount(installation, SPRING, Reporter(), applies=True)

    listed = installation.recipients.sent(SPRING)
    assert len(listed) == len(sends) > 0
    kinds = {item.get("e", {}).get("S"): item["expires"]["N"] for item in facts(pipeline)}
    assert {item["expires"]["N"] for item in recipient_pages(pipeline)} == {kinds["Send"]}
    recount(installation, SPRING, Reporter(), applies=True)
    assert installation.recipients.sent(SPRING) == listed


def test_the_result_of_a_recount_is_stored(pipeline, installation, mappings):
    pipeline.run(ses.a_send("m-1"), ses.a_bounce("m-1"))
    assert pipeline.parts.stats_table.pipeline.proofs() == []

    outcome = recount(installation, None, Reporter())

    [proof] = pipeline.parts.stats_table.pipeline.proofs()
    assert (proof.of, proof.campaigns, proof.facts) == (None, 1, 3)
    assert proof.counters == outcome.counters > 0
    assert (proof.differences, proof.drift, proof.restated, proof.applied) == (0, 0, 0, False)
    assert proof.is_clean
    assert proof.started == pipeline.parts.stats_table.pipeline.health().recounted_at
    assert proof.started < proof.at


def test_the_stored_result_has_the_drift_and_whether_it_was_corrected(
    pipeline, installation, mappings
):
    pipeline.run(ses.a_send("m-1"))
    change(pipeline, s={"N": "8"}, d={"N": "2"})

    recount(installation, None, Reporter())
    [found] = pipeline.parts.stats_table.pipeline.proofs()
    recount(installation, None, Reporter(), applies=True)
    [corrected] = pipeline.parts.stats_table.pipeline.proofs()

    assert (found.differences, found.drift, found.restated) == (2, 9, 0)
    assert not found.is_clean
    assert (corrected.differences, corrected.drift, corrected.restated) == (2, 9, 1)
    assert corrected.is_clean


def test_a_recount_of_one_campaign_does_not_replace_the_result_of_all(
    pipeline, installation, mappings
):
    pipeline.run(ses.a_send("m-1"), ses.a_send("m-2", campaign="summer"))
    recount(installation, None, Reporter())
    recount(installation, "summer", Reporter())

    proofs = pipeline.parts.stats_table.pipeline.proofs()

    assert [(one.of, one.campaigns) for one in proofs] == [("summer", 1), (None, 2)]


def test_an_interrupted_recount_leaves_the_earlier_result(
    pipeline, installation, mappings, monkeypatch
):
    pipeline.run(ses.a_send("m-1"))
    recount(installation, None, Reporter())
    before = pipeline.parts.stats_table.pipeline.proofs()

    def interrupt():
        raise KeyboardInterrupt

    while_reading(installation, monkeypatch, interrupt)
    with pytest.raises(KeyboardInterrupt):
        recount(installation, None, Reporter())

    assert pipeline.parts.stats_table.pipeline.proofs() == before
    assert mappings.state == "Enabled"


def test_an_earlier_result_does_not_replace_a_later_one(pipeline, installation, mappings):
    recount(installation, None, Reporter())
    [proof] = pipeline.parts.stats_table.pipeline.proofs()

    pipeline.parts.stats_table.pipeline.put_proof(
        replace(proof, at="2026-01-01T00:00:00.000Z", facts=9)
    )

    assert pipeline.parts.stats_table.pipeline.proofs() == [proof]


def test_a_stored_result_is_pushed_to_viewers_of_the_pipeline(pipeline, installation, mappings):
    pipeline.ask(VIEWER, action="subscribe", id="stats/health")
    pipeline.publish()
    pipeline.connections.sent.clear()

    recount(installation, None, Reporter())
    pipeline.publish()

    [proof] = pipeline.parts.stats_table.pipeline.proofs()
    assert pipeline.connections.sent[VIEWER.id][-1]["changes"]["recounts"] == [asdict(proof)]
