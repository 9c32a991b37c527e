"""Hypothesis strategies for SES events of a few messages that interact with each other."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st
from support import ses

CAMPAIGNS = {
    "m-1": "spring",
    "m-2": "spring",
    "m-3": "autumn",
}  # An email to several recipients: SES does not report who opened or clicked it.
RECIPIENTS = {
    "m-1": ["ada@example.com"],
    "m-2": ["eve@gmail.com"],
    "m-3": ["ada@example.com", "cyd@gmx.de"],
}
# One email of each campaign has a variant: the counters of the others are the campaign's alone.
VARIANTS = {"m-1": "a", "m-2": None, "m-3": "b"}
_AGENTS = [
    *(ses.BROWSER, ses.BROWSER, ses.GMAIL_PROXY, ses.APPLE_MAIL_PRIVACY, ses.TELEPHONE),
    *(ses.OUTLOOK, ses.BROWSER, ses.OUTDATED_BROWSER, ses.CRAWLER, None, ses.GMAIL_PREFETCH),
]
_BOTS = [None, None, None, None, "Unlikely", None, "Likely"]


# The fourth and fifth differ in what is not part of a link's identity, or only in their recipient.
LINKS = [
    "https://example.com/0?m={}",
    "https://example.com/1?id=7&utm_source={}",
    "https://example.com/1?utm_campaign=x&id=7",
    "https://example.com/unsubscribe/{}",
    "https://example.com/hero?m={}",
]
LABELLED = 4


# Seconds after sending: within a burst, and on both sides of what the rules for bots measure.
_SECONDS = [
    *(number * 0.5 for number in range(20)),
    *(10, 12, 12.5, 20, 25, 60, 120, 299, 300, 301, 301.7, 304, 330, 331, 361, 420),
    *(600, 601, 630, 901),
]


def moment(number: int) -> str:
    """Return one of a few times after the email was sent; larger numbers are half-hours apart."""
    seconds = _SECONDS[number] if number < 40 else (number - 39) * 1800
    at = datetime(2026, 11, 23, 10, tzinfo=UTC) + timedelta(seconds=seconds)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"


def _engagement(kind: str, message: str, second: int, link: int) -> dict:
    # Each open or click has one user agent, however often it is reported.
    told = second * 7 + link
    common = {
        "campaign": CAMPAIGNS[message],
        "at": moment(second),
        "agent": _AGENTS[second // 2 % len(_AGENTS)],
        "is_bot": _BOTS[told % len(_BOTS)] if kind == "click" else _BOTS[second % len(_BOTS)],
        "to": RECIPIENTS[message],
        "variant": VARIANTS[message],
    }
    if kind == "open":
        return ses.an_open(message, **common)
    label = {"link": ["hero"]} if link == LABELLED else None
    return ses.a_click(message, link=LINKS[link].format(message), tags=label, **common)


_BOUNCES = [
    ("Permanent", "NoEmail"),
    ("Permanent", "OnAccountSuppressionList"),
    ("Transient", "General"),
    ("Transient", "MailboxFull"),
    ("Undetermined", "Undetermined"),
]


# SMTP replies, and their classes: those of a cause differ in what is not part of the class.
REPLIES = [
    ({}, None),
    ({"status": "5.1.1"}, "5.1.1 "),
    (
        {"status": "5.0.0", "diagnosticCode": "smtp; 550 5.1.1 <ada@example.com>: User unknown"},
        "5.1.1 User unknown",
    ),
    ({"diagnosticCode": "smtp; 550 5.1.1 <bob@gmail.com>: User unknown"}, "5.1.1 User unknown"),
    ({"diagnosticCode": "smtp; 452 4.2.2 Mailbox full"}, "4.2.2 Mailbox full"),
]


_COMPLAINTS = [
    {"feedback_type": "abuse"},
    {"feedback_type": "not-spam"},
    {"feedback_type": None, "subtype": "OnAccountSuppressionList"},
    {"feedback_type": "fraud"},
]


def _other(kind: str, message: str, second: int) -> dict:
    at = moment(second)
    of_mail = {"campaign": CAMPAIGNS[message], "variant": VARIANTS[message]}
    to = ["ada@example.com", "bob@gmail.com"][: 1 + second % 2]
    reply, _ = REPLIES[second % len(REPLIES)]
    match kind:
        case "send":
            return ses.a_send(message, **of_mail, to=RECIPIENTS[message])
        case "delivery":
            return ses.a_delivery(message, **of_mail, at=at, to=to)
        case "bounce":
            bounce, subtype = _BOUNCES[second % len(_BOUNCES)]
            kind_of = {"kind": bounce, "subtype": subtype, "reply": reply}
            feedback = f"f-{second % 3}"
            return ses.a_bounce(message, **of_mail, at=at, to=to, feedback=feedback, **kind_of)
        case "complaint":
            kind_of = _COMPLAINTS[second % len(_COMPLAINTS)]
            return ses.a_complaint(message, **of_mail, at=at, to=to, **kind_of)
        case "delay":
            return ses.a_delay(message, **of_mail, at=at, to=to[-1], reply=reply)
        case "reject":
            return ses.a_reject(message, **of_mail)
        case "failure":
            return ses.a_rendering_failure(message, **of_mail)
    return ses.a_subscription(
        message, **of_mail, at=at, opts_out=second % 2 == 0, opted_out=second % 3 == 0
    )


_messages = st.sampled_from(sorted(CAMPAIGNS))
_seconds = st.integers(0, 60)
engagements = st.builds(
    _engagement,
    st.sampled_from(["open", "click", "click"]),
    _messages,
    _seconds,
    st.integers(0, 4),
)
others = st.builds(
    _other,
    st.sampled_from(
        ["send", "delivery", "bounce", "complaint", "delay", "reject", "failure", "subscription"]
    ),
    _messages,
    _seconds,
)
events = st.lists(st.one_of(engagements, engagements, others), min_size=1, max_size=25)
