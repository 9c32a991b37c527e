"""The responses and pushes of a WebSocket connection."""

import json

import pytest
from msgspec.structs import replace
from support import handlers, moto_account, ses

from chalicelib.functions import message
from chalicelib.live.frame_sender import FrameSender
from chalicelib.live.permissions import Connection
from chalicelib.live.subscriptions import MAX_SUBSCRIPTIONS

VIEWER = Connection("viewer-1", "api-1/api", connected_at=0)
OTHER = Connection("viewer-2", "api-1/api", connected_at=0)
SPRING = "stats/email-campaign/spring"
LIST = "stats/email-campaigns"
HEALTH = "stats/health"


def at(minute):
    return f"2026-11-23T10:{minute:02}:00.000Z"


def subscribe(pipeline, topic, connection=VIEWER):
    [answer] = pipeline.ask(connection, action="subscribe", id=topic, request_id=1)
    return answer["snapshot"]


def pushes(pipeline, connection=VIEWER):
    sent = pipeline.connections.sent.pop(connection.id, [])
    return [message["changes"] for message in sent]


def test_a_snapshot_of_an_unknown_campaign_is_all_zeros(pipeline):
    snapshot = subscribe(pipeline, SPRING)

    assert not any(snapshot["counts"].values())
    assert not any(snapshot["rates"].values())
    assert snapshot["campaign"]["first_event_at"] is None
    assert snapshot["timeline"] == {"minute": [], "hour": [], "day": []}


def test_the_first_event_arrives_as_a_push(pipeline):
    subscribe(pipeline, SPRING)

    pipeline.run(ses.a_send())

    [changes] = pushes(pipeline)
    assert changes["counts"]["sends"] == 1
    assert changes["campaign"]["first_event_at"] == "2026-11-23T10:00:00Z"
    assert changes["timeline"]["minute"] == [
        {"at": "2026-11-23T10:00:00Z", "version": 1, "sends": 1}
    ]


def test_a_push_agrees_with_a_fresh_snapshot(pipeline):
    subscribe(pipeline, SPRING)
    pipeline.run(ses.a_send(), ses.a_delivery(), ses.an_open(), ses.a_click())

    [changes] = pushes(pipeline)

    snapshot = pipeline.snapshot(VIEWER, SPRING)
    assert changes["version"] == snapshot["version"]
    assert changes["counts"] == snapshot["counts"]
    assert changes["rates"] == snapshot["rates"]
    assert changes["links"] == snapshot["links"]
    for resolution, buckets in snapshot["timeline"].items():
        assert sorted(changes["timeline"][resolution], key=lambda one: one["at"]) == buckets


def test_many_changes_of_a_batch_are_coalesced_into_one_push(pipeline):
    subscribe(pipeline, SPRING)
    for number in range(5):
        pipeline.ingest(ses.a_send(f"m-{number}"))
        pipeline.aggregate()

    pipeline.publish()

    [changes] = pushes(pipeline)
    assert changes["counts"]["sends"] == 5


def test_the_list_is_ordered_newest_first_and_pushes_its_changes(pipeline):
    pipeline.run(ses.a_send("m-1", campaign="spring", at="2026-03-01T10:00:00.000Z"))
    pipeline.run(ses.a_send("m-2", campaign="autumn", at="2026-09-01T10:00:00.000Z"))

    snapshot = subscribe(pipeline, LIST)
    pipeline.run(ses.a_delivery("m-1", campaign="spring"))

    assert [entry["id"] for entry in snapshot["campaigns"]] == ["autumn", "spring"]
    [changes] = pushes(pipeline)
    assert [entry["id"] for entry in changes["campaigns"]] == ["spring"]
    assert changes["campaigns"][0]["counts"]["deliveries"] == 1


def test_the_pipelines_health_is_a_topic(pipeline):
    assert subscribe(pipeline, HEALTH)["version"] == 0

    pipeline.run(ses.a_send(campaign=None))

    [changes] = pushes(pipeline)
    assert changes["untagged"] == 1


def test_get_returns_one_snapshot_and_does_not_subscribe(pipeline):
    pipeline.ask(VIEWER, action="get", id=SPRING)

    pipeline.run(ses.a_send())

    assert pushes(pipeline) == []


def test_after_unsubscribe_no_pushes_arrive(pipeline):
    subscribe(pipeline, SPRING)
    assert pipeline.ask(VIEWER, action="unsubscribe", id=SPRING, request_id=2) == [
        {"request_id": 2, "action": "unsubscribe", "id": SPRING}
    ]

    pipeline.run(ses.a_send())

    assert pushes(pipeline) == []


