"""Random recipients, user agents and texts of simulated campaigns.

Addresses use domains that are reserved for examples, so that no real person appears:
https://www.rfc-editor.org/rfc/rfc2606
"""

import zlib
from random import Random

# fmt: off
_FIRST_NAMES = (
    "Aisha", "Amara", "Anders", "Anouk", "Bruno", "Camille", "Chiara", "Daniel", "Deniz", "Elif",
    "Emeka", "Emma", "Farah", "Felix", "Freya", "Gabriel", "Hana", "Hugo", "Ines", "Ivan",
    "Jonas", "Julia", "Kaito", "Karim", "Lars", "Leila", "Lena", "Liam", "Lucia", "Malik", "Mara",
    "Mateo", "Mei", "Milan", "Nadia", "Nina", "Noah", "Olga", "Omar", "Paula", "Priya", "Rafael",
    "Rosa", "Ruth", "Samir", "Sofia", "Tariq", "Tomas", "Yara", "Zoe",
)
_LAST_NAMES = (
    "Abe", "Adeyemi", "Ahmed", "Almeida", "Andersen", "Bauer", "Becker", "Bianchi", "Costa",
    "Diaz", "Dubois", "Eriksen", "Fischer", "Garcia", "Haddad", "Hansen", "Ito", "Jansen", "Kaya",
    "Khan", "Kim", "Kowalski", "Larsen", "Lindqvist", "Lopez", "Martin", "Meyer", "Moreau",
    "Nguyen", "Novak", "Okafor", "Patel", "Petrov", "Popescu", "Reyes", "Ricci", "Rossi", "Sato",
    "Schmidt", "Silva", "Singh", "Suzuki", "Tanaka", "Virtanen", "Wagner", "Weber", "Wright",
    "Yilmaz", "Zhang",
)
# fmt: on
_DOMAINS = ("example.com", "example.net", "example.org", "mail.example", "post.example")

# Captured user agents; chalicelib/facts/classify.py documents the meaning of each.
APPLE_MAIL_PRIVACY = "Mozilla/5.0"
# Mailbox providers as SES names them in the tag of an email, in percent of the addresses.
_ISPS = {
    "Gmail": 41,
    "Yahoo": 15,
    "Hotmail": 14,
    "iCloud": 8,
    "GMX": 4,
    "Orange": 3,
    "UNKNOWN_ISP": 15,
}
_ISP_OF_PERCENT = [name for name, percent in _ISPS.items() for _ in range(percent)]

GMAIL_PREFETCH = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0"
)
GMAIL_PROXY = (
    "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
)
YAHOO_PROXY = "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html"
_WINDOWS_CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/141.0.0.0 Safari/537.36"
)
_SAFARI = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/26.0 Safari/605.1.15"
)
_IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1"
)
_ANDROID = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/141.0.0.0 Mobile Safari/537.36"
)
_FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0"
_OUTLOOK = (
    "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; WOW64; Trident/7.0; "
    "Microsoft Outlook 16.0)"
)
BROWSERS = (_WINDOWS_CHROME, _SAFARI, _IPHONE, _ANDROID, _FIREFOX)
APPLE_BROWSERS = (_SAFARI, _IPHONE)
# Most scanners pretend to be a common browser; some identify themselves.
SCANNERS = (_WINDOWS_CHROME, _WINDOWS_CHROME, "Barracuda Sentinel (EE)")

# The user agents that load an email's images, with their shares of mailboxes in percent.
_READERS = {
    GMAIL_PROXY: 48,
    YAHOO_PROXY: 8,
    _OUTLOOK: 14,
    _WINDOWS_CHROME: 12,
    _ANDROID: 10,
    _FIREFOX: 5,
    None: 3,
}

# Campaign names with their subjects.
SUBJECTS = {
    "spring-sale": "Spring is here: 20 % off everything green",
    "weekly-digest": "Your week in five stories",
    "product-launch": "Meet the new Aurora lamp",
    "abandoned-basket": "You left something behind",
    "members-preview": "A first look, for members only",
    "free-shipping": "Free shipping until Sunday night",
    "autumn-catalogue": "The autumn catalogue has arrived",
    "customer-survey": "Two minutes for your opinion?",
    "webinar-invitation": "Join us live on Thursday at 4",
    "flash-sale": "Six hours only: up to 50 % off",
    "release-notes": "What's new this month",
    "thank-you": "Thank you: a little something for you",
}
SENDERS = (
    "Green Shop <news@shop.example.com>",
    "Aurora <hello@aurora.example.net>",
    "The Weekly <digest@weekly.example.org>",
)
# Paths of a campaign's links, the most popular first; the unsubscribe link follows.
PATHS = ("", "/new", "/bestsellers", "/gift-cards", "/behind-the-scenes")

# The hosts from which SES sends.
MTAS = tuple(f"{host}.smtp-out.amazonses.com" for host in ("a8-86", "a48-89", "a48-102"))


def address(rng: Random, index: int) -> str:
    """Return a random address, unique for the index."""
    first, last = rng.choice(_FIRST_NAMES), rng.choice(_LAST_NAMES)
    return f"{first}.{last}{index}@{rng.choice(_DOMAINS)}".lower()


def isp_of(address: str) -> str:
    """Return the mailbox provider of an address, as SES names it; always the same one."""
    return _ISP_OF_PERCENT[zlib.crc32(address.encode()) % 100]


def reader(rng: Random) -> str | None:
    """Return a random user agent of a person's opens; None if it sends none."""
    return rng.choices(list(_READERS), list(_READERS.values()))[0]


def server_address(rng: Random) -> str:
    """Return a random address of a server or bot, in one of three networks.

    They are reserved for documentation (RFC 5737).
    """
    network = rng.choice(("192.0.2", "198.51.100", "203.0.113"))
    return f"{network}.{rng.randrange(1, 255)}"


def home_address(rng: Random) -> str:
    """Return a random address of a person, in one of 65,536 networks.

    They are reserved for documentation (RFC 3849).
    """
    return f"2001:db8:{rng.randrange(2**16):x}::{rng.randrange(1, 2**16):x}"
