"""Classes of devices and mail programs by user agent, and what viewers see of them."""

import re

import pytest
from support import ses

from chalicelib.facts import devices
from chalicelib.facts.devices import CLIENTS, DEVICES, device_class, device_code
from chalicelib.facts.state import State
from chalicelib.live import messages
from chalicelib.stats.contributions import contributions
from chalicelib.stats.counters import AGES, Aggregate, aggregate_from_item

WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
CHROME = "AppleWebKit/537.36 (KHTML, like Gecko)"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X)"
IPAD = "Mozilla/5.0 (iPad; CPU OS 17_6 like Mac OS X)"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
ANDROID = "Mozilla/5.0 (Linux; Android 10; K)"

AGENTS = {
    ses.BROWSER: ("desktop", "Chrome"),
    ses.OUTLOOK: ("desktop", "Outlook"),
    ses.TELEPHONE: ("phone", "Safari"),
    ses.GMAIL_PROXY: ("proxy", "Gmail image proxy"),
    "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html": (
        "proxy",
        "Yahoo image proxy",
    ),
    f"{IPHONE} {WEBKIT} Mobile/15E148": ("phone", "Apple Mail"),
    f"{IPAD} {WEBKIT} Mobile/15E148": ("tablet", "Apple Mail"),
    f"{MAC} {WEBKIT}": ("unknown", "Apple Mail or Outlook proxy"),
    "Mail/3826.400.131.1.6 CFNetwork/3826.400.120 Darwin/24.3.0": ("desktop", "Apple Mail"),
    f"{MAC} {WEBKIT} Version/26.0 Safari/605.1.15": ("desktop", "Safari"),
    f"{IPAD} {WEBKIT} Version/17.6 Mobile/15E148 Safari/604.1": ("tablet", "Safari"),
    f"{IPHONE} {WEBKIT} CriOS/141.0.7390.41 Mobile/15E148 Safari/604.1": ("phone", "Chrome"),
    f"{IPHONE} {WEBKIT} FxiOS/144.0 Mobile/15E148 Safari/605.1.15": ("phone", "Firefox"),
    f"{IPHONE} {WEBKIT} Version/18.0 EdgiOS/141.0.3537.57 Mobile/15E148 Safari/604.1": (
        "phone",
        "Edge",
    ),
    f"{ANDROID} {CHROME} Chrome/141.0.0.0 Mobile Safari/537.36": ("phone", "Chrome"),
    f"{ANDROID} {CHROME} Chrome/141.0.0.0 Safari/537.36": ("tablet", "Chrome"),
    f"{ANDROID} {CHROME} SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36": (
        "phone",
        "Samsung Internet",
    ),
    f"{ANDROID} {CHROME} Chrome/141.0.0.0 Mobile Safari/537.36 OPR/92.0.0.0": ("phone", "Opera"),
    "Mozilla/5.0 (Linux; Android 14; SM-S911B Build/UP1A; wv) AppleWebKit/537.36 (KHTML, like "
    "Gecko) Version/4.0 Chrome/141.0.7390.43 Mobile Safari/537.36": ("phone", "Android app"),
    "Mozilla/5.0 (Android 15; Mobile; rv:144.0) Gecko/144.0 Firefox/144.0": ("phone", "Firefox"),
    "Mozilla/5.0 (Android 15; Tablet; rv:144.0) Gecko/144.0 Firefox/144.0": ("tablet", "Firefox"),
    f"{WINDOWS} {CHROME} Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0": ("desktop", "Edge"),
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0": (
        "desktop",
        "Firefox",
    ),
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Thunderbird/140.3.1": (
        "desktop",
        "Thunderbird",
    ),
    "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko": (
        "desktop",
        "Internet Explorer",
    ),
    "Outlook-iOS/711.2304115.prod.iphone (3.26.0)": ("phone", "Outlook"),
    "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0": (
        "desktop",
        "Firefox",
    ),
    f"{WINDOWS} {CHROME} Chrome/141.0.0.0 eMClient/10.3 Safari/537.36": ("desktop", "eM Client"),
    "Some Reader 1.0": ("unknown", "other"),
    "": ("unknown", "other"),
    None: ("unknown", "other"),
}


@pytest.mark.parametrize(("agent", "expected"), AGENTS.items())
def test_a_user_agent_has_a_device_and_a_mail_program(agent, expected):
    assert device_class(device_code(agent)) == expected


def test_codes_are_distinct_letters_that_a_state_can_store():
    codes = [
        device + client for device in devices._DEVICE_CODES for client in devices._CLIENT_CODES
    ]

    assert all(re.fullmatch("[a-z]{3}", code) for code in codes)
    assert len(set(DEVICES)) * len(set(CLIENTS)) == len(codes) == 100


def test_what_only_a_later_release_knows_is_unknown():
    assert device_class("wzz") == ("unknown", "other")
    assert device_class("pzz") == ("phone", "other")


def state(**members):
    return State("m-1", "spring", settled=4_000_000, generation=2, **members)


def test_an_email_counts_at_the_devices_of_its_first_human_open_and_click():
    found = contributions(state(opened_with="xgp", clicked_with="pch"))

    assert [(one.keys, one.counts) for one in found] == [
        ([("spring", AGES)], {"unique_human_opens@xgp": 1, "unique_human_clicks@pch": 1})
    ]


def test_an_email_that_an_earlier_release_has_settled_counts_at_no_device():
    assert contributions(state()) == []


def item(**counters):
    numbers = {name.replace("_", "@"): {"N": str(count)} for name, count in counters.items()}
    return {
        "campaign": {"S": "spring"},
        "part": {"S": AGES},
        "v": {"N": "7"},
        **numbers,
    }


def shown(**counters):
    return messages.campaign_stats([aggregate_from_item(item(**counters))])["devices"]


def test_viewers_see_the_classes_with_the_most_opens_first():
    assert shown(o_pch=2, o_xgp=9, c_pch=1, o_dch=2, c_tsa=1) == {
        "version": 7,
        "classes": [
            {
                "device": device,
                "client": client,
                "unique_human_opens": opens,
                "unique_human_clicks": clicks,
            }
            for device, client, opens, clicks in (
                ("proxy", "Gmail image proxy", 9, 0),
                ("phone", "Chrome", 2, 1),
                ("desktop", "Chrome", 2, 0),
                ("tablet", "Safari", 0, 1),
            )
        ],
    }


def test_classes_that_only_a_later_release_knows_are_added_up():
    assert shown(o_pzz=2, o_pyy=3)["classes"] == [
        {
            "device": "phone",
            "client": "other",
            "unique_human_opens": 5,
            "unique_human_clicks": 0,
        }
    ]


def test_a_class_without_emails_is_not_shown():
    assert shown(o_pch=0, c_pch=-1, o_psa=1)["classes"][0]["client"] == "Safari"
    assert len(shown(o_pch=0, c_pch=-1, o_psa=1)["classes"]) == 1


def test_a_campaign_without_events_has_no_devices():
    summary = Aggregate("spring", "summary")

    assert messages.campaign_stats([summary]).get("devices") is None
