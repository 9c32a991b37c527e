"""Judge the opens and clicks of an email from all of them: who made each, and why.

A pure function of the set of an email's opens and clicks; their order does not matter. Each rule is
a function that decides about one click or open, and has its thresholds above. docs/bots.md has the
source and the measured effect of each.

What a single open or click shows by itself is in facts/classify.py. It is changed here only from
human or unknown to machine.

A *protecting open* shows that a person is reading: a mail program or a mailbox proxy fetched the
images, and nothing about it is a bot's. A *mailbox open* is a protecting open or a preload of
Apple's, which shows a person's synchronized mailbox but not that the person reads.
"""

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from chalicelib.facts.classify import agent_kind, classify, time_after_sending
from chalicelib.facts.fact import ENGAGEMENTS, Class, Fact
from chalicelib.facts.networks import NO_EVIDENCE, Bits, Evidence, Reputation, reputation

RULES_VERSION = 5  # increment with every change of a rule, here or in facts/classify.py

# Two different links this close are not two decisions: deciding, pointing and clicking take more
# than 2 s (keystroke-level model). 836 bursts of craft-campaign#546 took under 1 s each.
BURST = timedelta(seconds=0.7)

# A sweep of several links, however slow, soon after sending and before any reading. Of the bursts
# of craft-campaign#546, 97 % began within 5 min; at 30 min, too many people who open links in tabs
# are taken for a sweep (docs/bots.md).
SWEEP_LINKS = 3
SWEEP_WITHIN = timedelta(minutes=10)

# craft-campaign#546: 69 % of the bursts began within 60 s of sending. 97 % began within 300 s, but
# so do 4 % of the first opens by people (inntopia, marketingcharts), and those whose images are off
# have nothing that shows it (docs/bots.md).
EARLY = timedelta(seconds=60)
# It takes a person longer to receive, open and read an email, and to click a link.
TOO_EARLY = timedelta(seconds=12)

# A bot that renders the email follows a link at once. A person has to see and decide, too: half of
# them take more than 2.65 s even between two links (keystroke-level model).
RENDERED = timedelta(seconds=3)

# MillionSend#22, gophish#2357: scanners invent or keep versions of years ago.
LAST_OUTDATED_CHROME = 100

# Safe Links checks a link when a person clicks it, and delays their request until then.
CHECK = timedelta(seconds=3)
# resend-node#901: a scanner repeats a person's click, about 12 s later.
ECHO = timedelta(seconds=30)

# craft-campaign#546: scanners load the images before they follow the links, or render the pages.
OPEN_BEFORE = timedelta(minutes=5)
OPEN_AFTER = timedelta(seconds=60)
SAME_AGENT = timedelta(minutes=10)

# Outlook's proxy fetches for readers, with a browser's agent, from networks that scanners share
# (warmbly#410). Of scanners' opens, 84 % come within 20 s of sending, before the burst
# (craft-campaign#546); of the first opens by people, 4 % come within 5 min.
SCANNER_OPENS = timedelta(seconds=300)

# An email with more networks went to a mailing list: they show nothing about one another, and its
# state would outgrow an item of DynamoDB (400 KB).
MOST_NETWORKS = 100

_AT_ONCE = timedelta(0)
_PROTECTING_KINDS = {"mail_program", "mailbox_proxy"}
_CHROME = re.compile(r"Chrome/(\d{1,9})")


class Verdict(NamedTuple):
    """The class of an open or click, and the reason."""

    engager: Class
    reason: str


class Hit(NamedTuple):
    """An open or click.

    Attributes:
        after: time since SES accepted the email.
        key: the fact's identity, which orders what happened at the same time.
        link: of a click, what identifies its complete URL.
        alone: whether the email has a single recipient.
        network: the pseudonym of the network; empty if SES reported no address.
        by_itself: what it shows without the others.
    """

    after: timedelta
    key: str
    is_click: bool
    link: str
    agent: str
    kind: str
    alone: bool
    network: str
    by_itself: Verdict


Rules = Sequence[tuple[str, Callable[[Hit], bool]]]
"""The reason that each rule gives, and whether it applies to a click."""


