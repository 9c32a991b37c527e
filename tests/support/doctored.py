"""A stage for `doctor` to check: the template and the functions on moto, the web on loopback.

Resources that moto's CloudFormation does not create (policies, subscriptions, alarms) are created
here as in the template; tests/e2e/test_doctor_run.py creates them from the template itself. moto
has no CloudFront, no event destinations and no SES account: the distribution is only a name, SES is
a fake, and the page and the issuer are served on loopback with a self-issued certificate.
"""

import datetime as dt
import json
import ssl
import threading
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

from botocore.exceptions import ClientError
from cfnlint.decode.cfn_yaml import load
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from jwt.algorithms import RSAAlgorithm
from support import moto_account

from chalicelib.config import DEFAULT_INGEST_CONCURRENCY
from chalicelib.stats.health import Findings
from chalicelib.stats.table import StatsTable
from dashboard.aws_session import Service
from dashboard.checks.web import Web
from dashboard.commands.doctor import find_subject
from dashboard.deploy import settings
from dashboard.deploy.chalice_resources import function_name
from dashboard.deploy.event_sources import OPTIONS
from dashboard.deploy.remote import Place
from dashboard.functions import FUNCTIONS
from dashboard.paths import TEMPLATE

REGION, ACCOUNT, STAGE, SET = "us-east-1", "123456789012", "test", "news"
ALL_TYPES = [
    "SEND",
    "REJECT",
    "BOUNCE",
    "COMPLAINT",
    "DELIVERY",
    "OPEN",
    "CLICK",
    "RENDERING_FAILURE",
    "DELIVERY_DELAY",
    "SUBSCRIPTION",
]
ALARMS = ("DeadLettersAlarm", "CountingLagAlarm")
_NOT_MADE = {
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
    "AWS::SNS::Subscription",
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
}
SOURCES = {
    "ingest": "QueueArn",
    "aggregate": "EventsStreamArn",
    "publish": "StatsStreamArn",
    "publish_visible": "StatsStreamArn",
}
REPORTS = {"REPORTS_BATCH_ITEM_FAILURES": "true"}
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def denied(operation, code="AccessDeniedException"):
    return ClientError({"Error": {"Code": code, "Message": "not for you"}}, operation)


class Ses:
    """Fake SESv2 client."""

    def __init__(self, topic):
        self.account = {
            "SendingEnabled": True,
            "ProductionAccessEnabled": True,
            "EnforcementStatus": "HEALTHY",
            "SendQuota": {"Max24HourSend": 50000.0},
        }
        self.destination = {
            "Name": "mailpulse-test",
            "Enabled": True,
            "MatchingEventTypes": list(ALL_TYPES),
            "SnsDestination": {"TopicArn": topic},
        }
        self.sets = {SET: [self.destination]}
        self.sending = True

    def get_account(self):
        return self.account

    def list_configuration_sets(self, *, NextToken=None):
        # One item per page, to test pagination.
        names = sorted(self.sets)
        at = int(NextToken or 0)
        more = {"NextToken": str(at + 1)} if at + 1 < len(names) else {}
        return {"ConfigurationSets": names[at : at + 1], **more}

    def get_configuration_set(self, *, ConfigurationSetName):
        return {"SendingOptions": {"SendingEnabled": self.sending}}

    def get_configuration_set_event_destinations(self, *, ConfigurationSetName):
        if ConfigurationSetName not in self.sets:
            raise ClientError({"Error": {"Code": "NotFoundException", "Message": "no"}}, "Get")
        return {"EventDestinations": self.sets[ConfigurationSetName]}


