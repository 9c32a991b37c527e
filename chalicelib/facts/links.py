"""Identify links: the same link in the emails of all recipients has one identity.

An email's links often carry parts that differ per recipient: addresses, tokens, and parameters of
analytics tools. Their identity is what remains when these are removed, so that the clicks of all
recipients count together, and no snapshot contains an address or a credential.
"""

import re
from functools import lru_cache
from urllib.parse import quote

from chalicelib.facts.personal import MASK, masked, plain

MAX_URL = 2000
_LONGEST = 4 * MAX_URL  # the rest of a URL is ignored

# Parameters that analytics and email tools add to links; they do not change what a link shows.
# They come from Google Analytics and Ads, Meta, Microsoft Advertising, Mailchimp, Marketo, HubSpot,
# Vero, Matomo, Adobe, Yandex, X, TikTok, LinkedIn, Klaviyo, Instagram, Omeda, Wicked Reports,
# ActiveCampaign, dotdigital, Drip, Keap, Kit, MailerLite and Acoustic.
TRACKING_PARAMETERS = frozenset(
    {
        *("gclid", "gclsrc", "gbraid", "wbraid", "dclid", "_ga", "_gl", "fbclid", "msclkid"),
        *("mc_cid", "mc_eid", "mkt_tok", "_hsenc", "_hsmi", "_hsfp", "s_cid", "yclid", "twclid"),
        *("ttclid", "li_fat_id", "_kx", "_ke", "igshid", "oly_enc_id", "oly_anon_id", "wickedid"),
        *("vgo_ee", "dm_i", "__s", "inf_contact_key", "ck_subscriber_id"),
        *("ml_subscriber", "ml_subscriber_hash", "spmailingid", "spuserid", "spjobid"),
    }
)
_TRACKING_PREFIXES = ("utm_", "vero_", "pk_", "mtm_", "hsa_")

_ADDRESS_SCHEMES = {
    *("mailto", "tel", "sms", "smsto", "callto", "facetime", "facetime-audio", "sip", "sips")
}
_DEFAULT_PORTS = {"http": "80", "https": "443"}
# Scheme, authority, path, query and fragment: RFC 3986, appendix B. Every text matches.
_URL = re.compile(
    r"(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.DOTALL
)
_BREAK = re.compile(r"[\t\r\n]")
_ENCODED = re.compile("%[0-9A-Fa-f]{2}")
_IS_WEB = re.compile("https?://", re.IGNORECASE).match

# Words of unsubscribe and preference pages in URLs, in the languages of most newsletters. Those of
# the second line are also usual in other links, unless they end the path segment or parameter.
_UNSUBSCRIBE = re.compile(
    r"(?<![a-z])(?:(?:un-?subscri|d[eé]s?inscri|disiscri|abmelde|abbestell|uitschrij|afmeld)"
    r"[^\W\d_]*"
    r"|(?:prefs|preferences?|preference-?cent(?:er|re)|unsub|opt-?out|manage-subscriptions?"
    r"|se-d[eé]sabonner|darse-de-baja|cancelar-suscripcion|avregistrera|wypisz)"
    r"(?=[/?&=.#*]|\Z))",
    re.IGNORECASE,
)
_WORD = "unsubscribe"


@lru_cache(maxsize=1000)  # an email has few links
def normalised(url: str, tracking: frozenset[str] = frozenset()) -> str:
    """Return a link's identity.

    Scheme and host are in lower case; the fragment, tracking parameters and the scheme's port are
    dropped; an empty path is `/`. User info and personal parts (personal.masked) become `*`, as
    does everything after the word that marks an unsubscribe link. The other parameters keep their
    order. A parameter that is a URL is normalised, too.

    Args:
        url: the URL as SES reports it; any text is accepted.
        tracking: names of further tracking parameters, in lower case.
    """
    return _normalised(url, tracking, is_nested=False)


