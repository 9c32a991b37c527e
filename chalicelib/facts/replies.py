"""Classes of SMTP replies: what is left of a reply without the parts that differ per email.

Bounces and delays are counted by class, so that the replies of one cause at one provider are one
row, or a few. A class has no address, host, number or id: it identifies no person, and may be shown
to everyone who may see the campaign.
"""

import re
from typing import NamedTuple

from chalicelib.facts.personal import MASK, masked

MAX_TEXT = 120
# The text ends with the first sentence that reaches this length: later ones are often advice that
# has a session's id, or a link.
MIN_TEXT = 45
_LONGEST = 500  # the rest of a reply is ignored
# A pass may leave something for the next, for example a link that a cut sentence ended with. Two
# are usual; a text that changes in each of these is given up.
_MOST_PASSES = 10

_ENHANCED = r"[245]\.\d{1,3}\.\d{1,3}"
# https://www.rfc-editor.org/rfc/rfc5321#section-4.2, https://www.rfc-editor.org/rfc/rfc3463
_CODES = re.compile(
    rf"(?:(?<!\S)([245]\d\d)(?:[ -]+#?({_ENHANCED}))?|(?<![\w.*-])#?({_ENHANCED}))"
    r"(?![\w*]|\.\w)[-:,]?"
)
_STATUS = re.compile(rf"\s*({_ENHANCED})(?![\w.])")
_COMMAND = re.compile(r"\s*\(in reply to [^)]*(?:\)|$)")  # which Postfix adds
_TYPE_OF_DIAGNOSTIC = re.compile(r"\s*(?:smtp|x-[a-z-]+|dns)\s*;\s*", re.IGNORECASE)

# Which list has an address or domain is the cause of a reply, so its name is kept.
LISTS = {
    "spamhaus": "Spamhaus",
    "spamcop": "SpamCop",
    "barracudacentral": "Barracuda",
    "uceprotect": "UCEPROTECT",
    "abusix": "Abusix",
    "surbl": "SURBL",
    "uribl": "URIBL",
    "manitu": "NiX Spam",
    "invaluement": "ivmSIP",
    "cloudmark": "Cloudmark",
    "proofpoint": "Proofpoint",
}
_NAME_OF_LIST = re.compile(rf"(?<![\w@-])({'|'.join(LISTS)})\.(?:com|net|org|de)\b", re.IGNORECASE)
_TOKEN = re.compile(r"[^\s<>()\[\]{}\"']*[.:@\uff20][^\s<>()\[\]{}\"']*")
_URL = re.compile(r"https?:|www\.", re.IGNORECASE)
_LOCAL_PART_BEFORE_DOTS = re.compile(r"^\S+(?=\.\.\. )")  # Sendmail: `ada... User unknown`
# Names without a domain, where servers put them: `Unknown user: ada`, `User ada is unknown`.
_OF_NAME = r"\b(user|mailbox|recipient|account)"
_NAME_AT_END = re.compile(rf"{_OF_NAME}(\s?[:=]\s?)[^\s:=]+$", re.IGNORECASE)
_NAME_OF_USER = re.compile(
    rf"{_OF_NAME} (?!(?:account|address|email|id|mailbox|name|user|is|was)\b)"
    r"[^\s:]+ (?=(?:is |was )?(?:unknown|unavailable|not found|does not exist|doesn't exist))",
    re.IGNORECASE,
)
_QUOTED_WORD = re.compile(r"(?<!\w)(['\"`])[^\s'\"`]+['\"`](?!\w)")
_IN_BRACKETS = re.compile(r"\[[^\[\]\s]{16,}\]?")
_GMAIL = re.compile(r"[\s*-]*\bgsmtp\b")
_HOST = re.compile(
    r"(?<![\w.-])(?:[\w-]+\.)+(?:[a-z]{2,}|[A-Z]{2,}|xn--[\w-]+)(?![\w-])\.?(?=\W|$)"
)
_IPV6 = re.compile(r"(?<![\w:])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![\w:])")
_DATE = re.compile(
    r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\w*,?\s+)?(?:\d{1,2}\s+)?"
    r"\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\s+\d[\d:,\s]*(?:[+-]\d{4})?"
    r"(?:\s*\((?:GMT|UTC|[A-Z]{3,4})\))?"
)
# Codes by which providers name a cause, such as Yahoo's TSS04, Microsoft's S3150 and RP-001,
# Apple's CS01 and HM08, Orange's OFR_506, La Poste's LPN007_510 and Charter's AUP#1310.
_CODE_OF_PROVIDER = re.compile(
    r"(?<![\w.-])(?:TSS?\d{2}|S\d{3,4}|(?:RP|SC|DY|OU)-\d{3}|(?:CS|HM)\d{2}|OFR\d*_\d+|LPN\d+_\d+"
    r"|AUP#[\w-]+)(?![\w-])",
    re.IGNORECASE,
)
_NAME_WITH_NUMBER = re.compile(r"IPv[46]|TLSv?1(?:\.\d)?|RFC|5322\.From", re.IGNORECASE)
_WORD = re.compile(r"[\w*#@$%&+=/~^|\\-]*\d[\w*.:#@$%&+=/~^|\\-]*")
_MASKS = re.compile(r"[\[(<{\"'`=#-]*\*(?:[\s\[\](){}<>\"'`=:;,.#*/_|-]*\*)*[\])>}\"'`]*")
_REPEATED_LIST = re.compile(rf"\b({'|'.join(LISTS.values())})(?:\W+(?:see )?\1\b)+")
_EMPTY = re.compile(r"[\[(<{]\s*[\])>}]")
# What introduces a link, and is left when the link is gone.
_BEFORE_LINK = re.compile(
    r"(?:[\s(\[.;,:*-]*\b(?:please|see|visit|read|go to|refer to|learn more|for explanation"
    r"|for (?:more )?information|at|by|for|from|in|of|on|to|with))+[\s:*]*$",
    re.IGNORECASE,
)
_SPACE = re.compile(r"[\s\x00-\x1f\x7f-\xa0\u2028\u2029]+")
_END_OF_SENTENCE = re.compile(r"[.!?;](?= )")
_AROUND = " \t-:;,.*=/|_#"
_LETTERS = re.compile(r"[^\W\d_]")