class Public:
    """Web server of the issuer and the page, over HTTPS with a certificate for 127.0.0.1.

    Attributes:
        documents: the status, headers and body by path.
        host: the host with its port.
    """

    def __init__(self, folder: Path, days: int = 90):
        self.documents = {}
        public = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                status, headers, body = public.documents.get(self.path, (404, {}, b""))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        certificate = _certificate(folder, days)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self._server = server
        self.host = f"127.0.0.1:{server.server_port}"
        self.web = Web(ssl.create_default_context(cafile=str(certificate)))
        self.issuer = f"https://{self.host}/pool"
        self.serve_issuer()
        self.serve_page()

    def serve_issuer(self, *, named=None, keys=None):
        key = {**json.loads(RSAAlgorithm.to_jwk(KEY.public_key())), "kid": "1", "use": "sig"}
        key["alg"] = "RS256"
        document = {"issuer": named or self.issuer, "jwks_uri": f"https://{self.host}/keys"}
        self.documents["/pool/.well-known/openid-configuration"] = (
            200,
            {},
            json.dumps(document).encode(),
        )
        self.documents["/keys"] = (200, {}, json.dumps({"keys": keys or [key]}).encode())

    def serve_page(self, **headers):
        sent = {
            "Content-Security-Policy": "frame-ancestors 'none'",
            "Strict-Transport-Security": "max-age=31536000",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "no-referrer",
        }
        page = b'<meta name="mailpulse-websocket" content="wss://api">'
        self.documents["/"] = (200, sent | headers, page)

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class Stage:
    """The stage.

    Attributes:
        fakes: clients that replace moto's, by service.
        regions: the region of the last client of each service.
    """

    def __init__(self, public):
        self.fakes = {}
        self.regions = {}
        self.place = Place(STAGE, REGION, ACCOUNT, self._client, {})
        self._public = public
        outputs = self.subject().outputs
        self.fakes["sesv2"] = Ses(outputs["TopicArn"])
        self.fakes["cloudformation"] = _WithAlarms(self.client("cloudformation"))
        self.fakes["lambda"] = _Mappings(self.client("lambda"))
        for name in SOURCES:
            self._set_options(name)

    @staticmethod
    def make(public):
        """Create the resources of the stage in moto's account."""
        parameters = {
            "Stage": STAGE,
            "Serving": "aws",
            "ConfigurationSetName": SET,
            "Issuer": public.issuer,
            "AlarmEmail": "ops@example.com",
        }
        moto_account.client("cloudformation").create_stack(
            StackName=f"mailpulse-{STAGE}",
            TemplateBody=_template(public.host),
            Parameters=[
                {"ParameterKey": name, "ParameterValue": value}
                for name, value in parameters.items()
            ],
        )
        stage = Stage(public)
        outputs = stage.subject().outputs
        stage._connect(outputs)
        stage._set_alarms(outputs)
        stage._deploy(outputs)

    def subject(self, **changes):
        """Return the stage in its current state."""
        found = find_subject(self.place)
        return type(found)(**{**vars(found), "web": self._public.web, **changes})

    def client(self, service):
        """Return a moto client."""
        return moto_account.client(service)

    def mapping(self, function):
        name = function_name(STAGE, function)
        [one] = self.client("lambda").list_event_source_mappings(FunctionName=name)[
            "EventSourceMappings"
        ]
        return one

    def _client(self, service, region_name=REGION):
        self.regions[service] = region_name
        return self.fakes.get(service) or moto_account.client(service, region_name)

    def set_topic_policy(self, **changes):
        """Set the topic's policy: that of the template, or a changed one."""
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "ses.amazonaws.com"},
            "Action": "sns:Publish",
            "Condition": {
                "StringEquals": {"AWS:SourceAccount": ACCOUNT},
                "ArnLike": {
                    "AWS:SourceArn": f"arn:aws:ses:{REGION}:{ACCOUNT}:configuration-set/{SET}"
                },
            },
        }
        self._topic("Policy", json.dumps({"Statement": [statement | changes]}))

    def set_queue_policy(self, *statements):
        outputs = self.subject().outputs
        usual = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Condition": {"ArnEquals": {"aws:SourceArn": outputs["TopicArn"]}},
        }
        policy = {"Statement": [{**usual, **one} for one in statements]}
        self.client("sqs").set_queue_attributes(
            QueueUrl=outputs["QueueUrl"], Attributes={"Policy": json.dumps(policy)}
        )

    def subscription(self, output="TopicArn"):
        found = self.client("sns").list_subscriptions_by_topic(
            TopicArn=self.subject().outputs[output]
        )["Subscriptions"]
        return found[0]["SubscriptionArn"]

    def _topic(self, name, value):
        self.client("sns").set_topic_attributes(
            TopicArn=self.subject().outputs["TopicArn"], AttributeName=name, AttributeValue=value
        )

    def _connect(self, outputs):
        self.set_topic_policy()
        self.set_queue_policy({})
        self.client("sns").subscribe(
            TopicArn=outputs["TopicArn"],
            Protocol="sqs",
            Endpoint=outputs["QueueArn"],
            Attributes={"RawMessageDelivery": "true"},
        )
        self.client("sns").subscribe(
            TopicArn=outputs["AlarmTopicArn"], Protocol="email", Endpoint="ops@example.com"
        )

    def _set_alarms(self, outputs):
        for name in ALARMS:
            self.client("cloudwatch").put_metric_alarm(
                AlarmName=f"mailpulse-{name}",
                AlarmDescription=f"What {name} means",
                AlarmActions=[outputs["AlarmTopicArn"]],
                MetricName="IteratorAge",
                Namespace="AWS/Lambda",
                ComparisonOperator="GreaterThanThreshold",
                EvaluationPeriods=3,
                Period=60,
                Statistic="Maximum",
                Threshold=60000,
            )
            self.set_alarm(name, "OK")

    def set_alarm(self, name, state):
        self.client("cloudwatch").set_alarm_state(
            AlarmName=f"mailpulse-{name}", StateValue=state, StateReason="72 s is above 60 s"
        )

    def watched(self, **found):
        """Store the findings of `watch`."""
        at = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        findings = Findings(**{"checked_at": at, "stream_lag_seconds": 0, **found})
        self.stats_table().pipeline.put_findings(findings)

    def stats_table(self):
        return StatsTable(Service("dynamodb", self.client), self.subject().outputs["StatsTable"])

    def _deploy(self, outputs):
        """Create the functions and mappings that `deploy` would create."""
        iam, functions = self.client("iam"), self.client("lambda")
        role = iam.create_role(RoleName="role", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        variables = settings.variables(
            outputs,
            kept={},
            chosen={"CLIENT_ID": "page"},
            keys={"PSEUDONYM_KEY": "key", "SHARE_KEY": "key"},
        )
        for name in FUNCTIONS:
            functions.create_function(
                FunctionName=function_name(STAGE, name),
                Runtime="python3.13",
                Role=role,
                Handler="app.app",
                Code={"ZipFile": b"zip"},
                Environment={"Variables": variables | (REPORTS if name == "ingest" else {})},
            )
        for name, output in SOURCES.items():
            functions.create_event_source_mapping(
                FunctionName=function_name(STAGE, name), EventSourceArn=outputs[output]
            )

    def _set_options(self, name):
        """Set the options of a function's event source, if it is there yet."""
        found = self.client("lambda").list_event_source_mappings(
            FunctionName=function_name(STAGE, name)
        )
        for made in found["EventSourceMappings"]:
            options = dict(OPTIONS[name])
            if name == "ingest":
                options["ScalingConfig"] = {"MaximumConcurrency": DEFAULT_INGEST_CONCURRENCY}
            self.fakes["lambda"].options[made["UUID"]] = options


class _WithAlarms:
    """moto's CloudFormation client with alarms, which moto does not create."""

    def __init__(self, client):
        self._client = client

    def __getattr__(self, name):
        return getattr(self._client, name)

    def get_paginator(self, _):
        return self

    def paginate(self, *, StackName):
        pages = self._client.get_paginator("list_stack_resources").paginate(StackName=StackName)
        yield from pages
        yield {
            "StackResourceSummaries": [
                {
                    "LogicalResourceId": name,
                    "PhysicalResourceId": f"mailpulse-{name}",
                    "ResourceType": "AWS::CloudWatch::Alarm",
                }
                for name in ALARMS
            ]
        }


class _Mappings:
    """moto's Lambda client with the options of mappings, which moto does not store.

    Attributes:
        options: by the mapping's UUID, merged into moto's responses.
        limit: the account's concurrency limit, which moto does not have.
    """

    def __init__(self, client):
        self._client = client
        self.options = {}
        self.limit = {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 900}

    def __getattr__(self, name):
        return getattr(self._client, name)

    def get_account_settings(self):
        return {"AccountLimit": self.limit}

    def list_event_source_mappings(self, **asked):
        answer = self._client.list_event_source_mappings(**asked)
        for one in answer["EventSourceMappings"]:
            one.update(self.options.get(one["UUID"], {}))
        return answer


@contextmanager
def public(folder, days=90):
    served = Public(folder, days)
    try:
        yield served
    finally:
        served.close()


@cache
def _template(domain):
    template = load(str(TEMPLATE))
    resources, outputs = template["Resources"], template["Outputs"]
    gone = {
        "Distribution",
        "SiteOriginAccess",
        "SiteHeaders",
        "SiteBucketPolicy",
        "EventDestination",
        *(name for name, one in resources.items() if one["Type"] in _NOT_MADE),
    }
    for name in gone:
        del resources[name]
    for one in resources.values():
        one.pop("DependsOn", None)
    for name in [name for name, one in outputs.items() if one["Value"].get("Ref") in gone]:
        del outputs[name]
    text = json.dumps(template)
    return text.replace('{"Fn::GetAtt": ["Distribution", "DomainName"]}', json.dumps(domain))


def _certificate(folder, days):
    now = dt.datetime.now(dt.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "here")])
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(KEY.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=100))
        .not_valid_after(now + dt.timedelta(days=days, hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(KEY, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    path.write_bytes(
        KEY.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return path
