"""Record docs/alarms-transcript.md: each kind of alarm, from its problem to a subscriber.

    python bench/alarm_transcript.py [--kind bounces] [--write]

Each campaign is a series of SES events that pass through the functions on DynamoDB in memory; the
clock is moved minute by minute, and `watch` checks each minute. Its messages go over HTTP to an SNS
topic of moto, and are read from a queue that is subscribed to it. The clock and the seeds are
fixed, so each run prints the same.
"""

import json
import logging
import os
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import boto3
import click
from moto.server import ThreadedMotoServer
from msgspec.structs import replace

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support import ses
from support.world import CONFIG, World

from chalicelib.aws.client import QueryService
from chalicelib.aws.topics import AlarmTopic
from chalicelib.errors import PipelineFault
from chalicelib.insight.alarms import JUDGED_FOR, OVER_AFTER
from chalicelib.insight.causes import LATE_SECONDS, OPENS_AFTER_SECONDS, STOPPED_AFTER_SECONDS
from chalicelib.insight.done import DONE_AFTER
from chalicelib.stats.incidents import DONE, KINDS

Event = dict[str, Any]

DOCUMENT = ROOT / "docs" / "alarms-transcript.md"
REGION = "us-east-1"
CAMPAIGN = "spring-sale"
PAGE = "https://page.example/"
BEGIN = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
# When in a minute its events arrive in the queue, and when `watch` checks.
ARRIVE_SECOND, CHECK_SECOND = 50, 55
PER_MINUTE = 50
MINUTES = 20
MOST_MINUTES = 60  # from the recovery to the end of the alarm
QUIET_MINUTES = 40
# Ten recipients of each list of them: 40% at Gmail, 30% at Microsoft.
DOMAINS = (*["gmail.com"] * 4, *["hotmail.com"] * 3, "yahoo.com", "gmx.de", "example.com")
REFUSING = "hotmail.com"
OPENED = 0.25
# The mean time from delivery to a human open, at least 2 minutes.
OPENED_AFTER = 12
BLOCKED = {
    "status": "5.7.1",
    "diagnosticCode": "smtp; 550 5.7.1 Messages from this IP address were blocked",
}
HEAD = """\
# Each alarm, from its problem to a subscriber

Recorded with `python bench/alarm_transcript.py --write`. Each campaign is a series of made-up SES
events, which the functions count on DynamoDB in memory. The clock is moved minute by minute, and
`watch` checks each minute. Its messages are sent over HTTP to an SNS topic of moto, and received
by an SQS queue that is subscribed to it. Nothing was run in AWS. Clock and seeds are fixed, and a
test repeats two sections of this page. [alarms.md](alarms.md) describes the rules, and measures
how often and how soon alarms are raised.

Each campaign begins on 2026-11-24 at 10:00 UTC and sends {per_minute} emails a minute. Minutes are
counted from then on. The *first sign* is the minute in which the first event of the problem is
counted or, where events are missing, from which on their absence counts. An alarm is over at the
last of {over_after} calm checks in succession. `low_opens` and `stopped` need earlier campaigns of
the sender, which were counted before. Messages about `pipeline_late` are sent only if this kind is
chosen; here, `setAlarms` does so. In the section of `done`, the campaign has quiet hours: the first
message waits until they end, and so does the last one, on the next day.

"""


class Message(NamedTuple):
    """A message that the subscriber has received.

    Attributes:
        minute: minutes after the beginning of the campaign.
        attributes: the message attributes.
    """

    minute: int
    subject: str
    text: str
    attributes: dict[str, str]


class Email(NamedTuple):
    """An email: its number in the campaign, its minute, and the domain of its recipient."""

    number: int
    minute: int
    domain: str

    @property
    def address(self) -> str:
        """The address of its recipient."""
        return f"r{self.number}@{self.domain}"


