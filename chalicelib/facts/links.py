"""Identify links: the same link in the emails of all recipients has one identity.

An email's links often carry parts that differ per recipient: addresses, tokens, and parameters of
analytics tools. Their identity is what remains when these are removed, so that the clicks of all
recipients count together, and no snapshot contains an address or a credential.
"""

import re
from functools import lru_cache
from urllib.parse import quote, unquote, urlsplit

from chalicelib.facts.personal import MASK, masked

MAX_URL = 2000

# Parameters that analytics and email tools add to links; they do not change what a link shows.
# They come from Google Analytics and Ads, Meta, Microsoft Advertising, Mailchimp, Marketo, HubSpot,
# Vero, Matomo, Adobe, Yandex, X, TikTok, LinkedIn, Klaviyo, Instagram, Omeda and Wicked Reports.
TRACKING_PARAMETERS = frozenset(
    {
        *("gclid", "gclsrc", "gbraid", "wbraid", "dclid", "_ga", "_gl", "fbclid", "msclkid"),
        *("mc_cid", "mc_eid", "mkt_tok", "_hsenc", "_hsmi", "_hsfp", "s_cid", "yclid", "twclid"),
        *("ttclid", "li_fat_id", "_kx", "igshid", "oly_enc_id", "oly_anon_id", "wickedid"),
    }
)
_TRACKING_PREFIXES = ("utm_", "vero_", "pk_", "mtm_", "hsa_")

_ADDRESS_SCHEMES = {"mailto", "tel", "sms"}
# Words of unsubscribe and preference pages in URLs, in the languages of most newsletters. Those of
# the second line are also usual in other links, unless they end the path segment or parameter.
_UNSUBSCRIBE = re.compile(
    r"(?<![a-z])(?:(?:un-?subscri|d[eé]s?inscri|disiscri|abmelde|abbestell|uitschrij|afmeld)\w*"
    r"|(?:prefs|preferences?|preference-?cent(?:er|re)|unsub|opt-?out|manage-subscriptions?"
    r"|se-d[eé]sabonner|darse-de-baja|cancelar-suscripcion|avregistrera|wypisz)(?=[/?&=.#]|\Z))",
    re.IGNORECASE,
)
_MOST_ENCODINGS = 3  # %252540 is an @ that was encoded three times


@lru_cache(maxsize=1000)  # an email has few links
def normalised(url: str, tracking: frozenset[str] = frozenset()) -> str:
    """Return a link's identity.

    Scheme and host are in lower case; the fragment and tracking parameters are dropped; user info
    and personal parts (personal.masked) become `*`, as does everything after the word that marks
    an unsubscribe link. The other parameters keep their order.

    Args:
        url: the URL as SES reports it.
        tracking: names of further tracking parameters, in lower case.
    """
    try:
        parts = urlsplit(url.strip())
        scheme, host, port = parts.scheme.lower(), parts.hostname or "", parts.port
    except ValueError:  # not a valid URL, such as "http://[", but the click counts anyway
        return _masked_part(url)[:MAX_URL]
    if scheme in _ADDRESS_SCHEMES:
        return f"{scheme}:{MASK}"
    user = f"{MASK}@" if "@" in parts.netloc else ""
    authority = f"{user}{masked(host)}{f':{port}' if port else ''}" if parts.netloc else ""
    query = "&".join(
        _masked_parameter(one)
        for one in parts.query.split("&")
        if one and not _is_tracking(one, tracking)
    )
    path = "/".join(map(_masked_part, parts.path.split("/")))
    path, query = _without_recipient(host, path, query)
    prefix = f"{scheme}:" if scheme else ""
    return (
        f"{prefix}{f'//{authority}' if authority else ''}{path}{f'?{query}' if query else ''}"
        or _masked_part(url)
    )[:MAX_URL]


def kind(url: str) -> str:
    """Return a normalised URL's kind: `link`, `unsubscribe` (or preferences), `mailto` or `tel`."""
    scheme = url.partition(":")[0]
    if scheme in _ADDRESS_SCHEMES:
        return "mailto" if scheme == "mailto" else "tel"
    return "unsubscribe" if _is_unsubscribe(url) else "link"


@lru_cache(maxsize=1000)
def _is_unsubscribe(url: str) -> bool:
    return _UNSUBSCRIBE.search(url) is not None


def _without_recipient(host: str, path: str, query: str) -> tuple[str, str]:
    """Mask what follows the word that marks an unsubscribe link: it identifies the recipient."""
    found = _UNSUBSCRIBE.search(path)
    end = 0 if _UNSUBSCRIBE.search(host) else path.find("/", found.end()) if found else -1
    if end >= 0:
        path = path[:end] + re.sub(r"[^/]+", MASK, path[end:])
    if query and (end >= 0 or found or _UNSUBSCRIBE.search(query)):
        query = "&".join(map(_without_value, query.split("&")))
    return path, query


def _without_value(parameter: str) -> str:
    if _UNSUBSCRIBE.search(parameter):
        return parameter
    name, equals, _ = parameter.partition("=")
    return f"{name}={MASK}" if equals else MASK


def _is_tracking(parameter: str, tracking: frozenset[str]) -> bool:
    name = unquote(parameter.partition("=")[0]).lower()
    return name in TRACKING_PARAMETERS or name in tracking or name.startswith(_TRACKING_PREFIXES)


def _masked_parameter(parameter: str) -> str:
    name, equals, value = parameter.partition("=")
    return f"{_masked_part(name)}{equals}{_masked_part(value)}"


def _masked_part(part: str) -> str:
    """Return a path segment or a parameter's name or value without what identifies a person."""
    text = part
    for _ in range(_MOST_ENCODINGS):
        text = unquote(text)
    hidden = masked(text)
    if hidden == text:
        return part
    return quote(hidden, safe="*~!$'()+,;:@/")
