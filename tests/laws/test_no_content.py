"""No content of emails, requests or tokens appears in logs, dead letters' attributes or errors.

Campaign names, message ids and connection ids may.
"""

import base64
import io
import json
import traceback
from contextlib import redirect_stdout
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from support import handlers, ses
from support.generate import engagements, others
from support.parts import Parts
from support.world import CONFIG, World

from chalicelib.aws.client import JsonService
from chalicelib.aws.http11 import Response
from chalicelib.aws.queues import Queues
from chalicelib.errors import AwsError, ConditionFailed, NotAnEvent, PipelineFault, trace
from chalicelib.ses.parse import parse

MARK = "m4rk"
ADDRESS = f"{MARK}@{MARK}.example"
URL = f"https://example.com/{MARK}?token={MARK}"
TEXTS = (ADDRESS, URL, f"Dear {MARK}", f"2026-11-23T10:00:00.000Z {MARK}", f'"{MARK}', MARK * 200)

# The error responses of the services: each quotes the complete request.
FAULTS = {
    "validation": lambda asked: answer(400, {"__type": "x#ValidationException", "message": asked}),
    "signature": lambda asked: answer(403, {"__type": "SignatureDoesNotMatch", "Message": asked}),
    "throttled": lambda _: answer(400, {"__type": "ThrottlingException", "message": "slow down"}),
    "not JSON": lambda asked: Response(200, True, [], asked.encode()),
    "no object": lambda asked: Response(200, True, [], json.dumps([asked]).encode()),
    "a page": lambda asked: Response(502, True, [], f"<html>{asked}".encode()),
}


def answer(status, body):
    return Response(status, True, [], json.dumps(body).encode())


class Failing:
    """An AWS service, with the functions' own client, that fails on demand.

    Attributes:
        faults: the faults of the next calls; None for no fault.
        done: performs the call if there is no fault.
    """

    def __init__(self, name, faults, done=lambda *_, **__: {}):
        self.faults = faults
        self.done = done
        self._client = JsonService(
            name, replace(CONFIG, endpoint_url="http://127.0.0.1:1"), pause=lambda _: None
        )
        self._client._wire = self

    def call(self, operation, **parameters):
        self._fault = self.faults.pop() if self.faults else None
        if self._fault is None:
            try:
                return self.done(operation, **parameters)
            except ConditionFailed:
                raise
            except AwsError:
                self._fault = "validation"
        return self._client.call(operation, **parameters)

    def exchange(self, request):
        return FAULTS[self._fault](request.decode("utf-8", "replace") + MARK)


class Sink(io.StringIO):
    """Collects all log output, even if it is redirected."""

    def __call__(self, *_):
        return self


@pytest.fixture(autouse=True, scope="module")
def _credentials():
    with pytest.MonkeyPatch.context() as patched:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            patched.setenv(name, f"{MARK}-{name}")
        yield


def world_with(faults):
    """Return a world whose services fail, with the real set_aside of SQS."""
    world = World()
    dynamo = Failing("dynamodb", faults, world.dynamo.call)
    attributes = []

    def send(operation, *, MessageBody="", MessageAttributes=None, **_):
        if operation != "send_message":
            return {}
        world.set_aside(MessageBody, MessageAttributes["reason"]["StringValue"], "")
        attributes.append(json.dumps(MessageAttributes))
        return {}

    sqs = Failing("sqs", faults, send)
    usual = world.new_process

    def new_process():
        parts = usual()
        parts.dynamo = dynamo
        parts.queues = Queues(sqs, sqs, "queue", "dead")
        return parts

    world.new_process = new_process
    return world, attributes


def run_once(world):
    """Ingest the queue and read the streams once, whether or not messages remain."""
    world.ingest(*world.queue)
    for table in ("EventsTable", "StatsTable"):
        while world.running:
            world.running[0].step()
        for lane in world.readable():
            if table in lane.stream.arn:
                world.read(lane, 1000)
    while world.running:
        world.running[0].step()


def assert_no_content(logged, attributes=(), raised=()):
    for text in (logged, *attributes):
        assert MARK not in text, text
    for error in raised:
        whole = "".join(traceback.format_exception(error))
        assert MARK not in whole, whole


def marked(value, name=""):
    """Return an event whose texts are all personal data, except its ids, times and tags."""
    if name in {"tags", "messageId", "timestamp", "eventType", "bounceType", "feedbackId"}:
        return value
    if isinstance(value, dict):
        return {key: marked(one, key) for key, one in value.items()}
    if isinstance(value, list):
        return [marked(one, name) for one in value]
    if isinstance(value, str):
        return URL if name == "link" else ADDRESS
    return value


