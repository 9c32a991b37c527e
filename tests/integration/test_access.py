"""Permissions of each action and each push, as an attacker would test them."""

import base64
import json
import time
from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace
from support import handlers, moto_account, ses
from support.parts import Parts
from support.tokens import CLIENT, ISSUER, ORIGIN, Issuer, signed

from chalicelib.auth import share_links
from chalicelib.auth.share_tokens import ShareTokens
from chalicelib.auth.tokens import TokenVerifier
from chalicelib.errors import AwsError, InvalidRequest
from chalicelib.live import subscriptions
from chalicelib.live.frames import MAX_FRAME_BYTES
from chalicelib.live.permissions import Connection
from chalicelib.live.subscriptions import MAX_SUBSCRIPTIONS
from chalicelib.stats.health import Findings

LIST = "stats/email-campaigns"
HEALTH = "stats/health"
GROUPS = {"acme": ("acme-",), "globex": ("globex-", "shared-"), "staff": ("",)}


def topic(campaign):
    return f"stats/email-campaign/{campaign}"


NOTE = {"at": "2026-11-23T10:00:00Z", "text": "Reminder sent"}


class Stage:
    """A stage with sign-in, seen from API Gateway.

    Attributes:
        now: epoch seconds.
        closed: the connections that the functions closed.
    """

    def __init__(self, pipeline, **settings):
        self.pipeline = pipeline
        self.now = float(int(time.time()))
        self.closed = []
        pipeline.connections.close = lambda endpoint, connection: self.closed.append(connection)
        config = replace(
            pipeline.config,
            **{
                "issuer": ISSUER,
                "client_id": CLIENT,
                "allowed_origins": frozenset({ORIGIN}),
                "group_prefixes": GROUPS,
                "share_key": "a key of thirty-two bytes or more",
                **settings,
            },
        )
        parts = Parts(config, services=pipeline.services, clock=lambda: self.now)
        parts.connections = pipeline.connections
        parts.frame_sender = pipeline.parts.frame_sender
        parts.tokens = TokenVerifier(
            ISSUER, CLIENT, groups_claim=config.groups_claim, fetch=Issuer().fetch
        )
        pipeline.parts = parts
        pipeline.publisher = replace(
            pipeline.publisher, subscriptions=parts.subscriptions, clock=lambda: self.now
        )
        self.parts = parts

    def _event(self, connection, **more):
        context = {
            "connectionId": connection,
            "apiId": "api-1",
            "stage": "test",
            "connectedAt": int(self.now - 60) * 1000,
        }
        return {"requestContext": context, **more}

    def connect(self, connection, *tokens):
        protocols = ", ".join(["mailpulse.v1", *tokens])
        headers = {"Origin": ORIGIN, "Sec-WebSocket-Protocol": protocols}
        return handlers.connect(self._event(connection, headers=headers))["statusCode"]

    def sign_in(self, connection, *groups, **claims):
        """Connect a user of these groups."""
        token = signed(**{"cognito:groups": list(groups), "exp": int(self.now) + 3600, **claims})
        assert self.connect(connection, f"bearer.{token}") == 200
        return connection

    def share(self, campaign, seconds=86400):
        """Create a share link; return it and its token."""
        return self.parts.sharing.make(campaign, int(self.now) + seconds)

    def ask(self, connection, body=None, **request):
        """Send a request; return its responses."""
        self.pipeline.connections.sent.pop(connection, None)
        handlers.message(self._event(connection, body=body or json.dumps(request)))
        return self.pipeline.connections.sent.pop(connection, [])

    def refusal(self, connection, **request):
        """Send a request that is refused; return the error message."""
        [answer] = self.ask(connection, **request)
        assert answer["error"]["code"] == "forbidden", answer
        return answer["error"]["message"]

    def pushes(self, connection):
        return self.pipeline.connections.sent.pop(connection, [])

    def rows(self):
        table = self.parts.config.subscriptions_table
        return moto_account.client("dynamodb").scan(TableName=table)["Items"]


@pytest.fixture
def stage(pipeline):
    stage = Stage(pipeline)
    campaigns = ("acme-spring", "globex-spring", "acme-autumn")
    pipeline.run(*(ses.a_send(f"m-{campaign}", campaign=campaign) for campaign in campaigns))
    return stage


def ids(entries):
    return {entry["id"] for entry in entries}


def test_a_group_sees_only_its_own_campaigns(stage):
    mallory = stage.sign_in("mallory", "acme")

    [own] = stage.ask(mallory, action="get", id=topic("acme-spring"))
    assert own["snapshot"]["counts"]["sends"] == 1

    for action in ("get", "subscribe", "listActivity", "listRecipients"):
        message = stage.refusal(mallory, action=action, id=topic("globex-spring"))
        assert "'acme-'" in message
    stage.refusal(
        mallory, action="listTimelines", ids=[topic("acme-spring"), topic("globex-spring")]
    )


