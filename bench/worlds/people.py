"""People: how their mailboxes load images, when they read, and what they click."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from bench.worlds import agents, networks
from bench.worlds.email import Email, Request, bot, delay, human
from bench.worlds.networks import Pool
from bench.worlds.parameters import Parameters

_COMMON_NETWORKS = {"person", "office", "mobile", "vpn"}
_SOONEST_SECONDS = 4.0  # from the delivery to the first open by a person


@dataclass(frozen=True)
class Person:
    """A recipient, or a person to whom the email was forwarded.

    Attributes:
        mailbox: how images are loaded: a key of Parameters.mailboxes.
        office: the network of their organisation; None at home.
        browser: the agent of their clicks; None if they hide it.
        network: the kind of network of their clicks: a kind of click, or `person` at home.
        address: the address of their clicks.
        program: the agent of a mail program that loads images itself.
    """

    mailbox: str
    office: Pool | None
    images: bool
    browser: str | None
    network: str
    address: str
    program: str


def person(
    parameters: Parameters, rng: Random, office: Pool | None, scanner: Pool | None = None
) -> Person:
    """Return a random person of a list.

    Args:
        parameters: those of the list.
        rng: the source of all randomness.
        office: the network of their organisation, if any.
        scanner: the networks of its scanner, if any.
    """
    mailbox = rng.choices(list(parameters.mailboxes), list(parameters.mailboxes.values()))[0]
    network, address = _network(parameters, rng, mailbox, office)
    browser: str | None = agents.browser(rng, apple=mailbox == "apple")
    if scanner and rng.random() < parameters.isolated:
        network, address, browser = "isolated", scanner.address(rng), agents.windows_chrome(rng)
    elif rng.random() < parameters.no_agent:
        network, browser = "no_agent", None
    elif network != "private_relay" and rng.random() < parameters.old_browser:
        network, browser = "old_browser", agents.old_browser(rng)
    return Person(
        mailbox,
        office,
        images=rng.random() >= parameters.images_off,
        browser=browser,
        network=network,
        address=address,
        program=agents.program(rng),
    )


def _network(
    parameters: Parameters, rng: Random, mailbox: str, office: Pool | None
) -> tuple[str, str]:
    if mailbox == "apple" and rng.random() < parameters.private_relay:
        return "private_relay", networks.APPLE.address(rng)
    if rng.random() < parameters.vpn:
        return "vpn", networks.VPN.address(rng)
    if rng.random() < parameters.mobile:
        return "mobile", networks.MOBILE.address(rng)
    if office:
        return "office", office.address(rng)
    return "person", networks.home(rng)


def live(email: Email, one: Person, parameters: Parameters, rng: Random) -> None:
    """Add what the mailbox and the person do with an email."""
    read_at: float | None = None
    if rng.random() < parameters.read:
        read_at = email.delivered + _SOONEST_SECONDS + delay(rng, parameters.read_after)
    _load_images(email, one, parameters, rng, read_at)
    if read_at is None:
        return
    if one.mailbox == "apple" and rng.random() < parameters.hover_preview:
        request = Request(agents.safari_on_a_mac(rng), one.address, rng.choice(email.links))
        email.add(read_at + rng.uniform(2, 30), request, bot("hover_preview"))
    if rng.random() < parameters.forwarded:
        _forward(email, parameters, rng, read_at + delay(rng, parameters.forwarded_after))
    if rng.random() < parameters.click:
        _click(email, one, parameters, rng, read_at + delay(rng, parameters.click_after))


def read_together(
    email: Email, people: Sequence[Person], parameters: Parameters, rng: Random
) -> None:
    """Add the opens and clicks of people who read a shared email at the same time."""
    at = email.delivered + delay(rng, parameters.read_after)
    for one in people:
        began = at + rng.uniform(0, 10)
        _load_images(email, one, parameters, rng, began)
        if rng.random() < parameters.together_click:
            link = rng.choice(email.links[:-1] or email.links)
            request = Request(one.browser, one.address, link)
            email.add(at + rng.uniform(10, 20), request, human("together"))


def _load_images(
    email: Email, one: Person, parameters: Parameters, rng: Random, read_at: float | None
) -> None:
    """Add the opens of one mailbox: those when the person reads, and those by machines."""
    if one.mailbox == "apple":
        _load_by_apple(email, one, parameters, rng, read_at)
        return
    if one.mailbox == "gmail" and rng.random() < parameters.gmail_prefetch:
        request = Request(agents.GMAIL_PREFETCH, networks.GMAIL.address(rng))
        email.add(email.delivered + rng.uniform(0.1, 2), request, bot("gmail_prefetch"))
    if read_at is None or not one.images:
        return
    times = [read_at]
    while rng.random() < parameters.read_again:
        times.append(times[-1] + delay(rng, parameters.read_again_after))
    for at in times:
        agent, address, kind = _reading(one, parameters, rng)
        email.add(at, Request(agent, address), human(kind))


def _reading(one: Person, parameters: Parameters, rng: Random) -> tuple[str, str, str]:
    """Return agent, address and kind of the request for the images when a person reads."""
    if one.mailbox == "gmail":
        return agents.GMAIL_PROXY, networks.GMAIL.address(rng), "gmail_proxy_read"
    if one.mailbox == "yahoo":
        return agents.YAHOO_PROXY, networks.YAHOO.address(rng), "yahoo_proxy_read"
    if one.mailbox == "outlook":
        is_bare = rng.random() < parameters.bare_webkit
        agent = agents.BARE_WEBKIT if is_bare else agents.windows_chrome(rng)
        return agent, networks.MICROSOFT.address(rng), "outlook_proxy_read"
    # The mail program's requests do not pass Private Relay or the isolated browser.
    at_home = one.network in ("private_relay", "mobile", "isolated")
    address = networks.home(rng) if at_home else one.address
    return one.program, address, "mail_program_read"


def _load_by_apple(
    email: Email, one: Person, parameters: Parameters, rng: Random, read_at: float | None
) -> None:
    """Add the requests of each of Apple's devices: one, at the preload or at the first reading."""
    devices = 2 if rng.random() < parameters.apple_second_device else 1
    for device in range(devices):
        preloads = one.images and rng.random() < parameters.apple_preload
        at = email.delivered + delay(rng, parameters.apple_preload_after) if preloads else None
        label = bot("apple_preload")
        if device == 0 and one.images and read_at is not None and (at is None or read_at < at):
            at, label = read_at, human("apple_read")
        if at is not None:
            email.add(at, Request(agents.APPLE_PROXY, networks.APPLE.address(rng)), label)


