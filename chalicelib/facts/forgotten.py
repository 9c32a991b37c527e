"""Replace the names of forgotten recipients: those of whom an operator has erased the address.

A recipient's name in facts and lists is an address, or its pseudonym. A forgotten name is replaced
by a token: a keyed hash, `forgotten-` and 16 hex digits. Different names have different tokens, so
whatever compares recipients by name gives the same results before and after. Nothing counts a name.

The identity of a fact (Fact.key) is never replaced, because another identity would be another fact
and count again. It contains a keyed pseudonym of the recipient.
"""

import hmac
import re
from collections.abc import Iterator
from contextlib import suppress

from msgspec import Struct
from msgspec.structs import replace

from chalicelib.facts import links
from chalicelib.facts.fact import Fact, pseudonym
from chalicelib.facts.personal import masked, masked_sender, plain
from chalicelib.facts.state import State
from chalicelib.ses.headers import normalised_address

PREFIX = "forgotten-"
# Separates tokens from pseudonyms, which are hashes with the same key.
_DOMAIN = "forgotten recipient "
_ESCAPE = re.compile(r"\\+(?:u([0-9a-fA-F]{4})|[bfnrt/\"])")
_END = r"(?![\w-]|\.\w)"  # the domain has no further labels
# Most addresses, as they are stored: normalising one takes longer than its token.
_NORMALISED = re.compile(r"[a-z0-9._+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)*")
# Without any of these, a text contains no address.
_MARK = re.compile(r"[@=%\\]")
_PSEUDONYM = re.compile(r"[0-9a-f]{16}")
# Types whose `detail` is a text, which release 0.1.0 did not mask; that of others is counted.
_EXPLAINED = {"DeliveryDelay", "Reject", "Rendering Failure"}


class Forgotten(Struct, frozen=True):
    """The forgotten recipients.

    Attributes:
        key: the key of pseudonyms.
        tokens: the tokens of their names.
    """

    key: str
    tokens: frozenset[str] = frozenset()

    def token(self, name: str) -> str:
        """Return the token of a name; a token is its own. An address and its pseudonym share one.

        It is computed for any name, whether it is forgotten or not.
        """
        if name.startswith(PREFIX):
            return name
        known = name if _PSEUDONYM.fullmatch(name) else pseudonym(name, self.key)
        digest = hmac.digest(self.key.encode(), f"{_DOMAIN}{known}".encode(), "sha256")
        return PREFIX + digest.hex()[:16]

    def is_forgotten(self, name: str) -> bool:
        """Return whether a name is that of a forgotten recipient, in any spelling."""
        if not self.tokens:
            return False
        if self.token(name) in self.tokens:
            return True
        # Release 0.1.0 stored addresses as SES spells them.
        is_spelled = "@" in name and not _NORMALISED.fullmatch(name)
        return is_spelled and self.token(normalised_address(name)) in self.tokens

    def name(self, name: str) -> str:
        """Return a name, or its token if it is forgotten. Applying it again changes nothing."""
        return self.token(name) if self.is_forgotten(name) else name

    def fact(self, fact: Fact) -> Fact:
        """Return a fact without what identifies a forgotten recipient, except its identity."""
        if not self.tokens:
            return fact
        if fact.recipients:
            fact = replace(
                fact, recipients={self.name(one): of for one, of in fact.recipients.items()}
            )
        if fact.recipient is None or not self.is_forgotten(fact.recipient):
            return fact
        token = self.token(fact.recipient)
        return with_masked_texts(replace(fact, recipient=token, reported=None, subject=None))

    def stored(self, stored: Fact | State) -> Fact | State:
        """Return a fact as `fact` does; a state unchanged, because it has no names."""
        return self.fact(stored) if isinstance(stored, Fact) else stored


NOBODY = Forgotten("")
"""No forgotten recipients."""


def with_masked_texts(fact: Fact) -> Fact:
    """Return a fact whose texts are masked, as those of current events are when they are stored."""
    is_explained = fact.detail is not None and fact.type in _EXPLAINED
    return replace(
        fact,
        sender=fact.sender and masked_sender(fact.sender),
        detail=masked(fact.detail or "") if is_explained else fact.detail,
        link=links.normalised(fact.link) if fact.link and fact.generation == 1 else fact.link,
    )


class Spellings(Struct, frozen=True):
    """The spellings of an address that an operator wants to erase.

    Attributes:
        names: the address as given, as it is stored, and with its domain in Unicode and ASCII.
    """

    names: frozenset[str]

    def are_in(self, text: str) -> bool:
        """Return whether a text contains the address, in any letter case.

        Percent-encoding is decoded, and JSON's escapes. In a sender's address, the recipient has
        `=` instead of `@`. An address that only ends or begins with this one is another.
        """
        if not _MARK.search(text):
            return False
        unescaped = _ESCAPE.sub(_unescaped, text)
        names = "|".join(re.escape(one) for one in self.names)
        as_sender = names.replace("@", "=")
        found = re.compile(
            rf"(?<![\w.+-])(?:{names}){_END}|(?<![\w.-])(?:{as_sender}){_END}", re.IGNORECASE
        )
        return any(map(found.search, {text, unescaped, plain(text), plain(unescaped)}))


def _unescaped(escape: re.Match[str]) -> str:
    return chr(int(escape[1], 16)) if escape[1] else " "


def spellings(address: str) -> Spellings:
    """Return the spellings of an address; a pseudonym or a token has no other."""
    normalised = normalised_address(address)
    domains = _other_domains(normalised) if "@" in normalised else ()
    return Spellings(frozenset({address, normalised, *domains}))


def _other_domains(address: str) -> Iterator[str]:
    """Yield an address with its domain in Unicode and in ASCII (punycode), if it has both forms."""
    local, _, domain = address.rpartition("@")
    with suppress(UnicodeError):
        yield f"{local}@{domain.encode('idna').decode()}"
    with suppress(UnicodeError):
        yield f"{local}@{domain.encode().decode('idna')}"
