"""tests/messages has a valid example of every message in docs/asyncapi.yaml."""

import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from chalicelib.facts.reputation import BOUNCE_TYPES, bounce_counter

ROOT = Path(__file__).parents[2]
COMPONENTS = yaml.safe_load((ROOT / "docs" / "asyncapi.yaml").read_text("utf-8"))["components"]
FILES = sorted((ROOT / "tests" / "messages").glob("*.json"))
EXAMPLES = {path.stem: json.loads(path.read_text("utf-8")) for path in FILES}
MAX_FRAME = 32 * 1024


def schema_of(message: str) -> str:
    """Return the name of a message's schema, which ends in Request, Reply or Push."""
    return COMPONENTS["messages"][message]["payload"]["$ref"].removeprefix("#/components/schemas/")


def validator(message: str) -> jsonschema.Draft7Validator:
    payload = COMPONENTS["messages"][message]["payload"]
    return jsonschema.Draft7Validator({**payload, "components": COMPONENTS})


def parts(kind: str) -> list[tuple[str, dict[str, Any]]]:
    """Return all objects of a kind, such as `counts`, at any depth, with their files."""
    found = []

    def collect(name: str, value: Any) -> None:
        if isinstance(value, dict):
            if kind in value:
                found.append((name, value))
            for member in value.values():
                collect(name, member)
        elif isinstance(value, list):
            for member in value:
                collect(name, member)

    for name, example in EXAMPLES.items():
        collect(name, example["message"])
    return found


def moment(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    assert at.tzinfo == UTC, text
    return at


def ratio(part: int | None, whole: int | None) -> float | None:
    if part is None or not whole or part > whole:
        return None
    return pytest.approx(part / whole, abs=1e-6)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_has_the_members_that_the_client_tests_use(name):
    example = EXAMPLES[name]

    assert list(example) == ["name", "direction", "asyncapi", "message"]
    assert example["name"] == name
    assert name.startswith(f"{example['direction']}-")


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_example_is_valid(name):
    example = EXAMPLES[name]

    validator(example["asyncapi"]).validate(example["message"])


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_without_a_required_member_is_invalid(name):
    example = EXAMPLES[name]
    one = validator(example["asyncapi"])

    for member in COMPONENTS["schemas"][schema_of(example["asyncapi"])]["required"]:
        message = {key: value for key, value in example["message"].items() if key != member}
        assert not one.is_valid(message), f"{member} is missing, but the message is valid"


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_with_additional_members_is_valid(name):
    example = EXAMPLES[name]

    validator(example["asyncapi"]).validate(example["message"] | {"added_later": {"by": "us"}})


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_example_fits_into_a_frame(name):
    assert len(json.dumps(EXAMPLES[name]["message"]).encode()) < MAX_FRAME


@pytest.mark.parametrize("message", COMPONENTS["messages"])
def test_each_message_has_an_example(message):
    examples = [example for example in EXAMPLES.values() if example["asyncapi"] == message]

    assert examples
    for example in examples:
        assert schema_of(message).lower().endswith(example["direction"])


def test_each_error_code_has_an_example():
    codes = COMPONENTS["schemas"]["ErrorReply"]["properties"]["error"]["properties"]["code"]["enum"]
    errors = [one["message"]["error"] for one in EXAMPLES.values() if one["asyncapi"] == "error"]

    assert sorted(error["code"] for error in errors) == sorted(codes)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("snapshot", "counts", "opens"), -1),
        (("snapshot", "counts", "opens"), "640"),
        (("snapshot", "counts", "opens"), 0.5),
        (("snapshot", "rates", "open"), "40 %"),
        (("snapshot", "version"), None),
        (("snapshot", "campaign", "first_event_at"), "2026-11-23T10:00:00+01:00"),
        (("snapshot", "timeline", "minute"), {}),
        (("snapshot", "links", 0, "version"), "22"),
        (("snapshot", "$type"), "Stats"),
        (("id",), "stats/email-campaigns"),
        (("action",), "listCampaigns"),
        (("request_id",), {}),
        (("more",), False),
    ],
)
def test_an_invalid_value_is_detected(path, value):
    message = copy.deepcopy(EXAMPLES["reply-snapshot-campaign"]["message"])
    *steps, last = path
    place = message
    for step in steps:
        place = place[step]
    place[last] = value

    assert not validator("campaignSnapshot").is_valid(message)


@pytest.mark.parametrize("member", ["version", "campaign", "counts", "rates"])
def test_a_summary_is_sent_as_a_whole(member):
    message = copy.deepcopy(EXAMPLES["push-campaign-summary-only"]["message"])
    del message["changes"][member]

    assert not validator("campaignPush").is_valid(message)


def test_rates_follow_from_the_counts():
    summaries = parts("rates")
    assert summaries
    for name, summary in summaries:
        counts = summary["counts"]
        attempted = counts["sends"] - (counts["prevented"] or 0)
        private = counts["unique_private_opens"]
        observable = None if private is None else counts["deliveries"] - private
        assert summary["rates"] == {
            "delivery": ratio(counts["deliveries"], attempted),
            "bounce": ratio(counts["hard_bounces"], attempted),
            "open": ratio(counts["unique_opens"], counts["deliveries"]),
            "human_open": ratio(counts["unique_human_opens"], counts["deliveries"]),
            "read": ratio(counts["readers"], counts["deliveries"]),
            "read_observable": ratio(counts["readers"], observable),
            "click": ratio(counts["unique_clicks"], counts["deliveries"]),
            "human_click": ratio(counts["unique_human_clicks"], counts["deliveries"]),
            "click_to_open": ratio(counts["unique_clicks"], counts["unique_engaged"]),
            "human_click_to_open": ratio(counts["unique_human_clicks"], counts["readers"]),
            "complaint": ratio(counts["complaints"], counts["deliveries"]),
            "unsubscribe": ratio(counts["unsubscribes"], counts["deliveries"]),
        }, name


