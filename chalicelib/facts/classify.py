"""Classify a single open or click by what it shows by itself: its agent, its time and SES's label.

The rules that need all opens and clicks of an email are in facts/rules.py. The patterns come from
captures of 2019 to 2026 and from vendors' documentation:

- Apple Mail Privacy Protection fetches with the user agent `Mozilla/5.0` and nothing else.
- Gmail and Yahoo fetch through a proxy when a person opens the email, so these opens are human.
- Gmail also prefetches, about a second after the email was accepted, as an old Edge.
- Bots that name themselves are on the list of facts/bot_names.py.
- SES itself reports `isBotEvent` since August 2026.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Literal

from chalicelib.facts.bot_names import names_a_bot
from chalicelib.facts.fact import Class, Fact

# No person can open an email this soon after SES accepted it.
PREFETCH = timedelta(seconds=3)

AgentKind = Literal[
    "none",
    "apple_proxy",
    "gmail_prefetch",
    "mailbox_proxy",
    "bot",
    "mail_program",
    "browser",
    "unrecognised",
]
"""What a user agent is.

`mailbox_proxy` is a proxy that fetches when a person reads: Gmail's or Yahoo's. `mail_program` is
a program that loads images itself, or Outlook's proxy, which cannot be told from Apple's programs.
"""

_APPLE_MAIL_PRIVACY = "Mozilla/5.0"
_GMAIL_PREFETCH = re.compile(r"Edge/12\.246 Mozilla/5\.0$")
_MAILBOX_PROXY = re.compile(r"GoogleImageProxy|YahooMailProxy")
# Programs have their names, or an engine without the name of a browser: WebKit alone is Apple's
# mail program or Outlook's proxy, and `wv` is Android's view of a page within a program.
_MAIL_PROGRAM = re.compile(
    r"Outlook|ms-office|MSOffice|Thunderbird|Mail/|; wv\)"
    r"|AppleWebKit/[\d.]+(?: \(KHTML, like Gecko\))?(?: Mobile/\w+)?$"
)
# A browser's user agent has its platform in parentheses.
_BROWSER = re.compile(r"^Mozilla/\d\.\d \([^)]+\)|Opera/")


_BY_KIND: Mapping[AgentKind, tuple[Class, str]] = {
    "none": ("unknown", "no_agent"),
    "apple_proxy": ("machine", "apple_mail_privacy"),
    "gmail_prefetch": ("machine", "prefetch"),
    "mailbox_proxy": ("human", "proxy_at_open_time"),
    "bot": ("machine", "scanner_agent"),
    "mail_program": ("human", "persons_agent"),
    "browser": ("human", "persons_agent"),
    "unrecognised": ("unknown", "unrecognised_agent"),
}


def classify(fact: Fact) -> tuple[Class, str]:
    """Return the class of an open or click, and the reason, without regard to other facts.

    What the agent and the time show decides first, because it has the kind of bot, which SES's
    label does not have. `Likely` makes all others a bot's, and `Unlikely` lifts nothing.
    """
    engager, reason = _by_agent_and_time(fact)
    if engager != "machine" and fact.is_bot == "Likely":
        return "machine", "ses_likely"
    return engager, reason


def _by_agent_and_time(fact: Fact) -> tuple[Class, str]:
    kind = agent_kind(fact)
    if kind == "apple_proxy" and fact.type == "Click":
        kind = "unrecognised"  # no browser has so short a user agent
    engager, reason = _BY_KIND[kind]
    if kind == "none" or engager == "machine":
        return engager, reason
    if timedelta(0) <= time_after_sending(fact) <= PREFETCH:
        return "machine", "prefetch"
    return engager, reason


def is_private(fact: Fact) -> bool:
    """Return whether an open came through a privacy proxy, which opens every email.

    Such an open says nothing about the recipient, whatever SES's label.
    """
    return fact.type == "Open" and agent_kind(fact) == "apple_proxy"


def agent_kind(fact: Fact) -> AgentKind:
    """Return what the user agent of an open or click is."""
    return _kind((fact.agent or "").strip())


def time_after_sending(fact: Fact) -> timedelta:
    """Return the time of a fact since SES accepted the email; negative if before."""
    return datetime.fromisoformat(fact.at) - datetime.fromisoformat(fact.mail_at)


_KINDS: Sequence[tuple[AgentKind, Callable[[str], object]]] = (
    ("none", lambda agent: not agent),
    ("apple_proxy", lambda agent: agent == _APPLE_MAIL_PRIVACY),
    ("gmail_prefetch", _GMAIL_PREFETCH.search),
    ("mailbox_proxy", _MAILBOX_PROXY.search),
    ("bot", names_a_bot),
    ("mail_program", _MAIL_PROGRAM.search),
    ("browser", _BROWSER.search),
)


@lru_cache(maxsize=1000)  # a few mail programs are most of a campaign
def _kind(agent: str) -> AgentKind:
    return next((kind for kind, is_of_kind in _KINDS if is_of_kind(agent)), "unrecognised")
