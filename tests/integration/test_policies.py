"""Each function's policy allows the actions that it needs, and no others."""

import ast
import json
import math
import time
from datetime import timedelta
from fnmatch import fnmatch

import pytest
from msgspec.structs import replace
from support import handlers, moto_account, ses
from support.parts import Parts, install
from support.tokens import CLIENT, ISSUER, ORIGIN, Issuer, signed

from chalicelib.auth.tokens import TokenVerifier
from chalicelib.functions import publish
from chalicelib.insight.alarms import Change, Judgement
from chalicelib.insight.causes import Trouble
from chalicelib.live import batches, large_topics
from chalicelib.live.frame_sender import FrameSender
from chalicelib.live.permissions import Connection, Permissions, share_subject
from chalicelib.stats.jobs import Job, job_to_body
from dashboard import aws_session
from dashboard.deploy.chalice_project import roles
from dashboard.deploy.chalice_resources import function_name
from dashboard.functions import FUNCTIONS

REGION, ACCOUNT, STAGE = "us-east-1", "123456789012", "test"
HERE = f"{REGION}:{ACCOUNT}"
SPRING = "stats/email-campaign/spring"

# Actions that AWS performs for a function, without a call in its code.
LOGS = {"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"}
QUEUE_MAPPING = {
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ChangeMessageVisibility",
}
STREAM_MAPPING = {
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
}
BY_MAPPING = {
    "ingest": QUEUE_MAPPING,
    **dict.fromkeys(("aggregate", "publish", "publish_visible"), STREAM_MAPPING),
}


class Recorder:
    """Creates clients, and records the permission that each call needs: (action, resource)."""

    def __init__(self, stream_arn):
        self.needed = set()
        self._stream_arn = stream_arn
        self._clients = {}

    def __call__(self, service):
        if service not in self._clients:
            client = moto_account.new_client(service)
            client.meta.events.register("before-parameter-build", self._note)
            self._clients[service] = client
        return self._clients[service]

    def _note(self, params, model, **_):
        service = model.service_model.service_id.hyphenize()
        self.needed |= set(getattr(self, f"_of_{service.replace('-', '_')}")(model.name, params))

    def _of_dynamodb(self, operation, params):
        table = f"arn:aws:dynamodb:{HERE}:table/"
        if operation == "TransactWriteItems":
            for write in params["TransactItems"]:
                for kind, one in write.items():
                    yield f"dynamodb:{kind}Item", table + one["TableName"]
        elif "RequestItems" in params:
            for name in params["RequestItems"]:
                yield f"dynamodb:{operation}", table + name
        else:
            index = f"/index/{params['IndexName']}" if "IndexName" in params else ""
            yield f"dynamodb:{operation}", table + params["TableName"] + index

    def _of_dynamodb_streams(self, operation, params):
        yield f"dynamodb:{operation}", self._stream_arn

    def _of_sqs(self, operation, params):
        # A batch needs the permission of the single call.
        yield (
            f"sqs:{operation.removesuffix('Batch')}",
            f"arn:aws:sqs:{HERE}:{params['QueueUrl'].rsplit('/', 1)[-1]}",
        )

    def _of_sns(self, operation, params):
        yield f"sns:{operation}", params["TopicArn"]

    def _of_cloudwatch(self, operation, params):
        yield f"cloudwatch:{operation}", "*"


class Connections:
    """Fake API Gateway that records each post; the first to a connection fails."""

    def __init__(self, recorder, outcomes):
        self._recorder = recorder
        self._outcomes = outcomes

    def post(self, endpoint, connection_id, frame):
        self._note("POST", endpoint, connection_id)
        return self._outcomes.get(connection_id, "sent")

    def close(self, endpoint, connection_id):
        self._note("DELETE", endpoint, connection_id)

    def _note(self, method, endpoint, connection_id):
        where = f"arn:aws:execute-api:{HERE}:{endpoint}/{method}/@connections/{connection_id}"
        self._recorder.needed.add(("execute-api:ManageConnections", where))


class Invocations:
    """Fake Lambda that records each invocation of the function itself."""

    def __init__(self, recorder):
        self._recorder = recorder
        self.events = []

    def invoke(self, event):
        where = f"arn:aws:lambda:{HERE}:function:{function_name(STAGE, 'publish')}"
        self._recorder.needed.add(("lambda:InvokeFunction", where))
        self.events.append(event)


@pytest.fixture
def outputs(pipeline):
    [stack] = moto_account.client("cloudformation").describe_stacks(StackName="mailpulse-test")[
        "Stacks"
    ]
    return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}