class Mailing:
    """The SES events of a campaign, by the minute in which they arrive.

    Attributes:
        events: minute → events.
        sign: the first minute with an event of a problem; None if there is none.
    """

    def __init__(self, campaign: str, begin: datetime) -> None:
        self.campaign = campaign
        self.begin = begin
        self.events: dict[int, list[Event]] = defaultdict(list)
        self.random = Random(campaign)
        self.sign: int | None = None
        self._emails = 0

    def send(self, minutes: range, fate: "Fate | None" = None, each: int = PER_MINUTE) -> None:
        """Send emails in each of these minutes, all of which have the same fate."""
        for minute in minutes:
            for _ in range(each):
                domain = DOMAINS[self._emails % len(DOMAINS)]
                (fate or Mailing.is_read)(self, Email(self._emails, minute, domain))
                self._emails += 1

    # The fates of an email.

    def is_read(self, email: Email, share: float = OPENED) -> None:
        """Deliver an email, which is opened with this probability."""
        self.is_delivered(email)
        if self.random.random() < share:
            self.is_opened(email, email.minute + 2 + int(self.random.expovariate(1 / OPENED_AFTER)))

    def is_delivered(self, email: Email) -> None:
        """Deliver an email in its minute."""
        self._add(email, email.minute, ses.a_send())
        self.is_accepted(email, email.minute)

    def is_accepted(self, email: Email, minute: int) -> None:
        """Deliver an email that was sent."""
        event = ses.a_delivery(to=[email.address], at=self._at(minute, 30))
        self._add(email, minute, event)

    def is_opened(self, email: Email, minute: int) -> None:
        """Open an email at a minute."""
        event = ses.an_open(self._id(email), at=self._at(minute, 40))
        self._add(email, minute, event)

    def complains(self, email: Email, minute: int) -> None:
        """Report a delivered email as spam at a minute."""
        event = ses.a_complaint(to=[email.address], at=self._at(minute, 45))
        self._add(email, minute, event, is_sign=True)

    def bounces(self, email: Email, kind: str = "Permanent", reply: Event | None = None) -> None:
        """Return an email in its minute."""
        self._add(email, email.minute, ses.a_send())
        at = self._at(email.minute, 30)
        feedback = f"f-{self._id(email)}"
        event = ses.a_bounce(kind=kind, to=[email.address], at=at, feedback=feedback, reply=reply)
        self._add(email, email.minute, event, is_sign=True)

    def is_deferred(self, email: Email, until: int) -> None:
        """Delay an email, and deliver it at a minute."""
        self._add(email, email.minute, ses.a_send())
        event = ses.a_delay(to=email.address, at=self._at(email.minute, 30))
        event["deliveryDelay"]["delayType"] = "General"
        self._add(email, email.minute, event, is_sign=True)
        self.is_accepted(email, until)

    def fails(self, email: Email) -> None:
        """Fail to render an email."""
        self._add(email, email.minute, ses.a_rendering_failure(), is_sign=True)

    def _id(self, email: Email) -> str:
        return f"{self.campaign}-{email.number}"

    def _at(self, minute: int, second: int = 0) -> str:
        at = self.begin + timedelta(minutes=minute, seconds=second)
        return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")

    def _add(self, email: Email, minute: int, event: Event, *, is_sign: bool = False) -> None:
        event["mail"] = ses.mail(
            self._id(email),
            campaign=self.campaign,
            at=self._at(email.minute),
            to=[email.address],
        )
        self.events[minute].append(event)
        if is_sign:
            self.sign = minute if self.sign is None else min(self.sign, minute)


Fate = Callable[[Mailing, Email], None]


