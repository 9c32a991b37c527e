"""Mailbox providers of recipients, by the domain of the address.

A provider is the operator that accepts or refuses the email, because its servers' policies are what
a sender has to deal with: `aol.com`, `att.net` and `cox.net` are Yahoo's. docs/deliverability.md
names the sources of the table. Domains of companies that have their mailboxes at one of these
providers are recognized by SES's tag only: to find their servers takes a DNS query.

Counters are stored by these names, so a name is never changed, and there are fewer than 50.
"""

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

OTHER: Final = "other"
"""The provider of all domains that the table does not contain."""

_COUNTRIES = {
    # Microsoft's, by the names that it has given to its mailboxes
    "Microsoft": {
        "hotmail": "at be ca ch cl co.id co.il co.in co.jp co.kr co.nz co.th co.uk co.za com "
        "com.ar com.au com.br com.gr com.hk com.mx com.my com.pe com.sg com.tr com.tw com.vn cz de "
        "dk es fi fr gr hu id ie in it jp kr lt lv my nl no ph pt rs sa se sg sk",
        "live": "at be ca ch cl cn co.kr co.uk co.za com com.ar com.au com.mx com.my com.pe com.ph "
        "com.pt com.sg de dk es eu fi fr hk ie in it jp nl no ph pt ru se",
        "outlook": "at be bg cl co co.id co.il co.nz co.th com com.ar com.au com.br com.gr com.hr "
        "com.pe com.tr com.tw com.vn cz de dk es fr hu id ie in it jp kr lv my ph pt ro sa sg sk",
        "msn": "com nl",
    },
    # without Japan, where another company has the name
    "Yahoo": {
        "yahoo": "at be bg ca cl co.id co.il co.in co.kr co.nz co.th co.uk co.za com com.ar com.au "
        "com.br com.co com.hk com.hr com.mx com.my com.pe com.ph com.sg com.tr com.tw com.ua "
        "com.ve com.vn cz de dk ee es fi fr gr hr hu ie in it lt lv nl no pl pt ro rs se sg si sk",
        "aol": "at be ch co.nz co.uk com com.ar com.au com.br com.mx de es fr it jp nl pl se",
    },
    "GMX and WEB.DE": {"gmx": "at biz ch co.uk com de es eu fr info it net org us"},
    "Yandex": {"yandex": "by com com.tr ee fr kz lt lv ru ua uz"},
}

_DOMAINS = {
    "Gmail": "gmail.com googlemail.com",
    "Microsoft": "email.msn.com passport.com windowslive.com",
    "Yahoo": "aim.com ameritech.net att.net bellsouth.net comcast.net cox.net cs.com currently.com "
    "flash.net frontier.com frontiernet.net games.com love.com myyahoo.com netscape.net nvbell.net "
    "pacbell.net prodigy.net rocketmail.com rogers.com sbcglobal.net sky.com snet.net swbell.net "
    "verizon.net wans.net worldnet.att.net wow.com ygm.com ymail.com",
    "Apple iCloud": "icloud.com mac.com me.com privaterelay.appleid.com",
    "GMX and WEB.DE": "caramail.com caramail.fr consultant.com dr.com email.com engineer.com "
    "europe.com mail.com myself.com post.com usa.com web.de",
    "T-Online": "magenta.de t-online.de",
    "Freenet": "freenet.de freenetmail.de",
    "Vodafone Germany": "arcor.de kabelmail.de vodafone.de vodafonemail.de",
    "Orange": "orange.fr voila.fr wanadoo.fr",
    "Free": "aliceadsl.fr free.fr freesbee.fr infonie.fr libertysurf.fr worldonline.fr",
    "SFR": "9business.fr 9online.fr cegetel.net club-internet.fr neuf.fr noos.fr numericable.fr "
    "sfr.fr",
    "La Poste": "laposte.net",
    "Bouygues Telecom": "bbox.fr",
    "Libero": "blu.it giallo.it inwind.it iol.it libero.it virgilio.it",
    "TIM": "alice.it tim.it tin.it",
    "Tiscali": "tiscali.it",
    "Bluewin": "bluewin.ch",
    "KPN": "hetnet.nl kpnmail.nl kpnplanet.nl planet.nl",
    "Ziggo": "casema.nl chello.nl home.nl quicknet.nl upcmail.nl ziggo.nl",
    "Proximus": "proximus.be skynet.be",
    "Telenet": "telenet.be",
    "Mail.ru": "bk.ru inbox.ru internet.ru list.ru mail.ru mail.ua xmail.ru",
    "Yandex": "narod.ru ya.ru",
    "Rambler": "autorambler.ru lenta.ru myrambler.ru rambler.ru rambler.ua ro.ru",
    "Seznam": "email.cz post.cz seznam.cz spoluzaci.cz",
    "WP": "go2.pl o2.pl tlen.pl wp.pl",
    "Onet": "onet.eu onet.pl op.pl poczta.onet.pl spoko.pl vp.pl",
    "Interia": "interia.eu interia.pl interiowy.pl intmail.pl poczta.fm",
    "QQ": "foxmail.com qq.com vip.qq.com",
    "NetEase": "126.com 163.com 188.com vip.126.com vip.163.com yeah.net",
    "Sina": "sina.cn sina.com sina.com.cn vip.sina.com",
    "Naver": "naver.com",
    "Daum": "daum.net hanmail.net kakao.com",
    "Yahoo Japan": "yahoo.co.jp ybb.ne.jp ymail.ne.jp",
    "NTT Docomo": "docomo.ne.jp",
    "Rediffmail": "rediff.com rediffmail.com",
    "UOL": "bol.com.br uol.com.br",
    "Terra": "terra.com terra.com.br",
    "Charter": "brighthouse.com charter.net roadrunner.com rr.com spectrum.net twc.com",
    "Bell Canada": "bell.net sympatico.ca",
    "Telstra": "bigpond.com bigpond.net.au",
    "BT": "btinternet.com btopenworld.com talk21.com",
    "Virgin Media": "blueyonder.co.uk ntlworld.com virgin.net virginmedia.com",
    "TalkTalk": "lineone.net talktalk.net tiscali.co.uk",
    "Proton": "pm.me proton.me protonmail.ch protonmail.com",
    "Fastmail": "fastmail.com fastmail.fm",
    "Zoho": "zoho.com zoho.eu zoho.in zohomail.com zohomail.eu zohomail.in",
}

