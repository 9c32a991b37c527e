"""Published rules that tell opens and clicks of people from those of bots, and Mailpulse's own.

Each rule set is a function from the opens and clicks of a campaign to a class for each. The
published ones are written anew from their descriptions. Where a description leaves something open,
it is decided in favor of the rule set, and noted. Only SES's label and Mailpulse's rules use
`isBotEvent`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

from support.previous import PreviousRelease

from bench.worlds import networks
from bench.worlds.email import Hit
from chalicelib.facts.classify import classify
from chalicelib.facts.fact import ENGAGEMENTS, Fact, FactSettings, facts_of
from chalicelib.facts.networks import NO_EVIDENCE, Evidence
from chalicelib.facts.rules import evidence_of
from chalicelib.facts.settle import judged_alone, settle
from chalicelib.ses.parse import parse


@dataclass(frozen=True)
class Message:
    """What is known about an email.

    Attributes:
        hits: opens and clicks, ordered by time.
        links: the links of the email.
        events: all of its SES events, in JSON, with the opens and clicks in the order of `hits`.
    """

    hits: Sequence[Hit]
    links: Sequence[str]
    events: Sequence[str] = ()


Classes = list[list[bool]]
"""For each open and click of each email, whether it is a person's."""


@dataclass(frozen=True)
class RuleSet:
    """A rule set.

    Attributes:
        source: the URL of its description.
        uses_label: whether it uses `isBotEvent`.
        uses_events: whether it reads the SES events.
    """

    name: str
    source: str
    judge: Callable[[Sequence[Message]], Classes]
    uses_label: bool = False
    uses_events: bool = False


_APPLE = "Mozilla/5.0"
_BARE_WEBKIT = "(khtml, like gecko)"
# Parts of the agents of bots that name themselves.
_LIBRARIES = ("python-requests", "python-urllib", "go-http-client", "curl/", "wget/", "java/")
_CRAWLERS = ("bot", "crawler", "spider", "slurp", "preview", "facebookexternalhit", "headless")
# Notifuse has 37 such parts. They are not published in words, so these 37 take their place.
_NOTIFUSE_AGENTS = (
    *_LIBRARIES,
    *_CRAWLERS,
    *("axios", "node-fetch", "okhttp", "libwww", "httpclient", "aiohttp", "phantomjs", "scrapy"),
    *("proofpoint", "mimecast", "barracuda", "safelinks", "fireeye", "trendmicro", "symantec"),
    *("messagelabs", "sophos", "forcepoint", "ironport", "fortinet", "zscaler", "mcafee"),
    *("urlscan", "virustotal"),
)
_CHROME = re.compile(r"Chrome/(\d+)")


def _one_by_one(is_human: Callable[[Hit], bool]) -> Callable[[Sequence[Message]], Classes]:
    """Return a rule set that judges each open and click alone."""

    def judge(emails: Sequence[Message]) -> Classes:
        return [[is_human(hit) for hit in email.hits] for email in emails]

    return judge


def _by_email(judge: Callable[[Message], list[bool]]) -> Callable[[Sequence[Message]], Classes]:
    """Return a rule set that judges each email alone."""
    return lambda emails: [judge(email) for email in emails]


def _agent(hit: Hit) -> str:
    return (hit.agent or "").strip().lower()


def _seconds(hit: Hit) -> float:
    return hit.after / 1000


def _names_itself(hit: Hit) -> bool:
    agent = _agent(hit)
    return any(part in agent for part in (*_LIBRARIES, *_CRAWLERS))


def is_human_to_mautic(hit: Hit) -> bool:
    """Apply Mautic's rule: two of three signals make a bot.

    The signals are: within 2 s of sending, an address on a list, an agent on a list. The list of
    addresses is empty by default.
    """
    return not (_seconds(hit) < 2 and _names_itself(hit))


def is_human_to_notifuse(hit: Hit) -> bool:
    """Apply Notifuse's rules: no agent, a part of the agent on a list, or within 7 s of sending."""
    agent = _agent(hit)
    listed = any(part in agent for part in _NOTIFUSE_AGENTS)
    return bool(agent) and not listed and _seconds(hit) >= 7


def is_human_to_clickdimensions(hit: Hit) -> bool:
    """Apply ClickDimensions' rule: an open by Apple's agent from an address on Apple's list."""
    is_apple = hit.agent == _APPLE and networks.owner(hit.address) == "apple"
    return hit.type == "Click" or not is_apple


