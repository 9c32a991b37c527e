"""Check the path from SES's topic to the queue."""

from collections.abc import Iterator

from dashboard.checks.finding import Finding, Subject, fail, ok, warn
from dashboard.checks.resource_policy import Caller, judge

_POLICY = "run `deploy`, which sets the policy; if the topic is your own, set its policy yourself"


def check_topic(subject: Subject) -> Iterator[Finding]:
    """Check that SES may publish to the topic, from this account only."""
    topic = subject.output("TopicArn")
    attributes = subject.clients_of_ses("sns").get_topic_attributes(TopicArn=topic)["Attributes"]
    named = subject.parameters.get("ConfigurationSetName", "*")
    partition = topic.split(":")[1]
    own = f"arn:{partition}:ses:{subject.ses_region}:{subject.account}:configuration-set/"
    context = {
        "aws:sourceaccount": subject.account,
        # `*` allows any configuration set; any name serves as an example.
        "aws:sourcearn": own + ("any" if named == "*" else named),
    }
    caller = Caller("ses.amazonaws.com", "sns:Publish", context)
    match judge(attributes.get("Policy", ""), caller):
        case "allowed":
            yield ok("SES may publish to the topic, from this account only")
        case "open":
            yield warn(
                "SES may publish to the topic from any account: its policy has no condition "
                f"on aws:SourceAccount {subject.account}",
                _POLICY,
            )
        case "refused":
            yield fail(
                f"the policy of {topic} does not allow SES to publish for "
                f"{context['aws:sourcearn']}",
                _POLICY,
            )
        case "unclear":
            yield warn(
                f"the policy of {topic} has conditions that `doctor` cannot evaluate",
                "send an email, and check that its events arrive",
            )
    if attributes.get("KmsMasterKeyId", "").endswith("alias/aws/sns"):
        yield fail(
            f"{topic} is encrypted with a key that SES may not use",
            "use a customer managed key whose policy allows ses.amazonaws.com, or no key",
        )


def check_queue(subject: Subject) -> Iterator[Finding]:
    """Check that the topic may send to the queue and that the queue subscribes to it."""
    topic, queue = subject.output("TopicArn"), subject.output("QueueArn")
    attributes = subject.clients("sqs").get_queue_attributes(
        QueueUrl=subject.output("QueueUrl"), AttributeNames=["Policy"]
    )
    policy = attributes.get("Attributes", {}).get("Policy", "")
    context = {"aws:sourcearn": topic, "aws:sourceaccount": topic.split(":")[4]}
    match judge(policy, Caller("sns.amazonaws.com", "sqs:SendMessage", context)):
        case "allowed":
            yield ok("the topic may send to the queue")
        case "open":
            yield warn("any topic may send to the queue", "run `deploy`, which sets its policy")
        case "refused":
            yield fail(
                f"the policy of the queue does not allow {topic} to send",
                "run `deploy`, which sets its policy",
            )
        case "unclear":
            yield warn(
                "the policy of the queue has conditions that `doctor` cannot evaluate",
                "run `deploy`, which sets its policy",
            )
    yield from _subscription(subject, topic, queue)


def _subscription(subject: Subject, topic: str, queue: str) -> Iterator[Finding]:
    sns = subject.clients_of_ses("sns")
    pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
    found = [one for page in pages for one in page["Subscriptions"] if one["Endpoint"] == queue]
    if not found:
        yield fail(f"the queue is not subscribed to {topic}", "run `deploy`")
        return
    arn = found[0]["SubscriptionArn"]
    if not arn.startswith("arn:"):
        yield fail(
            f"the subscription of the queue is {arn}",
            "confirm it; if the topic is in another account, its owner has to",
        )
        return
    attributes = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    if attributes.get("PendingConfirmation", "false").lower() == "true":
        yield fail("the subscription of the queue is not confirmed", "run `deploy`")
    elif attributes.get("FilterPolicy"):
        yield fail(
            f"the subscription of the queue has a filter: {attributes['FilterPolicy']}",
            "remove the filter: filtered events are not counted",
        )
    elif attributes.get("RawMessageDelivery", "false").lower() != "true":
        yield warn(
            "raw message delivery is disabled for the subscription",
            "enable raw message delivery; events are counted in any case",
        )
    else:
        yield ok("the queue is subscribed to the topic, with raw message delivery")
