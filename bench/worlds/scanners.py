"""Bots that follow links: scanners of mail gateways and mailbox providers, previews, crawlers."""

from dataclasses import dataclass
from random import Random

from bench.worlds import agents, networks
from bench.worlds.email import Email, Request, bot, delay
from bench.worlds.networks import Pool
from bench.worlds.parameters import HOUR, Parameters


@dataclass(frozen=True)
class Vendor:
    """A scanner of a list's recipients.

    Attributes:
        behaviour: what it follows: a key of Parameters.behaviours.
        agents: the user agents of its requests.
        opens: whether it loads the images before.
        one_address: whether all requests for an email have the same address.
        other_agent: whether the agent of its open may differ from that of its clicks.
    """

    behaviour: str
    agents: tuple[str, ...]
    pool: Pool
    opens: bool
    one_address: bool
    other_agent: bool


def vendors(parameters: Parameters, rng: Random) -> list[Vendor]:
    """Return the scanners of a list."""
    return [_vendor(parameters, rng) for _ in range(parameters.vendors)]


def _vendor(parameters: Parameters, rng: Random) -> Vendor:
    behaviour = rng.choices(list(parameters.behaviours), list(parameters.behaviours.values()))[0]
    is_modern = behaviour == "detonation" or rng.random() >= parameters.old_agents
    agent = agents.browser if is_modern else agents.invented
    fleet = parameters.fleet if parameters.rotating_agents else rng.randint(1, parameters.fleet)
    size = rng.randint(max(1, parameters.pool // 12), parameters.pool)
    is_cloud = rng.random() < parameters.cloud
    pool = networks.MICROSOFT if is_cloud else networks.somewhere("hosting", rng, size)
    opens = behaviour != "unsubscribe_scan" and rng.random() < parameters.scanner_opens
    return Vendor(
        behaviour,
        tuple(agent(rng) for _ in range(fleet)),
        pool,
        opens,
        one_address=rng.random() < parameters.one_address,
        other_agent=rng.random() < parameters.other_agent,
    )


class Scan:
    """One scan of one email: a scanner's requests share an agent, and mostly a network."""

    def __init__(
        self,
        email: Email,
        vendor: Vendor,
        parameters: Parameters,
        rng: Random,
        office: Pool | None,
    ) -> None:
        self._email = email
        self._vendor = vendor
        self._parameters = parameters
        self._rng = rng
        self._pool = office if office and parameters.at_the_office else vendor.pool
        self._network = self._pool.network(rng)
        self._first_address = self._pool.address(rng, self._network)
        self._agent: str | None = rng.choice(vendor.agents)

    def run(self) -> None:
        """Add the opens and clicks of the scan."""
        behaviour = self._vendor.behaviour
        rng, parameters = self._rng, self._parameters
        if behaviour == "scanner_burst" and rng.random() < parameters.burst_single:
            behaviour = "sampler"
        if behaviour == "no_agent_scan":
            self._agent = None
        start = self._start(behaviour)
        if self._vendor.opens:
            # The image is loaded before the links are followed.
            opened = delay(rng, parameters.scanner_open_after)
            if behaviour == "detonation" or opened >= start:
                opened = start - rng.uniform(0.2, min(5.0, start - 0.1))
            request = self._request()
            if self._vendor.other_agent:
                request = request._replace(agent=rng.choice(self._vendor.agents))
            self._email.add(opened, request, bot("scanner_open"))
        self._follow(behaviour, start)

    def _start(self, behaviour: str) -> float:
        if behaviour == "detonation":
            return self._email.delivered + 20 + delay(self._rng, self._parameters.detonation_after)
        bins = self._parameters.burst_start
        low, high = self._rng.choices(list(bins), list(bins.values()))[0]
        start = low * (high / low) ** self._rng.random()
        return max(start, self._email.delivered + 0.3)

    def _follow(self, behaviour: str, start: float) -> None:
        at = start
        for number, link in enumerate(self._links(behaviour)):
            if number:
                at += self._gap(behaviour)
            self._email.add(at, self._request(link), bot(behaviour))
            if behaviour == "sampler" and self._rng.random() < self._parameters.single_twice:
                again = at + self._rng.uniform(0.1, 1)
                self._email.add(again, self._request(link), bot(behaviour))

    def _links(self, behaviour: str) -> list[str]:
        links, rng = list(self._email.links), self._rng
        if behaviour == "sampler":
            return [rng.choice(links)]
        if behaviour == "unsubscribe_scan":
            return [links[-1]]
        if behaviour == "detonation":
            return rng.sample(links, min(len(links), rng.randint(1, 3)))
        followed = [one for one in links if rng.random() < self._parameters.followed]
        return followed or links[:1]

    def _gap(self, behaviour: str) -> float:
        if behaviour == "slow_sweep":
            return self._rng.uniform(*self._parameters.slow_gap)
        if behaviour == "detonation":
            return self._rng.uniform(*self._parameters.detonation_gap)
        return self._rng.expovariate(1 / self._parameters.burst_gap)

    def _request(self, link: str | None = None) -> Request:
        agent = self._agent
        if self._parameters.rotating_agents and agent is not None:
            agent = self._rng.choice(self._vendor.agents)
        return Request(agent, self._address(), link)

    def _address(self) -> str:
        if self._vendor.one_address:
            return self._first_address
        stays = self._rng.random() < self._parameters.same_network
        return self._pool.address(self._rng, self._network if stays else None)


def scan_by_google(email: Email, parameters: Parameters, rng: Random, *, workspace: bool) -> None:
    """Add Gmail's sampling of a link, and Google Workspace's scan with a browser."""
    if rng.random() < parameters.gmail_sampling:
        after = email.delivered + delay(rng, parameters.gmail_sampling_after)
        link = rng.choice(email.links)
        request = Request(agents.GMAIL_SAMPLING, networks.GMAIL.address(rng), link)
        email.add(after, request, bot("gmail_sampling"))
    if workspace and rng.random() < parameters.workspace_scan:
        at = email.delivered + delay(rng, parameters.workspace_scan_after)
        agent, network = agents.browser(rng), networks.WORKSPACE.network(rng)
        for link in rng.sample(email.links, min(len(email.links), rng.randint(1, 2))):
            request = Request(agent, networks.WORKSPACE.address(rng, network), link)
            email.add(at, request, bot("workspace_scan"))
            at += rng.uniform(*parameters.workspace_gap)


def follow_under_its_name(email: Email, parameters: Parameters, rng: Random) -> None:
    """Add the requests of a bot that names itself, at any time of the first two days."""
    if rng.random() >= parameters.declared:
        return
    at = email.delivered + 1 + rng.random() ** 3 * 48 * HOUR
    agent, pool = rng.choice(agents.DECLARED), networks.somewhere("hosting", rng)
    for link in rng.sample(email.links, rng.randint(1, len(email.links))):
        email.add(at, Request(agent, pool.address(rng), link), bot("declared"))
        at += rng.expovariate(1.0)


def react_to_clicks(email: Email, parameters: Parameters, rng: Random) -> None:
    """Add what people's clicks cause: scanners' requests around them, and the preview in a chat."""
    clicks = [hit for hit, label in email.hits if label.human and hit.type == "Click"]
    for hit in clicks:
        at = hit.after / 1000
        if rng.random() < parameters.echo:
            address = networks.somewhere("hosting", rng, 8).address(rng)
            request = Request(agents.windows_chrome(rng), address, hit.link)
            email.add(at + delay(rng, parameters.echo_after), request, bot("echo"))
        if rng.random() < parameters.checked_first:
            before = rng.uniform(*parameters.checked_before)
            request = Request(agents.windows_chrome(rng), networks.MICROSOFT.address(rng), hit.link)
            email.add(at - before, request, bot("check_at_click"))
        if rng.random() < parameters.preview:
            address = networks.somewhere("hosting", rng).address(rng)
            request = Request(rng.choice(agents.PREVIEWS), address, hit.link)
            email.add(at + delay(rng, parameters.preview_after), request, bot("preview"))
