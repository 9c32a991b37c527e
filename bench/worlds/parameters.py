"""The parameters of the labelled campaigns, with the source of each, and the perturbations.

Sources are public references. Assumed means that no published figure was found. Times
are in seconds, shares are fractions. A delay is a log-normal distribution: its median and the
standard deviation of its logarithm.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal, get_args, get_type_hints

Audience = Literal["consumer", "business"]


@dataclass(frozen=True)
class Delay:
    """A log-normal distribution of a time or a size: median, and deviation of the logarithm."""

    median: float
    deviation: float


MINUTE, HOUR = 60.0, 3600.0

_ISSUES = "https://github.com/"
SOURCES = {
    "anymail#200": f"{_ISSUES}anymail/django-anymail/issues/200",
    "bird": "https://bird.com/en-nl/blog/4-insights-on-ios-15-mail-privacy-protection",
    "craft-campaign#546": f"{_ISSUES}putyourlightson/craft-campaign/issues/546",
    "Crawler-Detect#552": f"{_ISSUES}JayBizzle/Crawler-Detect/issues/552",
    "dada-mail#1126": f"{_ISSUES}justingit/dada-mail/issues/1126",
    "gophish#2357": f"{_ISSUES}gophish/gophish/issues/2357",
    "gophish#499": f"{_ISSUES}gophish/gophish/issues/499",
    "inntopia": "https://corp.inntopia.com/email-short-tail",
    "keila#164": f"{_ISSUES}pentacent/keila/pull/164",
    "marketingcharts": "https://dev.marketingcharts.com/digital-35890",
    "keystroke-level model": "https://doi.org/10.1145/358886.358895",
    "MillionSend#22": f"{_ISSUES}MillionSend/millionsend/pull/22",
    "omnivery": "https://blog.omnivery.com/blog/nhi-is-getting-worse",
    "onetimesecret#359": f"{_ISSUES}onetimesecret/onetimesecret/issues/359",
    "passwordless-login#79": f"{_ISSUES}edalzell/laravel-passwordless-login/issues/79",
    "resend-node#901": f"{_ISSUES}resend/resend-node/issues/901",
    "Safe Links": "https://learn.microsoft.com/en-us/defender-office-365/safe-links-about",
    "socketlabs": (
        "https://help.socketlabs.com/docs/identifying-apple-mpp-opens-in-notification-api-events"
    ),
    "user_agent#71": f"{_ISSUES}mssola/user_agent/issues/71",
    "warmbly#410": f"{_ISSUES}warmbly/warmbly/issues/410",
    "warmbly#526": f"{_ISSUES}warmbly/warmbly/pull/526",
    "warmbly#569": f"{_ISSUES}warmbly/warmbly/pull/569",
    "wellcomecollection#13247": f"{_ISSUES}wellcomecollection/wellcomecollection.org/pull/13247",
    "wordtothewise": "https://wordtothewise.com/2021/09/apple-mpp",
}


@dataclass(frozen=True)
class Published:
    """The meaning of a parameter, and where its value is published: keys of SOURCES."""

    meaning: str
    source: str

    def __str__(self) -> str:
        """Return the source in words."""
        return self.source


@dataclass(frozen=True)
class Described(Published):
    """A parameter of a behaviour that the source describes; its value is assumed."""

    def __str__(self) -> str:
        """Return the source in words."""
        return f"{self.source}; value assumed"


@dataclass(frozen=True)
class Assumed:
    """A parameter for which nothing published was found."""

    meaning: str

    def __str__(self) -> str:
        """Return that there is no source."""
        return "assumed"


Source = Published | Assumed

_MAILBOXES = {"apple": 0.36, "gmail": 0.34, "yahoo": 0.10, "outlook": 0.10, "program": 0.10}

_BEHAVIOURS = {
    "scanner_burst": 0.56,
    "slow_sweep": 0.13,
    "sampler": 0.12,
    "unsubscribe_scan": 0.05,
    "no_agent_scan": 0.06,
    "detonation": 0.08,
}

_BURST_START = {
    (1.0, 10.0): 0.005,
    (10.0, 20.0): 0.022,
    (20.0, 60.0): 0.664,
    (MINUTE, 5 * MINUTE): 0.283,
    (5 * MINUTE, 30 * MINUTE): 0.019,
    (HOUR, 24 * HOUR): 0.007,
}


@dataclass(frozen=True)
class Parameters:
    """The parameters of a campaign. The defaults are those of a consumer list."""

    mailboxes: Annotated[
        Mapping[str, float],
        Published(
            (
                "shares of mailboxes, by how images are loaded; Apple's proxy: 30 to 40 % "
                "of recipients, the others assumed"
            ),
            "bird",
        ),
    ] = field(default_factory=_MAILBOXES.copy)
    organisations: Annotated[
        float, Assumed("share of recipients with an address of an organisation")
    ] = 0.08
    organisation_size: Annotated[Delay, Assumed("recipients of an organisation on the list")] = (
        Delay(1.3, 0.5)
    )
    several: Annotated[float, Assumed("share of emails to three to six recipients")] = 0.002
    together: Annotated[
        float, Assumed("share of those that are read in a meeting, within ten seconds")
    ] = 0.1
    together_click: Annotated[float, Assumed("share of the people in the meeting who click")] = 0.6

    read: Annotated[float, Assumed("share of delivered emails that are read")] = 0.35
    read_after: Annotated[
        Delay, Published("time from delivery to reading", "inntopia, marketingcharts")
    ] = Delay(4.4 * HOUR, 2.2)
    read_again: Annotated[float, Assumed("share of readings that are followed by another")] = 0.25
    read_again_after: Annotated[Delay, Assumed("time to the next reading")] = Delay(5 * HOUR, 2.0)
    bare_webkit: Annotated[
        float,
        Described(
            "share of Outlook's fetches with the agent of Apple's mail programs", "warmbly#569"
        ),
    ] = 0.5
    images_off: Annotated[float, Assumed("share of people whose images are off")] = 0.08
    forwarded: Annotated[
        float, Assumed("share of readers who forward the email to another person")
    ] = 0.02
    forwarded_after: Annotated[Delay, Assumed("time to the other person's reading")] = Delay(
        HOUR, 1.5
    )
    forwarded_click: Annotated[float, Assumed("share of those persons who click")] = 0.14

    click: Annotated[float, Published("share of readers who click", "inntopia")] = 0.07
    click_after: Annotated[Delay, Assumed("time from reading to the first click")] = Delay(
        25.0, 1.0
    )
    second_link: Annotated[
        float, Assumed("share of people who click another link, after each link")
    ] = 0.25
    link_gap: Annotated[Delay, Assumed("time between a person's links")] = Delay(35.0, 1.1)
    quick: Annotated[
        float, Assumed("share of clicking people who open three or four links in tabs")
    ] = 0.05
    quick_gap: Annotated[
        Delay,
        Described(
            "time between their links: to decide, 1.35 s, to point, 1.1 s, and to click, 0.2 s",
            "keystroke-level model",
        ),
    ] = Delay(2.65, 0.5)
    double_click: Annotated[
        float, Assumed("share of people's clicks that arrive twice within a second")
    ] = 0.04
    click_again: Annotated[float, Assumed("share of clicking people who return hours later")] = 0.08
    click_again_after: Annotated[Delay, Assumed("time to their return")] = Delay(6 * HOUR, 1.5)
    unsubscribe: Annotated[float, Assumed("share of clicking people who only unsubscribe")] = 0.05
    old_browser: Annotated[float, Assumed("share of people with a browser of years ago")] = 0.01
    no_agent: Annotated[
        float, Assumed("share of people whose clicks have no user agent, for privacy")
    ] = 0.003
    isolated: Annotated[
        float,
        Described("share of people behind a scanner who browse through its network", "warmbly#526"),
    ] = 0.05
    mobile: Annotated[
        float, Assumed("share of people in a mobile carrier's network when they click")
    ] = 0.35
    vpn: Annotated[float, Assumed("share of people who use a VPN")] = 0.04
    private_relay: Annotated[float, Assumed("share of Apple's readers who use Private Relay")] = 0.2

    apple_preload: Annotated[
        float, Published("share of Apple's mailboxes that preload", "socketlabs")
    ] = 0.92
    apple_preload_after: Annotated[
        Delay, Described("time from delivery to Apple's preload: minutes to hours", "wordtothewise")
    ] = Delay(40 * MINUTE, 1.6)
    apple_second_device: Annotated[
        float, Assumed("share with a second device, which preloads as well")
    ] = 0.2
    gmail_prefetch: Annotated[
        float,
        Described(
            "share of Gmail's mailboxes with a prefetch about 1 s after sending", "keila#164"
        ),
    ] = 0.08
    gmail_sampling: Annotated[
        float, Described("share of Gmail's emails of which Gmail follows a link", "user_agent#71")
    ] = 0.0015
    gmail_sampling_after: Annotated[Delay, Assumed("time from delivery to that")] = Delay(60.0, 1.0)
    workspace: Annotated[
        float, Assumed("share of organisations whose Gmail is Google Workspace")
    ] = 0.3
    workspace_scan: Annotated[
        float, Assumed("share of Google Workspace's emails scanned with a browser")
    ] = 0.0
    workspace_scan_after: Annotated[Delay, Assumed("time from delivery to that scan")] = Delay(
        25.0, 0.8
    )
    workspace_gap: Annotated[
        tuple[float, float], Assumed("range of the time between its links")
    ] = (0.3, 5.0)

    scanned: Annotated[
        float,
        Published(
            (
                "share of emails that a scanner follows, of the average sender: above "
                "50 % of the clicks of consumer lists, about 75 % of business lists, "
                "above 90 % of some senders"
            ),
            "omnivery",
        ),
    ] = 0.02
    scanned_spread: Annotated[
        float, Assumed("standard deviation of its logarithm among senders")
    ] = 0.4
    gateway: Annotated[
        float, Assumed("share of an organisation's emails that its gateway follows")
    ] = 0.7
    behaviours: Annotated[
        Mapping[str, float],
        Described(
            "shares of scanners, by what they follow",
            "craft-campaign#546, MillionSend#22, dada-mail#1126, passwordless-login#79",
        ),
    ] = field(default_factory=_BEHAVIOURS.copy)
    vendors: Annotated[
        int, Assumed("scanners of a list; each with one behaviour, networks and agents")
    ] = 12
    burst_start: Annotated[
        Mapping[tuple[float, float], float],
        Published("start of 836 bursts after sending", "craft-campaign#546"),
    ] = field(default_factory=_BURST_START.copy)
    burst_gap: Annotated[
        float,
        Published(
            "mean time between the links of a burst, which takes under 1 s", "craft-campaign#546"
        ),
    ] = 0.06
    burst_single: Annotated[
        float,
        Described(
            "share of scans by the same scanners that follow one link only", "MillionSend#22"
        ),
    ] = 0.15
    single_twice: Annotated[
        float,
        Described(
            "share of requests for one link that are made twice in quick succession",
            "onetimesecret#359",
        ),
    ] = 0.2
    followed: Annotated[
        float, Described("share of the links that a sweep follows", "anymail#200")
    ] = 0.93
    scanner_opens: Annotated[
        float,
        Described(
            "share of scanners that load the images before", "craft-campaign#546, warmbly#410"
        ),
    ] = 0.85
    scanner_open_after: Annotated[
        Delay,
        Published(
            ("their open after sending: median 9 s, 61 % within 10 s, 84 % within 20 s"),
            "craft-campaign#546",
        ),
    ] = Delay(9.0, 0.8)
    other_agent: Annotated[
        float,
        Described("share of those whose open has another agent than the clicks", "warmbly#410"),
    ] = 0.25
    slow_gap: Annotated[
        tuple[float, float], Assumed("range of the time between a sweep's links")
    ] = (3.0, 20.0)
    detonation_after: Annotated[Delay, Assumed("time to a scan with a whole browser")] = Delay(
        8 * MINUTE, 1.2
    )
    detonation_gap: Annotated[
        tuple[float, float], Assumed("range of the time between its links")
    ] = (0.5, 15.0)
    old_agents: Annotated[
        float,
        Described(
            "share of scanners with browsers of years ago",
            "gophish#2357, user_agent#71, wellcomecollection#13247",
        ),
    ] = 0.65
    fleet: Annotated[int, Described("most agents of a scanner", "MillionSend#22")] = 6
    rotating_agents: Annotated[
        bool,
        Described("whether each request has another agent", "warmbly#410"),
    ] = False
    cloud: Annotated[
        float, Described("share of scanners in the networks of Outlook's proxies", "warmbly#410")
    ] = 0.3
    pool: Annotated[int, Described("most /24 networks of a scanner", "passwordless-login#79")] = 12
    one_address: Annotated[
        float,
        Described(
            "share of scanners whose requests for an email have one address",
            "warmbly#410, passwordless-login#79",
        ),
    ] = 0.5
    same_network: Annotated[
        float, Assumed("share of the other scanners' requests from the first network")
    ] = 0.7
    at_the_office: Annotated[bool, Assumed("whether scanners have the address of the office")] = (
        False
    )

    echo: Annotated[
        float, Described("share of people's clicks that a scanner repeats", "resend-node#901")
    ] = 0.02
    echo_after: Annotated[Delay, Described("time to the repetition", "resend-node#901")] = Delay(
        12.0, 0.6
    )
    checked_first: Annotated[
        float,
        Described("share of people's clicks that a scanner precedes, to check", "Safe Links"),
    ] = 0.01
    checked_before: Annotated[
        tuple[float, float], Assumed("range of the time from that check to the person's click")
    ] = (0.3, 3.0)
    preview: Annotated[
        float, Assumed("share of people's clicks on links that they share in a chat")
    ] = 0.01
    preview_after: Annotated[Delay, Assumed("time to the chat's preview")] = Delay(90.0, 1.5)
    hover_preview: Annotated[
        float,
        Described(
            "share of Apple's readers on a Mac whose mail program previews a link", "gophish#499"
        ),
    ] = 0.004
    declared: Annotated[
        float, Described("share of emails that a bot follows under its name", "Crawler-Detect#552")
    ] = 0.002

    ses_knows: Annotated[float, Assumed("share of bots' networks that SES recognises")] = 0.7
    ses_misses: Annotated[
        float, Assumed("share of a recognised network's events labelled Unlikely")
    ] = 0.05
    ses_false: Annotated[float, Assumed("share of people's events labelled Likely")] = 0.01
    ses_knows_proxies: Annotated[
        float,
        Assumed("probability, per campaign, that SES labels Apple's and Gmail's prefetches Likely"),
    ] = 0.5


AUDIENCES: Mapping[Audience, Parameters] = {
    "consumer": Parameters(),
    "business": Parameters(
        mailboxes={"apple": 0.18, "gmail": 0.20, "yahoo": 0.01, "outlook": 0.33, "program": 0.28},
        organisations=0.92,
        organisation_size=Delay(2.5, 1.2),
        several=0.01,
        read=0.30,
        images_off=0.15,
        mobile=0.2,
        vpn=0.08,
        workspace_scan=0.012,
        scanned=0.05,
        echo=0.06,
        checked_first=0.04,
    ),
}

# What a perturbation changes; numbers are factors of the audience's own value.
PERTURBATIONS: Mapping[str, Mapping[str, Any]] = {
    "none": {},
    "big address pools": {"pool": 400, "one_address": 0.0, "same_network": 0.0},
    "slow scanners": {
        "behaviours": {
            "scanner_burst": 0.15,
            "slow_sweep": 0.60,
            "sampler": 0.10,
            "unsubscribe_scan": 0.05,
            "no_agent_scan": 0.05,
            "detonation": 0.05,
        }
    },
    "scanners of single links": {
        "behaviours": {
            "scanner_burst": 0.15,
            "slow_sweep": 0.05,
            "sampler": 0.60,
            "unsubscribe_scan": 0.05,
            "no_agent_scan": 0.05,
            "detonation": 0.10,
        }
    },
    "rotating agents": {"rotating_agents": True, "fleet": 200},
    "modern agents only": {"old_agents": 0.0},
    "quick people": {"quick": 0.35},
    "people who click without a thought": {"quick": 0.35, "quick_gap": Delay(1.3, 0.5)},
    "images off": {"images_off": 0.5},
    "scanner at the office": {"at_the_office": True},
    "many bots": {"scanned": 3.0},
    "few bots": {"scanned": 0.2},
}
_FACTORS = {"scanned"}

# Seeds of campaigns: rules may be tuned on the first range only, and are reported on the second.
SEEDS = {"tune": range(1000, 2000), "report": range(5000, 6000)}


def parameters(audience: Audience, perturbation: str) -> Parameters:
    """Return the parameters of a kind of list under a perturbation.

    Raises:
        KeyError: there is no such audience or perturbation.
    """
    base = AUDIENCES[audience]
    changes = {
        name: getattr(base, name) * value if name in _FACTORS else value
        for name, value in PERTURBATIONS[perturbation].items()
    }
    return replace(base, **changes)


def sources() -> dict[str, Source]:
    """Return the meaning and the source of each parameter."""
    hints = get_type_hints(Parameters, include_extras=True)
    return {name: get_args(hint)[1] for name, hint in hints.items()}
