"""User agents of mail programs, proxies, browsers, scanners and bots that name themselves."""

from random import Random

# Captured: docs/metrics.md and the sources in parameters.py.
APPLE_PROXY = "Mozilla/5.0"
GMAIL_PREFETCH = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0"
)
GMAIL_SAMPLING = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Gmail-content-sampling"
)
GMAIL_PROXY = (
    "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
)
YAHOO_PROXY = "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html"
# Outlook's image proxy sends the same agent as Apple's mail programs: warmbly#569.
BARE_WEBKIT = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
)

PROGRAMS = (
    (
        "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; WOW64; Trident/7.0; Microsoft Outlook "
        "16.0.17928; ms-office; MSOffice 16)"
    ),
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Thunderbird/140.5.0",
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
        "Gecko) Mobile/15E148"
    ),
    BARE_WEBKIT,
    (
        "Mozilla/5.0 (Linux; Android 15; SM-S921B; wv) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Version/4.0 Chrome/153.0.0.0 Mobile Safari/537.36"
    ),
    "Microsoft Office/16.0 (Microsoft Outlook Mail 16.0.17928; Pro)",
)
_PROGRAM_SHARES = (36, 8, 16, 12, 18, 10)

_WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
_MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko)"
_CHROME = (154, 154, 154, 153, 153, 152, 150, 146)
_SAFARI = ("26.1", "26.1", "26.0", "18.6")

DECLARED = (
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
    "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (compatible; SemrushBot/7~bl; +http://www.semrush.com/bot.html)",
    "Mozilla/5.0 (compatible; MJ12bot/v1.4.8; http://mj12bot.com/)",
    (
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_5) AppleWebKit/605.1.15 (KHTML, like Gecko) "
        "Version/13.1.1 Safari/605.1.15 (Applebot/0.1; +http://www.apple.com/go/applebot)"
    ),
    "Mozilla/5.0 (compatible; Yahoo! Slurp; http://help.yahoo.com/help/us/ysearch/slurp)",
    "Mozilla/5.0 (compatible; MimecastLinkCheck)",
    "BarracudaCentral/1.0",
    "python-requests/2.32.3",
    "Go-http-client/2.0",
    "curl/8.9.1",
    (
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "HeadlessChrome/120.0.0.0 Safari/537.36"
    ),
    "Mozilla/5.0 (compatible; CloudFlare-AlwaysOnline/1.0)",
    "Mozilla/5.0 (compatible; GrapeshotCrawler/2.0; +http://www.grapeshot.co.uk/crawler.php)",
    "ZoominfoBot (zoominfobot at zoominfo dot com)",
    "Mozilla/5.0 (compatible; Google-Safety; +http://www.google.com/bot.html)",
)
PREVIEWS = (
    (
        "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5 "
        "skype-url-preview@microsoft.com"
    ),
    "Twitterbot/1.0",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "WhatsApp/2.23.20.0",
    "TelegramBot (like TwitterBot)",
    "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
    "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
)


def program(rng: Random) -> str:
    """Return the agent of a mail program that loads images itself."""
    return rng.choices(PROGRAMS, _PROGRAM_SHARES)[0]


def windows_chrome(rng: Random) -> str:
    """Return the agent of a current Chrome on Windows."""
    return f"{_WINDOWS} Chrome/{rng.choice(_CHROME)}.0.0.0 Safari/537.36"


def safari_on_a_mac(rng: Random) -> str:
    """Return the agent of a current Safari on a Mac."""
    version = rng.choice(_SAFARI)
    return f"{BARE_WEBKIT} Version/{version} Safari/605.1.15"


def browser(rng: Random, *, apple: bool = False) -> str:
    """Return the agent of a person's current browser."""
    version = rng.choice(_CHROME)
    iphone = (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
        f"Gecko) Version/{rng.choice(_SAFARI)} Mobile/15E148 Safari/604.1"
    )
    if apple:
        return rng.choices((iphone, safari_on_a_mac(rng)), (75, 25))[0]
    windows = windows_chrome(rng)
    return rng.choices(
        (
            windows,
            f"{windows} Edg/{version}.0.0.0",
            f"{_MAC} Chrome/{version}.0.0.0 Safari/537.36",
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
                f"Chrome/{version}.0.0.0 Mobile Safari/537.36"
            ),
            iphone,
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0",
        ),
        (30, 16, 9, 22, 18, 5),
    )[0]


def old_browser(rng: Random) -> str:
    """Return the agent of a browser that a person has not updated for years."""
    return rng.choice(
        (
            (
                "Mozilla/5.0 (Windows NT 6.1; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
                "Chrome/109.0.0.0 Safari/537.36"
            ),
            (
                "Mozilla/5.0 (Linux; Android 8.1.0; SM-J710F) AppleWebKit/537.36 (KHTML, like "
                f"Gecko) Chrome/{rng.randrange(83, 107)}.0.4758.101 Mobile Safari/537.36"
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_13_6) AppleWebKit/605.1.15 (KHTML, like "
                "Gecko) Version/13.1.2 Safari/605.1.15"
            ),
        )
    )


def invented(rng: Random) -> str:
    """Return an agent with an outdated version of Chrome, as scanners send: gophish#2357."""
    system = rng.choice(("10.0; Win64; x64", "10.0; Win64; x64", "6.1", "6.3; Win64; x64"))
    version = f"{rng.randrange(41, 101)}.0.{rng.randrange(2272, 4896)}.{rng.randrange(200)}"
    return (
        f"Mozilla/5.0 (Windows NT {system}) AppleWebKit/537.36 (KHTML, like Gecko) "
        f"Chrome/{version} Safari/537.36"
    )
