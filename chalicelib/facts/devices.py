"""Devices and mail programs, from the user agents of human opens and clicks.

Counters are stored by the code of a class, such as `pch` for Chrome on a phone, so a code never
gets another meaning, and there are few of them. A proxy fetches images in place of the recipient's
mail program and hides it: its classes have the device `proxy`, and no device is guessed.

The first pattern of a table that matches decides. Sources of the patterns:

- mail programs and browsers by name: the user agents that Matomo's Device Detector recognizes,
  https://github.com/matomo-org/device-detector/tree/master/regexes/client
- WebKit without the name of a browser: Apple's mail program, and apps that show emails with it,
  https://help.litmus.com/article/165-how-are-third-party-mobile-email-apps-reported. On a
  Macintosh, it may also be Outlook's proxy, which shows no device:
  https://github.com/warmbly/warmbly/pull/569
- phones and tablets with Android: https://developer.chrome.com/docs/multidevice/user-agent. Tablets
  lack `Mobile`. Safari on an iPad calls itself a Macintosh, so it counts as a desktop.

Decision 51 compares these tables with a library.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

PROXY = "proxy"
UNKNOWN = "unknown"
OTHER = "other"
"""The client of user agents that the table does not contain."""

_DEVICE_CODES = {"d": "desktop", "p": "phone", "t": "tablet", "x": PROXY, "u": UNKNOWN}
_CLIENT_CODES = {
    "gp": "Gmail image proxy",
    "yp": "Yahoo image proxy",
    "ao": "Apple Mail or Outlook proxy",
    "am": "Apple Mail",
    "ol": "Outlook",
    "wm": "Windows Mail",
    "tb": "Thunderbird",
    "ya": "Yahoo Mail app",
    "ga": "Gmail app",
    "em": "eM Client",
    "mb": "Mailbird",
    "aa": "Android app",
    "ed": "Edge",
    "si": "Samsung Internet",
    "op": "Opera",
    "ff": "Firefox",
    "ch": "Chrome",
    "sa": "Safari",
    "ie": "Internet Explorer",
    "ot": OTHER,
}
DEVICES = tuple(_DEVICE_CODES.values())
CLIENTS = tuple(_CLIENT_CODES.values())

# In this order: many user agents also have the names of other browsers, and those of apps on
# Android also have that of Chrome.
_CLIENTS = {
    "gp": r"GoogleImageProxy",
    "yp": r"YahooMailProxy",
    "ol": r"Outlook|ms-office|MSOffice",
    "wm": r"WindowsMail/|Windows Live Mail",
    "tb": r"Thunderbird|Icedove|Betterbird",
    "ya": r"Yahoo%20Mail|YahooMobile|jp\.co\.yahoo\.ymail",
    "ga": r"Android-Gmail|Gmail/",
    "em": r"eM ?Client/",
    "mb": r"Mailbird/",
    "ao": r"Macintosh.*AppleWebKit/[\d.]+(?: \(KHTML, like Gecko\))?$",
    "am": r"^Mail/|AppleWebKit/[\d.]+(?: \(KHTML, like Gecko\))?(?: Mobile/\w+)?$",
    "aa": r"; wv\)",
    "ed": r"Edg(?:e|A|iOS)?/",
    "si": r"SamsungBrowser/",
    "op": r"OPR/|OPT/|Opera",
    "ff": r"Firefox/|FxiOS/",
    "ch": r"Chrome/|CriOS/",
    "sa": r"Version/[\d.]+.* Safari/",
    "ie": r"MSIE |Trident/",
}
_DEVICES = {
    "t": r"iPad|\bipad\b|Tablet; rv:|Android(?!.*Mobile)",
    "p": r"iPhone|iPod|\biphone\b|Android|Windows Phone|Mobile; rv:|Outlook-iOS",
    "d": r"Windows NT|Macintosh|X11;|CrOS|^Mail/",
}
_WITHOUT_DEVICE: Mapping[str, str] = {"gp": "x", "yp": "x", "ao": "u"}
_CLIENT_PATTERNS = {code: re.compile(pattern) for code, pattern in _CLIENTS.items()}
_DEVICE_PATTERNS = {code: re.compile(pattern) for code, pattern in _DEVICES.items()}


class DeviceClass(NamedTuple):
    """A device, one of DEVICES, and the mail program or browser on it, one of CLIENTS."""

    device: str
    client: str


@lru_cache(maxsize=1000)  # a few mail programs are most of a campaign
def device_code(agent: str | None) -> str:
    """Return the code of the class of a user agent."""
    text = (agent or "").strip()
    client = _first(_CLIENT_PATTERNS, text) or "ot"
    return (_WITHOUT_DEVICE.get(client) or _first(_DEVICE_PATTERNS, text) or "u") + client


def _first(patterns: Mapping[str, re.Pattern[str]], text: str) -> str | None:
    return next((code for code, pattern in patterns.items() if pattern.search(text)), None)


def device_class(code: str) -> DeviceClass:
    """Return the class with a code; what only a later release knows is unknown, and `other`."""
    return DeviceClass(
        _DEVICE_CODES.get(code[:1], UNKNOWN),
        _CLIENT_CODES.get(code[1:], OTHER),
    )
