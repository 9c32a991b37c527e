"""Recognize what other senders publish to a queue of SES events, to name it in dead letters.

Only the names of AWS's formats are quoted, never a value that a customer or an email determines.
"""

import re
from typing import Any

from chalicelib.errors import NotAnEvent

# SES publishes this once an identity's feedback notifications have a topic.
_SUBSCRIBED = "AmazonSnsSubscriptionSucceeded"
_FEEDBACK = ("Bounce", "Complaint", "Delivery")
_DETAIL_TYPE = re.compile(r"[A-Za-z][A-Za-z ]{0,79}")
# Only AWS services may use sources that begin with aws, so their detail-types are AWS's words.
_SOURCE = re.compile(r"aws\.[a-z0-9-]{1,40}", re.ASCII)

_INBOUND = (
    "inbound_receipt",
    "an inbound receipt, of an email that SES received: publish these to another topic",
)
_API_CALL = "cloudtrail_record", "a CloudTrail record of an API call"
_AUTO_SCALING = "auto_scaling_notification", "an EC2 Auto Scaling notification"
_RECORDS = "lambda_records", "records of a Lambda event source, not one event"

# The members that identify a format, each with its value; `...` for any value.
_FORMATS: list[tuple[dict[str, Any], tuple[str, str]]] = [
    ({"notificationType": "Received"}, _INBOUND),
    ({"eventSource": "aws:ses"}, _INBOUND),
    ({"eventVersion": ..., "eventSource": ..., "eventName": ..., "userIdentity": ...}, _API_CALL),
    ({"eventVersion": ..., "eventSource": ..., "recipientAccountId": ...}, _API_CALL),
    (
        {"s3Bucket": ..., "s3ObjectKey": ...},
        ("cloudtrail_record", "CloudTrail's notification of a log file"),
    ),
    (
        {"Service": "Amazon S3", "Event": "s3:TestEvent"},
        (
            "s3_notification",
            "the test event of S3 (s3:TestEvent), sent when notifications are configured",
        ),
    ),
    (
        {"eventSource": "aws:s3"},
        (
            "s3_notification",
            "an S3 notification of an object: ingest exported files with `dashboard replay`",
        ),
    ),
    ({"AlarmName": ..., "NewStateValue": ...}, ("cloudwatch_alarm", "a CloudWatch alarm")),
    ({"Service": "AWS Auto Scaling"}, _AUTO_SCALING),
    ({"AutoScalingGroupName": ...}, _AUTO_SCALING),
    (
        {"requestContext": ..., "requestPayload": ...},
        ("lambda_result", "the result of a Lambda function, sent to its destination"),
    ),
    ({"eventSource": "aws:dynamodb"}, _RECORDS),
    ({"eventSource": "aws:kinesis"}, _RECORDS),
    ({"eventSource": "aws:sqs"}, _RECORDS),
    ({"EventSource": "aws:sns"}, _RECORDS),
    (
        {"event_type": ..., "event_timestamp": ...},
        ("pinpoint_event", "an event of Amazon Pinpoint, not of SES"),
    ),
    (
        {"eventType": ..., "eventTimestamp": ..., "destinationPhoneNumber": ...},
        ("sms_event", "an event of AWS End User Messaging, not of SES"),
    ),
]


def is_validation(value: dict[str, Any]) -> bool:
    """Return whether SES only confirms that it may publish an identity's notifications."""
    return value.get("notificationType") == _SUBSCRIBED


def is_email_event(value: dict[str, Any]) -> bool:
    """Return whether an EventBridge event of SES should contain an SES event."""
    detail_type = value.get("detail-type")
    if not isinstance(detail_type, str) or "mail" in value["detail"]:
        return True
    return detail_type.startswith("Email ")


def recognized(value: dict[str, Any]) -> NotAnEvent | None:
    """Return the reason why a message is not an SES event; None if its format is unknown."""
    match value:
        case {"detail-type": str(kind), "source": str(source), "detail": _}:
            return _eventbridge(kind, source)
        case {"Records": [dict(first), *_]}:
            value = first
    for members, (reason, description) in _FORMATS:
        if all(_has(value, name, wanted) for name, wanted in members.items()):
            return NotAnEvent(reason, description)
    return _legacy(value["notificationType"]) if "notificationType" in value else None


def _has(value: dict[str, Any], name: str, wanted: object) -> bool:
    return name in value and (wanted is ... or value[name] == wanted)


def _legacy(kind: object) -> NotAnEvent:
    named, option = (f" ({kind})", kind) if kind in _FEEDBACK else ("", "TYPE")
    return NotAnEvent(
        "legacy_notification",
        f"an identity's feedback notification{named}, which has no tags: publish events through a "
        "configuration set instead, and turn the notifications off with `aws ses "
        f"set-identity-notification-topic --identity IDENTITY --notification-type {option}`",
    )


def _eventbridge(kind: str, source: str) -> NotAnEvent:
    if kind.endswith("via CloudTrail"):
        return NotAnEvent("cloudtrail_record", "a CloudTrail record from EventBridge")
    is_of_aws = _SOURCE.fullmatch(source) and _DETAIL_TYPE.fullmatch(kind)
    named = f" {kind!r} of {source}" if is_of_aws else ""
    return NotAnEvent(
        "eventbridge_event",
        f"the EventBridge event{named}, which is not an email event: restrict the rule to "
        'detail-types that begin with "Email "',
    )
