"""What other senders publish to a queue of SES events is named in the dead letter's reason."""

import json

import pytest
from support import ses

from chalicelib.errors import NotAnEvent
from chalicelib.ses.parse import parse

RECEIPT = {"recipients": ["inbox@example.com"], "spamVerdict": {"status": "PASS"}}
API_CALL = {
    "eventVersion": "1.11",
    "userIdentity": {"type": "AssumedRole"},
    "eventTime": "2026-11-23T10:00:00Z",
    "eventSource": "ses.amazonaws.com",
    "eventName": "SendEmail",
    "eventType": "AwsApiCall",
    "recipientAccountId": "123456789012",
}
S3_TEST = {
    "Service": "Amazon S3",
    "Event": "s3:TestEvent",
    "Time": "2026-11-23T10:00:00.000Z",
    "Bucket": "exports",
}


def a_receipt(action):
    return {"notificationType": "Received", "mail": ses.mail(), "receipt": RECEIPT | action}


def from_eventbridge(detail_type, source="aws.ses", detail=None):
    return {
        "version": "0",
        "detail-type": detail_type,
        "source": source,
        "account": "123456789012",
        "detail": detail or {"version": "1.0.0", "data": {}},
    }


MESSAGES = {
    "a receipt with the SNS action": (
        {**a_receipt({"action": {"type": "SNS", "encoding": "UTF8"}}), "content": "From: …"},
        "inbound_receipt",
        "inbound receipt",
    ),
    # https://github.com/namuh-eng/opensend/pull/600
    "a receipt with the S3 action": (
        a_receipt({"action": {"type": "S3", "bucketName": "inbox", "objectKey": "k"}}),
        "inbound_receipt",
        "inbound receipt",
    ),
    "a receipt with the Lambda action": (
        {
            "Records": [
                {
                    "eventSource": "aws:ses",
                    "eventVersion": "1.0",
                    "ses": {"mail": ses.mail(), "receipt": RECEIPT},
                }
            ]
        },
        "inbound_receipt",
        "inbound receipt",
    ),
    "a recommendation of the Virtual Deliverability Manager": (
        from_eventbridge("Advisor Recommendation Status Open"),
        "eventbridge_event",
        "'Advisor Recommendation Status Open'",
    ),
    "a sending status": (
        from_eventbridge("Sending Status Disabled"),
        "eventbridge_event",
        "'Sending Status Disabled'",
    ),
    # https://github.com/aws/aws-health-tools/issues/21
    "an event of AWS Health": (
        from_eventbridge("AWS Health Event", "aws.health"),
        "eventbridge_event",
        "'AWS Health Event' of aws.health",
    ),
    "an event of a customer": (
        from_eventbridge("ada@example.com", "com.example.ada"),
        "eventbridge_event",
        "the EventBridge event, which is not an email event",
    ),
    "an API call from EventBridge": (
        from_eventbridge("AWS API Call via CloudTrail", detail=API_CALL),
        "cloudtrail_record",
        "CloudTrail",
    ),
    "an API call in a log file": ({"Records": [API_CALL]}, "cloudtrail_record", "CloudTrail"),
    "a data event without an identity": (
        {name: value for name, value in API_CALL.items() if name != "userIdentity"},
        "cloudtrail_record",
        "CloudTrail",
    ),
    "a log file of CloudTrail": (
        {"s3Bucket": "logs", "s3ObjectKey": ["AWSLogs/1.json.gz"]},
        "cloudtrail_record",
        "CloudTrail",
    ),
    # https://github.com/fredliporace/cbers-2-stac/issues/45
    "the test event of S3": (S3_TEST, "s3_notification", "s3:TestEvent"),
    "an object in S3": (
        {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": {}}]},
        "s3_notification",
        "dashboard replay",
    ),
    # https://github.com/cds-snc/sre-bot/pull/44
    "an alarm": (
        {"AlarmName": "bounces", "NewStateValue": "ALARM", "AlarmArn": "arn:…"},
        "cloudwatch_alarm",
        "CloudWatch alarm",
    ),
    "a test of Auto Scaling": (
        {"Service": "AWS Auto Scaling", "Event": "autoscaling:TEST_NOTIFICATION"},
        "auto_scaling_notification",
        "Auto Scaling",
    ),
    "the result of a function": (
        {"version": "1.0", "requestContext": {}, "requestPayload": {}, "responsePayload": None},
        "lambda_result",
        "Lambda function",
    ),
    "several records of SQS": (
        ses.in_sqs_event(ses.raw(ses.a_send("m-1")), ses.raw(ses.a_send("m-2")))
        | {"Records": [{"eventSource": "aws:sqs"}, {"eventSource": "aws:sqs"}]},
        "lambda_records",
        "event source",
    ),
    "an email event of Pinpoint": (
        {"event_type": "_email.delivered", "event_timestamp": 1795428000000},
        "pinpoint_event",
        "Pinpoint",
    ),
    "a text message": (
        {
            "eventType": "TEXT_DELIVERED",
            "eventTimestamp": 1795428000000,
            "destinationPhoneNumber": "+12065550100",
        },
        "sms_event",
        "End User Messaging",
    ),
    # https://github.com/knadh/listmonk/issues/1807
    "a delivery of an identity": (
        {"notificationType": "Delivery", "mail": {}, "delivery": {}},
        "legacy_notification",
        "--notification-type Delivery`",
    ),
    "another notification of an identity": (
        {"notificationType": "ada@example.com"},
        "legacy_notification",
        "through a configuration set",
    ),
    # https://github.com/mozilla/fx-private-relay/issues/1588
    "a confirmation of a subscription": (
        {"Type": "SubscriptionConfirmation", "Message": "You have chosen…", "Token": "t"},
        "sns_confirmation",
        "SubscriptionConfirmation",
    ),
}


@pytest.mark.parametrize("wrap", [str, ses.in_sns_envelope], ids=["alone", "in SNS"])
@pytest.mark.parametrize(("message", "reason", "detail"), MESSAGES.values(), ids=MESSAGES)
def test_the_reason_names_what_the_message_is(message, reason, detail, wrap):
    with pytest.raises(NotAnEvent) as refused:
        parse(wrap(json.dumps(message)), campaign_tag="campaign")

    assert (refused.value.reason, detail in str(refused.value)) == (reason, True), refused.value
    assert "ada" not in str(refused.value)


@pytest.mark.parametrize("wrap", [str, ses.in_sns_envelope], ids=["alone", "in SNS"])
def test_the_validation_of_an_identitys_topic_is_acknowledged(wrap):
    message = {"notificationType": "AmazonSnsSubscriptionSucceeded", "message": "You have…"}

    assert parse(wrap(json.dumps(message) + "\n"), campaign_tag="campaign") is None


@pytest.mark.parametrize("detail_type", ["Email Archived", "Archived", None])
def test_an_email_event_that_ses_adds_to_eventbridge_is_accepted(detail_type):
    event = from_eventbridge(detail_type, detail={"eventType": "Archived", "mail": ses.mail()})

    assert parse(json.dumps(event), campaign_tag="campaign").type == "Archived"
