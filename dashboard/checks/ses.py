"""Check whether SES may send, and publishes the events of its emails."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError

from dashboard.checks.finding import Finding, Subject, fail, ok, warn

# SESv2's event types: those that rates are computed from, and the others that are counted.
_RATES = ("SEND", "DELIVERY", "BOUNCE", "COMPLAINT", "OPEN", "CLICK")
_OTHERS = ("REJECT", "RENDERING_FAILURE", "DELIVERY_DELAY", "SUBSCRIPTION")
# SES limits these requests to about one a second.
_MOST_SETS = 50


def check_account(subject: Subject) -> Iterator[Finding]:
    """Check that the account may send, and whether it is in the sandbox."""
    account = subject.clients_of_ses("sesv2").get_account()
    enforcement = account.get("EnforcementStatus", "HEALTHY")
    if not account.get("SendingEnabled"):
        yield fail(
            f"sending is disabled in {subject.ses_region} (enforcement status: {enforcement})",
            "see the SES account dashboard for the reason",
        )
    elif enforcement != "HEALTHY":
        yield warn(
            f"the enforcement status of the account is {enforcement}",
            "see the reputation metrics: AWS may review accounts with a bounce rate above 5% "
            "or a complaint rate above 0.1%",
        )
    else:
        yield ok(f"sending is enabled in {subject.ses_region}")
    if not account.get("ProductionAccessEnabled"):
        yield warn(
            "the account is in the SES sandbox and can send only to verified addresses",
            "request production access in the SES console",
        )
    else:
        most = account.get("SendQuota", {}).get("Max24HourSend", 0)
        yield ok(f"production access, at most {most:,.0f} emails per day")


def check_event_destination(subject: Subject) -> Iterator[Finding]:
    """Check that a configuration set publishes its events to the topic."""
    ses, topic = subject.clients_of_ses("sesv2"), subject.output("TopicArn")
    named = subject.parameters.get("ConfigurationSetName", "*")
    names = _configuration_sets(ses) if named == "*" else iter([named])
    publishing = 0
    looked_at = list(islice(names, _MOST_SETS))
    for name in looked_at:
        try:
            found = ses.get_configuration_set_event_destinations(ConfigurationSetName=name)
        except ClientError as error:
            if error.response["Error"]["Code"] != "NotFoundException":
                raise
            yield fail(
                f"the configuration set {name} does not exist",
                "create it in SES, or run `deploy` with --configuration-set and "
                "--new-configuration-set",
            )
            continue
        for destination in found.get("EventDestinations", []):
            if destination.get("SnsDestination", {}).get("TopicArn") == topic:
                publishing += 1
                yield from _sending(ses, name)
                yield from _destination(name, destination)
    if not publishing:
        which = f"the configuration set {named}" if named != "*" else "no configuration set"
        said = "does not publish" if named != "*" else "publishes"
        yield fail(
            f"{which} {said} to {topic} ({len(looked_at)} checked)",
            "add an SNS event destination with this topic and all event types to your "
            "configuration set",
        )


def _configuration_sets(ses: Any) -> Iterator[str]:
    asked: dict[str, str] = {}
    while True:
        page = ses.list_configuration_sets(**asked)
        yield from page.get("ConfigurationSets", [])
        if not page.get("NextToken"):
            return
        asked = {"NextToken": page["NextToken"]}


def _sending(ses: Any, name: str) -> Iterator[Finding]:
    found = ses.get_configuration_set(ConfigurationSetName=name)
    if not found.get("SendingOptions", {}).get("SendingEnabled", True):
        yield fail(
            f"sending is disabled for the configuration set {name}",
            f"aws sesv2 put-configuration-set-sending-options --configuration-set-name {name} "
            "--sending-enabled",
        )


def _destination(name: str, destination: Mapping[str, Any]) -> Iterator[Finding]:
    where = f"{name}/{destination['Name']}"
    if not destination.get("Enabled"):
        yield fail(f"the event destination {where} is disabled", "enable it in SES")
        return
    types = set(destination.get("MatchingEventTypes", []))
    remedy = "select all event types for it in SES; if `deploy` created it, run `deploy`"
    missing = [one for one in _RATES if one not in types]
    others = [one for one in _OTHERS if one not in types]
    if missing:
        yield fail(f"the event destination {where} reports no {', '.join(missing)}", remedy)
    elif others:
        yield warn(f"the event destination {where} reports no {', '.join(others)}", remedy)
    else:
        yield ok(f"{where} publishes all event types to the topic")
