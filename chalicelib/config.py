"""Settings of the functions, read once from the environment into a frozen Config.

Only this module and aws/credentials.py read os.environ. The attributes of Config document the
variables and their defaults; infrastructure and `dashboard up` set them.
"""

import json
import os
import re
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct, field

from chalicelib.errors import ConfigError

# SES reports opens and clicks for 60 days; the queues may hold an event for another 14 + 1. A fact
# must outlive its late duplicates, or they would count again.
MINIMUM_RETENTION_DAYS = 90

# With a lower limit, a batch of 500 viewers (live/batches.py) would take more than five seconds.
MINIMUM_MESSAGES_PER_SECOND = 100

# Half of API Gateway's limit per account and region, which other applications may need as well.
DEFAULT_MESSAGES_PER_SECOND = 5000

# Maximum number of batches that ingest processes concurrently. Without a maximum, SQS would use the
# account's entire concurrency, and Lambda would reject connections. Ten invocations store 1,200
# opens to 10,000 deliveries a second; a new on-demand table takes 4,000 write units a second.
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
DEFAULT_INGEST_CONCURRENCY = 10
_INGEST_CONCURRENCIES = range(2, 1001)  # the range that Lambda accepts

# The variables that AWS's SDKs read.
# https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
_ENDPOINTS_OF_SERVICES = {
    "dynamodb": "AWS_ENDPOINT_URL_DYNAMODB",
    "dynamodbstreams": "AWS_ENDPOINT_URL_DYNAMODB_STREAMS",
    "sqs": "AWS_ENDPOINT_URL_SQS",
    "cloudwatch": "AWS_ENDPOINT_URL_CLOUDWATCH",
    "lambda": "AWS_ENDPOINT_URL_LAMBDA",
    "sns": "AWS_ENDPOINT_URL_SNS",
}

MAXIMUM_BREAKDOWN_TAGS = 3

# Set for ingest if its event source mapping reports batch item failures.
REPORTS_BATCH_ITEM_FAILURES = "REPORTS_BATCH_ITEM_FAILURES"


