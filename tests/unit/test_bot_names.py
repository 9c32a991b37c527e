"""Bots that name themselves, and people's user agents that only look like theirs."""

import re
from pathlib import Path

import pytest
from support import ses

from bench.bot_names import FILE, PACKAGE, listed
from bench.worlds import agents
from chalicelib.facts.bot_names import names_a_bot

REQUIREMENTS = Path(__file__).parents[2] / "requirements-dev.txt"

BOTS = [
    *agents.DECLARED,
    *agents.PREVIEWS,
    agents.GMAIL_SAMPLING,
    "SkypeUriPreview Preview/0.5",
    "ExampleBot/1.0",
    "Mozilla/5.0 (compatible; newbot; +https://example.com)",
    "example-bot",
    "Mozilla/5.0 (compatible; Barracuda Sentinel)",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "aiohttp/3.9 Python/3.12",
    "Java/17.0.2",
    "okhttp/4.12.0",
    "axios/1.7.2",
    "Wget/1.21.4",
]

# Written in the format of people's agents that patterns of the package match.
ANDROID = (
    "Mozilla/5.0 (Linux; Android 15; CPH2609 Build/AP3A.240617.008; wv) AppleWebKit/537.36 "
    "(KHTML, like Gecko) Version/4.0 Chrome/130.0.6723.58 Mobile Safari/537.36"
)
SOGOU = (
    "Mozilla/5.0 (Linux; U; Android 11; M2007J3SC) AppleWebKit/533.1 (KHTML, like Gecko) "
    "Version/4.0 SogouMSE,SogouMobileBrowser/5.22 Mobile Safari/533.1"
)
FASTMAIL = "Mozilla/5.0 (compatible; FastmailUA/1.0)"

# Captured from mail programs, proxies that fetch when a person reads, and browsers.
PEOPLES = [
    ANDROID,
    SOGOU,
    FASTMAIL,
    ses.BROWSER,
    ses.TELEPHONE,
    ses.OUTDATED_BROWSER,
    ses.GMAIL_PROXY,
    agents.YAHOO_PROXY,
    agents.GMAIL_PREFETCH,  # known by another rule
    agents.APPLE_PROXY,
    *agents.PROGRAMS,
    (
        "Mozilla/5.0 (Linux; Android 14; CUBOT X30) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/153.0.0.0 Mobile Safari/537.36"
    ),
    (
        "Mozilla/5.0 (Linux; U; Android 9; Cubot_Power Build/P) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Version/4.0 Mobile Safari/537.36"
    ),
    "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    (
        "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/153.0.0.0 Safari/537.36"
    ),
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/153.0.0.0 Safari/537.36 OPR/125.0.0.0"
    ),
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/153.0.0.0 Safari/537.36 Vivaldi/7.6"
    ),
    (
        "Mozilla/5.0 (Linux; Android 13; SAMSUNG SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) "
        "SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36"
    ),
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
        "Gecko) CriOS/154.0.0.0 Mobile/15E148 Safari/604.1"
    ),
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
        "Gecko) GSA/390.0.0 Mobile/15E148 Safari/604.1"
    ),
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
        "Gecko) Mobile/15E148 [FBAN/FBIOS;FBAV/530.0.0;FBDV/iPhone15,2;FBMD/iPhone;FBSN/iOS]"
    ),
    (
        "Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/AP2A; wv) AppleWebKit/537.36 (KHTML, like "
        "Gecko) Version/4.0 Chrome/153.0.0.0 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/530.0.0;]"
    ),
    (
        "Mozilla/5.0 (Linux; Android 14; SM-G991B; wv) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Version/4.0 Chrome/153.0.0.0 Mobile Safari/537.36 Instagram 400.0.0"
    ),
    "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko",
    "Opera/9.80 (Windows NT 6.1; WOW64) Presto/2.12.388 Version/12.18",
    "Outlook-iOS/724.10.4242135.prod.iphone (4.2440.0)",
    "Outlook-Android/2.0",
    "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17928; Pro)",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14.6) MacOutlook/16.88.0",
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.2.0",
    "Mail/3776.700.51 CFNetwork/1568 Darwin/24.0.0",
    "Airmail/5.7 Mac OS X",
    "Spark/3.20 Mail/1.0",
    "Lotus-Notes/6.0 (Windows NT)",
    "eM Client/10.0.3530.0",
    "Evolution 3.52.3",
    "Zimbra Desktop/7.3",
]


@pytest.mark.parametrize("agent", BOTS)
def test_a_bot_that_names_itself_is_recognised(agent):
    assert names_a_bot(agent)


@pytest.mark.parametrize("agent", PEOPLES)
def test_the_agent_of_a_mail_program_or_browser_names_no_bot(agent):
    assert not names_a_bot(agent)


def test_the_list_is_that_of_the_pinned_package():
    assert FILE.read_text("utf-8") == listed()


def test_the_list_has_the_version_that_the_requirements_pin():
    [pinned] = re.findall(rf"^{PACKAGE}==(\S+)", REQUIREMENTS.read_text(), re.MULTILINE)

    assert f"{PACKAGE} {pinned}," in FILE.read_text("utf-8")


def test_the_list_keeps_its_licence():
    text = FILE.read_text("utf-8")

    assert "MIT License. Copyright (c) 2017 Martin Monperrus" in text
    assert "The above copyright notice and this permission notice shall be included" in text