odd = st.recursive(
    st.sampled_from(TEXTS) | st.none() | st.booleans() | st.integers() | st.floats(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(TEXTS), inner, max_size=3)
    ),
    max_leaves=5,
)


def paths(value, path=()):
    if path:
        yield path
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from paths(inner, (*path, name))


def other_messages(text):
    """Yield what other senders publish, each with the text wherever its sender can put one."""
    yield {"notificationType": text, "mail": {"source": text}}
    yield {"notificationType": "Received", "mail": {"source": text}, "content": text}
    yield {"source": text, "detail-type": "Object Created", "detail": {"key": text}}
    yield {"source": "aws.ses", "detail-type": text, "detail": {"eventType": text}}
    yield {"source": "aws.ses", "detail-type": "Email Opened", "detail": {"eventType": text}}
    yield {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": text}
    yield {"Records": [{"eventSource": "aws:s3", "s3": {"object": {"key": text}}}]}
    yield {"AlarmName": text, "NewStateValue": "ALARM", "AlarmDescription": text}
    yield {"Type": "SubscriptionConfirmation", "Message": text, "SubscribeURL": text}
    yield {"Type": text, "Message": text}
    yield {"eventType": text, "mail": ses.mail()}
    yield {"eventType": "Send", "mail": {**ses.mail(), "timestamp": text}}
    yield [{"eventType": "Send", "destination": [text]}]
    yield json.dumps({"destination": [text]})


@st.composite
def bodies(draw):
    """Draw a queue message: a malformed event or another message, in a truncated envelope."""
    event = marked(draw(st.one_of(engagements, others)))
    names = {"messageId", "campaign", "ses:configuration-set"}
    if draw(st.booleans()):
        *outer, last = draw(st.sampled_from([one for one in paths(event) if one[-1] not in names]))
        inner = event
        for name in outer:
            inner = inner[name]
        inner[last] = draw(odd)
    others_of_a_text = [*other_messages(draw(st.sampled_from(TEXTS)))]
    text = json.dumps(draw(st.sampled_from([event] * 30 + others_of_a_text)))
    for wrap in draw(st.lists(st.just(ses.in_sns_envelope), max_size=5)):
        text = wrap(text)
    if draw(st.integers(0, 4)) == 0:
        text = text[: draw(st.integers(0, len(text)))]
    return draw(st.sampled_from([text, text, text, json.dumps(ADDRESS), ADDRESS]))


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("wrap", [str, ses.in_sns_envelope])
def test_other_messages_leave_no_content_in_reasons_or_tracebacks(text, wrap):
    for value in [*other_messages(text), text]:
        for body in (wrap(json.dumps(value)), wrap(text + json.dumps(value))):
            with pytest.raises(NotAnEvent) as refused:
                parse(body, campaign_tag="campaign")
            assert_no_content(trace(refused.value), [refused.value.reason], [refused.value])


@given(bodies())
def test_refused_events_leave_no_content_in_reasons_or_tracebacks(body):
    try:
        parse(body, campaign_tag="campaign")
    except NotAnEvent as error:
        assert_no_content(trace(error), [error.reason], [error])


faults = st.lists(st.sampled_from([None, None, *FAULTS]), max_size=25)


@given(st.lists(bodies(), min_size=1, max_size=4), faults)
def test_ses_events_leave_no_content_in_logs_or_errors(arriving, failing):
    world, attributes = world_with(failing)
    world.arrive(*arriving)

    with patch("support.world.StringIO", Sink()) as logged:
        world.drain()

    assert_no_content(logged.getvalue(), attributes, world.raised)


values = st.one_of(
    st.fixed_dictionaries({"S": st.sampled_from(TEXTS)}),
    st.fixed_dictionaries({"N": st.sampled_from(["1", "-3"])}),
    st.fixed_dictionaries({"M": st.dictionaries(st.sampled_from(TEXTS), st.just({"S": MARK}))}),
    st.fixed_dictionaries({"BOOL": st.booleans()}),
)
attributes = st.sampled_from([*"etmnghldkbozsfrv", "uo", "ul", "ids", "first_event_at", MARK])


@given(st.dictionaries(attributes, values), st.sampled_from(TEXTS), st.booleans(), faults)
def test_malformed_table_items_leave_no_content_in_logs_or_errors(item, key, of_stats, failing):
    world, _ = world_with(failing)
    names = ("campaign", "part") if of_stats else ("message_id", "fact")
    table = "StatsTable" if of_stats else "EventsTable"
    identity = {names[0]: {"S": "spring"}, names[1]: {"S": "summary" if of_stats else key}}
    known = {"e": {"S": "Click"}, "c": {"S": "spring"}, **item, **identity}
    with patch("support.memory._check_item", lambda _: None):
        world.dynamo.call("put_item", TableName=table, Item=known)
    with patch("support.world.StringIO", Sink()) as logged:
        world.arrive(ses.an_open("spring"))
        run_once(world)

    assert_no_content(logged.getvalue(), raised=world.raised)


requests = st.builds(
    lambda action, fields: json.dumps({"action": action, **fields}),
    st.sampled_from(
        "subscribe get ping listActivity listTimelines searchCampaigns listCampaigns authenticate"
        f" unsubscribe compare getUsual setAlarms addNote removeNote listRecipients recipientHistory"
        f" {MARK}".split()
    ),
    st.dictionaries(
        st.sampled_from(
            [
                *("id", "ids", "cursor", "limit", "query", "token", "type", "link", "recipient"),
                *("kinds", "snooze_until", "test", "quiet", "at", "text", "note", MARK),
            ]
        ),
        odd,
    ),
)


@given(requests, faults)
def test_requests_leave_no_content_in_logs_or_errors(request, failing):
    world, _ = world_with(failing)
    parts = world.new_process()
    viewer = world.viewers["viewer-0"] = type("Viewer", (), {"refuses": 0, "receive": None})
    viewer.receive = lambda *_: None
    context = {"connectionId": "viewer-0", "apiId": "api", "stage": "test", "connectedAt": 0}
    logged = io.StringIO()

    with parts.installed(), redirect_stdout(logged):
        try:
            handlers.message({"requestContext": context, "body": request})
        except AwsError as error:
            assert_no_content("", raised=[error])

    assert_no_content(logged.getvalue())


def token(header, claims):
    parts = (base64.urlsafe_b64encode(json.dumps(one).encode()) for one in (header, claims))
    return b".".join(part.rstrip(b"=") for part in (*parts, b"c2ln")).decode()


tokens = st.one_of(
    st.sampled_from(TEXTS),
    st.builds(
        token,
        st.dictionaries(st.sampled_from(["alg", "kid", "crit", "typ", MARK]), odd),
        st.dictionaries(st.sampled_from(["iss", "aud", "sub", "exp", "jti", "campaign"]), odd),
    ),
)


@given(tokens, st.sampled_from(["bearer", "share"]))
def test_tokens_do_not_appear_in_logs_or_errors(offered, kind):
    config = replace(
        CONFIG,
        issuer="https://issuer.example",
        client_id="page",
        share_key="key",
        allowed_origins=frozenset({"https://page"}),
    )
    parts = Parts(config, services=lambda name: Failing(name, []))
    parts.tokens._fetch = lambda _: {"jwks_uri": "https://issuer.example/keys", "keys": []}
    context = {"connectionId": "viewer-0", "apiId": "api", "stage": "test", "connectedAt": 0}
    headers = {"Sec-WebSocket-Protocol": f"{kind}.{offered}", "Origin": "https://page"}
    logged = io.StringIO()

    with parts.installed(), redirect_stdout(logged):
        refused = handlers.connect({"requestContext": context, "headers": headers})

    assert refused["statusCode"] in {401, 403}
    assert "refused" in logged.getvalue()
    assert_no_content(logged.getvalue())


@pytest.mark.parametrize("fault", FAULTS)
def test_failed_health_checks_leave_no_content_in_logs_or_errors(fault):
    world, _ = world_with([fault] * 40)
    parts = world.new_process()
    parts.events_stream._streams = Failing("dynamodbstreams", [fault] * 9)
    logged = io.StringIO()

    with redirect_stdout(logged):
        try:
            parts.watch.check()
        except (AwsError, PipelineFault) as error:
            assert_no_content("", raised=[error])

    assert_no_content(logged.getvalue())
    assert "probe_failed" in logged.getvalue()


def test_a_traceback_quotes_only_the_messages_of_our_own_errors():
    def fail():
        try:
            int(MARK)
        except ValueError as error:
            raise AwsError("Code", "put_item failed") from error

    try:
        fail()
    except AwsError as error:
        told = trace(error)

    assert told.startswith("AwsError: put_item failed (test_no_content.py:")
    assert ", from ValueError (test_no_content.py:" in told
    assert MARK not in told
