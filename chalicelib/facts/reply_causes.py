"""Causes of SMTP replies, which explain a bounce or delay, and who can do something about them.

The texts of the causes are in the glossary (dashboard/deploy/glossary.py), which the page and the
report share. The rules read the class of a reply (facts/replies.py), and the first that applies
decides.

Sources, besides those at the rules:
RFC 3463 and https://www.iana.org/assignments/smtp-enhanced-status-codes/
https://support.google.com/a/answer/3726730 (Gmail)
https://senders.yahooinc.com/smtp-error-codes/ (Yahoo)
https://learn.microsoft.com/en-us/troubleshoot/exchange/email-delivery/ndr/non-delivery-reports-in-exchange-online
"""

import re
from collections.abc import Mapping
from typing import Literal, NamedTuple

from chalicelib.facts.replies import LISTS, ReplyClass

Actor = Literal["sender", "recipient", "provider", "ses"]

ACTORS: Mapping[str, Actor] = {
    "suppressed": "sender",
    "no_mailbox": "sender",
    "no_domain": "sender",
    "disabled": "sender",
    "full": "recipient",
    "receives_too_much": "provider",
    "restricted": "recipient",
    "relay_denied": "recipient",
    "too_large": "sender",
    "attachment": "sender",
    "unauthenticated": "sender",
    "dmarc": "sender",
    "sender_address": "sender",
    "reverse_dns": "ses",
    "tls": "ses",
    "address_blocked": "ses",
    "link_blocked": "sender",
    "spam": "sender",
    "complaints": "sender",
    "rate": "sender",
    "policy": "sender",
    "greylisted": "provider",
    "expired": "provider",
    "unreachable": "provider",
    "loop": "provider",
    "busy": "provider",
}
"""Each cause, with the party that can do something about it; `recipient` includes the administrator
of the recipient's domain."""


class _Rule(NamedTuple):
    """A rule: the cause of a reply whose status and text match, at one of the providers.

    Attributes:
        status: a regular expression of the whole status.
        text: a regular expression of a part of the text, without case.
        providers: none for all.
    """

    cause: str
    status: str = ".*"
    text: str = ""
    providers: tuple[str, ...] = ()


_MAILBOX = "(?:user|recipient|mailbox|account|address)"

