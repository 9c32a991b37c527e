"""Messages have the format of the protocol and fit into frames."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.facts.reputation import bounce_kind
from chalicelib.insight.difference_causes import Cause
from chalicelib.insight.reconciliation import Comparison, explain
from chalicelib.insight.runway import Runway
from chalicelib.live import messages
from chalicelib.live.frames import MAX_FRAME_BYTES, frames
from chalicelib.live.messages import (
    campaign_entry,
    campaign_list,
    campaign_stats,
    campaign_timeline,
    health,
    opened_hours,
    push,
)
from chalicelib.live.permissions import EVERYTHING, Permissions
from chalicelib.stats.counters import (
    COUNTERS,
    COUNTERS_OF_GENERATION_2,
    SUMMARY,
    Aggregate,
    bounce_part,
    bucket_part,
    rates,
    variant_part,
)
from chalicelib.stats.delays import Delay
from chalicelib.stats.health import Findings, Health
from chalicelib.stats.incidents import Settings, StoredSettings
from chalicelib.stats.proof import Proof
from chalicelib.stats.quiet_hours import QuietHours
from chalicelib.stats.reconciled import Reconciled, metrics_of

EXAMPLES = Path(__file__).parents[1] / "messages"
SUMMARY_OF_SPRING = Aggregate(
    "spring", SUMMARY, version=7, counts={"sends": 10, "deliveries": 8, "unique_opens": 4}
)


PROOF = Proof(
    at="2026-11-22T03:10:42.120Z",
    started="2026-11-22T03:09:58.004Z",
    of=None,
    campaigns=212,
    expiring=3,
    facts=1_200_000,
    counters=48_211,
    differences=0,
    drift=0,
    restated=0,
    applied=False,
)
RECONCILED = Reconciled("2026-11-22", "2026-11-23T01:30:10Z", "denied")


def example(name):
    return json.loads((EXAMPLES / f"{name}.json").read_text())["message"]


def minute(number, **counts):
    at = f"2026-11-23T{10 + number // 60}:{number % 60:02}:30.000Z"
    return Aggregate("spring", bucket_part("minute", at), version=1, counts=counts)


def link(number, url=None, clicks=1):
    return Aggregate(
        "spring",
        f"link#{number}",
        version=1,
        counts={"clicks": clicks},
        url=url or f"https://example.com/{number}",
    )


def bounce(counter, *kind, count=1):
    return Aggregate("spring", bounce_part(*kind), version=1, counts={counter: count})


BOUNCES = [
    ("hard_bounces", "Permanent", "NoEmail"),
    ("soft_bounces", "Transient", "General"),
]


NOW = datetime(2026, 11, 23, 10, 20, tzinfo=UTC)


ALARMS = StoredSettings(
    Settings(
        kinds=("bounces", "complaints", "done"),
        quiet=QuietHours("22:00", "07:00", "Europe/Zurich"),
    ),
    4,
)


def campaign_snapshot(campaign, summary, parts):
    return messages.campaign_snapshot(campaign, summary, parts, NOW)


def test_a_snapshot_has_the_members_of_the_documented_example():
    snapshot = campaign_snapshot("spring", SUMMARY_OF_SPRING, [])
    documented = example("reply-snapshot-campaign")["snapshot"]

    assert {*snapshot, "activity"} == documented.keys()
    for member in ("campaign", "counts", "rates", "timeline", "bots"):
        assert snapshot[member].keys() == documented[member].keys()


def test_health_has_the_members_of_the_documented_example():
    documented = example("reply-snapshot-health-not-checked-yet")["snapshot"]

    assert (
        messages.pipeline(Health(), None, [], StoredSettings(Settings()), EVERYTHING) == documented
    )
    assert health(Health()).keys() == documented.keys() - {*messages.OF_ALL_CAMPAIGNS}


def test_results_have_the_members_of_the_documented_example():
    documented = example("reply-snapshot-health")["snapshot"]
    counted = Comparison("cloudwatch", "sends", "2026-11-22", 12400, 12397)
    compared = explain(counted, [Cause("around_midnight", -2, 5), Cause("waiting", -9, 0)])
    reconciled = Reconciled(
        "2026-11-22",
        "2026-11-23T01:30:10Z",
        "compared",
        metrics_of([compared], "2026-11-22"),
        (Runway("complaints", 0.00059, 0.001, 41, 12, 88, is_matched=True),),
        share=1.0002,
        days=60,
    )
    findings = Findings("2026-11-23T11:06:00Z", delays=(Delay("ses", 0.87, 2.5, 1204),))

    shown = messages.pipeline(Health(findings=findings), reconciled, [PROOF], ALARMS, EVERYTHING)

    assert shown["delays"] == documented["delays"][:1]
    assert shown["recounts"] == documented["recounts"]
    assert shown["alarms"] == documented["alarms"]
    assert shown["reconciliation"] == {
        **documented["reconciliation"],
        "metrics": documented["reconciliation"]["metrics"][:1],
        "runways": documented["reconciliation"]["runways"][1:],
    }


def test_who_may_not_see_all_campaigns_receives_no_results_of_all():
    some = Permissions(prefixes=("spring",))

    snapshot = messages.pipeline(Health(), RECONCILED, [PROOF], ALARMS, some)
    push = messages.seen(messages.pipeline(Health(), RECONCILED, [PROOF], ALARMS, EVERYTHING), some)

    for shown in (snapshot, push):
        assert shown.keys().isdisjoint(messages.OF_ALL_CAMPAIGNS)


def test_a_push_of_the_pipeline_does_not_say_who_may_change_alarms():
    """It is the same for all who see all campaigns, of whom some may not."""
    whole = messages.pipeline(Health(), RECONCILED, [PROOF], ALARMS, EVERYTHING)

    push = messages.seen(whole, Permissions(rights=frozenset()))

    documented = example("push-health-after-a-recount")["changes"]
    assert push["alarms"] == documented["alarms"]


def test_each_rate_has_one_denominator():
    assert rates(
        {
            "sends": 12,
            "prevented": 2,
            "deliveries": 8,
            "hard_bounces": 1,
            "soft_bounces": 5,
            "unique_opens": 4,
            "unique_human_opens": 2,
            "unique_clicks": 1,
            "unique_human_clicks": 1,
            "readers": 2,
            "unique_engaged": 5,
            "unique_private_opens": 3,
            "complaints": 2,
            "unsubscribes": 1,
        }
    ) == {
        "delivery": 0.8,
        "bounce": 0.1,
        "open": 0.5,
        "human_open": 0.25,
        "read": 0.25,
        "read_observable": 0.4,
        "click": 0.125,
        "human_click": 0.125,
        "click_to_open": 0.2,
        "human_click_to_open": 0.5,
        "complaint": 0.25,
        "unsubscribe": 0.125,
    }


def test_a_rate_with_a_zero_denominator_is_null():
    assert set(rates({"opens": 3}).values()) == {None}


def test_a_rate_above_1_is_null():
    counted = rates({"sends": 3, "deliveries": 4, "unique_opens": 5, "complaints": 4})

    assert (counted["delivery"], counted["open"], counted["complaint"]) == (None, None, 1.0)


def test_the_newer_counters_are_null_if_an_earlier_release_counted():
    earlier = Aggregate(
        "spring",
        SUMMARY,
        version=7,
        current_updates=2,
        counts={"sends": 10, "deliveries": 8, "unique_clicks": 2, "readers": 1},
    )

    snapshot = campaign_snapshot("spring", earlier, [])

    assert snapshot["campaign"]["recount_needed"] is True
    assert snapshot["counts"].keys() == COUNTERS.keys()
    assert {name for name, count in snapshot["counts"].items() if count is None} == (
        COUNTERS_OF_GENERATION_2
    )
    assert {name for name, rate in snapshot["rates"].items() if rate is not None} == {
        *("delivery", "bounce", "open", "human_open", "click", "human_click"),
        *("complaint", "unsubscribe"),
    }


def test_the_timeline_has_the_two_hours_of_minutes_before_the_newest():
    buckets = [minute(number, opens=1) for number in range(180)]

    shown = campaign_snapshot("spring", None, reversed(buckets))["timeline"]["minute"]

    assert len(shown) == 120
    assert (shown[0]["at"], shown[-1]["at"]) == ("2026-11-23T11:00:00Z", "2026-11-23T12:59:00Z")


def test_buckets_without_events_are_omitted():
    assert campaign_snapshot("spring", None, [minute(1)])["timeline"]["minute"] == []


def test_the_longest_sparkline_fits_into_a_frame():
    most = {"deliveries": 10**9, "human_opens": 10**9, "human_clicks": 10**9, "sends": 1}
    days = [
        Aggregate("spring", f"day#2026-{n // 28 + 1:02}-{n % 28 + 1:02}", 1, most)
        for n in range(180)
    ]

    outline = campaign_timeline("spring" * 40, "day", days)

    assert len(frames({"request_id": "x" * 200, "action": "listTimelines", "result": outline})) == 1


def test_the_first_hours_with_human_opens_fit_into_a_frame():
    hours = [
        Aggregate(
            "spring", f"hour#2026-{n // 672 + 1:02}-{n // 24 % 28 + 1:02}T{n % 24:02}", 1, most
        )
        for n, most in enumerate([{"human_opens": 10**9}, {"opens": 1, "human_opens": 0}] * 600)
    ]

    outline = opened_hours("spring" * 40, reversed(hours))

    assert [one["at"] for one in outline["buckets"]] == [
        f"{one.part.removeprefix('hour#')}:00:00Z" for one in hours[0:1000:2]
    ]
    assert len(frames({"request_id": "x" * 200, "action": "listTimelines", "result": outline})) == 1


def test_links_are_ranked_by_human_clickers_with_unsubscribe_and_other_last():
    def clicked(number, path, unique, human, clicks):
        counts = {"clicks": clicks, "human_clicks": human, "unique_human_clicks": unique}
        url = f"https://example.com/{path}"
        return Aggregate("spring", f"link#{number}", version=1, counts=counts, url=url)

    links = campaign_snapshot(
        "spring",
        Aggregate("spring", SUMMARY, version=9, current_updates=9, counts={"clicks": 60}),
        [
            clicked(1, "c", 5, 5, 5),
            clicked(2, "unsubscribe", 9, 9, 9),
            clicked(3, "a", 3, 13, 20),
            clicked(4, "b", 5, 10, 10),
            clicked(5, "d", 5, 5, 6),
        ],
    )["links"]

    assert [(one["id"], one["kind"], one["clicks"]) for one in links] == [
        ("4", "link", 10),
        ("1", "link", 5),
        ("5", "link", 6),
        ("3", "link", 20),
        ("2", "unsubscribe", 9),
        ("other", "link", 10),
    ]


def test_at_most_250_links_are_shown_and_the_rest_is_other():
    parts = [link(number, clicks=1 + number % 2) for number in range(300)]
    total = sum(part.counts["clicks"] for part in parts)
    summary = Aggregate("spring", SUMMARY, version=9, counts={"clicks": total})

    links = campaign_snapshot("spring", summary, parts)["links"]

    assert len(links) == 251
    assert links[-1]["id"] == "other"
    assert links[-1]["unique_clicks"] is None
    assert sum(row["clicks"] for row in links) == total


def test_a_link_without_a_known_url_is_not_counted_as_other():
    early = Aggregate("spring", "link#0123456789abcdef", version=1, counts={"unique_clicks": 1})

    assert "links" not in campaign_stats([early])
    assert campaign_snapshot("spring", None, [early])["links"] == []


def test_bounces_are_grouped_by_type_with_the_most_frequent_first():
    kinds = [
        bounce("hard_bounces", "Permanent", "NoEmail", count=2),
        bounce("soft_bounces", "Transient", "MailboxFull", count=3),
    ]

    bounces = campaign_snapshot("spring", None, kinds)["bounces"]

    assert [(one["type"], one["subtype"], one["count"]) for one in bounces] == [
        ("Transient", "MailboxFull", 3),
        ("Permanent", "NoEmail", 2),
    ]


@pytest.mark.parametrize(
    ("of_ses", "counted"),
    [
        (("Permanent", "NoEmail"), "bounce#Permanent#NoEmail"),
        (("Permanent", "AddedLater"), "bounce#Permanent#AddedLater"),
        (("Transient", "NoEmail"), "bounce#Transient#NoEmail"),
        (("Transient", "x#y"), "bounce#Transient#Other"),
        (("AddedLater", "General"), "bounce#Undetermined#General"),
        ((None, None), "bounce#Undetermined#Other"),
    ],
)
def test_a_subtype_that_ses_adds_keeps_its_name(of_ses, counted):
    assert bounce_part(*bounce_kind(*of_ses)) == counted


def test_at_most_40_bounce_subtypes_are_shown_and_the_rest_is_other():
    kinds = [
        bounce("soft_bounces", "Transient", f"Kind{number}", count=100 - number)
        for number in range(50)
    ]

    bounces = campaign_snapshot("spring", None, kinds)["bounces"]

    assert len(bounces) == 41
    assert (bounces[-1]["subtype"], bounces[-1]["count"]) == ("Other", sum(range(51, 61)))


def variant(tag, version=1, **counts):
    return Aggregate("spring", variant_part(tag), version=version, counts=counts)


def test_variants_are_listed_in_text_order_with_counts_and_rates():
    parts = [
        variant("variant=b", 3, deliveries=4, unique_human_clicks=1),
        variant("variant=a", 2, sends=2),
        variant("variant=c"),
        variant("region=a=b", sends=1),
    ]

    rows = campaign_snapshot("spring", None, parts)["variants"]

    assert [(one["tag"], one["value"], one["version"]) for one in rows] == [
        ("region", "a=b", 1),
        ("variant", "a", 2),
        ("variant", "b", 3),
    ]
    assert rows[2]["counts"].keys() == COUNTERS.keys()
    assert rows[2]["rates"]["human_click"] == 0.25
    assert "rest" not in rows[0]


def test_of_more_than_20_values_the_rest_is_a_row_of_its_own():
    """Also if one of the values that are shown is called `other`."""
    values = [f"{n:02}" for n in range(19)] + ["other"]
    kept = tuple(f"variant={value}" for value in values)
    counts = {"sends": 100, "deliveries": 30}
    summary = Aggregate("spring", SUMMARY, version=9, counts=counts, current_updates=9, tags=kept)
    parts = [variant(tag, sends=2, deliveries=2) for tag in kept]

    rows = campaign_snapshot("spring", summary, parts)["variants"]

    *shown, rest = rows
    assert [row["value"] for row in shown] == values
    assert rest["counts"] | {"sends": 60, "deliveries": 0} == rest["counts"]
    assert (rest["value"], rest["rest"], rest["version"]) == ("other", True, 9)


def test_the_rest_lacks_the_newer_counters_if_an_earlier_release_counted():
    kept = tuple(f"variant={n:02}" for n in range(20))
    summary = Aggregate("spring", SUMMARY, version=9, counts={"sends": 100}, tags=kept)

    [rest] = campaign_snapshot("spring", summary, [])["variants"]

    assert (rest["counts"]["sends"], rest["counts"]["readers"]) == (100, None)


def test_a_push_has_the_first_20_changed_variants_of_each_tag():
    parts = [variant(f"{name}={n:03}", sends=1) for n in range(30) for name in ("a", "b")]

    rows = campaign_stats(parts)["variants"]

    assert [(row["tag"], row["value"]) for row in rows] == [
        (name, f"{n:03}") for name in ("a", "b") for n in range(20)
    ]


def test_a_snapshot_with_the_most_variants_is_split_into_frames():
    tags = [f"{name}={'x' * 90}{n:02}" for n in range(20) for name in ("a", "b", "c")]
    snapshot = campaign_snapshot("spring", None, [variant(tag, sends=10**9) for tag in tags])

    split = frames({"request_id": 1, "action": "get", "id": "x", "snapshot": snapshot})

    assert len(split) == 2
    rows = [row for one in split for row in json.loads(one)["snapshot"].get("variants", [])]
    assert rows == snapshot["variants"]


def test_a_campaign_entry_has_every_campaign_counter_and_no_others():
    entry = campaign_entry(Aggregate("spring", SUMMARY, counts={"sends": 1, "quarantined": 9}))

    assert entry["counts"] == {name: int(name == "sends") for name in COUNTERS}


def merged(written):
    """Merge the frames of a snapshot, as a client does."""
    whole = {"timeline": {"minute": [], "hour": [], "day": []}, "links": [], "bounces": []}
    for text in written:
        assert len(text.encode()) <= MAX_FRAME_BYTES
        part = json.loads(text)["snapshot"]
        for resolution, buckets in part.pop("timeline", {}).items():
            whole["timeline"][resolution] += buckets
        for name in ("links", "bounces"):
            whole[name] += part.pop(name, [])
        whole |= part
    return whole


@given(
    st.lists(st.text(min_size=1, max_size=2000), max_size=60),
    st.integers(min_value=0, max_value=120),
    st.dictionaries(st.sampled_from(sorted(COUNTERS)), st.integers(1, 10**9)),
)
def test_a_long_snapshot_is_split_into_frames_without_loss(urls, minutes, counts):
    snapshot = campaign_snapshot(
        "spring",
        SUMMARY_OF_SPRING,
        [
            *(minute(number, **{"opens": 1, **counts}) for number in range(minutes)),
            *(link(number, url=url) for number, url in enumerate(urls)),
            *(bounce(*kind) for kind in BOUNCES),
        ],
    )

    written = frames({"request_id": 1, "action": "get", "id": "x", "snapshot": snapshot})

    assert merged(written) == snapshot
    assert [json.loads(text).get("more") for text in written] == [True] * (len(written) - 1) + [
        None
    ]


def test_a_long_list_is_split_into_frames():
    entries = [campaign_entry(SUMMARY_OF_SPRING) for _ in range(200)]

    written = frames(push("stats/email-campaigns", campaign_list(entries)))

    assert len(written) > 1
    assert all(len(text.encode()) <= MAX_FRAME_BYTES for text in written)
    assert sum(len(json.loads(text)["changes"]["campaigns"]) for text in written) == 200
    assert not any("more" in json.loads(text) for text in written)


def test_long_results_are_split_into_frames():
    results = [campaign_entry(SUMMARY_OF_SPRING) for _ in range(100)]

    written = frames({"request_id": 1, "action": "listCampaigns", "results": results})

    assert sum(len(json.loads(text)["results"]) for text in written) == 100
