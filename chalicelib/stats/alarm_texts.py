"""The messages about incidents of campaigns, and about campaigns that are done.

A message has a subject and three lines. Of an incident, they are what happened, how sure it is, and
what to do. None contains an address.
"""

import unicodedata
from typing import NamedTuple
from urllib.parse import quote

from chalicelib.facts.personal import without_addresses
from chalicelib.insight.causes import ALPHAS
from chalicelib.stats.done_report import DoneReport, Usual
from chalicelib.stats.incidents import Incident, moment
from chalicelib.stats.watch_log import NoticeState

MAX_SUBJECT = 100
"""The longest subject that SNS accepts, in ASCII characters."""


class Window(NamedTuple):
    """Words for when the emails were sent that an incident counts; none since the beginning.

    Attributes:
        minutes: for several minutes before its beginning.
        minute: for one.
    """

    minutes: str
    minute: str


SENT = Window(" sent in the last {minutes} minutes", " sent in the last minute")
# An email may bounce after a mark that was sent before it (insight/marks.py).
OPEN = Window(
    " sent or still on their way in the last {minutes} minutes",
    " sent or still on their way in the last minute",
)
# Emails that fail to render are not sent.
TRIED = Window(" of the last {minutes} minutes", " of the last minute")


class Words(NamedTuple):
    """The words for a cause.

    Attributes:
        title: what happens, in a few words.
        happened: a sentence with the numbers.
        to_do: what to do now.
        over: a sentence when it is over.
        window: when the emails were sent.
    """

    title: str
    happened: str
    to_do: str
    over: str
    window: Window = SENT


WORDS: dict[str, Words] = {
    "complaints": Words(
        "Too many complaints",
        "{affected} of {total} delivered emails were reported as spam. SES reviews accounts from a "
        "rate of 0.1% on, and may pause their sending.",
        "Stop the campaign. Before you send again, check where its recipients come from, and make "
        "unsubscribing easy.",
        "The complaint rate is at most 0.1% again.",
    ),
    "bounces": Words(
        "Too many hard bounces",
        "{affected} of {total} emails{window} bounced for good. SES reviews accounts from a rate "
        "of 5% on, and may pause their sending from 10% on.",
        "Stop the campaign, and check its list: hard bounces are addresses that do not exist.",
        "The rate of hard bounces is at most 5% again.",
        OPEN,
    ),
    "provider_delays": Words(
        "{provider} is deferring your mail",
        "{affected} of {total} emails to {provider}{window} are delayed and not delivered yet; "
        "other providers accept most of theirs.",
        "Pause or slow down what is still to be sent to {provider}. SES retries for up to 14 "
        "hours.",
        "{provider} delivers again: few emails still wait.",
    ),
    "provider_bounces": Words(
        "{provider} is rejecting your mail",
        "{affected} of {total} emails to {provider}{window} bounced; those to other providers "
        "rarely do.",
        "Stop sending to {provider}, and read its replies in the bounces: it may block your domain "
        "or IP address, or miss SPF, DKIM or DMARC.",
        "{provider} accepts your mail again.",
        OPEN,
    ),
    "template_errors": Words(
        "Emails fail to render",
        "{affected} of {total} emails{window} were not sent, because SES could not fill in the "
        "template.",
        "Stop the campaign, and compare the template's variables with the data of the recipients.",
        "Emails render again.",
        TRIED,
    ),
    "low_opens": Words(
        "Far fewer opens than usual",
        "{affected} of {total} delivered emails were opened by people, far fewer than in your "
        "earlier campaigns at this age.",
        "Check whether the emails arrive in the spam folder, and whether the tracking domain and "
        "the subject are right.",
        "Opens are as usual again.",
    ),
    "no_opens": Words(
        "No opens are counted",
        "Not one open of {total} delivered emails was reported, not even by bots.",
        "Check that the configuration set publishes opens, that open tracking is on, and that the "
        "tracking domain responds.",
        "Opens are counted now.",
    ),
    "stopped": Words(
        "Sending has stopped midway",
        "{affected} emails were sent, of about {total} that were expected, and none in the last "
        "minutes.",
        "Check the system that sends the campaign, and whether SES has paused the account or its "
        "daily quota is used up.",
        "Sending goes on.",
    ),
    "pipeline_late": Words(
        "Events are counted late",
        "Events of SES are counted {affected} seconds late, so the numbers of the campaign are "
        "incomplete.",
        "Run `python -m dashboard doctor`. No events are lost for 14 days.",
        "Events are counted in time again.",
    ),
}
"""The words for each cause."""


class Alarm(NamedTuple):
    """A message to the subscribers of alarms.

    Attributes:
        subject: at most 100 ASCII characters.
        text: lines, without a line break at the end.
    """

    subject: str
    text: str