def test_counts_do_not_contradict_each_other():
    for name, summary in parts("counts"):
        counts = summary["counts"]
        for what in ("opens", "clicks"):
            assert counts[f"human_{what}"] + counts[f"machine_{what}"] <= counts[what], name
            assert counts[f"unique_{what}"] <= counts[what], name
            assert counts[f"unique_human_{what}"] <= counts[f"unique_{what}"], name
        if counts["readers"] is None:
            continue
        read = counts["unique_human_opens"], counts["unique_human_clicks"]
        assert max(read) <= counts["readers"] <= sum(read), name
        engaged = counts["unique_opens"], counts["unique_clicks"]
        assert max(engaged) <= counts["unique_engaged"] <= sum(engaged), name
        assert counts["readers"] + counts["unique_private_opens"] <= counts["unique_engaged"], name


def test_the_newer_counters_are_null_until_a_recount():
    later = {
        *("readers", "unique_engaged", "unique_private_opens"),
        *("prevented", "complaints_not_spam", "complaints_prevented"),
    }
    summaries = parts("campaign")
    assert {summary["campaign"]["recount_needed"] for _, summary in summaries} == {True, False}
    for name, summary in summaries:
        missing = {key for key, count in summary["counts"].items() if count is None}
        assert missing == (later if summary["campaign"]["recount_needed"] else set()), name


def test_times_are_utc_and_in_order():
    for name, campaign in parts("first_event_at"):
        first, last = campaign["first_event_at"], campaign["last_event_at"]
        assert (first is None) == (last is None), name
        if first is not None:
            assert moment(first) <= moment(last), name


@pytest.mark.parametrize(
    ("resolution", "start"),
    [
        ("minute", {"second": 0, "microsecond": 0}),
        ("hour", {"minute": 0, "second": 0, "microsecond": 0}),
        ("day", {"hour": 0, "minute": 0, "second": 0, "microsecond": 0}),
    ],
)
def test_buckets_start_at_the_beginning_of_their_unit(resolution, start):
    timelines = [one for one in parts(resolution) if isinstance(one[1][resolution], list)]
    assert timelines
    for name, timeline in timelines:
        for bucket in timeline[resolution]:
            at = moment(bucket["at"])
            assert at == at.replace(**start), name
            assert 0 not in [bucket[key] for key in bucket.keys() - {"at", "version"}], name


@pytest.mark.parametrize("resolution", ["minute", "hour", "day"])
def test_the_timeline_adds_up_to_the_counts(resolution):
    snapshot = EXAMPLES["reply-snapshot-campaign"]["message"]["snapshot"]
    buckets = snapshot["timeline"][resolution]
    of_buckets = {key for bucket in buckets for key in bucket} - {"at", "version"}

    assert of_buckets
    for name in of_buckets:
        assert sum(bucket.get(name, 0) for bucket in buckets) == snapshot["counts"][name], name


def test_links_add_up_to_the_clicks():
    snapshot = EXAMPLES["reply-snapshot-campaign"]["message"]["snapshot"]

    for name in ("clicks", "human_clicks", "machine_clicks"):
        assert sum(link[name] for link in snapshot["links"]) == snapshot["counts"][name]


def test_links_are_in_the_documented_order():
    links = EXAMPLES["reply-snapshot-campaign"]["message"]["snapshot"]["links"]

    assert links[-1]["id"] == "other"
    assert links[:-1] == sorted(
        links[:-1],
        key=lambda link: (
            link["kind"] == "unsubscribe",
            -link["unique_human_clicks"],
            -link["human_clicks"],
            link["url"],
        ),
    )


def test_bounce_types_add_up_to_the_bounces():
    snapshot = EXAMPLES["reply-snapshot-campaign"]["message"]["snapshot"]

    totals = dict.fromkeys({bounce_counter(kind, "General") for kind in BOUNCE_TYPES}, 0)
    for one in snapshot["bounces"]:
        counter = bounce_counter(one["type"], one["subtype"])
        totals[counter] = totals.get(counter, 0) + one["count"]
    assert totals == {counter: snapshot["counts"][counter] for counter in totals}
    assert totals["prevented"]


def test_the_frames_of_a_long_snapshot_equal_the_short_one():
    frames = [EXAMPLES[f"reply-snapshot-campaign-more-{n}"]["message"] for n in (1, 2, 3)]
    whole = copy.deepcopy(frames[0]["snapshot"])
    for frame in frames[1:]:
        for resolution, buckets in frame["snapshot"].get("timeline", {}).items():
            whole["timeline"].setdefault(resolution, []).extend(buckets)
        for name in (
            *("links", "bounces", "variants"),
            *("providers", "replies", "undelivered"),
            "activity",
        ):
            whole.setdefault(name, []).extend(frame["snapshot"].get(name, []))

    assert whole == EXAMPLES["reply-snapshot-campaign"]["message"]["snapshot"]
    assert [frame.get("more") for frame in frames] == [True, True, None]


def test_the_devices_of_a_campaign_add_up_to_its_counts():
    found = [one for name, one in parts("devices") if "counts" in one]

    assert found
    for one in found:
        for metric in ("unique_human_opens", "unique_human_clicks"):
            assert sum(row[metric] for row in one["devices"]["classes"]) == one["counts"][metric]