def _forward(email: Email, parameters: Parameters, rng: Random, at: float) -> None:
    """Add what the person does to whom the email was forwarded."""
    other = person(parameters, rng, None)
    email.add(at, Request(other.program, networks.home(rng)), human("mail_program_read"))
    if rng.random() < parameters.forwarded_click:
        link = rng.choice(email.links[:-1] or email.links)
        after = at + delay(rng, parameters.click_after)
        email.add(after, Request(other.browser, other.address, link), human("forwarded"))


def _click(email: Email, one: Person, parameters: Parameters, rng: Random, at: float) -> None:
    """Add the clicks of a person from a time on."""
    links = _chosen(email, parameters, rng)
    kind = _kind(one)
    gap = parameters.link_gap
    if links == [email.unsubscribe_link]:
        kind = "unsubscriber"
    elif len(email.links) > 3 and rng.random() < parameters.quick:
        links = rng.sample(email.links[:-1], k=rng.choice((3, 3, 4)))
        kind, gap = "quick_person", parameters.quick_gap
    for number, link in enumerate(links):
        at += delay(rng, gap) if number else 0.0
        request = Request(one.browser, one.address, link)
        email.add(at, request, human(kind))
        if rng.random() < parameters.double_click:
            email.add(at + rng.uniform(0.1, 1), request, human("double_click"))
    if rng.random() < parameters.click_again:
        later = at + delay(rng, parameters.click_again_after)
        email.add(later, Request(one.browser, one.address, links[0]), human("return"))


def _kind(one: Person) -> str:
    if not one.images and one.mailbox != "apple" and one.network in _COMMON_NETWORKS:
        return "images_off"
    return one.network


def _chosen(email: Email, parameters: Parameters, rng: Random) -> list[str]:
    """Return the links that a person clicks; the first ones of an email are the most popular."""
    content = list(email.links[:-1] or email.links)
    if email.unsubscribe_link and rng.random() < parameters.unsubscribe:
        return [email.unsubscribe_link]
    chosen: list[str] = []
    while content and (not chosen or rng.random() < parameters.second_link):
        weights = [1 / (number + 1) for number in range(len(content))]
        chosen.append(content.pop(rng.choices(range(len(content)), weights)[0]))
    return chosen