@pytest.fixture
def written(outputs):
    """Return the policy of each function's role, as stored in IAM after the stack was created."""
    iam = moto_account.client("iam")
    found = {}
    for function, arn in roles(outputs).items():
        role = arn.rpartition("/")[2]
        [name] = iam.list_role_policies(RoleName=role)["PolicyNames"]
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        found[function] = ast.literal_eval(document)  # moto's CloudFormation does not store JSON
    return found


@pytest.fixture
def calls(pipeline, monkeypatch):
    """Run code as one function; return the permissions that it needed."""

    def calls(run, outcomes=None):
        recorder = Recorder(pipeline.config.events_stream_arn)
        parts = Parts(signing_in(pipeline.config), services=aws_session.services(recorder))
        parts.run = pipeline.parts.run  # moto is not thread-safe
        parts.connections = Connections(recorder, outcomes or {})
        parts.invocations = Invocations(recorder)
        parts.invoke_publish()
        parts.frame_sender = FrameSender(parts.connections, pause=lambda _: None)
        parts.tokens = TokenVerifier(ISSUER, CLIENT, fetch=Issuer().fetch)
        with monkeypatch.context() as patch:
            install(patch, lambda: parts)
            patch.setattr(pipeline, "running", parts)
            run()
        return recorder.needed

    return calls


def signing_in(config):
    return replace(
        config,
        issuer=ISSUER,
        client_id=CLIENT,
        allowed_origins=frozenset({ORIGIN}),
        share_key="a key of thirty-two bytes or more",
    )


def request(body, connection="viewer-1", token=None):
    context = {
        "connectionId": connection,
        "apiId": "api-1",
        "stage": STAGE,
        "connectedAt": 0,
    }
    headers = {"Origin": ORIGIN, "Sec-WebSocket-Protocol": token}
    return {"requestContext": context, "body": body, "headers": headers}


def ask(**members):
    handlers.message(request(json.dumps(members)))


def signed_in(*connections):
    for connection in connections:
        answer = handlers.connect(request(None, connection, f"bearer.{signed()}"))
        assert answer["statusCode"] == 200


def guest_of(link):
    """Return a connection that a share link has opened."""
    access = Permissions(share_subject(link.id), link.until, (), link.campaign)
    return Connection("guest-2", f"api-1/{STAGE}", 0, access)


def subscribed(*connections):
    for connection in connections:
        handlers.message(request(f'{{"action": "subscribe", "id": "{SPRING}"}}', connection))


def in_trouble(observation, state):
    """Judge any campaign to be in trouble."""
    trouble = Trouble("bounces", "", 10, 100)
    change = Change("raised", "bounces", observation.minute, trouble)
    return Judgement(state, (change,))