class Scenario(NamedTuple):
    """A campaign with a problem.

    Attributes:
        mailing: its events.
        problem: what goes wrong, as a sentence.
        problem_at: the minute from which on it does.
        sign: the first sign, as a sentence.
        sign_at: its minute.
        recovery: what ends the problem, as a sentence.
        recovery_at: the minute from which on it does, or at which the campaign is judged no longer.
        calm: what is no sign of the problem at ten checks in succession, after which the alarm is
            over; empty if the problem does not end.
        earlier: how many campaigns the sender has sent before.
        stalled: the minutes in which ingest receives nothing.
        quiet: how many minutes of quiet hours there are from the beginning on.
        states: the states of the messages.
    """

    mailing: Mailing
    problem: str
    problem_at: int
    sign: str
    sign_at: int | None
    recovery: str
    recovery_at: int
    calm: str = ""
    earlier: int = 0
    stalled: range = range(0)
    quiet: int = 0
    states: tuple[str, ...] = ("began", "ended")


def complaints(mailing: Mailing) -> Scenario:
    """Complain about one of 25 emails to purchased addresses."""

    def disliked(mailing: Mailing, email: Email) -> None:
        mailing.is_read(email)
        if email.number % 25 == 0:
            mailing.complains(email, email.minute + 15)

    mailing.send(range(5))
    mailing.send(range(5, MINUTES), disliked)
    return Scenario(
        mailing,
        "The rest of the list is purchased: 4% of its recipients report the email as spam, 15 "
        "minutes after delivery.",
        5,
        "The first complaint is counted.",
        mailing.sign,
        "None: no more emails are sent, and the rate stays above 0.1%. The campaign is no longer "
        "watched after 48 hours.",
        JUDGED_FOR // timedelta(minutes=1),
    )


def bounces(mailing: Mailing) -> Scenario:
    """Bounce each second email of a part of the list."""

    def invalid(mailing: Mailing, email: Email) -> None:
        (Mailing.bounces if email.number % 2 else Mailing.is_read)(mailing, email)

    mailing.send(range(5))
    mailing.send(range(5, 8), invalid)
    mailing.send(range(8, 50))
    return Scenario(
        mailing,
        "A part of the list is outdated: half of its emails bounce hard.",
        5,
        "The first hard bounces are counted.",
        mailing.sign,
        "The next part of the list is valid.",
        8,
        "At most 5% of all emails, and of the latest, bounce hard.",
    )


def provider_delays(mailing: Mailing) -> Scenario:
    """Defer all emails to Microsoft for some minutes."""

    def deferred(mailing: Mailing, email: Email) -> None:
        if email.domain == REFUSING:
            mailing.is_deferred(email, 15)
        else:
            mailing.is_read(email)

    mailing.send(range(5))
    mailing.send(range(5, 12), deferred)
    mailing.send(range(12, MINUTES))
    return Scenario(
        mailing,
        "Microsoft defers all emails.",
        5,
        "The first delays are counted.",
        mailing.sign,
        "Microsoft accepts new emails from 10:12 on, and those that wait at 10:15.",
        12,
        "At most a quarter of all emails to Microsoft, and of the latest, wait.",
    )


def provider_bounces(mailing: Mailing) -> Scenario:
    """Block four of five emails to Microsoft for some minutes."""

    def blocked(mailing: Mailing, email: Email) -> None:
        if email.domain == REFUSING and email.number % 5:
            mailing.bounces(email, "Transient", BLOCKED)
        else:
            mailing.is_read(email)

    mailing.send(range(5))
    mailing.send(range(5, 10), blocked)
    mailing.send(range(10, 60))
    return Scenario(
        mailing,
        "Microsoft blocks the IP address of the sender: most emails to it bounce.",
        5,
        "The first bounces are counted.",
        mailing.sign,
        "Microsoft accepts all emails.",
        10,
        "At most 5% of the latest emails to Microsoft bounce.",
    )