def test_lists_searches_and_health_show_only_permitted_campaigns(stage):
    mallory = stage.sign_in("mallory", "acme")
    stage.parts.stats_table.pipeline.put_findings(
        replace(findings(), untracked=("acme-autumn", "globex-spring"))
    )

    [listed] = stage.ask(mallory, action="listCampaigns")
    assert ids(listed["results"]) == {"acme-spring", "acme-autumn"}
    [found] = stage.ask(mallory, action="searchCampaigns", query="spring")
    assert ids(found["results"]) == {"acme-spring", "acme-autumn"}  # also by subject
    [snapshot] = stage.ask(mallory, action="subscribe", id=LIST)
    assert ids(snapshot["snapshot"]["campaigns"]) == {"acme-spring", "acme-autumn"}
    [health] = stage.ask(mallory, action="subscribe", id=HEALTH)
    assert health["snapshot"]["untracked"] == ["acme-autumn"]


def findings():
    return Findings(checked_at="2026-11-23T10:00:00Z")


def test_no_cursor_reveals_a_hidden_campaign(stage):
    stage.pipeline.run(
        *(
            ses.a_send(
                f"n-{number}",
                campaign=f"{'acme' if number % 3 == 0 else 'globex'}-{number}",
                at=f"2026-11-24T10:{number:02}:00.000Z",
            )
            for number in range(12)
        )
    )
    mallory = stage.sign_in("mallory", "acme")

    seen, request = [], {}
    while True:
        [page] = stage.ask(mallory, action="listCampaigns", limit=2, **request)
        seen += [entry["id"] for entry in page["results"]]
        if "cursor" not in page:
            break
        request = {"cursor": page["cursor"]}
        assert "globex" not in bytes_of(page["cursor"])

    assert seen == ["acme-9", "acme-6", "acme-3", "acme-0", *sorted(seen[4:], reverse=True)]
    assert set(seen[4:]) == {"acme-spring", "acme-autumn"}


def bytes_of(cursor):
    return base64.urlsafe_b64decode(cursor).decode()


def test_list_pushes_contain_only_permitted_campaigns(stage):
    mallory, boss = stage.sign_in("mallory", "acme"), stage.sign_in("boss", "staff")
    for viewer in (mallory, boss):
        stage.ask(viewer, action="subscribe", id=LIST)

    stage.pipeline.ingest(
        *(ses.a_delivery(f"m-{one}", campaign=one) for one in ("acme-spring", "globex-spring"))
    )
    stage.pipeline.aggregate()
    stage.pipeline.publish()
    [push] = stage.pushes(mallory)
    assert ids(push["changes"]["campaigns"]) == {"acme-spring"}
    [push] = stage.pushes(boss)
    assert ids(push["changes"]["campaigns"]) == {"acme-spring", "globex-spring"}

    stage.pipeline.run(ses.an_open("m-globex-spring", campaign="globex-spring"))
    assert stage.pushes(mallory) == []
    assert len(stage.pushes(boss)) == 1


def test_alarms_are_set_by_those_who_see_the_campaign(stage):
    viewer = stage.sign_in("viewer", "acme")

    [answer] = stage.ask(viewer, action="setAlarms", id=topic("acme-spring"), test=True)
    assert answer["alarms"][0]["test"] is True
    assert "acme-" in stage.refusal(
        viewer, action="setAlarms", id=topic("globex-spring"), test=True
    )
    assert "all campaigns" in stage.refusal(viewer, action="setAlarms", kinds=[])
    assert stage.parts.stats_table.remarks.alarm_settings("globex-spring").version == 0
    assert stage.parts.stats_table.remarks.alarm_settings().version == 0


def test_with_an_alarm_group_only_its_members_set_alarms(pipeline):
    stage = Stage(pipeline, alarm_group="ops")
    viewer, member = stage.sign_in("viewer", "staff"), stage.sign_in("member", "staff", "ops")

    assert "ALARM_GROUP" in stage.refusal(viewer, action="setAlarms", kinds=["bounces"])
    [answer] = stage.ask(member, action="setAlarms", kinds=["bounces"])
    assert answer["alarms"] == [
        {"scope": "all", "version": 1, "kinds": ["bounces"], "snooze_until": None, "quiet": None}
    ]

    stage.ask(member, action="authenticate", token=signed(**{"cognito:groups": ["staff"]}))
    assert "ALARM_GROUP" in stage.refusal(member, action="setAlarms", kinds=None)


def test_without_an_alarm_group_those_who_may_share_set_alarms(pipeline):
    stage = Stage(pipeline, share_group="leads")
    viewer, member = stage.sign_in("viewer", "staff"), stage.sign_in("member", "staff", "leads")

    assert "SHARE_GROUP" in stage.refusal(viewer, action="setAlarms", kinds=[])
    stage.ask(member, action="setAlarms", kinds=[])


