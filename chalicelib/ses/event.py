"""An SES event in the form that ses/parse.py returns, and its limits."""

from typing import Literal

import msgspec

CONFIGURATION_SET_TAG = "ses:configuration-set"
UNTAGGED = "untagged"

MAX_ID = 256  # bytes: SES's limit for a tag's value; its message ids have about 60
MAX_ADDRESS = 320  # the maximum that RFC 3696 allows
MAX_TEXT = 500  # subject, sender, user agent: truncated, to keep items below 1 KB
FIRST_YEAR, LAST_YEAR = 2011, 9998  # SES began in 2011; the last year leaves room to add a window


class Event(msgspec.Struct, frozen=True, gc=False):
    """An SES event.

    Attributes:
        type: type as SES spells it, including `Rendering Failure` and unknown types.
        message_id: SES's id of the email.
        at: the event's own time, RFC 3339 in UTC with milliseconds; the email's if it has none.
        mail_at: when SES accepted the email, in the same format.
        campaign: the campaign tag's value, else the configuration set, else `untagged`.
        tagged: whether the email has the campaign tag.
        recipients: recipients of the event, else the email's destination; no duplicates.
        link: the URL clicked, as SES reports it.
        is_bot: SES's own classification of an open or click; None if it reported none.
        bounce_type: Permanent, Transient or Undetermined.
        feedback_id: id of a bounce or complaint; for unknown types, a hash of the content.
        opts_out: whether a subscription event opts out of a topic, or of all topics.
        detail: SES's reason: bounce subtype, delay type, reject reason and so on.
    """

    type: str
    message_id: str
    at: str
    mail_at: str
    campaign: str
    tagged: bool
    recipients: tuple[str, ...] = ()
    subject: str | None = None
    sender: str | None = None
    link: str | None = None
    agent: str | None = None
    is_bot: Literal["Likely", "Unlikely"] | None = None
    bounce_type: str | None = None
    feedback_id: str | None = None
    opts_out: bool = False
    detail: str | None = None