_RULES = (
    # https://docs.aws.amazon.com/ses/latest/dg/sending-email-suppression-list.html
    _Rule("suppressed", text=r"suppress(?:ed|ion)"),
    # Codes of providers. Microsoft: https://sendersupport.olc.protection.outlook.com/pm/troubleshooting
    _Rule("rate", r"4\.7\.65\d"),  # a limit by reputation
    _Rule("rate", text=r"^\[RP-\d+\]"),
    _Rule("address_blocked", text=r"^\[(?:S\d{3,4}|(?:SC|DY|OU)-\d+)\]"),
    _Rule("address_blocked", r"5\.7\.(?:511|708|6[0-4]\d)"),
    _Rule("busy", r"4\.7\.[57]00"),
    _Rule("unauthenticated", r"[45]\.7\.515"),
    _Rule("dmarc", r"[45]\.7\.509"),
    _Rule("restricted", r"5\.7\.(?:12\d|13[3-6]|57)"),
    _Rule("relay_denied", r"[45]\.7\.64"),
    _Rule("no_mailbox", r"5\.4\.1", r"recipient address rejected"),
    # Yahoo
    _Rule("complaints", text=r"^\[TSS?\d+\]|user complaints"),
    # Apple: https://support.apple.com/en-us/102322
    _Rule("spam", text=r"^\[(?:CS|HM)\d+\]"),
    # Orange: https://postmaster.orange.fr
    _Rule("spam", text=r"^\[OFR\d*_5\d\d\]"),
    _Rule("rate", text=r"^\[OFR\d*_(?:999|10\d)\]"),
    # La Poste
    _Rule("spam", text=r"^\[LPN\d+_51\d\]"),
    # T-Online: https://postmaster.t-online.de
    _Rule("address_blocked", text=r"a problem occurred", providers=("T-Online",)),
    # NetEase: https://mail.163.com/help/help_spam_16.htm
    _Rule("spam", text=r"^(?:MI:SPB|DT:SP[A-Z])", providers=("NetEase",)),
    # Gmail's requirements for senders: https://support.google.com/a/answer/81126. It uses some
    # statuses that the registry gives another meaning; companies at Google are known by the text.
    _Rule("dmarc", r"[45]\.7\.(?:26|1)", r"\bDMARC\b"),
    _Rule("dmarc", r"[45]\.7\.(?:31|40)"),
    _Rule("reverse_dns", r"[45]\.7\.23", providers=("Gmail",)),
    _Rule("reverse_dns", r"[45]\.7\.23", r"\bPTR\b"),
    _Rule("unauthenticated", r"[45]\.7\.(?:27|30|32)", providers=("Gmail",)),
    _Rule("unauthenticated", r"[45]\.7\.(?:27|30|32)", r"\b(?:SPF|DKIM|align\w*)\b"),
    _Rule("tls", r"[45]\.7\.29", providers=("Gmail",)),
    # Statuses of authentication: RFC 7372
    _Rule("unauthenticated", r"[45]\.7\.2[0-46]"),
    _Rule("reverse_dns", r"[45]\.7\.25"),
    _Rule("sender_address", r"[45]\.7\.27"),
    _Rule("tls", r"[45]\.7\.(?:10|30)"),
    _Rule("tls", r"[45]\.7\.\d+", r"\bTLS\b"),
    _Rule("spam", r"[45]\.7\.28"),
    # Statuses that servers use alike.
    _Rule("no_domain", r"5\.1\.10", r"null MX"),  # RFC 7505; Microsoft's has another meaning
    _Rule("no_mailbox", r"5\.1\.(?:1|3|6|10)"),
    _Rule("no_domain", r"5\.(?:1\.2|4\.[34])"),
    _Rule("disabled", r"5\.2\.1"),
    _Rule("full", r"[45]\.2\.2"),
    _Rule("receives_too_much", r"4\.2\.1", r"\brate\b|quickly|too (?:many|much)"),
    _Rule("too_large", r"[45]\.(?:2\.3|3\.4)"),
    _Rule("sender_address", r"[45]\.1\.[78]"),
    _Rule("expired", r"[45]\.4\.7"),
    _Rule("loop", r"[45]\.4\.(?:6|14)"),
    _Rule("busy", r"4\.3\.1"),
    # Words, for servers that report a general status or none.
    _Rule("greylisted", text=r"gr[ae]y-?list"),
    _Rule("expired", text=r"message expired"),
    _Rule("dmarc", text=r"\bDMARC\b"),
    _Rule("unauthenticated", text=r"\b(?:SPF|DKIM)\b.*(?:fail|pass|invalid|missing)"),
    _Rule("unauthenticated", text=r"unauthenticated|sender policy framework"),
    _Rule("reverse_dns", text=r"reverse (?:dns|hostname|mapping)|\bPTR\b|cannot find your"),
    _Rule("tls", text=r"\bSTARTTLS\b|TLS required"),
    _Rule("sender_address", text=r"sender address rejected|sender (?:verify|domain) |bad sender"),
    _Rule("relay_denied", text=r"relay(?:ing)? (?:access )?denied|not permitted|unable to relay"),
    _Rule("restricted", text=r"not (?:authori[sz]ed|allowed|permitted) to send|restricted"),
    _Rule("restricted", text=r"violates \S+ email policy"),
    _Rule("link_blocked", text=r"\b(?:SURBL|URIBL)\b|(?:URL|link|domain)s? .*(?:listed|block)"),
    _Rule("address_blocked", text=r"(?:block|black|deny) ?list|blocked using|banned sending IP"),
    _Rule("address_blocked", text=r"\b(?:IP|client|host)\b.*\b(?:blocked|listed|reputation)"),
    _Rule("address_blocked", text=r"reputation of the sending|\bRBL|" + "|".join(LISTS.values())),
    _Rule("complaints", text=r"complaints"),
    _Rule("rate", r"4.*", r"\brate\b|too (?:many|much|fast)|frequency|slow down|volume|throttl"),
    _Rule("full", text=r"quota|out of storage|storage (?:limit|allocation)"),
    _Rule("full", text=r"(?:mailbox|inbox|account|storage)\b.*\b(?:full|exceeded)"),
    _Rule("too_large", text=r"too (?:large|big)|exceeds .*size|size limit"),
    _Rule("attachment", text=r"attachment|virus|malware|executable|security issue"),
    _Rule("disabled", text=rf"{_MAILBOX}\b.*\b(?:disabled|inactive|suspended|locked|deactivated)"),
    _Rule("disabled", text=rf"(?:disabled|inactive|suspended) {_MAILBOX}"),
    _Rule("no_domain", r"5.*", r"\b(?:host|domain)\b.*\b(?:not (?:found|exist)|unknown)"),
    _Rule("no_domain", r"5.*", r"no MX|NXDOMAIN|invalid domain"),
    _Rule("no_mailbox", r"5.*", rf"(?:no such|unknown|invalid|no) (?:\w+ )?{_MAILBOX}"),
    _Rule(
        "no_mailbox", r"5.*", rf"{_MAILBOX}\b.*\b(?:unknown|invalid|not (?:be )?(?:found|exist))"
    ),
    _Rule("no_mailbox", r"5.*", rf"{_MAILBOX}\b.*\b(?:unavailable|rejected|no longer)"),
    _Rule(
        "no_mailbox", r"5.*", r"unroute?able|n't exist|not exist|non-?existent|doesn't have an?\b"
    ),
    _Rule("spam", text=r"\bspam|\bjunk|unsolicited|content (?:rejected|denied)|bulk (?:e?mail)"),
    _Rule("busy", r"4.*", r"too busy|server busy|try (?:again )?later|temporar|local error"),
    # What is left, by the subject of the status.
    _Rule("unreachable", r"4\.4\.\d+"),
    _Rule("policy", r"5.*", r"policy|prohibit|refused|rejected|denied|not accepted|blocked"),
    _Rule("policy", r"[45]\.7\.\d+"),
    _Rule("busy", r"4\.(?:3|5)\.\d+|421|45\d"),
)
_COMPILED = tuple(
    (one.cause, re.compile(one.status), re.compile(one.text, re.IGNORECASE), one.providers)
    for one in _RULES
)


def cause(reply: ReplyClass, provider: str | None = None) -> str | None:
    """Return the cause of a reply, a key of ACTORS; None if the reply does not show it.

    Args:
        reply: the class of the reply.
        provider: the mailbox provider (facts/providers.py).
    """
    for name, status, text, providers in _COMPILED:
        if providers and provider not in providers:
            continue
        if status.fullmatch(reply.status) and text.search(reply.text):
            return name
    return None