def template_errors(mailing: Mailing) -> Scenario:
    """Omit a variable of the template for each third recipient."""

    def broken(mailing: Mailing, email: Email) -> None:
        (Mailing.is_read if email.number % 3 else Mailing.fails)(mailing, email)

    mailing.send(range(5))
    mailing.send(range(5, 8), broken)
    mailing.send(range(8, 50))
    return Scenario(
        mailing,
        "A variable of the template is missing in the data of every third recipient.",
        5,
        "The first rendering failures are counted.",
        mailing.sign,
        "The data contain the variable.",
        8,
        "At most 0.5% of the latest emails fail to render.",
    )


def no_opens(mailing: Mailing) -> Scenario:
    """Send without open tracking, and turn it on later."""

    def late_opens(mailing: Mailing, email: Email) -> None:
        mailing.is_delivered(email)
        if email.number % 20 == 0:
            mailing.is_opened(email, 45 + email.minute)

    mailing.send(range(MINUTES), late_opens)
    after = OPENS_AFTER_SECONDS // 60
    return Scenario(
        mailing,
        "The configuration set does not publish opens.",
        0,
        f"From an age of {after} minutes on, opens are expected; none is counted.",
        after,
        "The configuration set publishes opens.",
        45,
        "Opens are counted.",
    )


def low_opens(mailing: Mailing) -> Scenario:
    """Deliver to the spam folder, from which providers move the emails to the inbox later."""

    def in_spam(mailing: Mailing, email: Email) -> None:
        mailing.is_delivered(email)
        if email.number % 100 == 0:
            mailing.is_opened(email, email.minute + 10)
        elif email.number % 4 == 0:
            mailing.is_opened(email, 60 + email.minute)

    mailing.send(range(MINUTES), in_spam)
    after = OPENS_AFTER_SECONDS // 60
    return Scenario(
        mailing,
        "The emails arrive in the spam folder: 1% are opened, not 25% as usual.",
        0,
        f"Human opens are compared with earlier campaigns from minute {after} on.",
        after,
        "The emails are moved to the inbox, and read.",
        60,
        "Human opens are as usual.",
        earlier=6,
    )


def stopped(mailing: Mailing) -> Scenario:
    """Stop sending after half of the list, and continue later."""
    mailing.send(range(10))
    mailing.send(range(40, 50))
    after = STOPPED_AFTER_SECONDS // 60
    return Scenario(
        mailing,
        "The system that sends the campaign stops after half of the list.",
        10,
        f"Nothing was sent for {after} minutes, and half of the usual number before.",
        9 + after,
        "Sending continues.",
        40,
        "Emails have been sent.",
        earlier=12,
    )


def pipeline_late(mailing: Mailing) -> Scenario:
    """Throttle ingest for some minutes."""
    mailing.send(range(MINUTES))
    stalled = range(5, 10)
    return Scenario(
        mailing,
        "Lambda throttles `ingest`: events wait in the queue.",
        5,
        f"The oldest event has waited for {LATE_SECONDS // 60} minutes.",
        5 + LATE_SECONDS // 60,
        "`ingest` is throttled no longer.",
        10,
        "Events are counted at most a minute late.",
        stalled=stalled,
    )


def done(mailing: Mailing) -> Scenario:
    """Send without open tracking in quiet hours, turn it on later, and finish."""
    return no_opens(mailing)._replace(quiet=QUIET_MINUTES, states=("began", "ended", DONE))


SCENARIOS: dict[str, Callable[[Mailing], Scenario]] = {
    one.__name__: one
    for one in (
        *(complaints, bounces, provider_delays, provider_bounces, low_opens, no_opens),
        *(stopped, pipeline_late, template_errors, done),
    )
}