class Config(Struct, frozen=True):
    """Settings of the functions.

    Attributes:
        events_table: table of the facts (EVENTS_TABLE).
        stats_table: table of the counters (STATS_TABLE).
        subscriptions_table: table of connections and subscriptions (SUBSCRIPTIONS_TABLE).
        pseudonym_key: key of the recipients' pseudonyms (PSEUDONYM_KEY). It must never change,
            because a recipient's pseudonym is part of a fact's identity.
        campaign_tag: the SES message tag with the campaign's id (CAMPAIGN_TAG).
        retention_days: retention of facts, in days (RETENTION_DAYS).
        store_addresses: whether recipients' addresses are stored (STORE_ADDRESSES).
        tracking_parameters: names of URL parameters that are not part of a link's identity, besides
            the usual ones (TRACKING_PARAMETERS, separated by spaces).
        link_label_tag: the link tag that labels a link (LINK_LABEL_TAG).
        breakdown_tags: the message tags by which campaigns are broken down (BREAKDOWN_TAGS, at most
            three, separated by spaces).
        idle_seconds: seconds without events after which the next change of a campaign is pushed at
            once, instead of after the batching window of publish (IDLE_SECONDS).
        messages_per_second: rate limit of pushed messages, across all invocations
            (MESSAGES_PER_SECOND). API Gateway accepts 10,000 requests a second per account and
            region in total.
        reports_batch_item_failures: whether ingest's event source mapping reports batch item
            failures (REPORTS_BATCH_ITEM_FAILURES). Deployment sets it after it has enabled the
            option on the mapping; without it, ingest raises an error, and SQS delivers the whole
            batch again.
        function_name: the function that this process runs (AWS_LAMBDA_FUNCTION_NAME, which Lambda
            sets); empty elsewhere.
        queue_url: queue of SES events (QUEUE_URL).
        dead_letter_queue_url: queue of messages that are not SES events (DEAD_LETTER_QUEUE_URL).
        events_stream_arn: stream of the events table (EVENTS_STREAM_ARN).
        connections_endpoint: template of the URL of API Gateway's management API
            (CONNECTIONS_ENDPOINT). The placeholders are `{api_id}`, `{stage}`, `{region}` and
            `{endpoint}`, which is AWS_ENDPOINT_URL.
        region: the functions' region (AWS_REGION).
        issuer: the OpenID Connect issuer that authenticates users (ISSUER). Without an issuer,
            anyone who can reach the API sees everything; use this only on a local machine.
        client_id: client id of the page at the issuer (CLIENT_ID).
        allowed_origins: origins of pages that may connect (ALLOWED_ORIGINS, separated by spaces,
            and CUSTOM_ORIGINS, in addition to the page's own); checked only with an issuer.
        groups_claim: the claim of a token with the user's groups (GROUPS_CLAIM).
        group_prefixes: name prefixes of the campaigns that each group may see (GROUP_PREFIXES, JSON
            such as `{"acme": ["acme-"], "staff": [""]}`); if None, every authenticated user sees
            all campaigns.
        share_key: key that signs share links (SHARE_KEY); if empty, share links are disabled.
        share_group: the group whose members may share campaigns by link (SHARE_GROUP); if empty,
            every authenticated user may, of the campaigns that the user may see.
        alarm_group: the group whose members may change the settings of alarms (ALARM_GROUP); if
            empty, those may who may share the campaign.
        alarm_topic_arn: SNS topic to which alarms of campaigns are sent (ALARM_TOPIC_ARN); if
            empty, they are shown and logged only.
        page_url: address of the page, for links in alarms (PAGE_URL); no link if empty.
        endpoint_url: replacement for all AWS endpoints (AWS_ENDPOINT_URL), or None.
        endpoint_urls: replacements for the endpoints of single services, by service name
            (AWS_ENDPOINT_URL_DYNAMODB, …_DYNAMODB_STREAMS, …_SQS, …_CLOUDWATCH, …_LAMBDA, …_SNS).
    """

    events_table: str
    stats_table: str
    subscriptions_table: str
    queue_url: str
    dead_letter_queue_url: str
    events_stream_arn: str
    pseudonym_key: str
    campaign_tag: str = "campaign"
    retention_days: int = MINIMUM_RETENTION_DAYS
    store_addresses: bool = False
    tracking_parameters: frozenset[str] = frozenset()
    link_label_tag: str = "link"
    breakdown_tags: tuple[str, ...] = ("variant",)
    idle_seconds: float = 1.0
    messages_per_second: int = DEFAULT_MESSAGES_PER_SECOND
    reports_batch_item_failures: bool = False
    function_name: str = ""
    connections_endpoint: str = "https://{api_id}.execute-api.{region}.amazonaws.com/{stage}"
    region: str = "us-east-1"
    issuer: str | None = None
    client_id: str = ""
    allowed_origins: frozenset[str] = frozenset()
    groups_claim: str = "cognito:groups"
    group_prefixes: Mapping[str, tuple[str, ...]] | None = None
    share_key: str = ""
    share_group: str = ""
    alarm_group: str = ""
    alarm_topic_arn: str = ""
    page_url: str = ""
    endpoint_url: str | None = None
    endpoint_urls: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Config":
        """Read the settings.

        Raises:
            ConfigError: a variable is missing or invalid; the message contains its name, and its
                value if it has one.
        """
        given = {
            name: _parsed(environ, variable, parse)
            for name, (variable, parse) in _OPTIONAL.items()
            if environ.get(variable)
        }
        config = cls(
            events_table=_required(environ, "EVENTS_TABLE"),
            stats_table=_required(environ, "STATS_TABLE"),
            subscriptions_table=_required(environ, "SUBSCRIPTIONS_TABLE"),
            queue_url=_required(environ, "QUEUE_URL"),
            dead_letter_queue_url=_required(environ, "DEAD_LETTER_QUEUE_URL"),
            events_stream_arn=_required(environ, "EVENTS_STREAM_ARN"),
            pseudonym_key=_required(environ, "PSEUDONYM_KEY"),
            allowed_origins=frozenset(
                origin
                for name in ("ALLOWED_ORIGINS", "CUSTOM_ORIGINS")
                for origin in environ.get(name, "").split()
            ),
            endpoint_urls={
                service: environ[name]
                for service, name in _ENDPOINTS_OF_SERVICES.items()
                if environ.get(name)
            },
            **given,
        )
        if config.issuer is not None:
            _check_sign_in(config)
        if config.retention_days < MINIMUM_RETENTION_DAYS:
            raise ConfigError(
                f"RETENTION_DAYS is {config.retention_days}, but SES reports opens for 60 "
                "days, and queues keep events for up to two weeks: set it to "
                f"{MINIMUM_RETENTION_DAYS} or higher, so that late duplicates are not counted again"
            )
        if len(config.breakdown_tags) > MAXIMUM_BREAKDOWN_TAGS:
            raise ConfigError(
                f"BREAKDOWN_TAGS is {' '.join(config.breakdown_tags)!r}: set it to at most "
                f"{MAXIMUM_BREAKDOWN_TAGS} tags, separated by spaces"
            )
        if config.messages_per_second < MINIMUM_MESSAGES_PER_SECOND:
            raise ConfigError(
                f"MESSAGES_PER_SECOND is {config.messages_per_second}: set it to "
                f"{MINIMUM_MESSAGES_PER_SECOND} or higher, and below the account's API "
                "Gateway quota (10,000 per second unless AWS has increased it)"
            )
        try:
            config.connections_url("api/stage")
        except (KeyError, ValueError, IndexError) as error:
            raise ConfigError(
                f"CONNECTIONS_ENDPOINT is {config.connections_endpoint!r}: use only the "
                "placeholders {api_id}, {stage}, {region}, and {endpoint}"
            ) from error
        return config

    def endpoint_of(self, service: str) -> str | None:
        """Return the URL that replaces a service's endpoint, or None."""
        return self.endpoint_urls.get(service, self.endpoint_url)

    def connections_url(self, endpoint: str) -> str:
        """Return the URL of the management API for an API's connections.

        Args:
            endpoint: API id and stage, such as `a1b2c3/api`.
        """
        api_id, _, stage = endpoint.partition("/")
        return self.connections_endpoint.format(
            api_id=api_id, stage=stage, region=self.region, endpoint=self.endpoint_url or ""
        )


