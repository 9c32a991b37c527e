"""Definitions of every number and message on the page.

Rendered into `index.html`, where the page's script looks a text up by its key; `{name}` is a
placeholder for a value that the script inserts.
"""

from chalicelib.stats.counters import RATES

COUNTERS = {
    "sends": "Mails that SES has accepted for sending, one for each address.",
    "deliveries": "Mails that the recipient's mail server has accepted, one for each address.",
    "delivery_delays": "Times that a delivery was put off for a while, such as by a full mailbox.",
    "opens": "All opens that SES has reported, by people and by software, repeats included.",
    "unique_opens": "Messages opened at least once, by a person or by software.",
    "human_opens": "Opens by a program that people read mail with, repeats included.",
    "unique_human_opens": "Messages that a person has opened at least once.",
    "machine_opens": "Opens by software: privacy proxies, prefetchers, security scanners.",
    "clicks": "All clicks that SES has reported, by people and by software, repeats included.",
    "unique_clicks": "Messages with at least one click, by a person or by software.",
    "human_clicks": "Clicks by a browser that people use, repeats included.",
    "unique_human_clicks": "Messages with at least one click by a person.",
    "machine_clicks": "Clicks by software, mostly security scanners that follow every link.",
    "hard_bounces": "Mails that will never arrive: there is no such address, or SES suppresses it.",
    "soft_bounces": "Mails that could not be delivered for now, such as to a full mailbox.",
    "undetermined_bounces": "Mails that came back without a reason that SES understands.",
    "complaints": "Recipients who have marked a mail as spam, as their provider reports it.",
    "rejects": "Mails that SES has not sent, because it found a virus.",
    "rendering_failures": "Mails that SES could not make from their template.",
    "unsubscribes": "Recipients who have left a topic, or all, by SES's unsubscribe link.",
}

_NAMES = {
    "sends": "mails sent",
    "deliveries": "mails delivered",
    "hard_bounces": "hard bounces",
    "unique_opens": "messages opened",
    "unique_human_opens": "messages opened by people",
    "unique_clicks": "messages with a click",
    "unique_human_clicks": "messages with a click by a person",
    "complaints": "complaints",
}

# Explanations beyond the formula.
_OF_RATES = {
    "delivery": "What has not arrived has bounced, or is still on its way.",
    "bounce": "SES reviews accounts whose hard bounces reach 5 %, over a long time.",
    "open": "A message counts once, however often it is opened, by people or by software.",
    "human_open": "A message counts once, however often it is opened.",
    "click": "A message counts once, however often it is clicked, by people or by software.",
    "human_click": "A message counts once, however often it is clicked.",
    "click_to_open": "Of the messages that were opened, how many were clicked.",
    "complaint": "SES reviews accounts whose complaints reach 0.1 %, over a long time.",
}

# https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html#event-publishing-retrieving-sns-contents-bounce-types
BOUNCES = {
    "Permanent/General": "The mail server refuses this address for good",
    "Permanent/NoEmail": "The address could not be found in the mail that came back",
    "Permanent/Suppressed": "SES did not try: the address has bounced before, for somebody else",
    "Permanent/OnAccountSuppressionList": "SES did not try: it is on your suppression list",
    "Permanent/Other": "It will never arrive, for another reason",
    "Transient/General": "Could not be delivered for now, or an automatic reply came",
    "Transient/MailboxFull": "The mailbox is full",
    "Transient/MessageTooLarge": "The mail is too large for this mailbox",
    "Transient/ContentRejected": "The mail server does not like what the mail says",
    "Transient/AttachmentRejected": "The mail server does not take this attachment",
    "Transient/Other": "Could not be delivered for now, for another reason",
    "Undetermined/Undetermined": "It came back, and nothing says why",
    "Undetermined/Other": "It came back, and nothing says why",
}

REASONS = {
    "ses_likely": "SES recognised software",
    "ses_unlikely": "SES thinks that it was a person",
    "no_agent": "it does not say what it is",
    "apple_mail_privacy": "Apple Mail loads each mail, read or not",
    "scanner_agent": "a security scanner, by its own name",
    "prefetch": "fetched ahead, seconds after it was sent",
    "proxy_at_open_time": "through the provider's proxy, when it was opened",
    "persons_agent": "a mail program or browser",
    "unrecognised_agent": "a program that is not known",
    "burst": "a scanner: several links within seconds",
}