def everything(pipeline, calls, monkeypatch):
    """Make every call of every function; return the permissions that each needed."""
    events = [
        ses.a_send("m-1"),
        ses.an_open("m-1"),
        # A bot's burst: clicks classified as human are reclassified.
        *[
            ses.a_click(
                "m-1", link=f"https://example.com/{one}", at=f"2026-11-23T10:09:0{one}.000Z"
            )
            for one in range(3)
        ],
        "no event",
    ]

    def take_in():
        assert pipeline.ingest(*events) == []
        [network] = pipeline.parts.events_table.message("m-1")["spring"].state.networks
        job = job_to_body(Job("spring", network))
        assert pipeline.ingest(job) == []
        with monkeypatch.context() as patch:  # there is no time left: another job follows
            patch.setattr("chalicelib.functions.ingest._PAGE_SECONDS", math.inf)
            assert pipeline.ingest(job) == []
        moto_account.client("dynamodb").update_item(
            TableName=pipeline.config.events_table,
            Key={"message_id": {"S": "m-1"}, "fact": {"S": "~state#spring"}},
            UpdateExpression="SET z = :newer",
            ExpressionAttributeValues={":newer": {"N": "99000001"}},
        )
        assert len(pipeline.ingest(events[1])) == 1, "newer rules have settled it"

    needed = {"ingest": calls(take_in)}
    assert any(action == "sqs:ChangeMessageVisibility" for action, _ in needed["ingest"])
    with monkeypatch.context() as patch:  # any item has checkpoints to remove
        patch.setattr("chalicelib.stats.table._FEW_CHECKPOINTS", -1)
        needed["aggregate"] = calls(pipeline.aggregate)

    def come_in():
        signed_in("gone", "slow", "well", "viewer-1")
        token = pipeline.running.share_tokens.sign("revoked", "spring", int(time.time()) + 60)
        assert handlers.connect(request(None, "guest", f"share.{token}"))["statusCode"] == 401

    # An earlier release has counted a part of the campaign.
    moto_account.client("dynamodb").update_item(
        TableName=pipeline.config.stats_table,
        Key={"campaign": {"S": "spring"}, "part": {"S": "summary"}},
        UpdateExpression="SET v2 = :none",
        ExpressionAttributeValues={":none": {"N": "0"}},
    )
    needed["websocket_connect"] = calls(come_in)
    calls(lambda: subscribed("gone", "slow", "well"))

    def converse():
        ask(action="authenticate", token=signed())
        for topic in (SPRING, "stats/email-campaigns", "stats/health"):
            ask(action="subscribe", id=topic)
        ask(action="unsubscribe", id=SPRING)
        ask(action="listActivity", id=SPRING)
        ask(action="listTimelines", ids=[SPRING])
        ask(action="compare", ids=[SPRING, "stats/email-campaign/autumn"])
        ask(action="compareVariants", id=SPRING, tag="variant")
        ask(action="getUsual", id=SPRING)
        ask(action="setAlarms", id=SPRING, kinds=["bounces"])
        ask(action="createShare", id=SPRING)
        ask(action="listShares", id=SPRING)
        [link] = pipeline.parts.shares.all()
        pipeline.parts.subscriptions.admit(guest_of(link))
        ask(action="revokeShare", share=link.id)
        ask(action="addNote", id=SPRING, at="2026-11-23T10:00:00Z", text="Reminder sent")
        ask(action="listRecipients", id=SPRING)
        email = next(iter(pipeline.parts.recipients.sent("spring").values()))
        ask(action="recipientHistory", id=SPRING, recipient=next(iter(email.recipients)))
        ask(action="listCampaigns")
        pipeline.parts.subscriptions.mark_behind("viewer-1", "stats/health")
        ask(action="ping")
        handlers.message(request('{"action": "ping"}', "never-let-in"))

    needed["websocket_message"] = calls(converse)
    outcomes = {"gone": "gone", "slow": "failed"}
    records = {"Records": pipeline.stream(pipeline.config.stats_table)}

    def push():
        with monkeypatch.context() as patch:  # three viewers make a large topic
            patch.setattr(publish, "FREE_MESSAGES", 0)
            for module in (batches, large_topics):
                patch.setattr(module, "MOST_VIEWERS", 2)
            handlers.publish(records)
        for event in pipeline.running.invocations.events:
            handlers.publish(json.loads(event))
        for topic in ("stats/email-campaigns", "stats/health"):
            pipeline.parts.subscriptions.mark_behind("viewer-1", topic)
        handlers.publish(records)

    needed["publish"] = needed["publish_visible"] = calls(push, outcomes)
    with monkeypatch.context() as patch:  # three links are more than are ranked
        patch.setattr("chalicelib.functions.watch.has_changing_ranks", lambda *_: True)
        patch.setattr("chalicelib.stats.table.MAX_RANKED", 1)
        patch.setattr("chalicelib.stats.incident_table.judge", in_trouble)
        patch.setattr("chalicelib.stats.incident_table.JUDGED_FOR", timedelta.max)
        needed["watch"] = calls(lambda: handlers.watch({}))
        needed["websocket_message"] |= calls(lambda: ask(action="get", id=SPRING))
    needed["websocket_disconnect"] = calls(lambda: handlers.disconnect(request(None, "well")))
    return needed


def allows(policy, action, resource):
    return any(
        action in statement["Action"]
        and any(fnmatch(resource, one) for one in statement["Resource"])
        for statement in policy["Statement"]
    )


def test_every_function_has_a_policy(written):
    assert written.keys() == FUNCTIONS.keys()


def test_every_needed_action_is_allowed_and_every_allowed_action_is_needed(
    pipeline, calls, written, monkeypatch
):
    needed = everything(pipeline, calls, monkeypatch)

    for function, policy in written.items():
        refused = {one for one in needed[function] if not allows(policy, *one)}
        assert refused == set(), f"{function} lacks permissions that it needs"
        by_aws = LOGS | BY_MAPPING.get(function, set())
        unused = {
            (action, resource)
            for statement in policy["Statement"]
            for action in set(statement["Action"]) - by_aws
            for resource in statement["Resource"]
            if not any(
                action == used and fnmatch(where, resource) for used, where in needed[function]
            )
        }
        assert unused == set(), f"{function} has permissions that it never needs"


def test_no_statement_has_a_wildcard_where_aws_supports_scoping(written):
    for policy in written.values():
        for statement in policy["Statement"]:
            assert not any("*" in action for action in statement["Action"])
            if statement["Resource"] == ["*"]:
                assert set(statement["Action"]) <= {
                    "dynamodb:ListStreams",
                    "cloudwatch:GetMetricData",
                    "cloudwatch:GetMetricStatistics",
                }