class Judgement(NamedTuple):
    """The judgement of an email.

    Attributes:
        verdicts: the verdict on each open and click, by the fact's key.
        protecting_open: the first protecting open; None without one.
        mailbox_open: the first mailbox open.
        networks: what the email shows about each network that it was clicked from, or opened from
            by a browser; independent of the evidence.
    """

    verdicts: dict[str, Verdict]
    protecting_open: Hit | None
    mailbox_open: Hit | None
    networks: dict[str, Bits]


def judge(facts: Iterable[Fact], evidence: Mapping[str, Evidence] = NO_EVIDENCE) -> Judgement:
    """Judge the opens and clicks of one email of one campaign; ignore other facts.

    Args:
        facts: the email's facts.
        evidence: the evidence of all emails of the campaign, including this one, by network.
    """
    hits = sorted(_hit(fact) for fact in facts if fact.type in ENGAGEMENTS)
    opens = [hit for hit in hits if not hit.is_click]
    clicks = [hit for hit in hits if hit.is_click]
    mailbox = next(filter(is_of_a_mailbox, opens), None)
    protecting = next(filter(is_protecting, opens), None)
    verdicts = _judged_clicks(clicks, opens, protecting)
    networks = _networks(hits, verdicts, mailbox)
    others = {
        name: reputation(evidence.get(name, Evidence()).without(bits))
        for name, bits in networks.items()
    }
    verdicts |= _judged_by_network(clicks, verdicts, protecting, mailbox, others)
    bots = [hit for hit in clicks if is_followed_by_a_bot(verdicts[hit.key])]
    verdicts |= _judged_opens(opens, bots, others)
    return Judgement(verdicts, protecting, mailbox, networks)


def evidence_of(emails: Iterable[Sequence[Fact]]) -> dict[str, Evidence]:
    """Return the evidence of the networks of a campaign, from the facts of each of its emails."""
    evidence: dict[str, Evidence] = {}
    for facts in emails:
        if any(fact.type == "Click" for fact in facts):
            for name, bits in judge(facts).networks.items():
                evidence[name] = evidence.get(name, Evidence()).plus(bits)
    return evidence


def networks_of(facts: Iterable[Fact]) -> set[str]:
    """Return the networks whose evidence the classes of an email depend on.

    None if there are more than MOST_NETWORKS.
    """
    networks = {
        fact.network
        for fact in facts
        if fact.network
        and (fact.type == "Click" or (fact.type == "Open" and agent_kind(fact) == "browser"))
    }
    return networks if len(networks) <= MOST_NETWORKS else set()


def is_protecting(opened: Hit) -> bool:
    """Return whether an open shows that a person is reading."""
    return opened.kind in _PROTECTING_KINDS and opened.by_itself.engager == "human"


def is_of_a_mailbox(opened: Hit) -> bool:
    """Return whether an open shows a person's mailbox: a protecting open, or Apple's preload."""
    return opened.kind == "apple_proxy" or is_protecting(opened)


def is_followed_by_a_bot(verdict: Verdict) -> bool:
    """Return whether a bot followed a link by itself, not because a person clicked."""
    return verdict.engager == "machine" and verdict.reason not in ("check_at_click", "echo")


def _hit(fact: Fact) -> Hit:
    is_click = fact.type == "Click"
    return Hit(
        time_after_sending(fact),
        fact.key,
        is_click,
        fact.url_hash if is_click else "",
        (fact.agent or "").strip(),
        agent_kind(fact),
        fact.recipient is not None,
        fact.network or "",
        Verdict(*classify(fact)),
    )


