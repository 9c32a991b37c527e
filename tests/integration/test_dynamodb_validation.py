"""Every DynamoDB request of the code passes the validation of dynalite, an independent engine.

moto, the local emulator and the in-memory DynamoDB of the laws accept some requests that DynamoDB
rejects. dynalite implements DynamoDB's validation, but not transactions, TTL and
ReturnValuesOnConditionCheckFailure. Only the following is replaced or omitted
(support/dynalite.py): the writes of a transaction are sent one by one, tables have no TTL, and the
parameter is removed. dynalite does not limit the length of an expression to 4 KB; the in-memory
DynamoDB does.

All requests of a run are sent in order, to tables that are empty at its start, because some
validation errors depend on the stored item.
"""

import time
from datetime import UTC, datetime

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from laws.test_poison import ODD
from support import handlers, moto_account, ses
from support.chaos import chaos
from support.dynalite import TABLES, running
from support.generate import events
from support.memory import MemoryDynamo
from support.recording import recorded, unsent
from support.tokens import signed
from support.world import World
from test_policies import SPRING, ask, calls, everything, request, subscribed  # noqa: F401 - a fixture

from chalicelib.auth.share_links import Shares
from chalicelib.aws import client
from chalicelib.facts.forgotten import spellings
from chalicelib.live.permissions import Connection
from chalicelib.stats.directory import bucket_of, bucket_part
from chalicelib.stats.health import Findings
from chalicelib.stats.jobs import Job, job_to_body
from chalicelib.stats.pace_item import PaceNow
from chalicelib.stats.table import StatsTable
from dashboard.aws_session import Service
from dashboard.commands.recount import recount
from dashboard.deploy.resume import end_pause
from dashboard.forget.erasure import Erasure
from dashboard.progress import Reporter
from dashboard.recount import pausing

VIEWER = Connection("viewer-2", "api-1/test", connected_at=0)
LIST, HEALTH = "stats/email-campaigns", "stats/health"


@pytest.fixture(scope="module")
def dynalite():
    with pytest.MonkeyPatch.context() as patch, running() as dynalite:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        # Its messages quote the request, as required here.
        patch.setattr(client, "_QUOTABLE", {*client._QUOTABLE, "ValidationException"})
        yield dynalite


@pytest.fixture
def sent(pipeline, calls, installation, monkeypatch):  # noqa: F811 - the fixture of test_policies
    """Return the requests of all functions and commands, recorded on moto."""
    with recorded() as requests:
        everything(pipeline, calls, monkeypatch)
        request_lists(pipeline)
        calls(renew)
        calls(lambda: share(pipeline))
        settle_network(pipeline, monkeypatch)
        forget(pipeline, installation)
        run_recounts(pipeline, installation, monkeypatch)
        update_directory(pipeline, monkeypatch)
        compute_pace(pipeline)
        remark(pipeline)
        wait_for_results(pipeline)
    return requests


def remark(pipeline):
    """Mark a campaign as a test until watch has repeated that, and write two notes."""
    pipeline.ask(VIEWER, action="setAlarms", id=SPRING, test=True)
    pipeline.now += 1000
    handlers.watch({})
    for text in ("Reminder sent", "Second reminder sent"):
        pipeline.ask(VIEWER, action="addNote", id=SPRING, at="2026-11-23T10:00:00Z", text=text)


def wait_for_results(pipeline):
    """Store that a campaign waits for its results, and that it waits no longer."""
    for awaited in (True, False):
        pipeline.parts.stats_table.watch_logs.await_results(
            "spring", "2026-11-23T10:00:00.000Z", awaited=awaited
        )


def settle_network(pipeline, monkeypatch):
    """Settle the emails of a network page by page; a class has no rank, as 0.1.0 stored it."""
    clicks = [ses.a_click(f"m-{number}", address="203.0.113.9") for number in (10, 11)]
    pipeline.run(*clicks)
    [fact] = pipeline.parts.events_table.message("m-10")["spring"].facts
    moto_account.client("dynamodb").update_item(
        TableName=pipeline.config.events_table,
        Key={"message_id": {"S": "m-10"}, "fact": {"S": fact.key}},
        UpdateExpression="REMOVE z",
    )
    with monkeypatch.context() as patch:
        patch.setattr("chalicelib.functions.ingest._PAGE", 1)
        assert pipeline.ingest(job_to_body(Job("spring", fact.network))) == []
    pipeline.aggregate()


