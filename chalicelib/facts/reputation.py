"""Decide what a bounce or complaint counts as: which of them SES holds against the sender.

SES does not send to addresses on the account's or a tenant's suppression list, or to those that
its validation rejects, and reports each as a bounce or complaint that affects no reputation:
https://docs.aws.amazon.com/ses/latest/dg/sending-email-suppression-list.html
The global suppression list (`Suppressed`) counts as a hard bounce.
"""

import re
from typing import Literal

BounceCounter = Literal["hard_bounces", "soft_bounces", "undetermined_bounces", "prevented"]
ComplaintCounter = Literal["complaints", "complaints_not_spam", "complaints_prevented"]

_SUPPRESSION_LISTS = {"OnAccountSuppressionList", "OnTenantSuppressionList"}
_PREVENTED = {*_SUPPRESSION_LISTS, "EmailValidationSuppressed", "UnsubscribedRecipient"}
_COUNTERS: dict[str, BounceCounter] = {
    "Permanent": "hard_bounces",
    "Transient": "soft_bounces",
    "Undetermined": "undetermined_bounces",
}
BOUNCE_TYPES = tuple(_COUNTERS)
AUTO_REPLY = "AutoReply"
OTHER_SUBTYPE = "Other"
# The subtypes that generation 1 of facts counted by name; all others counted as Other.
_SUBTYPES_OF_GENERATION_1 = {
    "Permanent": {"General", "NoEmail", "Suppressed", "OnAccountSuppressionList"},
    "Transient": {
        *("General", "MailboxFull", "MessageTooLarge", "ContentRejected", "AttachmentRejected")
    },
    "Undetermined": {"Undetermined"},
}
# Subtypes are named by SES; a name of another form would not fit the key of its aggregate.
_is_name = re.compile(r"[A-Za-z][A-Za-z0-9 _-]{0,49}").fullmatch


def bounce_kind(
    bounce_type: str | None, subtype: str | None, *, auto_reply: bool = False
) -> tuple[str, str]:
    """Return the type and subtype under which a bounce is counted.

    A subtype that SES adds later keeps its name. Automatic replies have a subtype of their own.
    """
    kind = bounce_type if bounce_type in _COUNTERS else "Undetermined"
    if auto_reply:
        return kind, AUTO_REPLY
    return kind, subtype if subtype and _is_name(subtype) else OTHER_SUBTYPE


def bounce_kind_of_generation_1(bounce_type: str | None, subtype: str | None) -> tuple[str, str]:
    """Return the type and subtype under which a fact of generation 1 is counted."""
    kind = bounce_type if bounce_type in _COUNTERS else "Undetermined"
    return kind, subtype if subtype in _SUBTYPES_OF_GENERATION_1[kind] else OTHER_SUBTYPE


def bounce_counter(kind: str, subtype: str) -> BounceCounter:
    """Return the counter of a kind of bounce."""
    return "prevented" if subtype in _PREVENTED else _COUNTERS[kind]


def bounce_counter_of_generation_1(kind: str) -> BounceCounter:
    """Return the counter of a bounce of generation 1, which included prevented ones."""
    return _COUNTERS[kind]


def complaint_counter(feedback_type: str | None, subtype: str | None) -> ComplaintCounter:
    """Return the counter of a complaint."""
    if subtype in _SUPPRESSION_LISTS:
        return "complaints_prevented"
    return "complaints_not_spam" if feedback_type == "not-spam" else "complaints"