def _judged_clicks(
    clicks: Sequence[Hit], opens: Sequence[Hit], protecting: Hit | None
) -> dict[str, Verdict]:
    """Return the verdicts on clicks; both lists are sorted. The first rule that applies decides."""
    unread = {hit.key for hit in clicks if protecting is None or hit < protecting}
    bursts = _bursts(clicks)
    swept = _swept([hit for hit in clicks if hit.key in unread])
    rendered = _rendered([hit for hit in clicks if hit.key in unread], opens)
    rules: Rules = (
        ("burst", lambda hit: hit.key in bursts),
        ("sweep", lambda hit: hit.key in swept),
        ("early_click", lambda hit: is_early(hit, unread=hit.key in unread)),
        ("outdated_agent", lambda hit: hit.key in unread and is_outdated(hit.agent)),
        ("click_at_open", lambda hit: hit.key in rendered),
    )
    verdicts = {hit.key: _first_that_applies(rules, hit) for hit in clicks}
    left = [hit for hit in clicks if hit.alone and verdicts[hit.key].engager != "machine"]
    checks, echoes = _companions(left)
    verdicts |= {key: Verdict("machine", "check_at_click") for key in checks}
    return verdicts | {key: Verdict("machine", "echo") for key in echoes}


def _first_that_applies(rules: Rules, hit: Hit) -> Verdict:
    if hit.by_itself.engager == "machine":
        return hit.by_itself
    names = (name for name, applies in rules if applies(hit))
    name = next(names, None)
    return hit.by_itself if name is None else Verdict("machine", name)


def is_early(click: Hit, *, unread: bool) -> bool:
    """Return whether a click is earlier than a person's.

    Args:
        click: the click.
        unread: whether no protecting open precedes it.
    """
    return _AT_ONCE <= click.after <= (EARLY if unread else TOO_EARLY)


def is_outdated(agent: str) -> bool:
    """Return whether a user agent is a desktop's Chrome of years ago; telephones keep theirs."""
    found = _CHROME.search(agent)
    return found is not None and int(found[1]) <= LAST_OUTDATED_CHROME and "Mobile" not in agent


def _bursts(clicks: Sequence[Hit]) -> set[str]:
    """Return the keys of clicks so close to one on another link that no person made both.

    Several recipients of an email are several people: then only clicks by the same agent count.
    """
    found = set()
    for group in _grouped(clicks, lambda hit: "" if hit.alone else hit.agent):
        for hit, other in _with_previous_other(group, lambda hit: hit.link):
            if hit.after - other.after <= BURST:
                found |= {hit.key, other.key}
        for hit, other in _with_previous_other(group[::-1], lambda hit: hit.link):
            if other.after - hit.after <= BURST:
                found.add(hit.key)
    return found


def _swept(unread: Sequence[Hit]) -> set[str]:
    """Return the keys of clicks that are part of a sweep, of those without an open before."""
    found: set[str] = set()
    for group in _grouped(unread, lambda hit: "" if hit.alone else hit.agent):
        early = [hit for hit in group if _AT_ONCE <= hit.after <= SWEEP_WITHIN]
        if len({hit.link for hit in early}) >= SWEEP_LINKS:
            found.update(hit.key for hit in early)
    return found


def _rendered(unread: Iterable[Hit], opens: Iterable[Hit]) -> set[str]:
    """Return the keys of clicks by bots that render the email, of those without an open before.

    The first one follows an open by the same browser faster than a person reads; others follow it.
    """
    found: set[str] = set()
    opened = _times_by_agent(hit for hit in opens if hit.kind == "browser")
    last: dict[str, timedelta] = {}
    for hit in unread:
        if _has_any(opened.get(hit.agent, ()), hit.after - RENDERED, hit.after):
            last[hit.agent] = hit.after
        if hit.agent in last and hit.after - last[hit.agent] <= SAME_AGENT:
            found.add(hit.key)
    return found


def _companions(clicks: Sequence[Hit]) -> tuple[set[str], set[str]]:
    """Return the keys of the checks before, and of the echoes after, another agent's click.

    Args:
        clicks: the clicks that no other rule finds to be a bot's. Those of emails to several
            recipients are left out, because there, several people may click one link.
    """
    checks: set[str] = set()
    echoes: set[str] = set()
    for group in _grouped(clicks, lambda hit: hit.link):
        for hit, other in _with_previous_other(group[::-1], lambda hit: hit.agent):
            if other.after - hit.after <= CHECK:
                checks.add(hit.key)
        for hit, other in _with_previous_other(group, lambda hit: hit.agent):
            if CHECK < hit.after - other.after <= ECHO:
                echoes.add(hit.key)
    return checks, echoes - checks


