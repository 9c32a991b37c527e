"""Classify a single open or click as human, machine (any bot) or unknown, and state the reason.

Rules that need all facts of an email (bursts) are in facts/settle.py. The patterns of privacy
proxies, prefetches and security scanners come from captures of 2019 to 2026 and from vendors'
documentation:

- Apple Mail Privacy Protection fetches with the user agent `Mozilla/5.0` and nothing else.
- Gmail and Yahoo fetch through a proxy when a person opens the email, so these opens are human.
- Gmail also prefetches, about a second after the email was accepted, as an old Edge.
- SES itself reports `isBotEvent` since August 2026.
"""

import re
from datetime import datetime, timedelta
from functools import lru_cache

from chalicelib.facts.fact import Class, Fact

RULES_VERSION = 2  # increment with every change of a rule, here or in facts/settle.py

# No person can open an email this soon after SES accepted it.
PREFETCH_WINDOW = timedelta(seconds=3)

_APPLE_MAIL_PRIVACY = "Mozilla/5.0"
_GMAIL_PREFETCH = re.compile(r"Edge/12\.246 Mozilla/5\.0$")
_PROXY_AT_OPEN_TIME = re.compile(r"GoogleImageProxy|YahooMailProxy")
_SCANNER = re.compile(
    r"barracuda|proofpoint|mimecast|fireeye|trendmicro|messagelabs|forcepoint|urldefense"
    r"|google-safety|googlebot|bingbot|bingpreview|slackbot|facebookexternalhit|headlesschrome"
    r"|phantomjs|python-requests|python-urllib|aiohttp|curl/|wget/|go-http-client|java/"
    r"|apache-httpclient|okhttp/|libwww-perl|node-fetch|axios/|\b(?:bot|crawler|spider)\b",
    re.IGNORECASE,
)
# A browser's user agent has its platform in parentheses; email clients have their names.
_PERSONS_AGENT = re.compile(r"^Mozilla/\d\.\d \([^)]+\)|Outlook|Thunderbird|Mail/|Opera/")


def classify(fact: Fact) -> tuple[Class, str]:
    """Return the class of an open or click, and the reason, without regard to other facts.

    SES's `Unlikely` overrides the user agent and the time; the reason then contains both.
    """
    if fact.is_bot == "Likely":
        return "machine", "ses_likely"
    guess, reason = _by_agent_and_time(fact)
    if fact.is_bot == "Unlikely" and guess == "machine":
        return "human", f"ses_unlikely, {reason}"
    return guess, reason


def is_private(fact: Fact) -> bool:
    """Return whether an open came through a privacy proxy, which opens every email.

    Such an open says nothing about the recipient, whatever SES's label.
    """
    return fact.type == "Open" and (fact.agent or "").strip() == _APPLE_MAIL_PRIVACY


def _by_agent_and_time(fact: Fact) -> tuple[Class, str]:
    agent = (fact.agent or "").strip()
    if not agent:
        return "unknown", "no_agent"
    if agent == _APPLE_MAIL_PRIVACY and fact.type == "Open":
        return "machine", "apple_mail_privacy"
    engager, reason = _by_agent(agent)
    if engager != "machine" and _within_prefetch_window(fact):
        return "machine", "prefetch"
    return engager, reason


@lru_cache(maxsize=1000)  # a few mail programs are most of a campaign
def _by_agent(agent: str) -> tuple[Class, str]:
    if _SCANNER.search(agent):
        return "machine", "scanner_agent"
    if _GMAIL_PREFETCH.search(agent):
        return "machine", "prefetch"
    if _PROXY_AT_OPEN_TIME.search(agent):
        return "human", "proxy_at_open_time"
    if _PERSONS_AGENT.search(agent):
        return "human", "persons_agent"
    return "unknown", "unrecognised_agent"


def _within_prefetch_window(fact: Fact) -> bool:
    elapsed = datetime.fromisoformat(fact.at) - datetime.fromisoformat(fact.mail_at)
    return timedelta(0) <= elapsed <= PREFETCH_WINDOW