def test_a_gone_connection_is_removed_and_the_others_are_served(pipeline):
    subscribe(pipeline, SPRING)
    subscribe(pipeline, LIST)
    subscribe(pipeline, SPRING, OTHER)
    pipeline.connections.outcomes[VIEWER.id] = ["gone"]

    pipeline.run(ses.a_send())

    assert len(pushes(pipeline, OTHER)) == 1
    assert pipeline.parts.subscriptions.subscribers(SPRING) == [OTHER]
    assert pipeline.parts.subscriptions.subscribers(LIST) == []


def test_a_new_connection_that_seems_gone_is_not_removed(pipeline):
    young = Connection("viewer-3", "api-1/api", connected_at=int(pipeline.now) - 5)
    subscribe(pipeline, SPRING, young)
    pipeline.connections.outcomes[young.id] = ["gone"]

    pipeline.run(ses.a_send())
    pipeline.run(ses.a_send("m-2"))

    [changes] = pushes(pipeline, young)
    assert changes["counts"]["sends"] == 2


def test_a_missed_push_is_caught_up_once_by_the_next_ping(pipeline):
    subscribe(pipeline, SPRING)
    pipeline.connections.outcomes[VIEWER.id] = ["failed", "failed"]
    pipeline.run(ses.a_send())
    assert pushes(pipeline) == []

    healed, pong = pipeline.ask(VIEWER, action="ping", request_id=5)

    assert pong == {"request_id": 5, "action": "ping"}
    assert (healed["id"], healed["snapshot"]["counts"]["sends"]) == (SPRING, 1)
    assert pipeline.ask(VIEWER, action="ping", request_id=6) == [
        {"request_id": 6, "action": "ping"}
    ]


def test_a_failed_catch_up_is_retried_by_the_next_ping(pipeline):
    subscribe(pipeline, SPRING)
    pipeline.connections.outcomes[VIEWER.id] = ["failed"] * 4
    pipeline.run(ses.a_send())

    handlers.message(event('{"action": "ping", "request_id": 1}'))
    assert VIEWER.id not in pipeline.connections.sent
    handlers.message(event('{"action": "ping", "request_id": 2}'))

    healed, pong = pipeline.connections.sent[VIEWER.id]
    assert healed["snapshot"]["counts"]["sends"] == 1
    assert pong == {"request_id": 2, "action": "ping"}


def test_a_push_missed_during_a_catch_up_stays_marked(pipeline):
    subscribe(pipeline, SPRING)
    subscriptions = pipeline.parts.subscriptions
    subscriptions.mark_behind(VIEWER.id, SPRING)
    [(topic, mark)] = subscriptions.behind(VIEWER.id)

    subscriptions.caught_up(VIEWER.id, topic, str(int(mark) - 1))

    assert subscriptions.behind(VIEWER.id) == [(topic, mark)]


def test_an_undelivered_snapshot_is_also_caught_up(pipeline):
    pipeline.run(ses.a_send())
    pipeline.connections.outcomes[VIEWER.id] = ["failed", "failed"]
    handlers.message(event(json.dumps({"action": "subscribe", "id": SPRING})))

    healed, _ = pipeline.ask(VIEWER, action="ping")

    assert healed["snapshot"]["counts"]["sends"] == 1


def test_an_unresponsive_connection_is_tried_once_and_marked_behind(pipeline):
    campaigns = [f"c-{number}" for number in range(10)]
    for campaign in campaigns:
        subscribe(pipeline, f"stats/email-campaign/{campaign}")
        subscribe(pipeline, f"stats/email-campaign/{campaign}", OTHER)
    pipeline.connections.outcomes[VIEWER.id] = ["failed"] * 100

    pipeline.run(*[ses.a_send(f"m-{campaign}", campaign=campaign) for campaign in campaigns])

    assert len(pipeline.connections.outcomes[VIEWER.id]) == 98
    assert len(pushes(pipeline, OTHER)) == 10
    assert len(pipeline.parts.subscriptions.behind(VIEWER.id)) == 10


def test_connections_that_remain_at_the_deadline_are_marked_behind(pipeline):
    subscribe(pipeline, SPRING)
    times = iter([0.0, *[100.0] * 50])
    slow = replace(
        pipeline.publisher,
        clock=lambda: next(times),
        frame_sender=FrameSender(pipeline.connections, clock=lambda: 100.0),
    )
    pipeline.ingest(ses.a_send())
    pipeline.aggregate()

    slow.batch(pipeline.stream(pipeline.config.stats_table))

    assert pushes(pipeline) == []
    assert len(pipeline.parts.subscriptions.behind(VIEWER.id)) == 1


