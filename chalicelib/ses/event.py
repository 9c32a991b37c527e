"""An event of SES as everything behind ses/parse.py knows it, and the limits it keeps to."""

from typing import Literal

import msgspec

CONFIGURATION_SET_TAG = "ses:configuration-set"
UNTAGGED = "untagged"

MAX_ID = 256  # bytes: SES's limit for a tag's value; its message ids have about 60
MAX_ADDRESS = 320  # the longest that RFC 3696 allows
MAX_TEXT = 500  # subject, sender, agent: more serves nobody, and items stay under 1 KB
FIRST_YEAR, LAST_YEAR = 2011, 9998  # SES began in 2011; the last leaves room to add a window


class Event(msgspec.Struct, frozen=True, gc=False):
    """One event of SES.

    Attributes:
        type: as SES spells it, `Rendering Failure` and unknown types included.
        message_id: SES's name of the mail.
        at: the event's own time, RFC 3339 in UTC with milliseconds; the mail's where it has none.
        mail_at: when SES accepted the mail, in the same form.
        campaign: the campaign tag's value, else the configuration set, else `untagged`.
        tagged: whether the campaign tag named it.
        recipients: those that the event names, else the mail's destination; no repeats.
        link: the URL clicked, as SES reports it.
        is_bot: SES's own judgement of an open or click; None where it gave none.
        bounce_type: Permanent, Transient or Undetermined.
        feedback_id: of a bounce or complaint; a hash of the content where the type is unknown.
        opts_out: a subscription event's new state is out of a topic, or of all.
        detail: the reason in SES's words: bounce sub-type, delay type, reject reason and so on.
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