class Stage(World):
    """Functions whose alarms go to a topic, and queues that show how old their messages are."""

    def __init__(self, topic: AlarmTopic) -> None:
        super().__init__(replace(CONFIG, page_url=PAGE))
        self._topic = topic

    def publish(self, subject: str, text: str, attributes: dict[str, str]) -> None:
        """Send a message to the alarm topic over HTTP."""
        super().publish(subject, text, attributes)
        self._topic.publish(subject, text, attributes)

    def oldest_seconds(self, now: float) -> int:
        """Return the age of the oldest message in the queue."""
        return round(now - min((self.sent[one] for one in self.queue), default=now * 1000) / 1000)

    def minute(self, start: datetime, events: list[Event], *, stalled: bool = False) -> None:
        """Send the events of a minute to the queue, count them unless it is stalled, and check.

        Raises:
            AssertionError: a function has failed.
        """
        self.now = start.timestamp() + ARRIVE_SECOND
        self.arrive(*events)
        if not stalled:
            self.drain()
        self.now = start.timestamp() + CHECK_SECOND
        self.watch()
        while self.running:
            self.running[0].step()
        if not stalled:
            self.drain()
        # While the pipeline has a problem, `watch` ends with an error.
        failed = [one for one in self.raised if not isinstance(one, PipelineFault)]
        assert not failed, failed


class Subscriber:
    """An SQS queue that is subscribed to a topic of moto."""

    def __init__(self, endpoint: str, name: str) -> None:
        sns, self._sqs = (
            boto3.client(one, REGION, endpoint_url=endpoint) for one in ("sns", "sqs")
        )
        self._url = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        [arn] = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])[
            "Attributes"
        ].values()
        self.topic = sns.create_topic(Name=name)["TopicArn"]
        sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=arn)

    def received(self, minute: int) -> list[Message]:
        """Return the messages that have arrived, and delete them."""
        found = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10)
        messages = []
        for one in found.get("Messages", []):
            self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=one["ReceiptHandle"])
            body = json.loads(one["Body"])
            attributes = {name: of["Value"] for name, of in body["MessageAttributes"].items()}
            messages.append(Message(minute, body["Subject"], body["Message"], attributes))
        return messages


