"""The messages about incidents: their subjects, numbers and links."""

from typing import get_args

import pytest

from chalicelib.insight.causes import ALPHAS, Cause
from chalicelib.stats.alarm_texts import MAX_SUBJECT, WORDS, alarm
from chalicelib.stats.incidents import CRITICAL, KINDS, Incident

PAGE = "https://page.test/"
BEGAN, ENDED = 29_665_440, 29_665_460


def incident(kind, provider="", since=BEGAN - 15):
    ended = ENDED
    return Incident(kind, kind, provider, BEGAN, 312, 1840, since, ended_at=ended)


def test_there_are_words_for_each_cause_of_an_alarm():
    assert set(KINDS) == set(get_args(Cause)) == set(WORDS)
    assert set(KINDS) > CRITICAL


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("state", ["began", "ended"])
def test_a_message_has_a_subject_and_three_lines_and_a_link(kind, state):
    subject, text = alarm("spring", incident(kind, "Gmail"), state, "https://page.example/")

    head, _, *lines, _, link = text.split("\n")
    assert head == "Campaign: spring"
    assert len(lines) == 3
    assert all(one.endswith(".") for one in lines)
    assert link == "https://page.example/#/campaign/spring"
    assert subject.endswith(": spring")
    assert "{" not in subject + text


def test_the_beginning_says_what_happens_how_sure_and_what_to_do():
    _, text = alarm("spring", incident("provider_delays", "Microsoft"), "began")

    happened, sure, to_do = text.split("\n")[2:]
    assert happened.startswith("312 of 1,840 emails to Microsoft sent in the last 15 minutes are ")
    least = round(10_000 * ALPHAS["provider_delays"])
    assert sure.startswith(f"Of 10,000 campaigns without this problem, at most {least} raise ")
    assert to_do.startswith("Pause or slow down what is still to be sent to Microsoft.")


@pytest.mark.parametrize(
    ("kind", "since", "happened"),
    [
        ("bounces", 0, "312 of 1,840 emails bounced for good."),
        (
            "bounces",
            BEGAN - 15,
            "312 of 1,840 emails sent or still on their way in the last 15 minutes bounced for ",
        ),
        (
            "provider_bounces",
            BEGAN - 1,
            "312 of 1,840 emails to Gmail sent or still on their way in the last minute bounced;",
        ),
        ("template_errors", BEGAN - 15, "312 of 1,840 emails of the last 15 minutes were not sent"),
        ("template_errors", BEGAN - 1, "312 of 1,840 emails of the last minute were not sent,"),
    ],
)
def test_the_beginning_says_of_which_emails_its_numbers_are(kind, since, happened):
    _, text = alarm("spring", incident(kind, "Gmail", since), "began")

    assert text.split("\n")[2].startswith(happened)


@pytest.mark.parametrize(
    "name",
    [
        "Newsletter_KW47_2026_v2",
        "campaign-12345678",
        "news-2026-11-23T0930",
        "3f2b8c1e-9a4d-4f6b-8e2a-1c5d7f9b0a3e",
    ],
)
def test_a_message_has_the_name_of_its_campaign(name):
    subject, text = alarm(name, incident("bounces"), "began", PAGE)

    assert subject == f"Too many hard bounces: {name}"
    assert text.startswith(f"Campaign: {name}\n")
    assert text.endswith(f"\n{PAGE}#/campaign/{name}")


@pytest.mark.parametrize(
    "name", ["for-me@example.com", "for-me%40example.com", "bWVAZXhhbXBsZS5jb20="]
)
def test_neither_the_name_nor_the_link_of_a_campaign_contains_an_address(name):
    subject, text = alarm(name, incident("bounces"), "began", PAGE)

    assert "example" not in (subject + text).removesuffix(PAGE)
    assert "bWVA" not in subject + text
    assert text.endswith(f"\n{PAGE}")


@pytest.mark.parametrize("name", ["Größe: 50 %\n", "x" * 256, "日本語", "a\x07b", "me@example.com"])
def test_a_subject_is_printable_ascii_of_limited_length(name):
    subject, text = alarm(name, incident("bounces"), "began", "")

    assert 1 <= len(subject) <= MAX_SUBJECT
    assert all(" " <= one <= "~" for one in subject)
    assert "me@example.com" not in subject + text


def test_an_end_without_a_recovery_does_not_claim_one():
    closed = Incident("bounces", "bounces", "", BEGAN, 3, 9, ended_at=ENDED, closed=True)

    subject, text = alarm("spring", closed, "ended")

    assert subject == "No longer watched: Too many hard bounces: spring"
    assert "Not watched any longer since 2026-05-28 00:20 UTC" in text
    assert "again" not in text.split("\n")[2]
