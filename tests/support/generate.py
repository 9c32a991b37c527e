"""Hypothesis strategies for SES events of a few messages that interact with each other."""

from hypothesis import strategies as st
from support import ses

CAMPAIGNS = {"m-1": "spring", "m-2": "spring", "m-3": "autumn"}
_AGENTS = [ses.BROWSER, ses.BROWSER, ses.APPLE_MAIL_PRIVACY, ses.GMAIL_PROXY, None]
_BOTS = [None, None, None, "Likely", "Unlikely"]


# The fourth and fifth differ in what is not part of a link's identity, or only in their recipient.
LINKS = [
    "https://example.com/0?m={}",
    "https://example.com/1?id=7&utm_source={}",
    "https://example.com/1?utm_campaign=x&id=7",
    "https://example.com/unsubscribe/{}",
    "https://example.com/hero?m={}",
]
LABELLED = 4


def moment(second: int) -> str:
    """Return a time seconds after the email was sent; minutes, hours or days for large numbers."""
    seconds = second if second < 40 else (second - 39) * 1800
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(10 * 60 + minutes, 60)
    days, hours = divmod(hours, 24)
    return f"2026-11-{23 + days}T{hours:02}:{minutes:02}:{seconds:02}.000Z"


def _engagement(kind: str, message: str, second: int, link: int) -> dict:
    # Each open or click has one user agent, however often it is reported.
    told = second * 7 + link
    common = {
        "campaign": CAMPAIGNS[message],
        "at": moment(second),
        "agent": _AGENTS[second % len(_AGENTS)],
        "is_bot": _BOTS[told % len(_BOTS)] if kind == "click" else _BOTS[second % len(_BOTS)],
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


_COMPLAINTS = [
    {"feedback_type": "abuse"},
    {"feedback_type": "not-spam"},
    {"feedback_type": None, "subtype": "OnAccountSuppressionList"},
    {"feedback_type": "fraud"},
]


def _other(kind: str, message: str, second: int) -> dict:
    campaign, at = CAMPAIGNS[message], moment(second)
    to = ["ada@example.com", "bob@example.com"][: 1 + second % 2]
    match kind:
        case "send":
            to = ["ada@example.com", "cyd@example.com"][: 1 + (message == "m-3")]
            return ses.a_send(message, campaign=campaign, to=to)
        case "delivery":
            return ses.a_delivery(message, campaign=campaign, at=at, to=to)
        case "bounce":
            bounce, subtype = _BOUNCES[second % len(_BOUNCES)]
            kind_of = {"kind": bounce, "subtype": subtype}
            feedback = f"f-{second % 3}"
            return ses.a_bounce(
                message, campaign=campaign, at=at, to=to, feedback=feedback, **kind_of
            )
        case "complaint":
            kind_of = _COMPLAINTS[second % len(_COMPLAINTS)]
            return ses.a_complaint(message, campaign=campaign, at=at, to=to, **kind_of)
        case "delay":
            return ses.a_delay(message, campaign=campaign, at=at)
        case "reject":
            return ses.a_reject(message, campaign=campaign)
        case "failure":
            return ses.a_rendering_failure(message, campaign=campaign)
    return ses.a_subscription(
        message, campaign=campaign, at=at, opts_out=second % 2 == 0, opted_out=second % 3 == 0
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
