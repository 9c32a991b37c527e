"""Kinds of bots, and how SES's label compares with the class that the rules give."""

from typing import Literal

from chalicelib.facts.fact import Fact

# The version of the rules since which the kinds of bots are counted.
BOTS_SINCE = 4

Kind = Literal["privacy_proxy", "prefetch", "security_scanner", "declared_bot"]
Agreement = Literal["agrees", "differs", "absent"]

_KIND_OF_REASON: dict[str, Kind | None] = {
    "apple_mail_privacy": "privacy_proxy",
    "prefetch": "prefetch",
    "scanner_agent": "declared_bot",
    "ses_likely": None,  # nothing but SES's label, which does not say which kind
}


def kind_of_bot(fact: Fact) -> Kind | None:
    """Return the kind of bot that made an open or click; None if it is no bot's, or not known.

    The rules that look at more than the event itself find security scanners.
    """
    if fact.engager != "machine":
        return None
    return _KIND_OF_REASON.get(fact.reason or "", "security_scanner")


def label_agreement(fact: Fact) -> Agreement:
    """Return how SES's label of an open or click compares with its class.

    `Likely` agrees with a bot, `Unlikely` with a human. Other labels count as absent.
    """
    expected = {"Likely": "machine", "Unlikely": "human"}.get(fact.is_bot or "")
    if expected is None:
        return "absent"
    return "agrees" if fact.engager == expected else "differs"