def _networks(
    hits: Iterable[Hit], clicks: Mapping[str, Verdict], mailbox: Hit | None
) -> dict[str, Bits]:
    """Return what an email shows about its networks; `clicks` are the verdicts of its own rules."""
    networks: dict[str, Bits] = {}
    for hit in hits:
        if hit.network and (hit.is_click or hit.kind == "browser"):
            before = networks.get(hit.network, Bits())
            networks[hit.network] = (
                Bits(
                    seen=True,
                    quiet=before.quiet or _is_quiet(hit, mailbox),
                    sure=before.sure or clicks[hit.key].engager == "machine",
                )
                if hit.is_click
                else before
            )
    return networks if len(networks) <= MOST_NETWORKS else {}


def _is_quiet(click: Hit, mailbox: Hit | None) -> bool:
    """Return whether a click precedes any mailbox open."""
    return mailbox is None or click < mailbox


def _judged_by_network(
    clicks: Iterable[Hit],
    judged: Mapping[str, Verdict],
    protecting: Hit | None,
    mailbox: Hit | None,
    others: Mapping[str, Reputation],
) -> dict[str, Verdict]:
    """Return the verdicts on clicks that the networks of other emails show to be a bot's.

    A protecting open outweighs them, because people and scanners share networks.
    """
    verdicts: dict[str, Verdict] = {}
    for click in clicks:
        is_read = protecting is not None and protecting < click
        if is_read or judged[click.key].engager == "machine":
            continue
        network = others.get(click.network, Reputation())
        if network.is_quiet and _is_quiet(click, mailbox):
            verdicts[click.key] = Verdict("machine", "quiet_network")
        elif network.is_scanner:
            verdicts[click.key] = Verdict("machine", "scanner_network")
    return verdicts


def _judged_opens(
    opens: Sequence[Hit], bots: Sequence[Hit], others: Mapping[str, Reputation]
) -> dict[str, Verdict]:
    """Return the verdicts on opens: those by a bot that also clicked are the bot's."""
    times = [hit.after for hit in bots]
    times_by_agent = _times_by_agent(bots)

    def verdict(hit: Hit) -> Verdict:
        if hit.by_itself.engager == "machine" or is_protecting(hit):
            return hit.by_itself
        of_agent = times_by_agent.get(hit.agent, ())
        beside = hit.kind == "browser" and _has_any(
            times, hit.after - OPEN_AFTER, hit.after + OPEN_BEFORE
        )
        if beside or _has_any(of_agent, hit.after - SAME_AGENT, hit.after + SAME_AGENT):
            return Verdict("machine", "open_by_clicking_bot")
        network = others.get(hit.network, Reputation())
        if hit.kind == "browser" and hit.after <= SCANNER_OPENS and network.is_scanner:
            return Verdict("machine", "scanner_network")
        return hit.by_itself

    return {hit.key: verdict(hit) for hit in opens}


def _times_by_agent(hits: Iterable[Hit]) -> Mapping[str, Sequence[timedelta]]:
    times: dict[str, list[timedelta]] = defaultdict(list)
    for hit in hits:
        times[hit.agent].append(hit.after)
    return times


def _grouped(hits: Iterable[Hit], key: Callable[[Hit], str]) -> Iterable[list[Hit]]:
    groups: dict[str, list[Hit]] = defaultdict(list)
    for hit in hits:
        groups[key(hit)].append(hit)
    return groups.values()


def _with_previous_other(
    hits: Sequence[Hit], value: Callable[[Hit], str]
) -> Iterable[tuple[Hit, Hit]]:
    """Yield each hit with the last one before it that has another value."""
    last_other: Hit | None = None
    previous: Hit | None = None
    for hit in hits:
        if previous is not None and value(previous) != value(hit):
            last_other = previous
        if last_other is not None:
            yield hit, last_other
        previous = hit


def _has_any(times: Sequence[timedelta], start: timedelta, end: timedelta) -> bool:
    """Return whether one of the sorted times is in the range."""
    return bisect_left(times, start) < bisect_right(times, end)