class ReplyClass(NamedTuple):
    """The class of a reply.

    Attributes:
        status: the enhanced status code (RFC 3463), such as `5.1.1`; else the three digits of the
            SMTP reply, such as `554`; empty if the reply has neither.
        text: the text, up to MAX_TEXT characters, with `*` for what differs per email; empty if
            nothing else is left.
    """

    status: str
    text: str


def reply_class(status: str | None, diagnostic: str | None) -> ReplyClass:
    """Return the class of a reply.

    Args:
        status: the enhanced status code that the delivery report has.
        diagnostic: the reply with its codes, as SES reports it in `diagnosticCode`.
    """
    reply = _TYPE_OF_DIAGNOSTIC.sub("", (diagnostic or "")[:_LONGEST], count=1)
    return ReplyClass(_status(status, reply), reply_text(reply))


def _status(reported: str | None, reply: str) -> str:
    """Return the most specific code; that of the reply precedes that of the report."""
    found = [(one[2] or one[3] or "", one[1] or "") for one in _CODES.finditer(reply)]
    enhanced = [code for code, _ in found if code]
    if match := _STATUS.match(reported or ""):
        enhanced.append(match[1])
    basic = [code for _, code in found if code]
    # A report without a code from the server has `5.0.0`, which says less than `554`.
    specific = [code for code in enhanced if not code.endswith(".0.0")]
    return next(iter((*specific, *basic, *enhanced)), "")


def reply_text(reply: str) -> str:
    """Return the text of a reply without what differs per email; a class's text is unchanged."""
    text = _SPACE.sub(" ", reply[:_LONGEST])
    for _ in range(_MOST_PASSES):
        before, text = text, _cut(_without_details(text))
        if text == before:
            return text if len(_LETTERS.findall(text)) > 1 else ""
    return ""


def _without_details(text: str) -> str:
    text = _COMMAND.sub(" ", _TYPE_OF_DIAGNOSTIC.sub("", text, count=1))
    text = _CODES.sub(" ", text).strip()
    text = _LOCAL_PART_BEFORE_DOTS.sub(MASK, text)
    text = _NAME_OF_USER.sub(rf"\1 {MASK} ", _NAME_AT_END.sub(rf"\1\2{MASK}", text))
    text = _REPEATED_LIST.sub(r"\1", _TOKEN.sub(_without_link, masked(text)))
    for varying in (_GMAIL, _IN_BRACKETS, _QUOTED_WORD, _DATE, _HOST, _IPV6):
        text = varying.sub(MASK, text)
    return _WORD.sub(_without_numbers, text)


def _without_link(token: re.Match[str]) -> str:
    """Return a word without an address or link; the name of a list instead of its host."""
    text = token[0]
    if "@" in text or "\uff20" in text:
        return MASK
    if found := _NAME_OF_LIST.search(text):
        return LISTS[found[1].lower()]
    link = _URL.search(text)
    return text if link is None else text[: link.start()] + MASK


def _without_numbers(word: re.Match[str]) -> str:
    stripped = word[0].rstrip(".:")
    is_name = _CODE_OF_PROVIDER.fullmatch(stripped) or _NAME_WITH_NUMBER.fullmatch(stripped)
    return word[0] if is_name else MASK + word[0][len(stripped) :]


def _cut(text: str) -> str:
    """Return the provider's code, and the first sentences without masks at the ends."""
    code = ""
    if found := _CODE_OF_PROVIDER.search(text):
        code = f"[{found[0].upper()}] "
        text = f"{text[: found.start()]} {text[found.end() :]}"
    text = _SPACE.sub(" ", _MASKS.sub(f" {MASK} ", _EMPTY.sub(" ", text)))
    text = re.sub(r" (?=[,.;:!?](?: |$))", "", text).strip(_AROUND)
    if end := _END_OF_SENTENCE.search(text, MIN_TEXT):
        text = text[: end.start()]
    longest = MAX_TEXT - len(code)
    if len(text) > longest:
        text = text[: longest + 1].rpartition(" ")[0] or text[:longest]
    return (code + _BEFORE_LINK.sub("", text).strip(_AROUND)).strip()