def compute_pace(pipeline):
    """Compute the pace of a campaign in the hour after its first event."""
    pipeline.run(ses.a_send("m-40", campaign="paced"))
    summary = pipeline.parts.stats_table.summary("paced")
    at = datetime(2026, 11, 23, 10, 30, tzinfo=UTC)
    pipeline.parts.paces.update(summary, at)
    pipeline.parts.paces.update_directory(at)
    [entry] = [one for one in pipeline.parts.directory.entries() or () if one.campaign == "paced"]
    assert entry.pace == pipeline.parts.stats_table.summary("paced").pace == PaceNow(1)


def forget(pipeline, installation):
    """Forget two recipients: one with all kinds of items, and the only one of a campaign."""
    only = {"campaign": "only", "subject": "Eve, your offer"}
    pipeline.run(
        ses.a_send("m-5", to=["eve@example.com"], **only),
        ses.a_send("m-6", to=["Ada@example.com"], subject="Ada, your offer"),
        ses.a_send("m-7", to=["ada@example.com", "bob@example.com"]),
    )
    moto_account.client("dynamodb").update_item(  # as release 0.1.0 stored it
        TableName=pipeline.config.stats_table,
        Key={"campaign": {"S": "only"}, "part": {"S": "summary"}},
        UpdateExpression="SET sender = :sender REMOVE v2",
        ExpressionAttributeValues={":sender": {"S": "bounces+ada=example.com@shop.example"}},
    )
    for address in ("ada@example.com", "eve@example.com"):
        Erasure(installation, spellings(address), Reporter(), wait_seconds=0).run()
    pipeline.aggregate()


def request_lists(pipeline):
    """Request every list, with each filter and page by page."""
    pipeline.run(ses.a_send("m-2", campaign="autumn"), ses.a_bounce("m-4"), ses.an_open("m-3"))
    for variant in ("a", "b"):  # the first tag of a campaign, and a further one
        pipeline.run(ses.a_send(f"m-{variant}", variant=variant))
    for limits in (
        {"limit": 1},
        {"type": "Open"},
        {"engager": "human"},
        {"link": "https://example.com/1"},
        {"type": "Bounce", "bounceType": "Permanent"},
    ):
        follow(pipeline, action="listActivity", id=SPRING, **limits)
    follow(pipeline, action="listCampaigns", limit=1)
    for message_id in ("m-6", "m-7"):  # a page of recipients each
        pipeline.run(ses.a_send(message_id))
    follow(pipeline, action="listRecipients", id=SPRING)
    pipeline.ask(VIEWER, action="searchCampaigns", query="spring")
    for topic in (SPRING, LIST, HEALTH):
        pipeline.ask(VIEWER, action="get", id=topic)


def follow(pipeline, **asked):
    """Request all pages of a list by their cursors."""
    [page] = pipeline.ask(VIEWER, **asked)
    while "cursor" in page:
        [page] = pipeline.ask(VIEWER, **asked, cursor=page["cursor"])
    assert "error" not in page, page


def renew():
    """Change the level and the token of a connection that has subscriptions."""
    subscribed("viewer-1")
    ask(action="attend", level="visible")
    ask(action="authenticate", token=signed())


def share(pipeline):
    """Share a campaign, connect and subscribe by the link, and revoke it."""
    sharing = pipeline.running.sharing
    sharing.make("autumn", int(time.time()) + 60)
    link, token = sharing.make("spring", int(time.time()) + 60)
    assert handlers.connect(request(None, "guest", f"share.{token}"))["statusCode"] == 200
    subscribed("guest")
    assert link in list(pipeline.running.shares.all())
    assert sharing.revoke(link.id)
    ask(action="createShare", id="stats/email-campaign/spring")
    [link] = pipeline.running.shares.of("spring")
    ask(action="revokeShare", share=link.id)
    assert pipeline.running.shares.of("spring") == []