def alarm(campaign: str, incident: Incident, state: NoticeState, page_url: str = "") -> Alarm:
    """Return the message about the beginning or the end of an incident.

    Args:
        campaign: the campaign's id.
        incident: the incident.
        state: which of both.
        page_url: the address of the page, ending with `/`; empty for no link.
    """
    words = WORDS[incident.kind]
    title = words.title.format(provider=incident.provider)
    if state == "began":
        lines = [
            happened(
                words,
                incident.provider,
                affected=incident.affected,
                total=incident.total,
                minutes=incident.began_at - incident.since if incident.since else 0,
            ),
            _certainty(incident.kind),
            words.to_do.format(provider=incident.provider),
        ]
    else:
        lines = [
            _end(incident, words),
            f"It began at {_clock(incident.began_at)}.",
            "This cause raises no further alarm in this campaign.",
        ]
    if state == "ended":
        title = f"{'No longer watched' if incident.closed else 'Over'}: {title}"
    return _alarm(campaign, title, lines, page_url)


def alarm_when_done(campaign: str, report: DoneReport, page_url: str = "") -> Alarm:
    """Return the message that a campaign is done, with its results.

    Args:
        campaign: the campaign's id.
        report: its results.
        page_url: the address of the page; empty for no link.
    """
    share = _share(report.delivered, report.sent)
    lines = [
        f"Delivered: {report.delivered:,} of {report.sent:,} emails ({share}).",
        _result("Opened", "opened by people", report.opened, report.delivered, report.usual_opened),
        _result(
            "Clicked", "clicked by people", report.clicked, report.delivered, report.usual_clicked
        ),
    ]
    return _alarm(campaign, "Your campaign is done", lines, page_url)


def _alarm(campaign: str, title: str, lines: list[str], page_url: str) -> Alarm:
    name = without_addresses(campaign)
    # A link to a campaign whose name has an address would contain it.
    place = f"#/campaign/{quote(campaign, safe='')}" if name == campaign else ""
    link = ["", page_url + place] if page_url else []
    text = [f"Campaign: {name}", "", *lines, *link]
    return Alarm(_subject(title, name), "\n".join(text))


def _result(title: str, how: str, emails: int, delivered: int, usual: Usual | None) -> str:
    found = f"{title}: {emails:,} emails {how}, {_share(emails, delivered)} of delivered"
    if usual is None:
        return f"{found}."
    low, high = usual
    verdict = "fewer than" if emails < low else "more than" if emails > high else "as many as"
    return f"{found}; {verdict} usual after this time ({low:,} to {high:,})."


def _share(part: int, whole: int) -> str:
    """Return a rate as on the page; none if SES did not report all emails that it is of.

    Only none and all are 0% and 100%.
    """
    if not 0 < part < whole:
        return f"{part / whole:.1%}" if part <= whole and whole else "-"
    if 2000 * part < whole:
        return "<0.1%"
    return ">99.9%" if 2000 * (whole - part) <= whole else f"{part / whole:.1%}"


def happened(words: Words, provider: str, *, affected: int, total: int, minutes: int) -> str:
    """Return a sentence for what happened, with the numbers when the incident began.

    Args:
        words: the words for its cause.
        provider: its mailbox provider; empty if the cause is not of one.
        affected: see insight.causes.Trouble.
        total: likewise.
        minutes: in how many minutes before its beginning the emails were sent; 0 if since the
            beginning of the campaign.
    """
    return words.happened.format(
        provider=provider,
        affected=f"{affected:,}",
        total=f"{total:,}",
        window=_window(words.window, minutes),
    )


def alarm_for_test(page_url: str = "") -> Alarm:
    """Return a test message.

    Args:
        page_url: the address of the page; empty for no link.
    """
    lines = ["This is a test of the alarms of Mailpulse. Nothing is wrong.", page_url]
    return Alarm("Mailpulse: a test of the alarms", "\n".join(filter(None, lines)))


def _end(incident: Incident, words: Words) -> str:
    ended = _clock(incident.ended_at or incident.began_at)
    if incident.closed:
        return f"Not watched any longer since {ended}: campaigns are watched for 48 hours."
    return f"Over since {ended}. {words.over.format(provider=incident.provider)}"


def _clock(minute: int) -> str:
    return moment(minute).strftime("%Y-%m-%d %H:%M UTC")


def _window(words: Window, minutes: int) -> str:
    if minutes <= 0:
        return ""
    return words.minutes.format(minutes=minutes) if minutes > 1 else words.minute


def _certainty(kind: str) -> str:
    """Return how sure an alarm is."""
    alpha = {str(cause): one for cause, one in ALPHAS.items()}.get(kind)
    if alpha is None:
        return "This was measured twice in succession."
    return (
        f"Of 10,000 campaigns without this problem, at most {round(10_000 * alpha)} raise "
        "such an alarm at any time."
    )


def _subject(title: str, campaign: str) -> str:
    """Return a subject that SNS accepts: printable ASCII, at most 100 characters."""
    text = unicodedata.normalize("NFKD", f"{title}: {campaign}")
    found = "".join(
        one if " " <= one <= "~" else "" if unicodedata.combining(one) else "?" for one in text
    )
    return found if len(found) <= MAX_SUBJECT else f"{found[: MAX_SUBJECT - 3]}..."