@contextmanager
def sns_and_sqs() -> Iterator[str]:
    """Serve SNS and SQS on loopback; yield the address."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = ThreadedMotoServer("127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def run(kind: str, endpoint: str) -> tuple[Scenario, list[Message]]:
    """Run the campaign of a kind of alarm; return it, and the messages that arrive.

    Args:
        kind: see chalicelib.stats.incidents.ALARM_KINDS.
        endpoint: of SNS and SQS.
    """
    subscriber = Subscriber(endpoint, f"alarms-{kind}")
    config = replace(CONFIG, endpoint_url=endpoint)
    stage = Stage(AlarmTopic(QueryService("sns", config), subscriber.topic))
    scenario = SCENARIOS[kind](Mailing(CAMPAIGN, BEGIN))
    operator = stage.subscribe()
    operator.ask("setAlarms", kinds=[one for one in KINDS if one != "pipeline_late"])
    for number in range(scenario.earlier):
        _send_earlier(stage, number, BEGIN - timedelta(days=30 - 2 * number))
    stage.now = BEGIN.timestamp()
    topic = f"stats/email-campaign/{CAMPAIGN}"
    if kind == "pipeline_late":  # not sent unless it is chosen
        operator.ask("setAlarms", id=topic, kinds=list(KINDS))
    if kind == DONE:
        operator.ask("setAlarms", id=topic, kinds=["no_opens", DONE])
    if scenario.quiet:
        end = BEGIN + timedelta(minutes=scenario.quiet)
        hours = {"from": f"{BEGIN:%H:%M}", "to": f"{end:%H:%M}", "zone": "UTC"}
        operator.ask("setAlarms", id=topic, quiet=hours)
    messages: list[Message] = []
    minute = 0
    until = scenario.recovery_at + MOST_MINUTES
    if kind == DONE:
        until = DONE_AFTER // timedelta(minutes=1) + MOST_MINUTES
    while minute < until:
        sent = len(stage.alarms)
        stage.minute(
            BEGIN + timedelta(minutes=minute),
            scenario.mailing.events[minute],
            stalled=minute in scenario.stalled,
        )
        if len(stage.alarms) > sent:
            messages += subscriber.received(minute)
        if messages and messages[-1].attributes["state"] == scenario.states[-1]:
            until = min(until, messages[-1].minute + OVER_AFTER)
        minute += 1
    return scenario, messages


def _send_earlier(stage: Stage, number: int, begin: datetime) -> None:
    """Send a campaign of 1,000 emails, of which all are counted three hours later."""
    mailing = Mailing(f"earlier-{number}", begin)
    mailing.send(range(MINUTES))
    for start in (0, 180):
        minutes = [one for one in mailing.events if (one < 60) == (start == 0)]
        events = [event for minute in minutes for event in mailing.events[minute]]
        stage.minute(begin + timedelta(minutes=60 + start), events)


def section(kind: str, scenario: Scenario, messages: list[Message]) -> str:
    """Return the section of the document about a kind of alarm."""
    steps = [
        (scenario.problem_at, "problem", scenario.problem),
        (scenario.sign_at or 0, "first sign", scenario.sign),
        (scenario.recovery_at, "recovery", scenario.recovery),
        *((one.minute, "**message**", one.subject) for one in messages),
    ]
    if scenario.calm:
        [ended] = [one for one in messages if one.attributes["state"] == "ended"]
        steps.append((ended.minute - OVER_AFTER + 1, "first calm check", scenario.calm))
    if scenario.quiet:
        steps.insert(0, (scenario.quiet, "quiet hours end", "The message that waits is sent."))
    rows = [
        f"| {minute:,} | {_clock(minute)} | {step} | {text} |"
        for minute, step, text in sorted(steps, key=lambda one: one[0])
    ]
    table = ["| minute | UTC | step | |", "|---|---|---|---|", *rows]
    return "\n".join([f"## `{kind}`", "", *table, "", *map(_block, messages)])


def summary(found: dict[str, tuple[Scenario, list[Message]]]) -> str:
    """Return the table of all kinds."""
    rows = [
        f"| [`{kind}`](#{kind}) | {one.problem_at} | {one.sign_at} | {began.minute} "
        f"| {one.recovery_at:,} | {ended.minute:,} |"
        for kind, (one, (began, ended, *_)) in found.items()
        if kind != DONE
    ]
    head = ["| kind | problem | first sign | message | recovery | second message |"]
    return "\n".join([*head, "|---|---|---|---|---|---|", *rows, "", ""])


def _clock(minute: int) -> str:
    at = BEGIN + timedelta(minutes=minute)
    return f"{at:%H:%M}" if at.date() == BEGIN.date() else f"{at:%Y-%m-%d %H:%M}"


def _block(message: Message) -> str:
    attributes = "\n".join(f"{name}: {value}" for name, value in sorted(message.attributes.items()))
    return f"```text\nSubject: {message.subject}\n{attributes}\n\n{message.text}\n```\n"


@click.command()
@click.option("--kind", "kinds", multiple=True, type=click.Choice(list(SCENARIOS)))
@click.option("--write", is_flag=True, help="Write docs/alarms-transcript.md.")
def main(*, kinds: tuple[str, ...], write: bool) -> None:
    """Record each kind of alarm."""
    if kinds and write:
        raise click.UsageError("--write needs all kinds: omit --kind")
    os.environ |= {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    found = {}
    with sns_and_sqs() as endpoint:
        for kind in kinds or SCENARIOS:
            found[kind] = scenario, messages = run(kind, endpoint)
            states = tuple(one.attributes["state"] for one in messages)
            if states != scenario.states:
                raise click.ClickException(f"{kind}: not {scenario.states}: {messages}")
            click.echo(section(kind, scenario, messages))
    if write:
        sections = [section(kind, *one) for kind, one in found.items()]
        head = HEAD.format(per_minute=PER_MINUTE, over_after=OVER_AFTER)
        DOCUMENT.write_text(head + summary(found) + "\n".join(sections))


if __name__ == "__main__":
    main()