def test_notes_are_written_by_those_who_may_share_and_have_their_names(pipeline):
    stage = Stage(pipeline, share_group="leads")
    viewer, member = stage.sign_in("viewer", "staff"), stage.sign_in("member", "staff", "leads")
    of_spring = topic("acme-spring")

    assert "SHARE_GROUP" in stage.refusal(viewer, action="addNote", id=of_spring, **NOTE)
    [answer] = stage.ask(member, action="addNote", id=of_spring, **NOTE)
    [note] = answer["notes"]
    assert note == {"note": note["note"], "version": 1, **NOTE, "by": note["by"]}
    assert note["by"]
    assert "SHARE_GROUP" in stage.refusal(
        viewer, action="removeNote", id=of_spring, note=note["note"]
    )
    [snapshot] = stage.ask(viewer, action="get", id=of_spring)
    assert snapshot["snapshot"]["notes"] == [note]

    [answer] = stage.ask(member, action="removeNote", id=of_spring, note=note["note"])
    [gone] = answer["notes"]
    assert (gone["version"], gone["text"], gone["by"]) == (2, None, None)
    [answer] = stage.ask(member, action="removeNote", id=of_spring, note="other")
    assert answer["error"]["code"] == "not_found"
    assert "no note 'other'" in answer["error"]["message"]


def test_notes_are_written_on_campaigns_that_the_user_sees(stage):
    viewer = stage.sign_in("viewer", "acme")

    stage.ask(viewer, action="addNote", id=topic("acme-spring"), **NOTE)
    refusal = stage.refusal(viewer, action="addNote", id=topic("globex-spring"), **NOTE)
    assert "acme-" in refusal
    assert stage.parts.stats_table.remarks.get("globex-spring").notes.version == 0


def test_a_share_link_receives_no_notes(stage):
    viewer = stage.sign_in("viewer", "staff")
    _, token = stage.share("acme-spring")
    assert stage.connect("guest", f"share.{token}") == 200
    for one in (viewer, "guest"):
        stage.ask(one, action="subscribe", id=topic("acme-spring"))

    stage.ask(viewer, action="addNote", id=topic("acme-spring"), **NOTE)
    stage.pipeline.run()

    assert [one["changes"]["notes"][0]["text"] for one in stage.pushes(viewer)] == [NOTE["text"]]
    assert stage.pushes("guest") == []
    [snapshot] = stage.ask("guest", action="get", id=topic("acme-spring"))
    assert "notes" not in snapshot["snapshot"]


def test_a_share_link_receives_neither_incidents_nor_settings_of_alarms(stage):
    viewer = stage.sign_in("viewer", "staff")
    _, token = stage.share("acme-spring")
    assert stage.connect("guest", f"share.{token}") == 200

    [own] = stage.ask(viewer, action="get", id=topic("acme-spring"))
    [shared] = stage.ask("guest", action="get", id=topic("acme-spring"))
    assert own["snapshot"]["incidents"] == []
    assert [one["may_change"] for one in own["snapshot"]["alarms"]] == [True, True]
    assert own["snapshot"]["may_share"] is True
    assert not {"incidents", "alarms", "may_share"} & shared["snapshot"].keys()

    for one in (viewer, "guest"):
        stage.ask(one, action="subscribe", id=topic("acme-spring"))
    stage.ask(viewer, action="setAlarms", id=topic("acme-spring"), test=True)
    stage.pipeline.publish()
    [push] = stage.pushes(viewer)
    assert push["changes"]["alarms"][0]["test"] is True
    [seen] = stage.pushes("guest")
    assert not {"incidents", "alarms", "may_share"} & seen["changes"].keys()


def test_a_user_without_a_permitted_group_cannot_connect(stage):
    for groups in ([], ["nobody"], "staff", None, {"staff": True}):
        token = signed(**{"cognito:groups": groups})
        assert stage.connect("c", f"bearer.{token}") == 403


@pytest.mark.parametrize(
    "campaign",
    [
        "globex-spring",
        "acme",
        "Acme-spring",
        "x/acme-spring",
        "../acme-spring",
        "globex-spring/acme-",
    ],
)
def test_no_topic_name_bypasses_the_prefix_check(stage, campaign):
    mallory = stage.sign_in("mallory", "acme")

    stage.refusal(mallory, action="subscribe", id=topic(campaign))


@pytest.mark.parametrize(
    "topic_", ["stats", "stats/email-campaigns/", " " + LIST, "access", "shares"]
)
def test_an_unknown_topic_is_not_found(stage, topic_):
    [answer] = stage.ask(stage.sign_in("mallory", "acme"), action="subscribe", id=topic_)

    assert answer["error"]["code"] == "not_found"


def test_an_unauthorized_connection_gets_no_response_and_is_closed(stage):
    stage.refusal("stranger", action="get", id=topic("acme-spring"))

    assert stage.closed == ["stranger"]


def test_an_expired_token_ends_pushes_and_closes_the_connection(stage):
    viewer = stage.sign_in("viewer", "staff", exp=int(stage.now) + 600)
    stage.ask(viewer, action="subscribe", id=topic("acme-spring"))

    stage.now += 631  # the clock skew allowance is half a minute
    stage.pipeline.run(ses.an_open("m-acme-spring", campaign="acme-spring"))
    assert stage.pushes(viewer) == []

    assert "has expired" in stage.refusal(viewer, action="ping")
    assert stage.closed == [viewer]
    assert [row for row in stage.rows() if viewer in json.dumps(row)] == []