def is_secure(url: str) -> bool:
    """Return whether a URL is protected from tampering in transit: https, or the local host."""
    return re.match(r"https://|http://(127\.0\.0\.1|localhost)[:/]", url) is not None


def _check_sign_in(config: Config) -> None:
    if not is_secure(str(config.issuer)) or str(config.issuer).endswith("/"):
        raise ConfigError(
            f"ISSUER is {config.issuer!r}: set it to an https URL without a trailing slash"
        )
    if not config.client_id or not config.allowed_origins:
        raise ConfigError(
            f"ISSUER is {config.issuer!r}, so CLIENT_ID (the page's client ID at the issuer) "
            "and ALLOWED_ORIGINS (the page's origin) must be set as well"
        )


class Triggers(Struct, frozen=True):
    """Resources that trigger the functions, for app.py; needed only to deploy or package.

    Attributes:
        queue_arn: queue of SES events (QUEUE_ARN).
        events_stream_arn: stream of the events table (EVENTS_STREAM_ARN).
        stats_stream_arn: stream of the stats table (STATS_STREAM_ARN).
        ingest_concurrency: maximum number of batches that ingest processes concurrently
            (INGEST_CONCURRENCY).
    """

    queue_arn: str
    events_stream_arn: str
    stats_stream_arn: str
    ingest_concurrency: int = DEFAULT_INGEST_CONCURRENCY

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Triggers":
        """Read the triggers; an ARN that is not set is replaced by a placeholder.

        Lambda also imports app.py, but the triggers already exist then, and the ARNs have no
        effect.

        Raises:
            ConfigError: INGEST_CONCURRENCY is not a number that Lambda accepts.
        """
        concurrency = DEFAULT_INGEST_CONCURRENCY
        if environ.get("INGEST_CONCURRENCY"):
            concurrency = _parsed(environ, "INGEST_CONCURRENCY", int)
        if concurrency not in _INGEST_CONCURRENCIES:
            raise ConfigError(
                f"INGEST_CONCURRENCY is {concurrency}: set it between "
                f"{_INGEST_CONCURRENCIES[0]} and {_INGEST_CONCURRENCIES[-1]}"
            )
        unset = "arn:aws:{}:us-east-1:000000000000:{}"
        stream = "table/unset/stream/unset"
        return cls(
            queue_arn=environ.get("QUEUE_ARN", unset.format("sqs", "unset")),
            events_stream_arn=environ.get("EVENTS_STREAM_ARN", unset.format("dynamodb", stream)),
            stats_stream_arn=environ.get("STATS_STREAM_ARN", unset.format("dynamodb", stream)),
            ingest_concurrency=concurrency,
        )


