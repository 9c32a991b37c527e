"""An SES event in the form that ses/parse.py returns, and its limits."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

CONFIGURATION_SET_TAG = "ses:configuration-set"
UNTAGGED = "untagged"

MAX_ID = 256  # bytes: SES's limit for a tag's value; its message ids have about 60
MAX_ADDRESS = 320  # the maximum that RFC 3696 allows
MAX_TEXT = 500  # subject, sender, user agent: truncated, to keep items below 1 KB
FIRST_YEAR, LAST_YEAR = 2011, 9998  # SES began in 2011; the last year leaves room to add a window


class Reply(msgspec.Struct, frozen=True, gc=False):
    """A receiving server's reply to one recipient of a bounce or delay, as SES reports it.

    Attributes:
        status: the enhanced status code of RFC 3463, such as `5.7.1`.
        diagnostic: the reply's text.
    """

    status: str | None = None
    diagnostic: str | None = None


class Event(msgspec.Struct, frozen=True, gc=False):
    """An SES event.

    Attributes:
        type: type as SES spells it, including `Rendering Failure` and unknown types.
        message_id: SES's id of the email.
        at: the event's own time, RFC 3339 in UTC with milliseconds; the email's if it has none.
        mail_at: when SES accepted the email, in the same format.
        campaign: the campaign tag's value, else the configuration set, else `untagged`.
        tagged: whether the email has the campaign tag.
        recipients: recipients of the event, else the email's destination, as SES spells them; no
            duplicates.
        destinations: number of addresses of the email.
        sender: the sender's display name, else the address.
        tags: values of the email's tags, by name.
        link: the URL clicked, as SES reports it.
        link_tags: values of the link's tags, by name.
        address: the IP address of an open or click; never stored.
        is_bot: SES's own classification of an open or click; None if it reported none.
        bounce_type: Permanent, Transient or Undetermined.
        replies: reply of the receiving server by recipient, for bounces and delays.
        reporting_mta: the server that reports a bounce.
        auto_reply: whether a bounce is an automatic reply, such as an out-of-office notice.
        feedback_id: id of a bounce or complaint; for unknown types, a hash of the content.
        opts_out: whether a subscription event opts out of a topic, or of all topics, to which the
            recipient was subscribed before.
        old_preferences: preferences before a subscription event: topics opted out of, or `all`.
        new_preferences: the same after it.
        detail: SES's reason: bounce subtype, complaint feedback type, delay type, reject reason.
        subtype: complaint subtype.
    """

    type: str
    message_id: str
    at: str
    mail_at: str
    campaign: str
    tagged: bool
    recipients: tuple[str, ...] = ()
    destinations: int = 0
    subject: str | None = None
    sender: str | None = None
    tags: Mapping[str, Any] = {}
    link: str | None = None
    link_tags: Mapping[str, Any] | None = None
    agent: str | None = None
    address: str | None = None
    is_bot: Literal["Likely", "Unlikely"] | None = None
    bounce_type: str | None = None
    replies: Mapping[str, Reply] = {}
    reporting_mta: str | None = None
    auto_reply: bool = False
    feedback_id: str | None = None
    opts_out: bool = False
    old_preferences: str | None = None
    new_preferences: str | None = None
    detail: str | None = None
    subtype: str | None = None


def tag_value(tags: Mapping[str, Any] | None, name: str) -> str | None:
    """Return a tag's first value that is a text and not blank, stripped; None if there is none.

    SES has a list of values per tag.
    """
    values = tags.get(name) if tags else None
    for value in values if isinstance(values, list) else ():
        if isinstance(value, str) and (stripped := value.strip()):
            return stripped
    return None