PROBLEMS = {
    "checked_at": "Last checked {ago}, though it should be each minute.",
    "paused_at": "Paused {ago} for a recount. Events wait in the queue; none is lost.",
    "oldest_seconds": "{count} events not stored yet; the oldest came {ago}.",
    "stream_lag_seconds": "Counting is {count} s behind what is stored.",
    "dead_letters": "Messages set aside, with reasons: {count}. See python -m dashboard dlq list",
    "quarantined": "Stored records not understood, and not counted: {count}.",
    "unknown_types": "Events of a type that is not known, stored and not counted: {count}.",
    "untracked": "Delivered, and never opened: is tracking on for {names}?",
}

HEALTH = {
    "ok": "Pipeline OK",
    "note": "Pipeline: look",
    "late": "Numbers are late",
    "last_event_at": "When SES's newest report was stored, to the minute.",
    "oldest_seconds": "Events that SES has reported and that are not stored yet.",
    "stream_lag_seconds": "Age of the oldest stored event that is not counted yet.",
    "dead_letters": "Messages that are no event of SES, kept with the reason.",
    "quarantined": "Stored records that could not be counted.",
    "unknown_types": "Events of a type that SES has added since.",
    "untagged": "Counted under their configuration set, or as untagged.",
    "checked_at": "It is checked each minute.",
}

PAGE = {
    "unreachable": "Mailpulse cannot be reached at {address} and keeps trying.",
    "last": "The numbers below are the last that arrived.",
    "running": "Is it running?",
    "unknown": "There is no such page",
    "unknown_hash": "The address {hash} names nothing here.",
    "forbidden": "You may not see these statistics:",
    "refused": "The server did not send these statistics:",
    "asks_again": "The page asks again by itself.",
    "untracked": "Delivered, and not one open: open and click tracking is probably switched off "
    "for these mails. Some are always opened within the hour, by machines alone. See that SES's "
    "event destination reports opens and clicks, and that the mails are HTML.",
    "not_loaded": "This part of the page could not be loaded: reload the page.",
    "unreadable": "The server sent something that this page cannot read: {error}. Reload the page; "
    "if it happens again, deploy the page and the functions from the same version.",
    "no_address": "The page cannot connect to {address}: {error}. Publish the page again with a "
    "WebSocket address that starts with wss:// (or ws:// for a page on http://).",
}

SIGN_IN = {
    "failed": "Signing in did not work.",
    "stale": "This answer is to no question of this page: it was begun long ago, or elsewhere.",
    "ended": "Your sign-in has ended, so the numbers no longer move. Reload the page to sign in.",
    "no_share": "This share link is not whole. Ask for it again, and open all of it.",
}

# With sign-in, an unreachable server may also be one that rejects the viewer.
_REFUSED = (
    "Mailpulse cannot be reached, or does not let you in, and the page keeps trying. Your account "
    "may see no campaigns, or the share link has ended or been revoked: ask whoever runs Mailpulse."
)


def words(*, signing_in: bool = False) -> dict[str, str]:
    """Return every text by its key, such as `rate.bounce` or `bounce.Transient/MailboxFull`.

    Args:
        signing_in: whether the page requires sign-in.
    """
    rates = {
        name: f"{_NAMES[part].capitalize()} ÷ {_NAMES[whole]}. {_OF_RATES[name]}"
        for name, (part, whole) in RATES.items()
    }
    groups = {
        "count": COUNTERS,
        "rate": rates,
        "bounce": BOUNCES,
        "reason": REASONS,
        "problem": PROBLEMS,
        "health": HEALTH,
        "page": PAGE | {"unreachable": _REFUSED} if signing_in else PAGE,
        "sign_in": SIGN_IN if signing_in else {},
    }
    return {f"{group}.{key}": text for group, one in groups.items() for key, text in one.items()}
