"""Send an email to SES's mailbox simulator, and wait for its counts on a WebSocket."""

import json
import os
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from websockets.exceptions import InvalidHandshake, WebSocketException
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from chalicelib.live.protocol import CAMPAIGN_TOPIC_PREFIX
from dashboard import installation
from dashboard.checks.finding import Finding, Subject, fail, ok, warn
from dashboard.installation import Installation

CAMPAIGN = "mailpulse-doctor"
# https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html#send-email-simulator
_RECIPIENT = "success@simulator.amazonses.com"
_SECONDS = 120

Send = Callable[[Subject, Installation], str]
"""Sends the email, and returns SES's message ID."""


class _NotSent(Exception):
    """The email could not be sent.

    Attributes:
        finding: the reason.
    """

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.says)
        self.finding = finding


def send_mail(subject: Subject, stage: Installation) -> str:
    """Send an email to the simulator, from the first identity that is allowed to send."""
    configuration_set = subject.parameters.get("ConfigurationSetName", "*")
    if configuration_set == "*":
        raise _NotSent(
            warn(
                "no test email was sent: the stage has no configuration set",
                "send an email with your configuration set",
            )
        )
    ses = subject.clients_of_ses("sesv2")
    identities = ses.list_email_identities()["EmailIdentities"]
    sender = next((one["IdentityName"] for one in identities if one["SendingEnabled"]), None)
    if sender is None:
        raise _NotSent(
            fail("no test email was sent: SES has no verified identity", "verify a domain in SES")
        )
    sent = ses.send_email(
        FromEmailAddress=sender if "@" in sender else f"mailpulse@{sender}",
        Destination={"ToAddresses": [_RECIPIENT]},
        Content={
            "Simple": {
                "Subject": {"Data": "Mailpulse: test email"},
                "Body": {"Text": {"Data": "Sent by `dashboard doctor`."}},
            }
        },
        ConfigurationSetName=configuration_set,
        EmailTags=[{"Name": stage.config.campaign_tag, "Value": CAMPAIGN}],
    )
    message_id: str = sent["MessageId"]
    return message_id


def check_probe(
    subject: Subject, send: Send = send_mail, seconds: float = _SECONDS
) -> Iterator[Finding]:
    """Check that an email's counts arrive, through a temporary share link.

    Args:
        subject: the stage.
        send: sends the email.
        seconds: how long to wait for the counts.
    """
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
    stage = installation.installation_of(subject.stage, subject.clients, subject.region, endpoint)
    sharing = stage.sharing
    link, token = sharing.make(CAMPAIGN, int(time.time() + seconds + 60))
    try:
        with _connected(stage, token) as websocket:
            yield from _watch(websocket, partial(send, subject, stage), seconds)
    except _NotSent as error:
        yield error.finding
    except (InvalidHandshake, WebSocketException, OSError) as error:
        yield fail(
            f"cannot connect to the WebSocket API ({error!r})", "see the log of websocket_connect"
        )
    finally:
        sharing.revoke(link.id)


def _connected(stage: Installation, token: str) -> ClientConnection:
    return connect(
        stage.websocket_url,
        origin=Origin(min(stage.config.allowed_origins)),
        subprotocols=[Subprotocol("mailpulse.v1"), Subprotocol(f"share.{token}")],
    )


def _watch(
    websocket: ClientConnection, send: Callable[[], str], seconds: float
) -> Iterator[Finding]:
    """Subscribe, send, and wait until the email is counted as sent and as delivered."""
    topic = CAMPAIGN_TOPIC_PREFIX + CAMPAIGN
    websocket.send(json.dumps({"action": "subscribe", "id": topic}))
    counts = json.loads(websocket.recv(timeout=seconds))["snapshot"]["counts"]
    wanted = {name: counts[name] + 1 for name in ("sends", "deliveries")}
    began = time.monotonic()
    message_id = send()
    while any(counts[name] < count for name, count in wanted.items()):
        left = began + seconds - time.monotonic()
        try:
            pushed: dict[str, Any] = json.loads(websocket.recv(timeout=max(0, left)))
        except TimeoutError:
            missing = [name for name, count in wanted.items() if counts[name] < count]
            yield fail(
                f"{' and '.join(missing)} of the test email {message_id} did not arrive within "
                f"{seconds:.0f} s",
                "see the checks above and the logs of ingest, aggregate, and publish",
            )
            return
        counts |= pushed.get("changes", {}).get("counts", {})
    took = time.monotonic() - began
    yield ok(f"the test email {message_id} was counted as sent and delivered after {took:.1f} s")