def load() -> Config:
    """Read the settings of this process."""
    return Config.from_environ(os.environ)


def function() -> str:
    """Return the name in app.py of the function that Lambda runs in this process; empty elsewhere.

    It is read from `_HANDLER`:
    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
    """
    return os.environ.get("_HANDLER", "").removeprefix("app.")


def triggers() -> Triggers:
    """Read the triggers of this process."""
    return Triggers.from_environ(os.environ)


def _required(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "")
    if not value:
        raise ConfigError(f"{name} is not set: deploy with the stack's outputs in the environment")
    return value


def _parsed(environ: Mapping[str, str], name: str, parse: Callable[[str], Any]) -> Any:
    try:
        return parse(environ[name])
    except ValueError as error:
        expected = {
            int: "an integer",
            float: "a number",
            _boolean: "true or false",
            _prefixes: """a JSON object of prefix lists by group, such as {"acme": ["acme-"]}""",
        }[parse]
        raise ConfigError(f"{name} is {environ[name]!r}: set it to {expected}") from error


def _boolean(text: str) -> bool:
    values = {"true": True, "false": False}
    if text.lower() not in values:
        raise ValueError(text)
    return values[text.lower()]


def _prefixes(text: str) -> Mapping[str, tuple[str, ...]]:
    match json.loads(text):
        case dict(groups) if all(
            isinstance(prefixes, list) and all(isinstance(one, str) for one in prefixes)
            for prefixes in groups.values()
        ):
            return {group: tuple(prefixes) for group, prefixes in groups.items()}
    raise ValueError(text)


# Optional fields of Config: the variable and the parser of each.
_OPTIONAL: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "campaign_tag": ("CAMPAIGN_TAG", str),
    "retention_days": ("RETENTION_DAYS", int),
    "store_addresses": ("STORE_ADDRESSES", _boolean),
    "tracking_parameters": ("TRACKING_PARAMETERS", lambda text: frozenset(text.lower().split())),
    "link_label_tag": ("LINK_LABEL_TAG", str),
    "breakdown_tags": ("BREAKDOWN_TAGS", lambda text: tuple(text.split())),
    "idle_seconds": ("IDLE_SECONDS", float),
    "messages_per_second": ("MESSAGES_PER_SECOND", int),
    "reports_batch_item_failures": (REPORTS_BATCH_ITEM_FAILURES, _boolean),
    "function_name": ("AWS_LAMBDA_FUNCTION_NAME", str),
    "connections_endpoint": ("CONNECTIONS_ENDPOINT", str),
    "region": ("AWS_REGION", str),
    "issuer": ("ISSUER", str),
    "client_id": ("CLIENT_ID", str),
    "groups_claim": ("GROUPS_CLAIM", str),
    "group_prefixes": ("GROUP_PREFIXES", _prefixes),
    "share_key": ("SHARE_KEY", str),
    "share_group": ("SHARE_GROUP", str),
    "alarm_group": ("ALARM_GROUP", str),
    "alarm_topic_arn": ("ALARM_TOPIC_ARN", str),
    "page_url": ("PAGE_URL", str),
    "endpoint_url": ("AWS_ENDPOINT_URL", str),
}
