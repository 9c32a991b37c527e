"""Classification of a single open or click as bot, human or unknown."""

import pytest
from support import ses

from chalicelib.facts.classify import classify
from chalicelib.facts.fact import FactSettings, facts_of
from chalicelib.ses.parse import parse


def judged(event):
    [fact] = facts_of(parse(ses.raw(event), campaign_tag="campaign"), FactSettings("key"))
    return classify(fact)


@pytest.mark.parametrize(
    ("agent", "verdict"),
    [
        (ses.BROWSER, ("human", "persons_agent")),
        ("Mozilla/4.0 (compatible; MSIE 7.0; Microsoft Outlook 16.0)", ("human", "persons_agent")),
        (ses.GMAIL_PROXY, ("human", "proxy_at_open_time")),
        (
            "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
            ("human", "proxy_at_open_time"),
        ),
        (ses.APPLE_MAIL_PRIVACY, ("machine", "apple_mail_privacy")),
        (ses.GMAIL_PREFETCH, ("machine", "prefetch")),
        ("python-requests/2.32", ("machine", "scanner_agent")),
        ("Mozilla/5.0 (compatible; Barracuda Sentinel)", ("machine", "scanner_agent")),
        ("Mozilla/5.0 (Linux; Android 14; CUBOT X30)", ("human", "persons_agent")),
        (None, ("unknown", "no_agent")),
        ("   ", ("unknown", "no_agent")),
        ("X", ("unknown", "unrecognised_agent")),
    ],
)
def test_an_open_is_classified_by_its_user_agent(agent, verdict):
    assert judged(ses.an_open(agent=agent)) == verdict


def test_a_click_with_the_agent_of_apple_mail_privacy_is_unknown():
    assert judged(ses.a_click(agent=ses.APPLE_MAIL_PRIVACY)) == ("unknown", "unrecognised_agent")


@pytest.mark.parametrize(
    ("at", "engager"),
    [
        ("2026-11-23T10:00:00.000Z", "machine"),
        ("2026-11-23T10:00:03.000Z", "machine"),
        ("2026-11-23T10:00:03.001Z", "human"),
        ("2026-11-23T09:59:59.000Z", "human"),
    ],
)
def test_an_open_within_three_seconds_of_the_send_is_a_prefetch(at, engager):
    assert judged(ses.an_open(at=at))[0] == engager


@pytest.mark.parametrize("agent", [ses.BROWSER, ses.GMAIL_PROXY, None, "X"])
def test_a_likely_verdict_of_ses_classifies_an_open_as_bot(agent):
    assert judged(ses.an_open(agent=agent, is_bot="Likely")) == ("machine", "ses_likely")


@pytest.mark.parametrize("label", ["Likely", "Unlikely"])
@pytest.mark.parametrize(
    ("agent", "reason"),
    [
        (ses.APPLE_MAIL_PRIVACY, "apple_mail_privacy"),
        (ses.GMAIL_PREFETCH, "prefetch"),
        ("curl/8", "scanner_agent"),
    ],
)
def test_no_verdict_of_ses_changes_what_a_bots_user_agent_shows(agent, reason, label):
    assert judged(ses.an_open(agent=agent, is_bot=label)) == ("machine", reason)


def test_an_unlikely_verdict_does_not_change_an_unknown_user_agent():
    assert judged(ses.an_open(agent=None, is_bot="Unlikely")) == ("unknown", "no_agent")
