"""docs/asyncapi.yaml is a valid AsyncAPI document and covers the whole protocol."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

DOCS = Path(__file__).parents[2] / "docs"
DOCUMENT = yaml.safe_load((DOCS / "asyncapi.yaml").read_text("utf-8"))
STANDARD = json.loads((DOCS / "asyncapi-schema" / "3.0.0.json").read_text("utf-8"))

ACTIONS = {
    "subscribe",
    "unsubscribe",
    "get",
    "listCampaigns",
    "searchCampaigns",
    "listActivity",
    "listTimelines",
    "compare",
    "compareVariants",
    "getUsual",
    "setAlarms",
    "createShare",
    "listShares",
    "revokeShare",
    "addNote",
    "removeNote",
    "listRecipients",
    "recipientHistory",
    "ping",
    "attend",
    "authenticate",
}
ERROR_CODES = {
    "bad_json",
    "invalid_request",
    "unknown_action",
    "not_found",
    "forbidden",
    "too_large",
    "rate_limited",
    "internal",
}


def resolve(reference: str) -> Any:
    """Resolve a reference such as `#/components/schemas/Count`; raise KeyError if it is dangling."""
    found = DOCUMENT
    for key in reference.removeprefix("#/").split("/"):
        found = found[key]
    return found


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for member in value.values():
            yield from references(member)
    elif isinstance(value, list):
        for member in value:
            yield from references(member)


def payload_of(message: str) -> dict[str, Any]:
    return resolve(DOCUMENT["components"]["messages"][message]["payload"]["$ref"])


def operations(action: str) -> dict[str, dict[str, Any]]:
    return {name: one for name, one in DOCUMENT["operations"].items() if one["action"] == action}


def test_the_document_is_valid_asyncapi():
    errors = [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"
        for error in jsonschema.Draft7Validator(STANDARD).iter_errors(DOCUMENT)
    ]

    assert errors == []


def test_every_reference_resolves():
    for reference in references(DOCUMENT):
        assert resolve(reference) is not None, reference


@pytest.mark.parametrize("name", DOCUMENT["components"]["schemas"])
def test_each_schema_is_a_valid_json_schema(name):
    jsonschema.Draft7Validator.check_schema(DOCUMENT["components"]["schemas"][name])


def test_no_definition_is_unused():
    used = set(references(DOCUMENT))
    defined = {
        f"#/components/{kind}/{name}"
        for kind, members in DOCUMENT["components"].items()
        for name in members
    }

    assert defined - used == set()


def test_the_channel_has_every_message():
    channel = DOCUMENT["channels"]["session"]["messages"]

    assert set(channel) == set(DOCUMENT["components"]["messages"])
    for name, message in channel.items():
        assert message == {"$ref": f"#/components/messages/{name}"}


def test_every_message_belongs_to_an_operation():
    prefix = "#/channels/session/messages/"
    used = {
        one.removeprefix(prefix)
        for one in references(DOCUMENT["operations"])
        if one.startswith(prefix)
    }

    assert used == set(DOCUMENT["components"]["messages"])


def test_every_action_is_a_request_with_a_reply_and_an_error():
    requests = operations("receive")

    assert set(requests) == ACTIONS
    for action, operation in requests.items():
        assert payload_of(action)["properties"]["action"] == {"const": action}
        replies = {message["$ref"].rsplit("/", 1)[1] for message in operation["reply"]["messages"]}
        assert "error" in replies
        assert len(replies) > 1


def test_every_reply_repeats_request_id_and_action():
    pushes = {"campaignPush", "campaignListPush", "healthPush"}
    for message in set(DOCUMENT["components"]["messages"]) - ACTIONS - pushes:
        assert {"request_id", "action"} <= set(payload_of(message)["required"]), message
    for push in pushes:
        assert not {"request_id", "action"} & set(payload_of(push)["properties"]), push


def test_pushes_are_the_messages_that_the_server_initiates():
    sent = {
        message["$ref"].rsplit("/", 1)[1]
        for operation in operations("send").values()
        for message in operation["messages"]
    }

    assert sent == {"campaignPush", "campaignListPush", "healthPush"}


def test_every_error_code_is_listed_and_explained():
    code = payload_of("error")["properties"]["error"]["properties"]["code"]

    assert set(code["enum"]) == ERROR_CODES
    for name in ERROR_CODES:
        assert f"`{name}`" in code["description"]


def test_a_bucket_may_hold_every_counter():
    schemas = DOCUMENT["components"]["schemas"]
    counters = set(schemas["Counts"]["properties"])

    assert set(schemas["Counts"]["required"]) == counters
    assert set(schemas["Bucket"]["properties"]) == counters | {"at", "version"}
    assert set(schemas["Rates"]["required"]) == set(schemas["Rates"]["properties"])


def test_objects_may_gain_members():
    def closed(value: Any) -> bool:
        if isinstance(value, dict):
            return value.get("additionalProperties") is False or any(map(closed, value.values()))
        return isinstance(value, list) and any(map(closed, value))

    assert not closed(DOCUMENT["components"]["schemas"])


def test_the_servers_are_a_local_one_and_aws_which_requires_a_token():
    servers = DOCUMENT["servers"]

    assert {name: server["protocol"] for name, server in servers.items()} == {
        "local": "ws",
        "aws": "wss",
    }
    assert "security" not in servers["local"]
    assert servers["aws"]["security"] == [{"$ref": "#/components/securitySchemes/token"}]