def run_recounts(pipeline, installation, monkeypatch):
    """Recount with each option, where counters are wrong or missing, and end a pause."""
    monkeypatch.setattr(pausing, "_LOOK_EVERY_SECONDS", 0.01)
    monkeypatch.setattr(
        "dashboard.commands.recount.wait_until_counted", lambda *_: pipeline.aggregate()
    )
    table = moto_account.client("dynamodb")
    of_spring = {"TableName": pipeline.config.stats_table, "Key": {"campaign": {"S": "spring"}}}
    for part in ("summary", "minute#2026-11-23T10:09"):
        of_spring["Key"]["part"] = {"S": part}
        wrong = {"UpdateExpression": "SET s = :s", "ExpressionAttributeValues": {":s": {"N": "8"}}}
        table.update_item(**of_spring, **wrong)
    of_spring["Key"]["part"] = {"S": "hour#2026-11-23T10"}
    table.delete_item(**of_spring)
    monkeypatch.setattr("chalicelib.facts.settle.RULES_VERSION", 99)

    assert recount(installation, "spring", Reporter()).differences
    assert recount(installation, None, Reporter(), applies=True, reclassify=True).restated

    stats_table = pipeline.parts.stats_table
    stats_table.pipeline.pause("2026-11-23T11:00:00.000Z")
    end_pause(Service("dynamodb", installation.clients), pipeline.config.stats_table, Reporter())
    stats_table.pipeline.put_findings(Findings("2026-11-23T11:00:00Z"))
    stats_table.pipeline.put_findings(
        Findings("2026-11-23T11:01:00Z", 1, 2, 3, 4, ("spring",), ("spring",))
    )


def update_directory(pipeline, monkeypatch):
    """Build the directory of campaigns for each reason, and update and read its entries."""
    stored = moto_account.client("dynamodb")
    of_stats = {"TableName": pipeline.config.stats_table}

    def count_and_check(*change):
        pipeline.run(ses.a_send(f"m-{pipeline.now}", campaign="autumn"))
        for part, update in change:
            key = {"campaign": {"S": part[0]}, "part": {"S": part[1]}}
            stored.update_item(**of_stats, Key=key, **update)
        handlers.watch({})
        pipeline.now += 1000

    with monkeypatch.context() as few:
        few.setattr("chalicelib.stats.positions.MOST_NOTED", 0)
        pipeline.run(ses.a_send("m-5"))
        count_and_check()
    [position] = pipeline.parts.stats_table.pipeline.get().positions
    unnoted = {"UpdateExpression": "REMOVE noted"}
    count_and_check(((" pipeline", position.part), unnoted))
    pipeline.ask(VIEWER, action="searchCampaigns", query="spring")
    old = {
        "UpdateExpression": "SET #format = :old",
        "ExpressionAttributeNames": {"#format": "format"},
        "ExpressionAttributeValues": {":old": {"S": "0"}},
    }
    count_and_check(((" directory", bucket_part(bucket_of("autumn"))), old))
    for _ in range(2):
        count_and_check()


def refusals(dynalite, requests):
    found = ((one, dynalite.refusal(one.operation, one.parameters)) for one in requests)
    return [f"{error}: {one.parameters}" for one, error in found if error is not None]


def test_each_request_of_functions_and_commands_is_valid(dynalite, sent, pipeline):
    config = pipeline.config
    names = {
        config.events_table: "EventsTable",
        config.stats_table: "StatsTable",
        config.subscriptions_table: "SubscriptionsTable",
    }

    assert unsent(sent) == [], "a call or an expression that no request of this test contains"
    with dynalite.tables(names):
        assert refusals(dynalite, sent) == []