def judge_as_warmbly(email: Message) -> list[bool]:
    """Apply Warmbly's rules.

    Bots are: requests without an agent, or by bots that name themselves; opens within 60 s of
    sending, and clicks within 30 s; clicks on two links within 5 s from one address; opens by
    Apple's proxy. Warmbly recognises Apple by a bare WebKit agent, within those 60 s because
    Outlook sends it as well. `Mozilla/5.0` alone, which SES reports, counts as Apple's here too.
    """
    return [
        bool(_agent(hit))
        and not _names_itself(hit)
        and _seconds(hit) >= (60 if hit.type == "Open" else 30)
        and not (hit.type == "Open" and hit.agent == _APPLE)
        and not any(_follows_another_link(hit, other) for other in email.hits)
        for hit in email.hits
    ]


def _follows_another_link(hit: Hit, other: Hit) -> bool:
    return (
        hit.type == other.type == "Click"
        and hit.address == other.address
        and hit.link != other.link
        and abs(hit.after - other.after) <= 5000
    )


def judge_as_customerminds(email: Message) -> list[bool]:
    """Apply Customerminds' rules: all links of an email were clicked, and there are at least three.

    Then as many clicks as there are links, the first ones, are a bot's; the others are a person's.
    Opens before them are the bot's as well.
    """
    clicks = [number for number, hit in enumerate(email.hits) if hit.type == "Click"]
    clicked = {email.hits[number].link for number in clicks}
    if len(email.links) < 3 or not clicked.issuperset(email.links):
        return [True] * len(email.hits)
    last = clicks[len(email.links) - 1]
    return [number > last for number in range(len(email.hits))]


def judge_as_millionsend(email: Message) -> list[bool]:
    """Apply the rules of MillionSend's pull request 22.

    Bots are: clicks on different links within 0.3 s ("a few milliseconds" there); requests by a
    Chrome older than version 100, which single clicks by the same scanners have, too; opens by the
    agent of a bot's click in the ten minutes before. Apple's preloads are known by their agent.
    """
    bots = [hit for hit in email.hits if _is_bot_click_to_millionsend(hit, email.hits)]
    return [
        hit not in bots
        and not _is_outdated(hit)
        and not _names_itself(hit)
        and not (hit.type == "Open" and hit.agent == _APPLE)
        and not (hit.type == "Open" and any(_precedes(hit, one) for one in bots))
        for hit in email.hits
    ]


def _is_bot_click_to_millionsend(hit: Hit, hits: Sequence[Hit]) -> bool:
    in_a_burst = any(
        other.type == "Click" and other.link != hit.link and abs(other.after - hit.after) <= 300
        for other in hits
    )
    return hit.type == "Click" and (in_a_burst or _is_outdated(hit))


def _precedes(opened: Hit, clicked: Hit) -> bool:
    return opened.agent == clicked.agent and 0 <= clicked.after - opened.after <= 600_000


def _is_outdated(hit: Hit) -> bool:
    found = _CHROME.search(hit.agent or "")
    return found is not None and int(found[1]) < 100


def judge_as_mailpulse(emails: Sequence[Message]) -> Classes:
    """Apply Mailpulse's rules through its own code: parse, store as facts, settle the emails."""
    return _settled_by(emails, evidence_of(facts_of_email(tuple(email.events)) for email in emails))


def judge_as_mailpulse_without_networks(emails: Sequence[Message]) -> Classes:
    """Apply those of Mailpulse's rules that need nothing but the email."""
    return _settled_by(emails, NO_EVIDENCE)


def judge_up_to(emails: Sequence[Message], last: str) -> Classes:
    """Apply Mailpulse's rules up to one of REASONS, or BY_ITSELF."""
    if last == "scanner_network":
        return judge_as_mailpulse(emails)
    if last == "quiet_network":
        evidence = evidence_of(facts_of_email(tuple(email.events)) for email in emails)
        # Without emails of sure bots, no network is a scanner's.
        return _settled_by(emails, {name: one._replace(sure=0) for name, one in evidence.items()})
    without = REASONS[REASONS.index(last) + 1 :] if last in REASONS else REASONS
    return [
        [
            (classify(fact)[0] if fact.reason in without else fact.engager) == "human"
            for fact in _settled(tuple(email.events))
        ]
        for email in emails
    ]


def _settled_by(emails: Sequence[Message], evidence: Mapping[str, Evidence]) -> Classes:
    return [
        [fact.engager == "human" for fact in _settled(tuple(email.events), evidence)]
        for email in emails
    ]