PROVIDERS = tuple(_DOMAINS)
"""The names of the providers."""

_BY_DOMAIN = {
    **{domain: name for name, domains in _DOMAINS.items() for domain in domains.split()},
    **{
        f"{label}.{ending}": name
        for name, labels in _COUNTRIES.items()
        for label, endings in labels.items()
        for ending in endings.split()
    },
}
_WITH_SUBDOMAINS = {"rr.com"}  # one for each region, such as `nyc.rr.com`

# SES documents the tag's values by examples only: "Gmail, Yahoo, etc.". Names are compared without
# case, spaces and punctuation; `UNKNOWN_ISP` and names that are not known here say nothing.
# https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_EmailInsights.html
_OTHER_NAMES = {
    "Gmail": "google googleworkspace gsuite",
    "Microsoft": "hotmail live msn office365 outlook microsoft365",
    "Yahoo": "aol att comcast cox verizon",
    "Apple iCloud": "apple icloud",
    "GMX and WEB.DE": "gmx webde",
    "NetEase": "126 163",
}


def _comparable(name: str) -> str:
    return "".join(filter(str.isalnum, name.casefold()))


_BY_NAME = {
    **{_comparable(name): name for name in PROVIDERS},
    **{other: name for name, others in _OTHER_NAMES.items() for other in others.split()},
}


def normalised_domain(domain: str) -> str:
    """Return a domain in lower case and ASCII (Punycode), without the dot of the root."""
    text = domain.strip().rstrip(".").lower()
    if text.isascii():
        return text
    try:
        return text.encode("idna").decode("ascii").rstrip(".")
    except UnicodeError:  # an empty label, or one that is too long
        return text


@lru_cache(maxsize=10_000)  # most addresses have one of few domains
def provider(domain: str | None, isp: str | None = None) -> str | None:
    """Return the mailbox provider of an address; None if it is not known.

    The table precedes SES's tag: all events of an address then have the same provider, although
    not all of them have a tag.

    Args:
        domain: the address's domain.
        isp: the provider as SES names it in the tag `ses:recipient-isp` of an email to one
            address. The tag of an email to several does not say to which it refers.
    """
    name = normalised_domain(domain or "")
    parent = name.partition(".")[2]
    if parent in _WITH_SUBDOMAINS:
        name = parent
    return _BY_DOMAIN.get(name) or _BY_NAME.get(_comparable(isp or ""))


def by_provider(domains: Iterable[str], isp: str | None = None) -> dict[str, int]:
    """Return the number of an email's addresses at each provider; the sum is their number.

    Args:
        domains: the domain of each address; an empty text for an unknown one.
        isp: as in `provider`.
    """
    listed = list(domains)
    tag = isp if len(listed) == 1 else None
    return dict(Counter(provider(one, tag) or OTHER for one in listed))