# Not shrunk: the message has the rejected request, and each example takes many requests.
@settings(
    max_examples=settings.default.max_examples // 2,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(events, st.integers(0, 2**32), st.sampled_from([*ODD.values()]))
def test_requests_stay_valid_under_any_faults_and_interleaving(dynalite, happened, seed, odd):
    with recorded() as requests:
        world = World()
        world.arrive(odd, *happened)
        viewer = world.subscribe(SPRING, LIST)
        viewer.refuses = seed % 8
        chaos(world, seed)
        viewer.refuses = 0
        viewer.ask("attend", level="hidden")
        viewer.ask("ping")
        viewer.ask("unsubscribe", id=SPRING)

    with dynalite.tables({name: name for name in TABLES}):
        assert refusals(dynalite, requests) == []


KEY = {"campaign": {"S": "spring"}, "part": {"S": "summary"}}
PUTS = [{"PutRequest": {"Item": {**KEY, "part": {"S": f"link#{number}"}}}} for number in range(26)]
ONE = {":one": {"N": "1"}}
SPRING_PARTS = {":c": {"S": "spring"}, ":prefix": {"S": "link#"}}


def update(expression, values=ONE, **others):
    texts = {"UpdateExpression": expression, "ExpressionAttributeValues": values}
    return "update_item", {"TableName": "StatsTable", "Key": KEY, **texts, **others}


def put(**columns):
    return "put_item", {"TableName": "StatsTable", "Item": {**KEY, **columns}}


def query(condition, values, **others):
    texts = {"KeyConditionExpression": condition, "ExpressionAttributeValues": values}
    return "query", {"TableName": "StatsTable", **texts, **others}


REFUSED = {
    "a path into a missing map": (update("SET a.b.c = :one"), "document path"),
    "overlapping paths": (update("SET a = :one, a.b = :one"), "overlap"),
    "a repeated path": (update("SET a = :one REMOVE a"), "overlap"),
    "a repeated clause": (update("SET a = :one SET b = :one"), "can only be used once"),
    "a reserved word": (update("SET status = :one"), "reserved keyword"),
    "a changed key": (update("SET part = :one"), "part of the key"),
    "ADD of a string": (update("ADD a :one", {":one": {"S": "x"}}), "Incorrect operand type"),
    "an unused value": (update("SET a = :one", {**ONE, ":b": {"N": "1"}}), "unused"),
    "a missing value": (update("SET a = :b"), "not defined"),
    "an unused name": (
        update("SET a = :one", ExpressionAttributeNames={"#b": "b"}),
        "unused in expressions",
    ),
    "an attribute compared with itself": (
        update("SET a = :one", ConditionExpression="b = b"),
        "must be distinct",
    ),
    "an empty set": (put(a={"SS": []}), "may not be empty"),
    "a number of 39 digits": (put(a={"N": "1" * 39}), "38 significant digits"),
    "an index key of another type": (put(listed={"N": "1"}), "Type mismatch for Index Key"),
    "a duplicate item in a batch": (
        ("batch_write_item", {"RequestItems": {"StatsTable": [PUTS[0], PUTS[0]]}}),
        "contains duplicates",
    ),
    "a batch of 26 items": (
        ("batch_write_item", {"RequestItems": {"StatsTable": PUTS}}),
        "less than or equal to 25",
    ),
    "a duplicate key in a batch": (
        ("batch_get_item", {"RequestItems": {"StatsTable": {"Keys": [KEY, KEY]}}}),
        "contains duplicates",
    ),
    "a write without a key in a transaction": (
        (
            "transact_write_items",
            {"TransactItems": [{"Put": {"TableName": "StatsTable", "Item": {}}}]},
        ),
        "Missing the key",
    ),
    "an unused value in a query": (query("campaign = :c", SPRING_PARTS), "unused"),
    "a query without the partition key": (query("part = :one", ONE), "missed key schema element"),
    "a prefix that is a number": (
        query(
            "campaign = :c AND begins_with(part, :prefix)", SPRING_PARTS | {":prefix": {"N": "1"}}
        ),
        "Incorrect operand type",
    ),
    "a page that starts in another partition": (
        query("campaign = :c", {":c": {"S": "autumn"}}, ExclusiveStartKey=KEY),
        "outside query boundaries",
    ),
}


@pytest.mark.parametrize(("refused", "reason"), REFUSED.values(), ids=REFUSED)
def test_requests_that_dynamodb_rejects_are_rejected(dynalite, refused, reason):
    with dynalite.tables({"StatsTable": "StatsTable"}):
        error = dynalite.refusal(*refused)

    assert error is not None
    assert error.code == "ValidationException"
    assert reason in str(error)


def test_calls_and_expression_parts_without_a_request_are_reported():
    with recorded() as requests:
        dynamo = MemoryDynamo(lambda: 0)
        Shares(dynamo, "SubscriptionsTable").add("spring", until=1)
        StatsTable(dynamo, "StatsTable").pipeline.put_findings(
            Findings("2026-11-23T11:00:00Z", 1, 2, 3, 4, (), (), (), *2 * ["2026-11-23T11:00:00Z"])
        )

    missing = unsent(requests)
    of_shares = {one.partition(": ")[2] for one in missing if "/share_links.py" in one}
    of_findings = {one.partition(": ")[2] for one in missing if "/stats/stored/pipeline.py" in one}

    assert "'update_item'" in of_shares
    assert "'put_item'" not in of_shares
    assert {"'paused_at = :at'", "'put_item'"} <= of_findings
    assert "' ADD v :one'" not in of_findings