def test_a_malformed_stats_item_blocks_no_push(pipeline):
    subscribe(pipeline, SPRING)
    moto_account.client("dynamodb").put_item(
        TableName=pipeline.config.stats_table,
        Item={"campaign": {"S": "odd"}, "part": {"S": "summary"}, "s": {"N": "1.5"}},
    )

    pipeline.run(ses.a_send())

    assert len(pushes(pipeline)) == 1


def test_a_failed_push_is_retried(pipeline):
    subscribe(pipeline, SPRING)
    pipeline.connections.outcomes[VIEWER.id] = ["failed", "sent"]

    pipeline.run(ses.a_send())

    assert len(pushes(pipeline)) == 1
    assert len(pipeline.ask(VIEWER, action="ping")) == 1


def test_disconnect_removes_all_subscriptions(pipeline):
    subscribe(pipeline, SPRING)
    subscribe(pipeline, LIST)

    handlers.disconnect({"requestContext": {"connectionId": VIEWER.id}})

    assert pipeline.parts.subscriptions.subscribers(SPRING) == []
    assert pipeline.parts.subscriptions.subscribers(LIST) == []


def test_subscriptions_of_one_connection_are_limited(pipeline):
    for number in range(MAX_SUBSCRIPTIONS):
        subscribe(pipeline, f"{SPRING}-{number}")

    [refused] = pipeline.ask(VIEWER, action="subscribe", id=SPRING)
    [again] = pipeline.ask(VIEWER, action="subscribe", id=f"{SPRING}-0")

    assert refused["error"]["code"] == "rate_limited"
    assert "unsubscribe" in refused["error"]["message"]
    assert "snapshot" in again


def test_campaigns_are_listed_page_by_page(pipeline):
    pipeline.run(
        *[
            ses.a_send(f"m-{number}", campaign=f"c-{number}", at=f"2026-11-0{number}T10:00:00.000Z")
            for number in range(1, 6)
        ]
    )

    pages, cursor = [], None
    while True:
        [answer] = pipeline.ask(VIEWER, action="listCampaigns", limit=2, cursor=cursor)
        pages.append([campaign["id"] for campaign in answer["results"]])
        cursor = answer.get("cursor")
        if cursor is None:
            break

    assert [campaign for page in pages for campaign in page] == ["c-5", "c-4", "c-3", "c-2", "c-1"]
    assert answer["results"][-1]["$type"] == "Campaign"


def test_search_is_case_insensitive_in_titles_and_subjects(pipeline):
    pipeline.run(
        ses.a_send("m-1", campaign="spring", subject="Green ÄPFEL"),
        ses.a_send("m-2", campaign="autumn", subject="Red"),
    )

    def found(query):
        [answer] = pipeline.ask(VIEWER, action="searchCampaigns", query=query)
        return [campaign["id"] for campaign in answer["results"]]

    assert found("SPRI") == ["spring"]
    assert found("äpfel") == ["spring"]
    assert found("winter") == []
    assert sorted(found("")) == ["autumn", "spring"]


def test_search_puts_the_best_matches_first_then_the_newest(pipeline):
    pipeline.run(
        ses.a_send("m-1", campaign="sale", at="2026-11-21T10:00:00.000Z"),
        ses.a_send("m-2", campaign="sales", at="2026-11-22T10:00:00.000Z"),
        ses.a_send("m-3", campaign="salt", at="2026-11-23T10:00:00.000Z"),
        ses.a_send("m-4", campaign="sales-2", at="2026-11-23T11:00:00.000Z"),
    )

    [answer] = pipeline.ask(VIEWER, action="searchCampaigns", query="sale")

    assert [one["id"] for one in answer["results"]] == ["sale", "sales-2", "sales", "salt"]


def test_search_does_not_find_what_subjects_mask(pipeline):
    pipeline.run(ses.a_send("m-1", campaign="spring", subject="News for ada@example.org"))

    def found(query):
        [answer] = pipeline.ask(VIEWER, action="searchCampaigns", query=query)
        return [campaign["id"] for campaign in answer["results"]]

    assert found("news") == ["spring"]
    assert found("ada@example.org") == []


def test_a_streamed_search_sends_one_frame_per_hit_and_a_final_one(pipeline):
    pipeline.run(ses.a_send("m-1", campaign="spring"), ses.a_send("m-2", campaign="spring-2"))

    *hits, done = pipeline.ask(
        VIEWER, action="searchCampaigns", query="spring", stream=True, request_id="s"
    )

    assert {hit["result"]["id"] for hit in hits} == {"spring", "spring-2"}
    assert done == {"request_id": "s", "action": "searchCampaigns", "done": True}