def _settled(events: tuple[str, ...], evidence: Mapping[str, Evidence] = NO_EVIDENCE) -> list[Fact]:
    """Return the opens and clicks of an email, settled."""
    found = facts_of_email(events)
    settled = {fact.key: fact for fact in settle(found, None, evidence=evidence).facts}
    return [settled.get(fact.key, fact) for fact in found if fact.type in ENGAGEMENTS]


@lru_cache(maxsize=10_000)  # the same emails are judged with one rule more each time
def facts_of_email(events: tuple[str, ...]) -> list[Fact]:
    """Return the facts of an email, as they are stored before it is settled."""
    settings = FactSettings("key of pseudonyms")
    facts: list[Fact] = []
    for text in events:
        event = parse(text, campaign_tag="campaign")
        assert event is not None
        facts += facts_of(event, settings)
    return [judged_alone(fact) if fact.type in ENGAGEMENTS else fact for fact in facts]


def judge_as_previous_release(emails: Sequence[Message]) -> Classes:
    """Apply the rules of Mailpulse 0.1.0 through its own code, from the archive of its release."""
    release = _previous_release()
    fact_module, settling = release["facts.fact"], release["facts.settle"]

    def judge(email: Message) -> list[bool]:
        events = [release["ses.parse"].parse(one, campaign_tag="campaign") for one in email.events]
        settings = {"store_addresses": False, "keep_link_query": False}
        facts = [
            settling.judged_alone(fact)
            for event in events
            for fact in fact_module.facts_of(event, pseudonym_key="key of pseudonyms", **settings)
            if fact.type in ENGAGEMENTS
        ]
        settled = {
            fact.key: engager for fact, engager, _ in settling.settle(facts, None).reclassified
        }
        return [settled.get(fact.key, fact.engager) == "human" for fact in facts]

    return [judge(email) for email in emails]


@lru_cache(maxsize=1)
def _previous_release() -> PreviousRelease:
    return PreviousRelease()


# The reasons that the rules of facts/rules.py give, in the order in which they are applied. Each
# changes only what those before have left.
REASONS = (
    *("burst", "sweep", "early_click", "outdated_agent", "click_at_open", "check_at_click"),
    *("echo", "open_by_clicking_bot", "quiet_network", "scanner_network"),
)
BY_ITSELF = "each by itself"


_ISSUES = "https://github.com"
PUBLISHED = (
    RuleSet("no rules", "", _one_by_one(lambda _hit: True)),
    RuleSet("Mautic", f"{_ISSUES}/mautic/mautic/issues/16263", _one_by_one(is_human_to_mautic)),
    RuleSet("Notifuse", f"{_ISSUES}/Notifuse/notifuse", _one_by_one(is_human_to_notifuse)),
    RuleSet("Warmbly", f"{_ISSUES}/warmbly/warmbly/pull/438", _by_email(judge_as_warmbly)),
    RuleSet(
        "ClickDimensions",
        "https://support.clickdimensions.com/hc/en-us/articles/15707875851917",
        _one_by_one(is_human_to_clickdimensions),
    ),
    RuleSet(
        "Customerminds",
        "https://support.customerminds.com/hc/en-us/articles/10837243653533",
        _by_email(judge_as_customerminds),
    ),
    RuleSet(
        "MillionSend", f"{_ISSUES}/MillionSend/millionsend/pull/22", _by_email(judge_as_millionsend)
    ),
    RuleSet(
        "SES's label alone",
        "https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html",
        _one_by_one(lambda hit: hit.is_bot != "Likely"),
        uses_label=True,
    ),
)
MAILPULSE = RuleSet("Mailpulse", "", judge_as_mailpulse, uses_label=True, uses_events=True)
PREVIOUS = RuleSet(
    "Mailpulse 0.1.0", "", judge_as_previous_release, uses_label=True, uses_events=True
)
WITHOUT_NETWORKS = RuleSet(
    "Mailpulse, each email by itself",
    "",
    judge_as_mailpulse_without_networks,
    uses_label=True,
    uses_events=True,
)
# Mailpulse's rules one after the other: each of these has one rule more than the one before.
STEPS = tuple(
    RuleSet(name, "", partial(judge_up_to, last=name), uses_label=True, uses_events=True)
    for name in (BY_ITSELF, *REASONS)
)
RULE_SETS = (*PUBLISHED, PREVIOUS, WITHOUT_NETWORKS, MAILPULSE)
