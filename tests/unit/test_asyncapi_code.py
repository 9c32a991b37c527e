"""The code reads and writes messages as documented in docs/asyncapi.yaml."""

import json
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest
import yaml
from msgspec.structs import replace

from chalicelib.errors import InvalidRequest
from chalicelib.facts.fact import ACTIVITY_TYPES, Fact
from chalicelib.live import messages, protocol
from chalicelib.live.frames import frames
from chalicelib.stats.counters import COUNTERS, SUMMARY, Aggregate, rates
from chalicelib.stats.health import Findings, Health
from chalicelib.stats.pace_item import PaceNow

ROOT = Path(__file__).parents[2]
COMPONENTS = yaml.safe_load((ROOT / "docs" / "asyncapi.yaml").read_text("utf-8"))["components"]
SCHEMAS = COMPONENTS["schemas"]
AT = "2026-11-23T10:00:00.215Z"
NOW = datetime(2026, 11, 23, 10, 5, tzinfo=UTC)


def check(schema, message):
    reference = {"$ref": f"#/components/schemas/{schema}", "components": COMPONENTS}
    jsonschema.Draft7Validator(reference).validate(message)


def summary(campaign="spring"):
    counts = dict.fromkeys(COUNTERS, 3)
    return Aggregate(campaign, SUMMARY, 7, counts, AT, AT, "Spring", "a@example.com")


def buckets():
    return [
        Aggregate("spring", f"{name}#{AT[:length]}", 2, {"sends": 2})
        for name, length in (("minute", 16), ("hour", 13), ("day", 10))
    ]


def parts():
    return [
        *buckets(),
        Aggregate("spring", "bounce#Permanent#NoEmail", 2, {"hard_bounces": 2}),
        Aggregate("spring", "link#1", 3, {"clicks": 5}, url="https://example.com/"),
        Aggregate("spring", "link#other", 3, {"clicks": 5}),
        Aggregate("spring", "variant#variant=b", 3, {"sends": 2}),
    ]


def test_names_match_the_document():
    activity = SCHEMAS["ListActivityRequest"]["properties"]

    assert list(COUNTERS) == SCHEMAS["Counts"]["required"]
    assert list(rates({})) == SCHEMAS["Rates"]["required"]
    assert set(ACTIVITY_TYPES) == set(activity["type"]["enum"])


def test_a_snapshot_with_further_variants_is_valid():
    tags = tuple(f"variant={n:02}" for n in range(20))
    with_tags = replace(summary(), tags=tags)

    snapshot = messages.campaign_snapshot("spring", with_tags, parts(), NOW)

    assert snapshot["variants"][-1]["rest"]
    check("CampaignStats", snapshot)


def test_limits_match_the_document():
    query = SCHEMAS["SearchCampaignsRequest"]["properties"]["query"]

    assert SCHEMAS["Limit"]["maximum"] == protocol.MAX_LIMIT
    assert SCHEMAS["Limit"]["default"] == protocol.DEFAULT_LIMIT
    assert query["maxLength"] == protocol.MAX_QUERY_LENGTH
    assert SCHEMAS["ShareName"]["maxLength"] == protocol.MAX_SHARE_NAME_LENGTH


def test_the_snapshot_of_an_earlier_release_is_valid():
    snapshot = messages.campaign_snapshot("spring", summary(), parts(), NOW)

    assert snapshot["campaign"]["recount_needed"]
    check("CampaignStats", snapshot)


@pytest.mark.parametrize("action", ["subscribe", "get", "ping"])
def test_a_campaign_snapshot_is_valid(action):
    snapshot = messages.campaign_snapshot("spring", summary(), parts(), NOW)
    request = protocol.Request(action=action, request_id=1)

    check(
        "CampaignSnapshotReply", request.reply(id="stats/email-campaign/spring", snapshot=snapshot)
    )


def test_every_frame_of_a_long_snapshot_is_valid():
    many = [
        Aggregate("spring", f"link#{number}", 1, {"clicks": 1}, url=f"https://example.com/{number}")
        for number in range(250)
    ]
    snapshot = messages.campaign_snapshot("spring", summary(), buckets() * 100 + many, NOW)
    request = protocol.Request(action="subscribe", request_id="a")

    texts = frames(request.reply(id="stats/email-campaign/spring", snapshot=snapshot))

    assert len(texts) > 1
    for text in texts:
        check("CampaignSnapshotReply", json.loads(text))


@pytest.mark.parametrize("changed", [[summary()], parts(), buckets(), [summary(), *parts()]])
def test_a_campaign_push_is_valid(changed):
    changes = messages.campaign_stats(changed)

    check("CampaignPush", messages.push("stats/email-campaign/spring", changes))


@pytest.mark.parametrize(
    "pace", [None, PaceNow(7), PaceNow(7, (200, 134, 119, 153), (0, 9, 5, 14))]
)
def test_the_list_and_its_push_are_valid(pace):
    campaigns = messages.campaign_list([messages.campaign_entry(replace(summary(), pace=pace))])
    request = protocol.Request(action="get", request_id=None)

    check(
        "CampaignListSnapshotReply", request.reply(id="stats/email-campaigns", snapshot=campaigns)
    )
    check("CampaignListPush", messages.push("stats/email-campaigns", campaigns))


CHECKED = Findings(
    AT, waiting=3, oldest_seconds=2, dead_letters=0, untracked=("spring",), unsent=()
)


@pytest.mark.parametrize(
    "stored", [Health(), Health(2, untagged=1, findings=CHECKED, paused_at=AT)]
)
def test_health_and_its_push_are_valid(stored):
    health = messages.health(stored)
    request = protocol.Request(action="get", request_id=0.5)

    check("HealthSnapshotReply", request.reply(id="stats/health", snapshot=health))
    check("HealthPush", messages.push("stats/health", health))


@pytest.mark.parametrize(
    "fact",
    [
        Fact("m", "Open#1", "Open", "spring", AT, AT, engager="unknown", reason="no_agent"),
        Fact("m", "Click#1", "Click", "spring", AT, AT, link="https://example.com/"),
        Fact(
            *("m", "Bounce#1", "Bounce", "spring", AT, AT),
            recipient="r",
            reported="R",
            domain="example.com",
            bounce_type="Permanent",
            detail="General",
            status="5.7.1",
            diagnostic="smtp; 550 5.7.1 <*>",
            reporting_mta="dsn; mx.example.com",
        ),
        Fact(
            *("m", "Complaint#1", "Complaint", "spring", AT, AT),
            detail="abuse",
            subtype="OnAccountSuppressionList",
        ),
    ],
)
def test_an_activity_response_is_valid(fact):
    check("Activity", messages.activity(fact))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "bad_json"),
        ("[]", "bad_json"),
        ('{"action": "subscribe", "request_id": 1}', "invalid_request"),
        ('{"action": "dance", "request_id": "a"}', "unknown_action"),
        ('{"request_id": {}}', "invalid_request"),
        ('{"action": "authenticate", "token": 7}', "invalid_request"),
        ('{"action": "get", "id": "stats/mail"}', "not_found"),
        (f'"{"x" * 40_000}"', "too_large"),
    ],
)
def test_an_error_is_valid(text, code):
    with pytest.raises(InvalidRequest) as raised:
        protocol.parse_request(text)

    check("ErrorReply", raised.value.reply)
    assert raised.value.reply["error"]["code"] == code
