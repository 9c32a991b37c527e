"""The glossary defines every number of the page, and the page contains it."""

import re

from chalicelib.facts.classify import classify
from chalicelib.facts.fact import Fact
from chalicelib.stats.counters import BOUNCE_SUBTYPES, COUNTERS, OTHER_SUBTYPE, RATES
from dashboard.deploy.glossary import REASONS, words
from dashboard.deploy.publish_site import Site, render
from dashboard.paths import STATIC

WORDS = words()
SOURCES = [path.read_text() for path in (STATIC / "src").rglob("*.js")]


def test_every_number_has_a_definition():
    assert {key for key in WORDS if key.startswith("count.")} == {
        f"count.{one}" for one in COUNTERS
    }
    assert {key for key in WORDS if key.startswith("rate.")} == {f"rate.{one}" for one in RATES}


def test_a_rate_is_defined_by_the_counters_that_it_divides():
    assert WORDS["rate.bounce"].startswith("Hard bounces ÷ mails sent.")
    assert WORDS["rate.human_open"].startswith("Messages opened by people ÷ mails delivered.")


def test_every_bounce_type_has_a_plain_description():
    kinds = {
        f"bounce.{kind}/{subtype}"
        for kind, subtypes in BOUNCE_SUBTYPES.items()
        for subtype in (*subtypes, OTHER_SUBTYPE)
    }

    assert {key for key in WORDS if key.startswith("bounce.")} == kinds


def test_every_classification_reason_has_a_plain_description():
    agents = [None, "Mozilla/5.0", "curl/8", "x Edge/12.246 Mozilla/5.0", "GoogleImageProxy", "odd"]
    given = {"burst"}
    for agent in [*agents, "Mozilla/5.0 (X11; Linux)"]:
        for is_bot in (None, "Likely", "Unlikely"):
            at = "2026-11-23T10:00:00.000Z"
            mail_at = "2026-11-22T10:00:00.000Z"
            fact = Fact("m", "k", "Open", "c", at, mail_at, agent=agent, is_bot=is_bot)
            given |= set(classify(fact)[1].split(", "))

    assert given == REASONS.keys()


def test_every_term_used_by_the_page_is_defined():
    literal = {key for source in SOURCES for key in re.findall(r'"((?:page|health)\.\w+)"', source)}
    named = {key for source in SOURCES for key in re.findall(r'"((?:count|rate)\.\w+)"', source)}
    problems = re.findall(r'"(\w+)", "(?:late|note)"', (STATIC / "src" / "health.js").read_text())

    assert len(literal) > 5
    assert len(named) > 7
    assert (literal | named) - WORDS.keys() == set()
    assert {f"problem.{one}" for one in problems} <= WORDS.keys()


def test_the_page_contains_the_glossary():
    manifest = {
        "main.js": "m",
        "style.css": "s",
        "favicon.svg": "f",
        "preloads": {"main.js": ["p"]},
    }

    page = render(Site("ws://127.0.0.1/", "local"), manifest)

    assert len(re.findall(r'<dd data-key="[^"]+">[^<]+</dd>', page)) == len(WORDS)
    assert "{{" not in page
    assert "{%" not in page