def test_activity_is_listed_newest_first_across_hours_and_pages(pipeline):
    opens = [
        ses.an_open(f"m-{number}", at=f"2026-11-23T{10 + number // 4}:0{number}:00.000Z")
        for number in range(8)
    ]
    pipeline.run(*opens, ses.a_bounce("m-9", at="2026-11-23T09:00:00.000Z"), ses.a_send("m-1"))

    shown, cursor = [], None
    while True:
        [answer] = pipeline.ask(VIEWER, action="listActivity", id=SPRING, limit=3, cursor=cursor)
        shown += answer["results"]
        cursor = answer.get("cursor")
        if cursor is None:
            break

    assert [one["at"] for one in shown] == [
        *[event["open"]["timestamp"] for event in reversed(opens)],
        "2026-11-23T09:00:00.000Z",
    ]
    assert shown[0]["engager"] == "human"
    assert shown[-1]["bounce_type"] == "Permanent"


def test_activity_can_be_filtered_by_type(pipeline):
    pipeline.run(ses.an_open("m-1"), ses.a_click("m-1"), ses.a_complaint("m-1"))

    *hits, done = pipeline.ask(
        VIEWER, action="listActivity", id=SPRING, type="Complaint", stream=True
    )

    assert [hit["result"]["type"] for hit in hits] == ["Complaint"]
    assert done["done"]


@pytest.mark.parametrize(
    ("limits", "found"),
    [
        ({"type": "Open"}, {"m-1", "m-2"}),
        ({"type": "Open", "engager": "machine"}, {"m-2"}),
        ({"engager": "human"}, {"m-1", "m-3"}),
        ({"link": "https://example.com/a?to=7"}, {"m-3"}),
        ({"link": "https://example.com/b"}, set()),
        ({"bounce_type": "Permanent"}, {"m-4"}),
        ({"bounce_type": "Transient"}, {"m-5", "m-6"}),
        ({"bounce_type": "Transient", "bounce_subtype": "MailboxFull"}, {"m-5"}),
        ({"bounce_type": "Transient", "bounce_subtype": "AddedLater"}, {"m-6"}),
    ],
)
def test_activity_can_be_filtered_by_counter(pipeline, limits, found):
    pipeline.run(
        ses.an_open("m-1"),
        ses.an_open("m-2", agent=ses.APPLE_MAIL_PRIVACY),
        ses.a_click("m-3", link="https://example.com/a?utm_source=ses&to=7"),
        ses.a_bounce("m-4"),
        ses.a_bounce("m-5", kind="Transient", subtype="MailboxFull"),
        ses.a_bounce("m-6", kind="Transient", subtype="AddedLater"),
    )

    [answer] = pipeline.ask(VIEWER, action="listActivity", id=SPRING, **limits)

    assert {one["message_id"] for one in answer["results"]} == found


def test_rare_activity_among_many_events_is_found_over_several_pages(pipeline, monkeypatch):
    monkeypatch.setattr(message, "_MOST_READ", 4)
    opens = [ses.an_open(f"m-{number}", at=at(number)) for number in range(1, 10)]
    pipeline.run(ses.a_complaint("m-0", at=at(0)), *opens)

    found, cursor, answers = [], None, 0
    while answers == 0 or cursor:
        [answer] = pipeline.ask(
            VIEWER, action="listActivity", id=SPRING, type="Complaint", cursor=cursor
        )
        found += answer["results"]
        cursor = answer.get("cursor")
        answers += 1

    assert [one["message_id"] for one in found] == ["m-0"]
    assert answers == 3


@pytest.mark.parametrize(
    ("first", "resolution", "buckets"),
    [
        ("23T10:00", "minute", ["2026-11-23T10:00:00Z", "2026-11-23T11:30:00Z"]),
        ("22T10:00", "hour", ["2026-11-22T10:00:00Z", "2026-11-23T11:00:00Z"]),
        ("02T10:00", "day", ["2026-11-02T00:00:00Z", "2026-11-23T00:00:00Z"]),
    ],
)
def test_a_timeline_uses_the_finest_resolution_that_covers_the_campaign(
    pipeline, first, resolution, buckets
):
    pipeline.run(
        ses.a_delivery("m-1", at=f"2026-11-{first}:01.000Z"),
        ses.an_open("m-1", at="2026-11-23T11:30:00.000Z"),
    )

    [answer] = pipeline.ask(VIEWER, action="listTimelines", ids=[SPRING])

    [timeline] = answer["results"]
    assert timeline["resolution"] == resolution
    assert [bucket["at"] for bucket in timeline["buckets"]] == buckets
    assert timeline["buckets"][0]["deliveries"] == 1
    assert timeline["buckets"][-1]["human_opens"] == 1