def test_a_token_renewed_in_time_keeps_the_connection_and_its_subscriptions(stage):
    viewer = stage.sign_in("viewer", "staff", exp=int(stage.now) + 600)
    stage.ask(viewer, action="subscribe", id=topic("acme-spring"))
    later = signed(**{"cognito:groups": ["staff"], "exp": int(stage.now) + 4000})

    answer = stage.ask(viewer, action="authenticate", token=later, request_id=7)
    assert answer == [{"request_id": 7, "action": "authenticate"}]

    stage.now += 3000
    stage.pipeline.run(ses.an_open("m-acme-spring", campaign="acme-spring"))
    assert len(stage.pushes(viewer)) == 1
    assert stage.ask(viewer, action="ping") == [{"request_id": None, "action": "ping"}]


def test_a_missed_push_is_caught_up_after_a_token_renewal(stage):
    viewer = stage.sign_in("viewer", "staff")
    stage.ask(viewer, action="subscribe", id=topic("acme-spring"))
    stage.parts.subscriptions.mark_behind(viewer, topic("acme-spring"))

    stage.ask(viewer, action="authenticate", token=signed(**{"cognito:groups": ["staff"]}))

    snapshot, _ = stage.ask(viewer, action="ping")
    assert snapshot["id"] == topic("acme-spring")


def test_a_renewal_with_fewer_groups_ends_their_pushes(stage):
    viewer = stage.sign_in("viewer", "acme", "globex")
    for campaign in ("acme-spring", "globex-spring"):
        stage.ask(viewer, action="subscribe", id=topic(campaign))

    stage.ask(viewer, action="authenticate", token=signed(**{"cognito:groups": ["acme"]}))

    stage.pipeline.run(ses.an_open("m-globex-spring", campaign="globex-spring"))
    assert stage.pushes(viewer) == []
    stage.refusal(viewer, action="get", id=topic("globex-spring"))
    stage.pipeline.run(ses.an_open("m-acme-spring", campaign="acme-spring"))
    assert len(stage.pushes(viewer)) == 1


@pytest.mark.parametrize(
    "token",
    [
        "",
        "nonsense",
        signed(exp=1),
        signed(sub="another-user", **{"cognito:groups": ["staff"]}),
        signed(iss="https://evil.example.com", **{"cognito:groups": ["staff"]}),
    ],
    ids=["empty", "nonsense", "expired", "another user's", "another issuer's"],
)
def test_an_unacceptable_renewal_token_changes_nothing_and_is_not_quoted(stage, token):
    viewer = stage.sign_in("viewer", "acme")

    message = stage.refusal(viewer, action="authenticate", token=token)

    assert not token or token not in message
    assert stage.ask(viewer, action="get", id=topic("acme-spring"))[0]["snapshot"]
    stage.refusal(viewer, action="get", id=topic("globex-spring"))


def test_an_error_never_quotes_a_token(stage):
    viewer = stage.sign_in("viewer", "acme")

    [answer] = stage.ask(viewer, action="authenticate", token=["a-secret"])

    assert answer["error"]["code"] == "invalid_request"
    assert "a-secret" not in json.dumps(answer)


def renewing(stage, viewer, *groups):
    """Renew the token between two calls of another request."""
    token = signed(**{"cognito:groups": list(groups), "exp": int(stage.now) + 7200})
    stage.parts.sign_in.renew(
        Connection(viewer, "api-1/test", 0, stage.parts.subscriptions.access(viewer)), token
    )


