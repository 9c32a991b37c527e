"""The glossary has every text that the page asks for, and the page holds the glossary."""

import re

import pytest

from chalicelib.facts.classify import classify
from chalicelib.facts.fact import Fact
from chalicelib.facts.reputation import AUTO_REPLY, BOUNCE_TYPES, OTHER_SUBTYPE, bounce_counter
from chalicelib.stats.counters import COUNTERS, RATES
from dashboard.deploy.glossary import REASONS, texts
from dashboard.deploy.publish_site import Site, render
from dashboard.paths import PROJECT, STATIC

TEXTS = texts()
SOURCES = [path.read_text() for path in (STATIC / "src").rglob("*.js")]


def test_every_number_has_a_definition():
    assert {key for key in TEXTS if key.startswith("count.")} == {
        f"count.{one}" for one in (*COUNTERS, "pace")
    }
    assert {key for key in TEXTS if key.startswith("rate.")} == {f"rate.{one}" for one in RATES}


def test_a_rate_is_defined_by_the_counters_that_it_divides():
    assert TEXTS["rate.bounce"].startswith("Hard bounces ÷ emails sent, except to suppressed")
    assert TEXTS["rate.human_open"].startswith("Unique human opens ÷ emails delivered.")
    assert TEXTS["rate.human_click_to_open"].startswith("Unique human clicks ÷ emails read.")


def test_every_counter_has_a_label():
    assert {key for key in TEXTS if key.startswith("label.")} == {
        f"label.{one}" for one in ("all", "pace", *COUNTERS)
    }


# https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
# https://docs.aws.amazon.com/ses/latest/dg/monitor-sending-activity-using-notifications.html
SUBTYPES = {
    "Undetermined": {"Undetermined"},
    "Permanent": {
        *("General", "NoEmail", "Suppressed", "OnAccountSuppressionList"),
        *("OnTenantSuppressionList", "EmailValidationSuppressed", "UnsubscribedRecipient"),
    },
    "Transient": {
        *("General", "MailboxFull", "MessageTooLarge", "CustomTimeoutExceeded"),
        *("ContentRejected", "AttachmentRejected"),
    },
}


def test_every_documented_bounce_subtype_has_a_plain_description():
    kinds = {
        f"bounce.{kind}/{subtype}"
        for kind in BOUNCE_TYPES
        for subtype in (*SUBTYPES[kind], AUTO_REPLY, OTHER_SUBTYPE)
    }

    assert {key for key in TEXTS if key.startswith("bounce.")} == kinds


def test_the_description_of_a_prevented_subtype_says_that_it_was_not_sent():
    for kind, subtypes in SUBTYPES.items():
        for subtype in subtypes:
            if bounce_counter(kind, subtype) == "prevented":
                assert TEXTS[f"bounce.{kind}/{subtype}"].startswith("Not sent: ")


# Of the rules for a whole email. The unit tests of the rules give each of them.
REASONS_OF_RULES = {
    *("burst", "sweep", "early_click", "outdated_agent", "click_at_open", "check_at_click"),
    *("echo", "open_by_clicking_bot", "quiet_network", "scanner_network"),
}
EARLIER_REASONS = {"ses_unlikely"}  # stored by earlier versions of the rules


def test_every_classification_reason_has_a_plain_description():
    agents = [None, "Mozilla/5.0", "curl/8", "x Edge/12.246 Mozilla/5.0", "GoogleImageProxy", "odd"]
    given = set()
    for agent in [*agents, "Mozilla/5.0 (X11; Linux)"]:
        for is_bot in (None, "Likely", "Unlikely"):
            at = "2026-11-23T10:00:00.000Z"
            mail_at = "2026-11-22T10:00:00.000Z"
            fact = Fact("m", "k", "Open", "c", at, mail_at, agent=agent, is_bot=is_bot)
            given.add(classify(fact)[1])

    assert given | REASONS_OF_RULES | EARLIER_REASONS == REASONS.keys()


def test_every_reason_of_the_rules_for_a_whole_email_is_listed():
    source = (PROJECT / "chalicelib" / "facts" / "rules.py").read_text()

    named = set(re.findall(r'^        \("(\w+)", lambda', source, re.MULTILINE))
    named |= set(re.findall(r'Verdict\("machine", "(\w+)"\)', source))
    assert named == REASONS_OF_RULES


def test_every_term_used_by_the_page_is_defined():
    known = texts(signing_in=True)
    groups = "|".join(sorted({key.partition(".")[0] for key in known}))
    asked = {key for source in SOURCES for key in re.findall(rf'"((?:{groups})\.\w+)"', source)}
    problems = re.findall(r'"(\w+)", "(?:late|note)"', (STATIC / "src" / "health.js").read_text())

    assert len(asked) > 50
    assert asked - known.keys() == set()
    assert {f"problem.{one}" for one in problems} <= known.keys()


@pytest.mark.parametrize(
    "group",
    [
        "by_age",
        "campaign",
        "list",
        "problems",
        "report",
        "view",
        "links",
        "activity",
        "wall",
        "status",
        "page",
        "sign_in",
    ],
)
def test_every_text_of_a_view_is_used_by_the_page(group):
    keys = {key for key in texts(signing_in=True) if key.startswith(f"{group}.")}
    asked = re.findall(r'["`]([a-z_]+\.)(?:(\w+)["`]|\$\{)', "".join(SOURCES))

    literal = {group + key for group, key in asked if key}
    composed = {group for group, key in asked if not key}
    assert keys <= literal or f"{group}." in composed


def test_the_page_contains_the_glossary():
    manifest = {
        "main.js": "m",
        "style.css": "s",
        "favicon.svg": "f",
        "preloads": {"main.js": ["p"]},
    }

    page = render(Site("ws://127.0.0.1/", "local"), manifest)

    assert len(re.findall(r'<dd data-key="[^"]+">[^<]+</dd>', page)) == len(TEXTS)
    assert "{{" not in page
    assert "{%" not in page