def _normalised(url: str, tracking: frozenset[str], *, is_nested: bool) -> str:
    text = _BREAK.sub("", url.encode("utf-8", "replace").decode()).strip()[:_LONGEST]
    found = _URL.fullmatch(_ENCODED.sub(lambda one: one[0].upper(), text))
    assert found is not None
    scheme, authority, path, query, fragment = (part or "" for part in found.groups())
    scheme = scheme.lower()
    if scheme in _ADDRESS_SCHEMES:
        return f"{scheme}:{MASK}"
    user, at, host = authority.rpartition("@")
    name, _, port = host.rpartition(":")
    if port == _DEFAULT_PORTS.get(scheme) and ":" not in name.rpartition("]")[2]:
        host = name
    host = masked(host.lower())
    path = "/".join(map(_masked_part, path.split("/")))
    if not path and host and scheme in _DEFAULT_PORTS:
        path = "/"
    query = "&".join(
        _masked_parameter(one, tracking, is_nested=is_nested)
        for one in query.split("&")
        if one and not _is_tracking(one, tracking)
    )
    is_unsubscribe = _is_unsubscribe(fragment)
    path, query = _without_recipient(host, path, query, is_unsubscribe=is_unsubscribe)
    whole = "".join(
        (
            f"{scheme}:" if scheme else "",
            f"//{MASK + at if user else at}{host}" if found[2] is not None else "",
            path,
            f"?{query}" if query else "",
        )
    )
    if is_unsubscribe and not _is_unsubscribe(whole):
        whole = f"{whole}#{_WORD}"  # a page of an application that is routed by the fragment
    return (whole.strip() or _masked_part(text) or MASK)[:MAX_URL].strip()


def kind(url: str) -> str:
    """Return a normalised URL's kind: `link`, `unsubscribe` (or preferences), `mailto` or `tel`."""
    scheme = url.partition(":")[0].lower()
    if scheme in _ADDRESS_SCHEMES:
        return "mailto" if scheme == "mailto" else "tel"
    return "unsubscribe" if _is_unsubscribe(url) else "link"


@lru_cache(maxsize=1000)
def _is_unsubscribe(text: str) -> bool:
    return _UNSUBSCRIBE.search(plain(text)) is not None


def _without_recipient(
    host: str, path: str, query: str, *, is_unsubscribe: bool
) -> tuple[str, str]:
    """Mask what follows the word that marks an unsubscribe link: it identifies the recipient."""
    found = _UNSUBSCRIBE.search(path)
    if _UNSUBSCRIBE.search(host):
        path = _without_values(path)
    elif found:
        path = path[: found.end()] + _without_values(path[found.end() :])
    if found or is_unsubscribe or any(map(_is_unsubscribe, (host, query))):
        query = "&".join(map(_without_value, filter(None, query.split("&"))))
    return path, query


def _without_values(rest: str) -> str:
    """Mask all segments but the first, and the first one if it contains a digit."""
    first, *segments = rest.split("/")
    shown = MASK if any(map(str.isdigit, first)) else first
    return "/".join([shown, *(one and MASK for one in segments)])


def _without_value(parameter: str) -> str:
    name, equals, value = parameter.partition("=")
    found = _UNSUBSCRIBE.search(plain(value))
    if found:
        text = plain(value)
        rest = re.sub(r"[^/?&=.*]+", MASK, text[found.end() :])
        return f"{name}={_quoted(text[: found.end()] + rest)}"
    if _is_unsubscribe(name):
        return f"{name}={MASK}" if value else parameter
    return f"{name}={MASK}" if equals else MASK


def _is_tracking(parameter: str, tracking: frozenset[str]) -> bool:
    # `&amp;` remains in links that were escaped twice.
    name = plain(parameter.partition("=")[0]).lower().removeprefix("amp;")
    return name in TRACKING_PARAMETERS or name in tracking or name.startswith(_TRACKING_PREFIXES)


def _masked_parameter(parameter: str, tracking: frozenset[str], *, is_nested: bool) -> str:
    name, equals, value = parameter.partition("=")
    if not is_nested and _IS_WEB(text := plain(value)):
        target = _normalised(text, tracking, is_nested=True)
        value = value if target == text else _quoted(target)
    else:
        value = _masked_part(value)
    return f"{_masked_part(name)}{equals}{value}"


def _masked_part(part: str) -> str:
    """Return a path segment or a parameter's name or value without what identifies a person."""
    hidden = masked(part)
    if hidden == part:
        return part
    if _is_unsubscribe(part) and not _is_unsubscribe(hidden):
        return f"{_WORD}{MASK}"
    return _quoted(hidden)


def _quoted(text: str) -> str:
    return quote(text, safe="*~!$'()+,;:@/")