@pytest.mark.parametrize(("groups", "hears"), [(["acme"], False), (["globex", "acme"], True)])
def test_a_subscription_during_a_renewal_follows_the_new_token(stage, monkeypatch, groups, hears):
    viewer = stage.sign_in("viewer", "globex", exp=int(stage.now) + 600)
    write = stage.parts.subscriptions._subscribe

    def write_after_renewal(*arguments):
        renewing(stage, viewer, *groups)
        write(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(stage.parts.subscriptions, "_subscribe", write_after_renewal)
        [answer] = stage.ask(viewer, action="subscribe", id=topic("globex-spring"))
    assert ("snapshot" in answer) == hears

    stage.now += 3600  # the first token has expired
    stage.pipeline.run(ses.an_open("m-globex-spring", campaign="globex-spring"))
    assert len(stage.pushes(viewer)) == (1 if hears else 0)


def test_unsubscribing_during_a_renewal_takes_effect(stage, monkeypatch):
    viewer = stage.sign_in("viewer", "staff")
    stage.ask(viewer, action="subscribe", id=topic("acme-spring"))
    read = stage.parts.subscriptions._topics

    def read_and_leave(connection):
        rows = list(read(connection))
        stage.parts.subscriptions.remove(viewer, topic("acme-spring"))
        return rows

    with monkeypatch.context() as patch:
        patch.setattr(stage.parts.subscriptions, "_topics", read_and_leave)
        renewing(stage, viewer, "staff")

    assert stage.parts.subscriptions.subscribers(topic("acme-spring")) == []


def test_an_expired_connection_is_closed_even_if_no_error_can_be_sent(stage):
    viewer = stage.sign_in("viewer", "staff", exp=int(stage.now) + 60)
    stage.now += 91
    stage.pipeline.connections.outcomes[viewer] = ["failed", "failed"]

    assert stage.ask(viewer, action="ping") == []

    assert stage.closed == [viewer]
    assert [row for row in stage.rows() if viewer in json.dumps(row)] == []


def test_hidden_campaigns_do_not_cost_a_query_each(stage):
    events = (ses.a_send(f"o-{number}", campaign=f"globex-{number}") for number in range(30))
    stage.pipeline.run(*events)
    mallory = stage.sign_in("mallory", "acme")
    calls = []
    items = stage.parts.stats_table._items
    items._dynamo = Counting(items._dynamo, calls)

    [answer] = stage.ask(mallory, action="listCampaigns", limit=1)

    assert len(answer["results"]) == 1
    assert calls.count("query") <= 2


class Counting:
    def __init__(self, service, calls):
        self._service, self._calls = service, calls

    def call(self, operation, **parameters):
        self._calls.append(operation)
        return self._service.call(operation, **parameters)


@pytest.mark.parametrize("code", ["TransactionCanceledException", "TransactionConflictException"])
def test_conflicting_writes_are_retried(stage, code):
    viewer = stage.sign_in("viewer", "staff")
    table = stage.parts.subscriptions
    table._pause = lambda _: None
    table._dynamo = ConcurrentWriter(table._dynamo, code, times=3)

    [answer] = stage.ask(viewer, action="subscribe", id=topic("acme-spring"))
    assert "snapshot" in answer

    table._dynamo = ConcurrentWriter(table._dynamo, code, times=50)
    [answer] = stage.ask(viewer, action="subscribe", id=topic("acme-autumn"))
    assert answer["error"]["code"] == "internal"


class ConcurrentWriter:
    """DynamoDB with a concurrent writer of the same rows."""

    def __init__(self, service, code, times):
        self._service, self._code, self._times = service, code, times

    def call(self, operation, **parameters):
        if operation == "transact_write_items" and self._times:
            self._times -= 1
            raise AwsError(self._code, "conflict")
        return self._service.call(operation, **parameters)


def test_a_share_link_shows_the_numbers_of_one_campaign_live(stage):
    _, token = stage.share("acme-spring")
    assert stage.connect("guest", f"share.{token}") == 200

    [answer] = stage.ask("guest", action="subscribe", id=topic("acme-spring"))
    assert answer["snapshot"]["counts"]["sends"] == 1
    stage.pipeline.run(ses.an_open("m-acme-spring", campaign="acme-spring"))
    assert len(stage.pushes("guest")) == 1
    assert stage.ask("guest", action="ping") == [{"request_id": None, "action": "ping"}]
    [answer] = stage.ask("guest", action="listTimelines", ids=[topic("acme-spring")])
    assert answer["results"][0]["id"] == "acme-spring"


def test_a_share_link_shows_and_compares_the_variants_of_its_campaign(stage):
    for variant in "ab":
        email = {"campaign": "acme-spring", "variant": variant}
        stage.pipeline.run(ses.a_delivery(f"m-{variant}", **email))
    _, token = stage.share("acme-spring")
    stage.connect("guest", f"share.{token}")

    [snapshot] = stage.ask("guest", action="get", id=topic("acme-spring"))
    [answer] = stage.ask("guest", action="compareVariants", id=topic("acme-spring"), tag="variant")

    assert [one["value"] for one in snapshot["snapshot"]["variants"]] == ["a", "b"]
    assert answer["verdict"] == "too_few"


@pytest.mark.parametrize(
    "request_",
    [
        {"action": "listActivity", "id": topic("acme-spring")},
        {"action": "get", "id": topic("acme-autumn")},
        {"action": "subscribe", "id": topic("globex-spring")},
        {"action": "subscribe", "id": LIST},
        {"action": "subscribe", "id": HEALTH},
        {"action": "listCampaigns"},
        {"action": "searchCampaigns", "query": ""},
        {"action": "listTimelines", "ids": [topic("acme-autumn")]},
        {"action": "compare", "ids": [topic("acme-spring"), topic("acme-autumn")]},
        {"action": "compareVariants", "id": topic("acme-autumn"), "tag": "variant"},
        {"action": "getUsual", "id": topic("acme-spring")},
        {"action": "setAlarms", "id": topic("acme-spring"), "test": True},
        {"action": "setAlarms", "kinds": []},
        {"action": "createShare", "id": topic("acme-spring")},
        {"action": "listShares", "id": topic("acme-spring")},
        {"action": "revokeShare", "share": "x"},
        {"action": "addNote", "id": topic("acme-spring"), **NOTE},
        {"action": "removeNote", "id": topic("acme-spring"), "note": "a"},
        {"action": "listRecipients", "id": topic("acme-spring")},
        {"action": "recipientHistory", "id": topic("acme-spring"), "recipient": "a@example.com"},
        {"action": "authenticate", "token": signed(**{"cognito:groups": ["staff"]})},
    ],
    ids=lambda request: " ".join(map(str, request.values()))[:60],
)
def test_a_share_link_shows_no_other_campaign_and_no_addresses(stage, request_):
    _, token = stage.share("acme-spring")
    stage.connect("guest", f"share.{token}")

    stage.refusal("guest", **request_)


def test_a_stolen_share_link_is_useless_after_its_revocation(stage):
    link, token = stage.share("acme-spring")
    other, other_token = stage.share("acme-spring")
    stage.connect("thief", f"share.{token}")
    stage.connect("friend", f"share.{other_token}")
    for guest in ("thief", "friend"):
        stage.ask(guest, action="subscribe", id=topic("acme-spring"))

    assert stage.parts.sharing.revoke(link.id)

    assert stage.closed == ["thief"]
    stage.pipeline.run(ses.an_open("m-acme-spring", campaign="acme-spring"))
    assert stage.pushes("thief") == []
    assert len(stage.pushes("friend")) == 1
    stage.refusal("thief", action="get", id=topic("acme-spring"))
    assert stage.connect("thief-again", f"share.{token}") == 401
    assert [one.id for one in stage.parts.shares.all()] == [other.id]
    assert not stage.parts.sharing.revoke(link.id)


def test_a_subscription_during_a_revocation_gets_no_pushes(stage):
    """The link is revoked after the request was permitted and before its rows are written."""
    link, token = stage.share("acme-spring")
    stage.connect("thief", f"share.{token}")
    access = stage.parts.subscriptions.access("thief")
    stage.parts.sharing.revoke(link.id)

    with pytest.raises(InvalidRequest, match="permissions of this connection have changed"):
        stage.parts.subscriptions.add(
            Connection("thief", "api-1/test", 0, access), topic("acme-spring")
        )

    assert stage.parts.subscriptions.subscribers(topic("acme-spring")) == []


def test_the_next_revocation_completes_a_killed_one(stage, monkeypatch):
    link, token = stage.share("acme-spring")
    stage.connect("thief", f"share.{token}")
    with monkeypatch.context() as patch:
        patch.setattr(stage.parts.subscriptions, "of_share", broken)
        with pytest.raises(OSError, match="killed"):
            stage.parts.sharing.revoke(link.id)
    assert stage.connect("thief-again", f"share.{token}") == 401

    assert stage.parts.sharing.revoke(link.id)

    assert stage.closed == ["thief"]


def broken(_):
    raise OSError("killed")


def test_a_share_link_expires(stage):
    _, token = stage.share("acme-spring", seconds=100)
    assert stage.connect("guest", f"share.{token}") == 200

    stage.now += 101

    assert "has expired" in stage.refusal("guest", action="ping")
    assert stage.connect("late", f"share.{token}") == 401


def forged():
    other = ShareTokens("a different key, also of 32 bytes or more").sign("x", "acme-spring", 9**10)
    return {
        "none": "",
        "nonsense": "x.y.z",
        "of another key": other,
        "a token of the issuer": signed(**{"cognito:groups": ["staff"]}),
        "longer than any": "x" * 100_000,
    }


@pytest.mark.parametrize("kind", forged())
def test_no_other_token_is_accepted_as_a_share_link(stage, kind):
    assert stage.connect("c", f"share.{forged()[kind]}") == 401


def test_a_signed_share_link_that_was_never_created_is_refused(stage):
    token = stage.parts.share_tokens.sign("made-up", "acme-spring", int(stage.now) + 60)

    assert stage.connect("c", f"share.{token}") == 401
    assert [row for row in stage.rows() if "made-up" in json.dumps(row)] == []


def test_a_share_token_signed_for_another_campaign_is_refused(stage):
    link, _ = stage.share("acme-spring")
    token = stage.parts.share_tokens.sign(link.id, "globex-spring", link.until)

    assert stage.connect("c", f"share.{token}") == 401


def test_a_share_link_has_a_limited_number_of_viewers(stage, monkeypatch):
    monkeypatch.setattr(subscriptions, "MAX_GUESTS", 3)
    _, token = stage.share("acme-spring")
    _, other = stage.share("acme-spring")

    assert [stage.connect(f"c-{one}", f"share.{token}") for one in range(5)] == [200] * 3 + [
        403
    ] * 2
    assert stage.connect("friend", f"share.{other}") == 200
    handlers.disconnect(stage._event("c-0"))
    assert stage.connect("c-5", f"share.{token}") == 200


def test_a_share_token_does_not_sign_a_user_in(stage):
    _, token = stage.share("acme-spring")

    assert stage.connect("c", f"bearer.{token}") == 401


def test_without_a_key_share_links_are_refused(stage):
    _, token = stage.share("acme-spring")
    stage.parts.share_tokens = ShareTokens("")

    assert stage.connect("c", f"share.{token}") == 401


def test_a_user_creates_lists_and_revokes_share_links(stage):
    viewer = stage.sign_in("viewer", "acme", email="ada@example.com")

    [created] = stage.ask(viewer, action="createShare", id=topic("acme-spring"), days=7)
    operator, _ = stage.share("acme-spring", seconds=60)
    stage.share("acme-autumn")

    link = created["share"]
    assert created["id"] == topic("acme-spring")
    assert link["created_by"] == "ada@example.com"
    lasts = datetime.fromisoformat(link["expires_at"]) - datetime.fromisoformat(link["created_at"])
    assert lasts == timedelta(days=7)
    [listed] = stage.ask(viewer, action="listShares", id=topic("acme-spring"))
    assert [one["share"] for one in listed["shares"]] == [operator.id, link["share"]]
    assert listed["shares"][0]["created_by"] is None
    assert listed["shares"][1] == link

    [revoked] = stage.ask(viewer, action="revokeShare", share=link["share"])
    assert (revoked["id"], revoked["share"]) == (topic("acme-spring"), link["share"])
    [listed] = stage.ask(viewer, action="listShares", id=topic("acme-spring"))
    assert [one["share"] for one in listed["shares"]] == [operator.id]


def test_a_token_of_a_share_link_is_sent_once_and_neither_stored_nor_logged(stage, capsys):
    viewer = stage.sign_in("viewer", "acme")

    [created] = stage.ask(viewer, action="createShare", id=topic("acme-spring"))
    token = created["token"]
    assert stage.connect("guest", f"share.{token}") == 200
    replies = stage.ask(viewer, action="listShares", id=topic("acme-spring"))
    stage.ask(viewer, action="revokeShare", share=created["share"]["share"])

    assert token not in json.dumps(replies) + json.dumps(stage.rows()) + capsys.readouterr().out


def test_a_share_link_has_the_name_that_its_creator_gave_it(stage):
    viewer = stage.sign_in("viewer", "acme")
    before, _ = stage.share("acme-spring", seconds=60)  # as each link of an earlier release

    [created] = stage.ask(viewer, action="createShare", id=topic("acme-spring"), name="Client")
    [unnamed] = stage.ask(viewer, action="createShare", id=topic("acme-spring"), name=" ")

    assert (created["share"]["name"], unnamed["share"]["name"]) == ("Client", None)
    [listed] = stage.ask(viewer, action="listShares", id=topic("acme-spring"))
    names = {one["share"]: one["name"] for one in listed["shares"]}
    assert names == {
        before.id: None,
        created["share"]["share"]: "Client",
        unnamed["share"]["share"]: None,
    }
    rows = [one for one in stage.rows() if one["owner"] == {"S": "shares"}]
    assert [one["name"] for one in rows if "name" in one] == [{"S": "Client"}]


def test_the_name_of_a_share_link_is_neither_sent_to_its_holders_nor_logged(stage, capsys):
    viewer = stage.sign_in("viewer", "acme")
    of_spring = topic("acme-spring")

    [created] = stage.ask(viewer, action="createShare", id=of_spring, name="Grace")
    assert stage.connect("guest", f"share.{created['token']}") == 200
    seen = stage.ask("guest", action="subscribe", id=of_spring)
    stage.pipeline.run(ses.an_open("m-acme-spring", campaign="acme-spring"))
    seen += stage.pushes("guest")
    stage.ask(viewer, action="listShares", id=of_spring)
    stage.ask(viewer, action="createShare", id=of_spring, name="Grace\n")
    stage.ask(viewer, action="createShare", id=of_spring, name="Grace\nH")
    stage.ask(viewer, action="revokeShare", share=created["share"]["share"])

    assert len(seen) > 1
    header, payload, _ = created["token"].split(".")
    claims = [base64.urlsafe_b64decode(one + "==").decode() for one in (header, payload)]
    assert "Grace" not in json.dumps(seen) + "".join(claims) + capsys.readouterr().out


def test_the_longest_list_of_share_links_is_complete(stage):
    """It does not fit into one frame."""
    viewer = stage.sign_in("viewer", "acme", email="😀" * 100)
    created = {
        stage.ask(viewer, action="createShare", id=topic("acme-spring"), name="😀" * 80)[0][
            "share"
        ]["share"]
        for _ in range(share_links.MAX_LINKS)
    }

    frames = stage.ask(viewer, action="listShares", id=topic("acme-spring"))

    assert [one.get("more") for one in frames] == [True, None]
    listed = [one["share"] for frame in frames for one in frame["shares"]]
    assert (len(listed), set(listed)) == (share_links.MAX_LINKS, created)


def test_revoking_a_share_link_by_request_closes_its_connections(stage):
    viewer = stage.sign_in("viewer", "staff")
    [created] = stage.ask(viewer, action="createShare", id=topic("acme-spring"))
    stage.connect("guest", f"share.{created['token']}")
    stage.ask("guest", action="subscribe", id=topic("acme-spring"))

    stage.ask(viewer, action="revokeShare", share=created["share"]["share"])

    assert stage.closed == ["guest"]
    stage.pipeline.run(ses.an_open("m-acme-spring", campaign="acme-spring"))
    assert stage.pushes("guest") == []
    assert stage.connect("again", f"share.{created['token']}") == 401


def test_share_links_of_a_hidden_campaign_are_unknown(stage):
    mallory = stage.sign_in("mallory", "acme")
    link, token = stage.share("globex-spring")

    for action in ("createShare", "listShares"):
        assert "'acme-'" in stage.refusal(mallory, action=action, id=topic("globex-spring"))
    errors = [
        stage.ask(mallory, action="revokeShare", share=one)[0]["error"]
        for one in (link.id, "no-such-link")
    ]

    assert [one["code"] for one in errors] == ["not_found", "not_found"]
    assert errors[0]["message"].replace(link.id, "no-such-link") == errors[1]["message"]
    assert stage.connect("guest", f"share.{token}") == 200


def test_with_a_share_group_only_its_members_share(pipeline):
    stage = Stage(pipeline, share_group="leads", alarm_group="ops")
    viewer, member = stage.sign_in("viewer", "staff", "ops"), stage.sign_in("m", "staff", "leads")
    [created] = stage.ask(member, action="createShare", id=topic("acme-spring"))

    for request in (
        {"action": "createShare", "id": topic("acme-spring")},
        {"action": "listShares", "id": topic("acme-spring")},
        {"action": "revokeShare", "share": created["share"]["share"]},
    ):
        assert "SHARE_GROUP" in stage.refusal(viewer, **request)
    [answer] = stage.ask(viewer, action="get", id=topic("acme-spring"))
    assert answer["snapshot"]["may_share"] is False
    assert [one["may_change"] for one in answer["snapshot"]["alarms"]] == [True, True]
    assert len(list(stage.parts.shares.all())) == 1


def test_share_links_of_a_campaign_are_limited(stage, monkeypatch):
    monkeypatch.setattr(share_links, "MAX_LINKS", 2)
    viewer = stage.sign_in("viewer", "staff")
    first, _ = stage.share("acme-spring")
    stage.share("acme-spring", seconds=60)
    create = {"action": "createShare", "id": topic("acme-spring")}

    [refused] = stage.ask(viewer, **create)
    assert refused["error"]["code"] == "rate_limited"
    assert "revoke one first" in refused["error"]["message"]
    stage.share("acme-autumn")
    assert len(list(stage.parts.shares.all())) == 3

    stage.now += 61  # one has expired
    assert "token" in stage.ask(viewer, **create)[0]
    stage.ask(viewer, action="revokeShare", share=first.id)
    assert "token" in stage.ask(viewer, **create)[0]


def test_without_a_key_no_share_link_is_created(pipeline):
    stage = Stage(pipeline, share_key="")
    viewer = stage.sign_in("viewer", "staff")

    assert "SHARE_KEY" in stage.refusal(viewer, action="createShare", id=topic("acme-spring"))
    assert list(stage.parts.shares.all()) == []


def test_without_sign_in_a_share_link_still_shows_one_campaign_until_its_revocation(pipeline):
    stage = Stage(pipeline, issuer=None, client_id="", allowed_origins=frozenset())
    pipeline.run(ses.a_send("m-1", campaign="acme-spring"))
    assert stage.connect("viewer") == 200
    [created] = stage.ask("viewer", action="createShare", id=topic("acme-spring"))
    assert created["share"]["created_by"] is None
    assert stage.connect("guest", f"share.{created['token']}") == 200

    for connection in ("viewer", "guest"):
        stage.ask(connection, action="subscribe", id=topic("acme-spring"))
    assert "this share link" in stage.refusal("guest", action="listCampaigns")
    [listed] = stage.ask("viewer", action="listCampaigns")
    assert [one["id"] for one in listed["results"]] == ["acme-spring"]
    [answer] = stage.ask("viewer", action="authenticate", token=signed())
    assert answer["error"]["code"] == "unknown_action"

    stage.ask("viewer", action="revokeShare", share=created["share"]["share"])
    assert stage.closed == ["guest"]
    pipeline.run(ses.an_open("m-1", campaign="acme-spring"))
    assert (len(stage.pushes("viewer")), stage.pushes("guest")) == (1, [])
    assert "lost its permissions" in stage.refusal("guest", action="get", id=topic("acme-spring"))
    assert stage.connect("again", f"share.{created['token']}") == 401


def test_an_oversized_frame_is_refused_without_parsing(stage):
    viewer = stage.sign_in("viewer", "staff")

    [answer] = stage.ask(viewer, body='"' + "x" * MAX_FRAME_BYTES + '"')

    assert answer["error"]["code"] == "too_large"


def test_subscriptions_of_a_connection_are_limited(stage):
    viewer = stage.sign_in("viewer", "acme")
    answers = [
        stage.ask(viewer, action="subscribe", id=topic(f"acme-{number}"))[0]
        for number in range(MAX_SUBSCRIPTIONS + 5)
    ]

    refused = [answer["error"]["code"] for answer in answers if "error" in answer]
    assert refused == ["rate_limited"] * 5
    assert len(stage.rows()) == 2 * MAX_SUBSCRIPTIONS + 1


def test_a_closed_connection_leaves_no_rows_behind(stage):
    _, token = stage.share("acme-spring")
    before = len(stage.rows())
    stage.connect("guest", f"share.{token}")
    stage.ask("guest", action="subscribe", id=topic("acme-spring"))

    handlers.disconnect(stage._event("guest"))

    assert len(stage.rows()) == before
