"""The laws' in-memory DynamoDB behaves like moto, and rejects the requests that AWS rejects."""

import pytest
from support import moto_account, ses
from support.memory import MemoryDynamo
from support.world import World

from chalicelib.errors import AwsError, ConditionFailed

KEY = {"message_id": {"S": "m"}, "fact": {"S": "f"}}
ONE = {":one": {"N": "1"}}


def outcome(dynamo, operation, parameters):
    """Return the result of a call, without the metadata of either engine."""
    try:
        answer = dynamo.call(operation, **parameters)
    except ConditionFailed as error:
        return "condition failed", error.item
    names = ("Item", "Items", "Attributes", "LastEvaluatedKey")
    return {name: _by_key(answer[name]) for name in names if name in answer}


def _by_key(found):
    if isinstance(found, list):
        return [_by_key(item) for item in found]
    return {
        name: {kind: sorted(content) if kind == "SS" else content}
        for name, value in found.items()
        for kind, content in value.items()
    }


def test_every_call_returns_the_same_as_moto(pipeline):
    world = World(pipeline.config)
    calls = []
    inside = {
        pipeline.config.events_table: "EventsTable",
        pipeline.config.stats_table: "StatsTable",
        pipeline.config.subscriptions_table: "SubscriptionsTable",
    }
    world.dynamo.tables = {name: world.dynamo.tables[table] for name, table in inside.items()}
    world.dynamo.before_call = lambda operation, parameters: calls.append((operation, parameters))
    viewer = world.subscribe("stats/email-campaign/spring", "stats/email-campaigns")
    viewer.refuses = 2
    for number in range(2):
        world.arrive(
            ses.a_send(f"m-{number}"),
            ses.a_delivery(f"m-{number}"),
            ses.a_bounce(f"m-{number}"),
            ses.an_open(f"m-{number}"),
            ses.an_open(f"m-{number}"),
            *[
                ses.a_click(link=f"https://example.com/{link}", at=f"2026-11-23T10:06:0{link}.000Z")
                for link in range(4)
            ],
        )
        world.drain()
    for action in ("ping", "listActivity", "listCampaigns", "unsubscribe"):
        viewer.ask(action, id="stats/email-campaign/spring")
    world.dynamo.before_call = lambda *_: None

    operations = {operation for operation, _ in calls}
    assert operations == {
        "batch_get_item", "batch_write_item", "delete_item", "get_item", "put_item", "query",
        "transact_write_items", "update_item",
    }  # fmt: skip
    fresh = MemoryDynamo(lambda: world.now)
    fresh.tables = {name: fresh.tables[table] for name, table in inside.items()}
    moto = pipeline.services("dynamodb")
    for operation, parameters in calls:
        assert outcome(fresh, operation, parameters) == outcome(moto, operation, parameters)
    for name, table in fresh.tables.items():
        stored = moto_account.client("dynamodb").scan(TableName=name)["Items"]
        assert {str(sorted(_by_key(item).items())) for item in stored} == {
            str(sorted(_by_key(item).items())) for item in table.items()
        }


@pytest.fixture(params=["memory", "moto"])
def engine(request, pipeline):
    if request.param == "moto":
        return pipeline.services("dynamodb")
    memory = MemoryDynamo(lambda: 0)
    memory.tables[pipeline.config.events_table] = memory.tables["EventsTable"]
    return memory


@pytest.mark.parametrize(
    ("update", "values"),
    [
        ("SET m.a = :one", ONE),
        ("SET m = :one, m.a = :one", ONE),
        ("SET a = :one ADD a :one", ONE),
        ("SET a = :one REMOVE a", ONE),
        ("SET a = :one SET b = :one", ONE),
        ("SET a = :one", {**ONE, ":two": {"N": "2"}}),
        ("SET a = :two", ONE),
        ("ADD a :text", {":text": {"S": "x"}}),
    ],
)
def test_an_update_that_aws_rejects_is_rejected(engine, pipeline, update, values):
    with pytest.raises(AwsError) as refused:
        engine.call(
            "update_item",
            TableName=pipeline.config.events_table,
            Key=KEY,
            UpdateExpression=update,
            ExpressionAttributeValues=values,
        )
    assert refused.value.code == "ValidationException"


def test_a_batch_with_a_duplicate_key_is_rejected(engine, pipeline):
    with pytest.raises(AwsError) as refused:
        engine.call(
            "batch_write_item",
            RequestItems={pipeline.config.events_table: [{"PutRequest": {"Item": KEY}}] * 2},
        )
    assert refused.value.code == "ValidationException"