def test_human_opens_by_hour_are_returned_whatever_the_age_of_the_campaign(pipeline):
    pipeline.run(
        ses.a_delivery("m-1", at="2026-10-01T10:00:01.000Z"),
        ses.an_open("m-1", at="2026-10-01T11:30:00.000Z"),
        ses.an_open("m-1", at="2026-11-23T11:30:00.000Z"),
    )

    [answer] = pipeline.ask(VIEWER, action="listTimelines", ids=[SPRING], resolution="hour")

    [timeline] = answer["results"]
    assert (timeline["resolution"], timeline["buckets"]) == (
        "hour",
        [
            {"at": "2026-10-01T11:00:00Z", "human_opens": 1},
            {"at": "2026-11-23T11:00:00Z", "human_opens": 1},
        ],
    )


def test_timelines_of_several_campaigns_are_streamed_one_by_one(pipeline):
    pipeline.run(ses.a_delivery("m-1"), ses.a_delivery("m-2", campaign="autumn"))
    ids = [SPRING, "stats/email-campaign/autumn", "stats/email-campaign/unknown"]

    *results, done = pipeline.ask(VIEWER, action="listTimelines", ids=ids, stream=True)

    assert [one["result"]["id"] for one in results] == ["spring", "autumn", "unknown"]
    assert results[2]["result"]["buckets"] == []
    assert done["done"]


def test_recipients_have_stable_pseudonyms_unless_addresses_are_stored(pipeline):
    pipeline.run(ses.an_open("m-1"), ses.a_click("m-1"))

    [answer] = pipeline.ask(VIEWER, action="listActivity", id=SPRING)

    recipients = {one["recipient"] for one in answer["results"]}
    assert len(recipients) == 1
    assert "@" not in recipients.pop()


@pytest.mark.parametrize("action", ["listCampaigns", "listActivity"])
@pytest.mark.parametrize(
    "made_up", ["made-up", "e30=", "W10=", "IiI=", "eyJhIjogMX0=", "W1" * 3000, "é"]
)
def test_a_forged_cursor_is_refused(pipeline, action, made_up):
    [answer] = pipeline.ask(VIEWER, action=action, id=SPRING, cursor=made_up)

    assert answer["error"]["code"] == "invalid_request"
    assert "cursor" in answer["error"]["message"]


def test_subscription_events_without_an_opt_out_are_not_listed(pipeline):
    pipeline.run(ses.a_subscription("m-1", opts_out=False), ses.a_subscription("m-2"))

    [answer] = pipeline.ask(VIEWER, action="listActivity", id=SPRING)

    assert [one["message_id"] for one in answer["results"]] == ["m-2"]


def test_a_request_gets_an_error_response_when_the_tables_fail(pipeline):
    moto_account.client("dynamodb").delete_table(TableName=pipeline.config.stats_table)

    [answer] = pipeline.ask(VIEWER, action="get", id=SPRING, request_id=9)

    assert (answer["request_id"], answer["error"]["code"]) == (9, "internal")


def event(body, connection=VIEWER):
    return {
        "requestContext": {
            "connectionId": connection.id,
            "apiId": "api-1",
            "stage": "api",
            "connectedAt": 1_800_000_000_000,
        },
        "body": body,
    }


def test_responses_are_sent_to_the_connection(pipeline):
    assert handlers.message(event('{"action": "ping", "request_id": 1}')) is None

    assert pipeline.connections.sent[VIEWER.id] == [{"request_id": 1, "action": "ping"}]


def test_a_connection_that_closes_before_its_response_is_removed(pipeline):
    subscribe(pipeline, SPRING)
    pipeline.connections.outcomes[VIEWER.id] = ["gone"]

    handlers.message(event('{"action": "ping"}'))

    assert pipeline.parts.subscriptions.subscribers(SPRING) == []


@pytest.mark.parametrize(
    ("headers", "echoed"),
    [
        ({"Sec-WebSocket-Protocol": "mailpulse.v1"}, "mailpulse.v1"),
        ({"sec-websocket-protocol": "other, mailpulse.v1"}, "mailpulse.v1"),
        ({}, None),
        (None, None),
    ],
)
def test_a_connection_is_accepted_and_the_subprotocol_echoed(pipeline, headers, echoed):
    context = {"connectionId": "c", "apiId": "api-1", "stage": "api", "connectedAt": 0}
    answer = handlers.connect({"requestContext": context, "headers": headers})

    assert answer["statusCode"] == 200
    assert answer.get("headers", {}).get("Sec-WebSocket-Protocol") == echoed
